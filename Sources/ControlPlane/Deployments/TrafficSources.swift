// Where a plan comes from: the file, the deployments, and what was set through the API. Merging is
// pure and total, so that a change can be tried before it is stored and stored before it is
// applied.

import State
package import Traffic

/// What the API has set and the file would say without it.
struct TrafficSources {
    var gateway: GatewayPlan
    /// Services of the configuration file, as written there.
    var file: [ServicePlan] = []
    /// Services of deployments, as the controller wants them.
    var managed: [ServicePlan] = []
    /// Private services of replicas to be proved.
    var proving: [ServicePlan] = []
    var overrides: [String: TrafficOverride] = [:]
    var drains: [EndpointKey: EndpointDrain] = [:]

    struct EndpointKey: Hashable, Comparable {
        var service: String
        var address: String

        static func < (left: EndpointKey, right: EndpointKey) -> Bool {
            (left.service, left.address) < (right.service, right.address)
        }
    }

    /// The plan of all sources together.
    func plan(generation: UInt64) throws -> TrafficPlan {
        let names = Set(file.map(\.name))
        if let clash = managed.first(where: { names.contains($0.name) }) {
            throw TrafficDirectorError.nameClash(service: clash.name)
        }
        return try TrafficPlan(
            generation: generation, gateway: gateway, services: visible + proving)
    }

    /// What others may see. A route that a service of the file has is not a deployment's, too: the
    /// file says exactly what it wants, a deployment's routes come with its name and its model.
    private var visible: [ServicePlan] {
        var taken = Set(file.flatMap(\.routes).map(\.match))
        let unique = managed.map { service in
            var service = service
            service.routes.removeAll { !taken.insert($0.match).inserted }
            return service
        }
        return (file + unique).map(merged)
    }

    /// The plan as others may see it. A part of a valid plan is valid.
    func publicPlan(generation: UInt64) -> TrafficPlan? {
        try? TrafficPlan(generation: generation, gateway: gateway, services: visible)
    }

    func isManaged(_ service: String) -> Bool {
        managed.contains { $0.name == service }
    }

    /// A service as written, without what the API has set.
    func written(_ service: String) -> ServicePlan? {
        file.first { $0.name == service } ?? managed.first { $0.name == service }
    }

    /// Takes out what was set over a value that the file has changed since; says what it was.
    ///
    /// What belongs to a service nobody speaks of now is kept but has no effect: a deployment may
    /// not have arrived yet, a service may be commented out for an hour.
    mutating func removeOutdated() -> [TrafficEdit] {
        var edits: [TrafficEdit] = []
        for (name, override) in overrides.sorted(by: { $0.key < $1.key }) {
            guard let service = written(name),
                service.splitFingerprint != override.fileFingerprint
            else { continue }
            overrides[name] = nil
            edits.append(.clearSplit(service: name))
        }
        for (key, drain) in drains.sorted(by: { $0.key < $1.key }) {
            guard let service = written(key.service), isOutdated(drain, in: service) else {
                continue
            }
            drains[key] = nil
            edits.append(.clearDrain(service: key.service, address: key.address))
        }
        return edits
    }

    /// The file speaks of every endpoint it has, so one that is gone from it has changed. A
    /// deployment's endpoints come and go with its replicas: absence says nothing.
    private func isOutdated(_ drain: EndpointDrain, in service: ServicePlan) -> Bool {
        guard let fingerprint = service.drainFingerprint(of: drain.address) else {
            return !isManaged(service.name)
        }
        return fingerprint != drain.fileFingerprint
    }

    private func merged(_ written: ServicePlan) -> ServicePlan {
        var service = written
        if let override = overrides[service.name] {
            for index in service.revisions.indices {
                let name = service.revisions[index].name
                service.revisions[index].weight = override.weights[name] ?? 0
            }
        }
        for revision in service.revisions.indices {
            for endpoint in service.revisions[revision].endpoints.indices {
                let address = service.revisions[revision].endpoints[endpoint].address.description
                let key = EndpointKey(service: service.name, address: address)
                guard let drain = drains[key] else { continue }
                service.revisions[revision].endpoints[endpoint].isDrained = drain.isDrained
            }
        }
        return service
    }
}

extension RoutePlan {
    /// What it matches, whatever happens to the path afterwards.
    fileprivate var match: RoutePlan {
        var match = self
        match.strips = false
        return match
    }
}

extension TrafficPlan {
    var isPublic: Bool {
        !services.contains { $0.name.hasPrefix(TrafficDirector.privatePrefix) }
    }
}

extension ServicePlan {
    /// The split as written, in a form that can be stored and compared; order does not matter.
    var splitFingerprint: String {
        revisions.map { "\($0.name)=\($0.weight)" }.sorted().joined(separator: ",")
    }

    /// What is written about draining one endpoint; nil when the service has none such.
    func drainFingerprint(of address: String) -> String? {
        isDrained(address).map { "drained=\($0)" }
    }

    /// Whether an endpoint is written as drained; nil when the service has none such.
    func isDrained(_ address: String) -> Bool? {
        let written = revisions.flatMap(\.endpoints).filter { $0.address.description == address }
        return written.isEmpty ? nil : written.contains(where: \.isDrained)
    }

    /// Thousandths by revision.
    package var split: [String: Int] {
        Dictionary(revisions.map { ($0.name, $0.weight) }, uniquingKeysWith: { first, _ in first })
    }
}

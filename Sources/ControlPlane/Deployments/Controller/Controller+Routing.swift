// From rows to the plan, and back from what the workers confirm: a replica's place counts once
// every worker has taken up the plan that says so.

import Foundation
import Logging
import Traffic

/// Where a replica stands in the plan, and since which generation.
struct RoutingPlace: Sendable, Equatable {
    var deployment: String
    var role: TrafficRole
    var generation: UInt64
}

extension Controller {
    /// The routing of a deployment as its rows demand; noted for the next plan if it differs.
    func route(_ name: String) {
        guard let entry = entries[name] else { return }
        let routing = FleetRouting(
            entry.rows, sightings: entry.sightings, revision: entry.record.revision,
            concurrency: entry.record.spec.concurrency)
        entries[name]?.routing = routing
        let service = service(entry, routing)
        guard entry.service != service || entry.candidates != routing.candidates else { return }
        entries[name]?.service = service
        entries[name]?.candidates = routing.candidates
        isRoutingDirty = true
    }

    private func service(_ entry: DeploymentEntry, _ routing: FleetRouting) -> ServicePlan {
        var service = entry.record.spec.service(revisions: routing.revisions)
        // It is on its way out: nobody finds it, but its last requests are counted.
        if entry.record.desire == .deleted { service.routes = [] }
        if entry.record.desire == .stopped, let notices = surroundings.notices {
            service.answer(by: notices)
        }
        return service
    }

    /// By age: of deployments of one model the oldest answers for it by the model's name, for the
    /// first to want a route has it.
    func services() -> [ServicePlan] {
        entries.values.sorted { ($0.createdAt, $0.name) < ($1.createdAt, $1.name) }
            .compactMap(\.service)
    }

    /// One private service for each replica to be proved.
    func provingServices() -> [ServicePlan] {
        entries.values.sorted { $0.name < $1.name }.flatMap { entry in
            entry.candidates.map { candidate in
                var service = ServicePlan(
                    name: TrafficDirector.privatePrefix + candidate.replica,
                    routes: [RoutePlan(host: proofHost(candidate.replica))],
                    revisions: [
                        RevisionPlan(
                            name: "proof", weight: 1000,
                            endpoints: [EndpointPlan(address: candidate.address)])
                    ])
                service.rewritesHost = true
                service.retry.attempts = 1
                service.ejection.failures = 0
                return service
            }
        }
    }

    func proofHost(_ replica: String) -> String { "\(replica).\(secret).proof" }

    /// After a pass: one plan for all that changed in it.
    func publishIfNeeded() async {
        // With nothing stored nothing is published either: the workers keep what they have.
        guard isRoutingDirty, readOnlyBecause == nil else { return }
        // An older plan must never follow a newer one.
        await publishing.enter()
        isRoutingDirty = false
        let roles = currentRoles()
        do {
            let generation = try await director.setManaged(
                services(), proving: provingServices())
            place(roles, generation)
        } catch {
            logger.error("managed services are not in the plan", metadata: ["cause": "\(error)"])
        }
        await publishing.leave()
    }

    private func currentRoles() -> [String: RoutingPlace] {
        var roles: [String: RoutingPlace] = [:]
        for (name, entry) in entries {
            for row in entry.rows {
                roles[row.id] = RoutingPlace(
                    deployment: name, role: entry.routing.roles[row.id] ?? .absent, generation: 0)
            }
        }
        return roles
    }

    /// The plan that was in force before anything began, made of what was stored.
    func noteFirstPlan() async {
        isRoutingDirty = false
        place(currentRoles(), await director.currentPlan()?.generation ?? 0)
    }

    private func place(_ roles: [String: RoutingPlace], _ generation: UInt64) {
        for (replica, next) in roles where places[replica]?.role != next.role {
            let isNew = places[replica] == nil && next.role == .absent
            places[replica] = RoutingPlace(
                deployment: next.deployment, role: next.role, generation: generation)
            // One that was in no plan is in none.
            if isNew {
                see(replica, of: next.deployment) { $0.role = .absent }
            } else {
                see(replica, of: next.deployment) { ($0.role, $0.inFlight) = (nil, nil) }
                unconfirmed.insert(replica)
            }
        }
        if acknowledgement == nil, !unconfirmed.isEmpty {
            acknowledgement = Task { await awaitWorkers() }
        }
    }

    /// Until every worker has every plan that was issued.
    private func awaitWorkers() async {
        var pause = Limits.acknowledgementPause.lowerBound
        while !Task.isCancelled {
            let inForce = await director.generationInForce()
            let before = unconfirmed.count
            confirm(upTo: inForce)
            if unconfirmed.isEmpty { break }
            pause =
                unconfirmed.count < before
                ? Limits.acknowledgementPause.lowerBound
                : min(pause * 2, Limits.acknowledgementPause.upperBound)
            // Cancelled: the loop's condition sees it.
            try? await Task.sleep(for: pause)
        }
        acknowledgement = nil
    }

    private func confirm(upTo generation: UInt64) {
        for replica in unconfirmed {
            guard let place = places[replica] else {
                unconfirmed.remove(replica)
                continue
            }
            guard place.generation <= generation else { continue }
            unconfirmed.remove(replica)
            see(replica, of: place.deployment) { $0.role = place.role }
        }
    }
}

extension ServicePlan {
    /// Everything goes to one who tells clients why; the last requests of the replicas end.
    fileprivate mutating func answer(by notices: NetworkAddress) {
        for index in revisions.indices { revisions[index].weight = 0 }
        revisions.removeAll(where: \.endpoints.isEmpty)
        var notice = RevisionPlan(
            name: "stopped", weight: 1000, endpoints: [EndpointPlan(address: notices)])
        notice.speaksForGateway = true
        revisions.append(notice)
        headers.request.append(.init(name: StoppedNotice.header, value: name))
        health = nil
        ejection.failures = 0
        retry.attempts = 1
        balancing.sticky = nil
    }
}

/// What clients of a stopped deployment are told.
package struct StoppedNotice: Sendable, Equatable {
    /// Which deployment a request was for; set by the gateway, whatever the client sent.
    package static let header = "x-penstock-stopped"
    /// As `x-penstock-error` says it.
    package static let code = "stopped"
    /// Operators come back sooner or later; clients need not ask every second.
    package static let retryAfterSeconds = 30
    /// UNAVAILABLE, as clients of gRPC are told it.
    package static let grpcStatus = "14"

    package var detail: String

    /// The detail as `grpc-message` says it: printable ASCII, all else percent-encoded UTF-8.
    package var grpcMessage: String {
        var text = ""
        for byte in detail.utf8 {
            if (0x20...0x7E).contains(byte), byte != 0x25 {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                text += byte < 0x10 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return text
    }
}

extension Controller {
    package func notice(of name: String) -> StoppedNotice {
        let message = entries[name]?.record.stopMessage
        return StoppedNotice(detail: message ?? "Deployment '\(name)' is stopped.")
    }
}

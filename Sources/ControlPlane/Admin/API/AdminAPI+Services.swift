// Services as they are: the plan's wishes beside the report's facts.
// What the loops have not met yet shows as unknown rather than as missing.

import Deployments
import Notation
import State
import Traffic

extension AdminAPI {
    /// Those that the token may see: one of a deployment is where its deployment is.
    func services(_ call: AdminCall) async throws -> AdminResponse {
        let plan = try await loadedPlan()
        var readable: [ServicePlan] = []
        for service in plan.services {
            let environment = await environment(ofService: service.name)
            guard call.authorization.allows(.read, .service, in: environment) else { continue }
            readable.append(service)
        }
        let report = await director.report()
        let managed = await director.managedNames()
        let services = readable.map { service in
            ServiceView(
                plan: service, report: report.service(service.name),
                isManaged: managed.contains(service.name)
            ).summary
        }
        return .json(
            .object(["generation": .count(plan.generation), "services": .array(services)]))
    }

    func service(_ name: String) async throws -> AdminResponse {
        let plan = try await loadedPlan()
        let service = try service(name, in: plan)
        let report = await director.report()
        let view = ServiceView(
            plan: service, report: report.service(name),
            isManaged: await director.managedNames().contains(name))
        let windows = await windows(of: report)
        let override = await director.override(of: name)
        return .json(
            view.summary.merging(
                .object([
                    "generation": .count(plan.generation),
                    "traffic_source": .string(override == nil ? view.source : "api"),
                    "revisions": .array(
                        service.revisions.map { view.revision($0, windows) }),
                ])))
    }

    func loadedPlan() async throws -> TrafficPlan {
        guard let plan = await director.currentPlan() else {
            throw TrafficDirectorError.notLoaded
        }
        return plan
    }

    func service(_ name: String, in plan: TrafficPlan) throws -> ServicePlan {
        guard let service = plan.services.first(where: { $0.name == name }) else {
            throw TrafficDirectorError.unknownService(name, known: plan.services.map(\.name))
        }
        return service
    }
}

/// One service for reading.
private struct ServiceView {
    let plan: ServicePlan
    /// Nil until the loops have met the service.
    let report: ServiceReport?
    let isManaged: Bool

    var source: String { isManaged ? "deployment" : "file" }

    var summary: JSONValue {
        let endpoints = report?.revisions.flatMap(\.endpoints) ?? []
        return .object([
            "name": .string(plan.name), "source": .string(source),
            "algorithm": .string(plan.balancing.algorithm.rawValue),
            "routes": .array(plan.routes.map(route)), "traffic": plan.trafficJSON,
            "endpoints_total": .count(plan.revisions.reduce(0) { $0 + $1.endpoints.count }),
            "endpoints_down": .count(endpoints.count { $0.health == .down }),
            "in_flight": .count(endpoints.reduce(0) { $0 + $1.inFlight }),
            "requests": .count(report?.measures.requests ?? 0),
            "panicking": .bool(report?.isPanicking ?? false),
        ])
    }

    private func route(_ route: RoutePlan) -> JSONValue {
        .object([
            "host": route.host.map(JSONValue.string), "path": route.path.map(JSONValue.string),
            "strip": route.strips ? true : nil,
            "header": route.header.map { .string("\($0.name): \($0.value)") },
            "model": route.model.map(JSONValue.string),
        ])
    }

    func revision(_ revision: RevisionPlan, _ windows: StatsWindows) -> JSONValue {
        let key = StatsSnapshot.Key(service: plan.name, revision: revision.name)
        let fact = report?.revisions.first { $0.name == revision.name }
        let seen = fact?.endpoints ?? []
        let planned = revision.endpoints.map { endpoint in
            self.endpoint(endpoint, seen.first { $0.address == endpoint.address }, key, windows)
        }
        // A host name stands for several addresses; each is reported as an endpoint of its own.
        let resolved = seen.filter { fact in
            !revision.endpoints.contains { $0.address == fact.address }
        }.map { fact in
            endpoint(
                EndpointPlan(
                    address: fact.address, weight: fact.weight, isDrained: fact.isDrained),
                fact, key, windows)
        }
        return .object([
            "name": .string(revision.name), "weight": .percent(revision.weight),
            "requests": .count(fact?.measures.requests ?? 0),
            "latency_ms": windows.latency(key), "endpoints": .array(planned + resolved),
        ])
    }

    private func endpoint(
        _ plan: EndpointPlan, _ fact: EndpointReport?, _ revision: StatsSnapshot.Key,
        _ windows: StatsWindows
    ) -> JSONValue {
        var key = revision
        key.endpoint = plan.address.description
        return .object([
            "address": .string(plan.address.description), "weight": .count(plan.weight),
            "concurrency": plan.concurrency.map { .count($0) },
            "health": .string((fact?.health ?? .unknown).rawValue),
            "in_flight": .count(fact?.inFlight ?? 0), "drained": .bool(plan.isDrained),
            "ejected": .bool(fact?.isEjected ?? false),
            "requests": .count(fact?.measures.requests ?? 0),
            "latency_ms": windows.latency(key),
            "last_error": .string(fact?.lastError ?? ""),
        ])
    }
}

extension ServicePlan {
    /// Percent by revision, in the order of the plan.
    var trafficJSON: JSONValue {
        .object(revisions.map { .init(name: $0.name, value: .percent($0.weight)) })
    }
}

extension TrafficReport {
    func service(_ name: String) -> ServiceReport? {
        services.first { $0.name == name }
    }
}

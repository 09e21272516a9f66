// A gate that only remembers, a store that can be told to fail, and small plans.
// The gate can lag behind or refuse, the store can be full: the two ways a change goes wrong.

import Deployments
import Foundation
import Guarding
import Logging
import State
import Traffic

/// Loops that take each plan at once, unless told to lag behind.
final class RecordingGate: TrafficGate {
    private struct State {
        var plans: [TrafficPlan] = []
        var refusal: TrafficPlanError?
        var lag = false
    }

    private let state = Guarded(State())

    var plans: [TrafficPlan] { state.withLock { $0.plans } }

    func refuse(with error: TrafficPlanError?) { state.withLock { $0.refusal = error } }

    func lag() { state.withLock { $0.lag = true } }

    func apply(_ plan: TrafficPlan) throws(TrafficPlanError) {
        let refusal = state.withLock { state in
            if state.refusal == nil { state.plans.append(plan) }
            return state.refusal
        }
        if let refusal { throw refusal }
    }

    func report() -> TrafficReport { TrafficReport() }

    func generationInForce() -> UInt64 {
        state.withLock { $0.lag ? 0 : $0.plans.last?.generation ?? 0 }
    }
}

/// Remembers in memory; refuses when the disk is said to be full.
final class ScriptedStore: TrafficStore {
    private struct State {
        var transitions: [TrafficTransition] = []
        var failure: StateError?
    }

    private let state = Guarded(State())

    var transitions: [TrafficTransition] { state.withLock { $0.transitions } }

    func fail(with error: StateError?) { state.withLock { $0.failure = error } }

    func trafficMemory() throws -> TrafficMemory { TrafficMemory() }

    func commit(_ transition: TrafficTransition) throws {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            state.transitions.append(transition)
        }
    }
}

enum Sample {
    static let gateway = GatewayPlan(listeners: [], workers: 1)

    /// `echo` with a stable revision of two endpoints and a canary of one.
    static func echo(stable: Int = 950, extraEndpoint: UInt16? = nil) -> ServicePlan {
        var stableEndpoints = [endpoint(9001), endpoint(9002)]
        if let extraEndpoint { stableEndpoints.append(endpoint(extraEndpoint)) }
        return ServicePlan(
            name: "echo",
            revisions: [
                RevisionPlan(name: "stable", weight: stable, endpoints: stableEndpoints),
                RevisionPlan(name: "canary", weight: 1000 - stable, endpoints: [endpoint(9003)]),
            ])
    }

    static func managed(_ name: String, ports: UInt16...) -> ServicePlan {
        ServicePlan(
            name: name,
            revisions: [RevisionPlan(name: "v1", weight: 1000, endpoints: ports.map(endpoint))])
    }

    static func endpoint(_ port: UInt16) -> EndpointPlan {
        EndpointPlan(address: .tcp(host: "127.0.0.1", port: port))
    }

    static func director(
        _ gate: RecordingGate, _ store: any TrafficStore, patience: Duration = .seconds(5)
    ) -> TrafficDirector {
        TrafficDirector(
            gate: gate, store: store,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, patience: patience,
            now: { Date(timeIntervalSince1970: 1_700_000_000) })
    }
}

extension RecordingGate {
    /// Weights of a service in the last plan, by revision.
    func split(_ service: String) -> [String: Int] {
        let plan = plans.last?.services.first { $0.name == service }
        return plan?.split ?? [:]
    }

    /// Drained addresses of a service in the last plan.
    func drained(_ service: String) -> [String] {
        let plan = plans.last?.services.first { $0.name == service }
        let endpoints = plan?.revisions.flatMap(\.endpoints) ?? []
        return endpoints.filter(\.isDrained).map(\.address.description)
    }
}

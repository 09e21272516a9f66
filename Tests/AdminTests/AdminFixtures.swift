// A gate with a report to order, a store in memory, and an admin port without a socket.
// Nothing here opens a file, a connection or a clock.

import Admin
import Deployments
import Foundation
import Guarding
import Logging
import State
import Testing
import Traffic

/// Every loop has every plan at once; the report is what the test says.
final class ScriptedGate: TrafficGate {
    private struct State {
        var generation: UInt64 = 0
        var report = TrafficReport()
    }

    private let state = Guarded(State())

    func show(_ report: TrafficReport) { state.withLock { $0.report = report } }

    func apply(_ plan: TrafficPlan) throws(TrafficPlanError) {
        state.withLock { $0.generation = plan.generation }
    }

    func report() -> TrafficReport { state.withLock { $0.report } }

    func generationInForce() -> UInt64 { state.withLock { $0.generation } }
}

/// Remembers in memory; refuses when the disk is said to be full.
final class MemoryStore: TrafficStore {
    private struct State {
        var transitions: [TrafficTransition] = []
        var isFull = false
    }

    private let state = Guarded(State())

    var actors: [String] { state.withLock { $0.transitions.flatMap(\.changes).map(\.actor) } }

    func fill() { state.withLock { $0.isFull = true } }

    func trafficMemory() throws -> TrafficMemory { TrafficMemory() }

    func commit(_ transition: TrafficTransition) throws {
        try state.withLock { state in
            if state.isFull { throw StateError.full(file: "penstock.db") }
            state.transitions.append(transition)
        }
    }
}

/// Tokens by their text.
struct FixedTokens: TokenSource {
    var tokens: [String: Token]

    /// One that may do everything.
    static let admin = FixedTokens(tokens: [AdminPort.token: token("admin", [Grant(.admin)])])

    static func token(_ id: String, _ grants: [Grant]) -> Token {
        Token(
            id: id, grants: grants, note: "of the tests",
            createdAt: Date(timeIntervalSince1970: 0), createdBy: "test")
    }

    func authenticate(_ text: String, now: Date) async throws -> Token? { tokens[text] }
}

/// The admin port of a gateway with one service, `echo`: two endpoints of `stable`, one of
/// `canary`.
struct AdminPort {
    static let token = "pst_a-token-of-the-tests"

    let gate = ScriptedGate()
    let store = MemoryStore()
    let stats = StatsRecorder()
    let api: AdminAPI

    init(
        isLoopback: Bool = true, isEncrypted: Bool = false, allow: [AddressRange] = [],
        isLoaded: Bool = true, now: Instant = Instant(nanoseconds: 0), obstacles: [String] = [],
        access: AdminAccess? = nil
    ) async throws {
        let director = TrafficDirector(
            gate: gate, store: store,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        if isLoaded {
            try await director.load(
                gateway: GatewayPlan(listeners: [], workers: 1), services: [AdminPort.echo])
        }
        api = AdminAPI(
            access: access
                ?? AdminAccess(
                    isLoopback: isLoopback, isEncrypted: isEncrypted, allow: allow,
                    tokens: FixedTokens.admin),
            director: director, stats: stats, version: "1.2.3", readiness: { obstacles },
            now: { now })
    }

    static var echo: ServicePlan {
        ServicePlan(
            name: "echo", routes: [RoutePlan(path: "/echo", strips: true)],
            revisions: [
                RevisionPlan(
                    name: "stable", weight: 950,
                    endpoints: [
                        EndpointPlan(address: .tcp(host: "127.0.0.1", port: 9001)),
                        EndpointPlan(address: .unix(path: "/run/a.sock")),
                    ]),
                RevisionPlan(
                    name: "canary", weight: 50,
                    endpoints: [EndpointPlan(address: .tcp(host: "::1", port: 9003))]),
            ])
    }

    /// Sends a request with the token.
    func send(
        _ method: String, _ target: String, _ body: String = "", host: String? = "localhost:9090",
        token: String? = AdminPort.token, peer: String? = "127.0.0.1", requestID: String? = nil,
        headers: [String: String] = [:]
    ) async -> AdminResponse {
        var headers = headers
        headers["authorization"] = token.map { "Bearer \($0)" }
        headers["x-request-id"] = requestID
        return await api.respond(
            to: AdminRequest(
                method: method, target: target, host: host, headers: headers,
                body: Array(body.utf8), peer: peer))
    }
}

extension AdminResponse {
    /// The body as Foundation reads JSON, so that our writer is not judged by our reader.
    func object() throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(body))
        return try #require(value as? [String: Any])
    }

    func code() throws -> String? { try object()["code"] as? String }

    /// Pointers and codes of a problem's errors: `/canary WRONG_TYPE`.
    func errors() throws -> [String] {
        let errors = try object()["errors"] as? [[String: Any]] ?? []
        return errors.map { "\($0["pointer"] ?? "") \($0["code"] ?? "")" }
    }
}

// The admin port with deployments behind it: a double of the controller, a real store in a scratch
// directory, real tokens of every role. No socket.

import Admin
import Deployments
import Fixtures
import Foundation
import Guarding
import Logging
import Notation
import State
import Testing
import Traffic

final class ControlPort: Sendable {
    static let least = """
        {"name": "iris", "model": "iris", "version": "v1", "environment": "staging",
         "command": ["penstock-model", "--listen", "{address}"], "instance_type": "cpu.small",
         "scaling_config": {"min_replicas": 2, "max_replicas": 4}}
        """

    let control = DeploymentDouble()
    let store: Store
    let api: AdminAPI
    private let scratch = ScratchFolder()
    private let admin: String

    init() async throws {
        store = try Store(directory: scratch.url)
        admin = try store.adminToken(now: Date()).text
        let director = TrafficDirector(
            gate: ScriptedGate(), store: store,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await director.load(
            gateway: GatewayPlan(listeners: [], workers: 1), services: [AdminPort.echo])
        api = AdminAPI(
            access: AdminAccess(isLoopback: true, isEncrypted: false, allow: [], tokens: store),
            director: director, stats: StatsRecorder(), version: "1.2.3", readiness: { [] },
            now: { Instant(nanoseconds: 0) },
            memory: AdminMemory(
                control: control, models: StoredModels(store: store), store: store,
                gatewayURL: { "http://127.0.0.1:8080" }))
    }

    /// Sends a request, as the admin unless another token is given.
    func send(
        _ method: String, _ target: String, _ body: String = "", token: String? = nil,
        _ headers: [String: String] = [:]
    ) async -> AdminResponse {
        var headers = headers
        headers["authorization"] = "Bearer \(token ?? admin)"
        return await api.respond(
            to: AdminRequest(
                method: method, target: target, host: "localhost", headers: headers,
                body: Array(body.utf8), peer: "127.0.0.1"))
    }

    /// The text of a new token.
    func token(_ role: Role, in environments: Set<String>? = nil) async throws -> String {
        let draft = TokenDraft(grants: [Grant(role, in: environments)], note: "test")
        return try await store.createToken(draft, by: "test", now: Date()).secret.text
    }

    /// With a deployment `iris` in staging.
    static func withIris() async throws -> ControlPort {
        let port = try await ControlPort()
        let answer = await port.send("POST", "/v1/deployments", ControlPort.least)
        try #require(answer.status == 200, "\(answer.text)")
        return port
    }

    func file(_ name: String, _ text: String) throws -> String {
        let file = scratch.file(name)
        try Data(text.utf8).write(to: file)
        return file.path(percentEncoded: false)
    }
}

extension AdminResponse {
    func json() throws -> JSONValue { try JSONReader.read(body) }

    func problem() throws -> String { try json()["code"]?.text ?? "" }

    /// What a stream sends, at most so many parts of it.
    func streamed(parts: Int) async throws -> [String] {
        let stream = try #require(stream)
        let heard = Guarded<[String]>([])
        do {
            try await stream { text in
                let count = heard.withLock { list in
                    list.append(text)
                    return list.count
                }
                if count >= parts { throw CancellationError() }
            }
        } catch is CancellationError {}
        return heard.withLock { $0 }
    }
}

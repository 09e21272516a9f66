// A token for some environments: what it hears of services, of the audit trail and of changes is
// what is done there, to the last word of what was deleted; and an admin is one for those places.

import Admin
import Deployments
import Foundation
import Notation
import State
import Testing

@Suite struct AdminScopeTests {
    /// With `iris` in staging and `rose` in production, both in the store, too: the double keeps
    /// nothing there.
    private func port() async throws -> ControlPort {
        let port = try await ControlPort.withIris()
        let rose = try JSONReader.read(Array(ControlPort.least.utf8))
            .setting("name", to: "rose").setting("environment", to: "production")
        _ = await port.send("POST", "/v1/deployments", rose.compact)
        for (name, environment) in [("iris", "staging"), ("rose", "production")] {
            var transaction = Transaction(at: Date(), actor: "test")
            let key = DocumentKey("deployment", name)
            try transaction.create(key, spec: ["a": "b"], labels: ["environment": environment])
            transaction.audit.append(AuditDraft("deployment.create", key))
            try await port.store.commit(transaction)
        }
        return port
    }

    private func names(_ answer: AdminResponse, _ list: String) throws -> [String] {
        try #require(answer.status == 200, "\(answer.text)")
        return try answer.json()[list]?.list.compactMap { $0["name"]?.text } ?? []
    }

    @Test func `a watch tells what is deleted to those who could read it`() async throws {
        let port = try await port()
        let before = try await port.store.sequence()
        let viewer = try await port.token(.viewer, in: ["staging"])
        for name in ["rose", "iris"] {
            var transaction = Transaction(at: Date(), actor: "test")
            let row = DocumentKey("replica", "\(name)/\(name)-0")
            try transaction.create(row, spec: ["a": "b"])
            transaction.edits.append(.purge(row, .any))
            transaction.delete(DocumentKey("deployment", name))
            var operation = OperationRecord(
                id: "op-\(name)", kind: "deployment.delete",
                target: DocumentKey("deployment", name), at: Date(), by: "test")
            operation.state = .succeeded
            try transaction.start(&operation, claims: false)
            try await port.store.commit(transaction)
            _ = await port.send("DELETE", "/v1/deployments/\(name)", "", ["if-match": "*"])
        }
        let watch = await port.send("GET", "/v1/watch?since=\(before)", token: viewer)
        let told = try await watch.streamed(parts: 5).joined()
        #expect(!told.contains("rose"))
        #expect(
            told.contains(##"event: deleted\ndata: {"sequence":"##.replacing("\\n", with: "\n")))
        for word in [#""kind":"deployment","name":"iris""#, #""name":"iris/iris-0""#] {
            #expect(told.contains(word), "\(told)")
        }
        #expect(told.contains(#""kind":"operation""#))
    }

    @Test func `what is passed over still moves the position`() async throws {
        let port = try await port()
        let before = try await port.store.sequence()
        let viewer = try await port.token(.viewer, in: ["staging"])
        var transaction = Transaction(at: Date(), actor: "test")
        transaction.delete(DocumentKey("deployment", "rose"))
        let commit = try await port.store.commit(transaction)
        let watch = await port.send("GET", "/v1/watch?since=\(before)", token: viewer)
        let parts = try await watch.streamed(parts: 2)
        #expect(parts.last == ": \(commit.sequence)\nid: \(commit.sequence)\n\n")
    }

    @Test func `operations of what is gone are told where it was`() async throws {
        let port = try await port()
        await port.control.slowDown()
        var ids: [String] = []
        for name in ["iris", "rose"] {
            let gone = await port.send("DELETE", "/v1/deployments/\(name)", "", ["if-match": "*"])
            ids.append(try #require(try gone.json()["id"]?.text))
            var transaction = Transaction(at: Date(), actor: "test")
            transaction.delete(DocumentKey("deployment", name))
            try await port.store.commit(transaction)
        }
        let viewer = try await port.token(.viewer, in: ["staging"])
        let list = try await port.send("GET", "/v1/operations", token: viewer).json()
        #expect(Set(list["operations"]?.list.map { $0["deployment"]?.text } ?? []) == ["iris"])
        let statuses = [
            await port.send("GET", "/v1/operations/\(ids[0])", token: viewer).status,
            await port.send("GET", "/v1/operations/\(ids[1])", token: viewer).status,
        ]
        #expect(statuses == [200, 403])
    }

    @Test func `the audit trail is told where a token may read it`() async throws {
        let port = try await port()
        _ = await port.send("POST", "/v1/models/m/versions", #"{"version": "v1"}"#)
        _ = await port.send(
            "PUT", "/v1/secrets/s", #"{"environment": "staging", "value": "x"}"#)
        let local = try await port.token(.operator_, in: ["staging"])
        let trail = try names(await port.send("GET", "/v1/audit", token: local), "entries")
        #expect(Set(trail) == ["iris", "s"])
        let all = try await port.token(.operator_)
        #expect(
            try names(await port.send("GET", "/v1/audit", token: all), "entries").contains("rose"))
        let viewer = try await port.token(.viewer)
        #expect(await port.send("GET", "/v1/audit", token: viewer).status == 403)
    }

    @Test func `a service of a deployment is where the deployment is`() async throws {
        let port = try await port()
        let viewer = try await port.token(.viewer, in: ["staging"])
        let services = "/v1/services"
        #expect(try names(await port.send("GET", services, token: viewer), "services") == ["echo"])
        let echo = try JSONReader.read(Array(ControlPort.least.utf8))
            .setting("name", to: "echo").setting("environment", to: "production")
        _ = await port.send("POST", "/v1/deployments", echo.compact)
        #expect(try names(await port.send("GET", services, token: viewer), "services").isEmpty)
        #expect(try names(await port.send("GET", services), "services") == ["echo"])
    }

    @Test func `events of another environment are not told`() async throws {
        let port = try await port()
        let viewer = try await port.token(.viewer, in: ["staging"])
        #expect(await port.send("GET", "/v1/events?deployment=rose", token: viewer).status == 403)
        #expect(await port.send("GET", "/v1/events?deployment=iris", token: viewer).status == 200)
    }

    @Test func `an admin of one environment is none of another`() async throws {
        let port = try await port()
        let local = try await port.token(.admin, in: ["staging"])
        #expect(await port.send("GET", "/v1/tokens", token: local).status == 403)
        #expect(await port.send("POST", "/v1/deployments/iris:restart", token: local).status == 200)
        #expect(await port.control.asked.last?.by.isAdmin == true)
        #expect(await port.control.asked.last?.by.mayUpdate == true)
        let mixed = try await port.store.createToken(
            TokenDraft(
                grants: [Grant(.admin, in: ["staging"]), Grant(.operator_)], note: "test"),
            by: "test", now: Date()
        ).secret.text
        #expect(await port.send("POST", "/v1/deployments/rose:restart", token: mixed).status == 200)
        #expect(await port.control.asked.last?.by.isAdmin == false)
        #expect(await port.control.asked.last?.by.mayUpdate == false)
    }
}

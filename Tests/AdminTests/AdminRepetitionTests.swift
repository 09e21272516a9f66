// Idempotency-Key: the same request again gets the first answer, another request with the key is
// refused, and what was refused may be tried anew.

import Admin
import Deployments
import Notation
import State
import Testing

@Suite struct AdminRepetitionTests {
    private let key = ["idempotency-key": "k-1"]

    @Test func `a repeated request gets the first answer and does nothing`() async throws {
        let port = try await ControlPort.withIris()
        let body = #"{"version": "v9", "description": "x"}"#
        let first = await port.send("POST", "/v1/models/iris/versions", body, key)
        #expect(first.status == 201, "\(first.text)")
        let again = await port.send("POST", "/v1/models/iris/versions", body, key)
        #expect(again.status == 201 && again.body == first.body)
        #expect(again.headers["idempotency-replayed"] == "true")
    }

    @Test func `another request with the key is refused`() async throws {
        let port = try await ControlPort.withIris()
        _ = await port.send("POST", "/v1/models/iris/versions", #"{"version": "v1"}"#, key)
        let other = await port.send("POST", "/v1/models/iris/versions", #"{"version": "v2"}"#, key)
        #expect(other.status == 422)
        #expect(try other.problem() == "IDEMPOTENCY_KEY_REUSED")
    }

    @Test func `what was refused may be tried anew`() async throws {
        let port = try await ControlPort.withIris()
        let refused = await port.send("POST", "/v1/models/iris/versions", "{}", key)
        #expect(refused.status == 422)
        let anew = await port.send("POST", "/v1/models/iris/versions", #"{"version": "v1"}"#, key)
        #expect(anew.status == 201)
    }

    @Test func `edits and deletions may be repeated, too`() async throws {
        let port = try await ControlPort.withIris()
        var headers = key
        headers["if-match"] = "*"
        let target = "/v1/deployments/iris"
        #expect(await port.send("PATCH", target, #"{"owner": "a"}"#, headers).status == 200)
        #expect(await port.control.asked.last?.by.repetition?.key == "k-1")
        let other = await port.send("DELETE", target, "", headers)
        #expect(try other.problem() == "IDEMPOTENCY_KEY_REUSED")
    }

    @Test func `a token is made once, and its secret is not kept`() async throws {
        let port = try await ControlPort()
        let body = #"{"grants": [{"role": "viewer"}]}"#
        let first = await port.send("POST", "/v1/tokens", body, key)
        let secret = try #require(try first.json()["secret"]?.text)
        let again = await port.send("POST", "/v1/tokens", body, key)
        #expect(again.status == 409 && !again.text.contains(secret))
        #expect(try again.problem() == "TOKEN_ALREADY_MADE")
        #expect(again.text.contains(try first.json()["id"]?.text ?? "?"))
        #expect(try await port.store.tokens().count == 2)
    }

    @Test(arguments: [
        ("PUT", "/v1/services/echo/traffic", #"{"stable": 10, "canary": 90}"#),
        ("DELETE", "/v1/services/echo/traffic", ""),
        ("POST", "/v1/services/echo/endpoints/127.0.0.1:9001:drain", ""),
        ("POST", "/v1/services/echo/endpoints/127.0.0.1:9001:undrain", ""),
        ("POST", "/v1/system:backup", ""),
        ("PUT", "/v1/secrets/s", #"{"environment": "staging", "value": "x"}"#),
        ("PUT", "/v1/configs/c", #"{"environment": "staging", "values": {"A": "b"}}"#),
    ])
    func `every change may be repeated`(method: String, target: String, body: String) async throws {
        let port = try await ControlPort()
        let first = await port.send(method, target, body, key)
        #expect((200..<300).contains(first.status), "\(first.text)")
        let again = await port.send(method, target, body, key)
        #expect(again.status == first.status && again.body == first.body)
        #expect(again.headers["idempotency-replayed"] == "true")
    }

    @Test func `a key belongs to its token`() async throws {
        let port = try await ControlPort.withIris()
        let engineer = try await port.token(.engineer)
        let body = #"{"version": "v1"}"#
        #expect(await port.send("POST", "/v1/models/a/versions", body, key).status == 201)
        let other = await port.send("POST", "/v1/models/b/versions", body, token: engineer, key)
        #expect(other.status == 201)
    }

    @Test func `a change of a deployment has its answer stored with it`() async throws {
        let port = try await ControlPort.withIris()
        let answer = await port.send("POST", "/v1/deployments/iris:restart", "", key)
        #expect(answer.status == 200)
        let asked = await port.control.asked.last?.by
        #expect(
            asked?.repetition == RepetitionKey(key: "k-1", token: asked?.repetition?.token ?? ""))
        #expect(asked?.answer != nil)
        // The double stores nothing, so the key is still at work for whoever comes again.
        let again = await port.send("POST", "/v1/deployments/iris:restart", "", key)
        #expect(try again.problem() == "IDEMPOTENCY_KEY_IN_USE")
    }

    @Test(arguments: ["", "a b", String(repeating: "x", count: 256), "é"])
    func `an unfit key is refused`(text: String) async throws {
        let answer = await (try ControlPort.withIris()).send(
            "POST", "/v1/models/a/versions", #"{"version": "v1"}"#, ["idempotency-key": text])
        #expect(answer.status == 400)
        #expect(try answer.problem() == "INVALID_PARAMETER")
    }
}

// Secrets and configs at the admin port: what goes in never comes out, each environment has its own
// rights, and what is in use stays.

import Admin
import Notation
import State
import Testing

@Suite struct AdminVariableTests {
    private func set(
        _ port: ControlPort, _ path: String, _ body: String, token: String? = nil
    ) async -> AdminResponse {
        await port.send("PUT", path, body, token: token)
    }

    @Test func `a secret goes in and never comes out`() async throws {
        let port = try await ControlPort()
        let body = #"{"environment": "staging", "value": "hunter2-and-more"}"#
        let made = await set(port, "/v1/secrets/hf-token", body)
        #expect(made.status == 201)
        #expect(await set(port, "/v1/secrets/hf-token", body).status == 200)
        for target in ["/v1/secrets", "/v1/secrets/hf-token", "/v1/audit", "/v1/system"] {
            let answer = await port.send("GET", target)
            #expect(answer.status == 200 && !answer.text.contains("hunter2"), "\(target)")
        }
        #expect(!made.text.contains("hunter2"))
        #expect(try made.json()["version"]?.number == 1)
    }

    @Test func `a config tells its values`() async throws {
        let port = try await ControlPort()
        let body = #"{"environment": "staging", "values": {"LOG_LEVEL": "info"}}"#
        #expect(await set(port, "/v1/configs/eu", body).status == 201)
        let config = try await port.send("GET", "/v1/configs/eu").json()
        #expect(config["versions"]?.list.first?["values"]?["LOG_LEVEL"]?.text == "info")
    }

    @Test func `a dry run stores nothing`() async throws {
        let port = try await ControlPort()
        let body = #"{"environment": "staging", "value": "x"}"#
        #expect(await set(port, "/v1/secrets/a?dryRun=true", body).status == 200)
        #expect(await port.send("GET", "/v1/secrets/a").status == 404)
    }

    @Test(arguments: [
        ("secrets/a", "{}", "INVALID_BODY"),
        ("secrets/a", #"{"environment": "moon", "value": "x"}"#, "INVALID_BODY"),
        ("secrets/a", #"{"environment": "staging", "value": ""}"#, "INVALID_BODY"),
        ("secrets/a", #"{"environment": "staging", "value": 7}"#, "INVALID_BODY"),
        ("secrets/a", #"{"environment": "staging", "values": {}}"#, "INVALID_BODY"),
        ("secrets/-a", #"{"environment": "staging", "value": "x"}"#, "INVALID_NAME"),
        ("configs/a", #"{"environment": "staging", "values": {"1A": "x"}}"#, "INVALID_BODY"),
        ("configs/a", #"{"environment": "staging", "values": {"A": 1}}"#, "INVALID_BODY"),
        ("configs/a", #"{"environment": "staging", "values": []}"#, "INVALID_BODY"),
    ])
    func `bad input is refused at its place`(path: String, body: String, code: String) async throws
    {
        let port = try await ControlPort()
        let answer = await set(port, "/v1/\(path)", body)
        #expect(answer.status == 422)
        #expect(try answer.problem() == code)
    }

    @Test func `rights are those for its environment`() async throws {
        let port = try await ControlPort()
        for environment in ["staging", "production"] {
            let body = #"{"environment": "\#(environment)", "value": "x"}"#
            #expect(await set(port, "/v1/secrets/\(environment)-key", body).status == 201)
        }
        let engineer = try await port.token(.engineer)
        let viewer = try await port.token(.viewer)
        let body = #"{"environment": "production", "value": "y"}"#
        let refused = await set(port, "/v1/secrets/production-key", body, token: engineer)
        #expect(refused.status == 403)
        let seen = try await port.send("GET", "/v1/secrets", token: engineer).json()
        #expect(seen["secrets"]?.list.compactMap { $0["name"]?.text } == ["staging-key"])
        let hidden = await port.send("GET", "/v1/secrets/production-key", token: engineer)
        #expect(hidden.status == 404)
        #expect(await port.send("GET", "/v1/secrets", token: viewer).status == 403)
        #expect(await port.send("GET", "/v1/configs", token: viewer).status == 200)
    }

    @Test func `what a deployment names is not removed`() async throws {
        let port = try await ControlPort()
        let body = #"{"environment": "staging", "value": "x"}"#
        #expect(await set(port, "/v1/secrets/hf-token", body).status == 201)
        let document = try JSONReader.read(Array(ControlPort.least.utf8)).patched(
            with: .object(["secrets": .object(["HF_TOKEN": "hf-token"])]))
        #expect(await port.send("POST", "/v1/deployments", document.compact).status < 300)
        let refused = await port.send("DELETE", "/v1/secrets/hf-token")
        #expect(refused.status == 409)
        #expect(refused.text.contains("iris"))
        let token = await set(port, "/v1/secrets/other", body)
        #expect(token.status == 201)
        #expect(await port.send("DELETE", "/v1/secrets/other").status == 204)
        #expect(await port.send("DELETE", "/v1/secrets/other").status == 404)
    }
}

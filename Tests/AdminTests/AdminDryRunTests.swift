// Every row of the table that changes something can be tried: all checks, rights among them, and
// nothing changed, stored or audited. The walk is over the document, so that no row can be missed.

import Admin
import Deployments
import Foundation
import Notation
import State
import Testing

/// A change that would succeed, by the name of its row.
private struct Trial {
    var target: String
    var body = ""
    var headers: [String: String] = [:]
}

@Suite struct AdminDryRunTests {
    /// What asks something by another method than GET.
    private static let questions: Set = [
        "planCreation", "planChange", "checkRights", "verifyVersion",
    ]

    private static let iris = "/v1/deployments/iris"
    private static let any = ["if-match": "*"]

    private static let deployments: [String: Trial] = [
        "createDeployment": Trial(
            target: "/v1/deployments",
            body: ControlPort.least.replacing(#""name": "iris""#, with: #""name": "other""#)),
        "updateDeployment": Trial(target: iris, body: #"{"owner": "me"}"#, headers: any),
        "applyDeployment": Trial(target: iris + ":apply", body: ControlPort.least),
        "deleteDeployment": Trial(target: iris, headers: any),
        "scaleDeployment": Trial(target: iris + ":scale", body: #"{"replicas": 3}"#),
        "stopDeployment": Trial(target: iris + ":stop"),
        "startDeployment": Trial(target: iris + ":start"),
        "restartDeployment": Trial(target: iris + ":restart"),
        "updateModel": Trial(target: iris + ":updateModel", body: #"{"version": "v2"}"#),
        "redeploy": Trial(target: iris + ":redeploy"),
        "rollbackDeployment": Trial(target: iris + ":rollback"),
        "drainReplica": Trial(target: iris + "/replicas/iris-0:drain"),
        "undrainReplica": Trial(target: iris + "/replicas/iris-0:undrain"),
        "restartReplica": Trial(target: iris + "/replicas/iris-0:restart"),
        "ejectReplica": Trial(target: iris + "/replicas/iris-0:eject"),
    ]

    private static let others: [String: Trial] = [
        "setTraffic": Trial(
            target: "/v1/services/echo/traffic", body: #"{"stable": 10, "canary": 90}"#),
        "clearTraffic": Trial(target: "/v1/services/echo/traffic"),
        "drainEndpoint": Trial(target: "/v1/services/echo/endpoints/127.0.0.1:9001:drain"),
        "undrainEndpoint": Trial(target: "/v1/services/echo/endpoints/127.0.0.1:9001:undrain"),
        "registerVersion": Trial(target: "/v1/models/iris/versions", body: #"{"version": "v9"}"#),
        "removeVersion": Trial(target: "/v1/models/iris/versions/v8"),
        "deployVersion": Trial(
            target: "/v1/models/iris/versions/v8:deploy",
            body: ##"{"environment": "staging", "name": "eight", "deployment": {"command": ["##
                + ##""a", "{address}"], "instance_type": "cpu.small"}}"##),
        "setSecret": Trial(
            target: "/v1/secrets/new", body: #"{"environment": "staging", "value": "x"}"#),
        "removeSecret": Trial(target: "/v1/secrets/old"),
        "setConfig": Trial(
            target: "/v1/configs/new", body: #"{"environment": "staging", "values": {"A": "b"}}"#),
        "removeConfig": Trial(target: "/v1/configs/old"),
        "cancelOperation": Trial(target: "/v1/operations/op1:cancel"),
        "createToken": Trial(target: "/v1/tokens", body: #"{"grants": [{"role": "viewer"}]}"#),
        "revokeToken": Trial(target: "/v1/tokens/TOKEN"),
        "backUp": Trial(target: "/v1/system:backup", body: #"{"file": "a.db"}"#),
    ]

    private static let trials = deployments.merging(others) { own, _ in own }

    /// A port with something of each kind, and a token to be revoked.
    private func port() async throws -> (ControlPort, token: String) {
        let port = try await ControlPort()
        await port.control.slowDown()
        for (method, target, body) in [
            ("POST", "/v1/deployments", ControlPort.least),
            ("POST", "/v1/models/iris/versions", #"{"version": "v8"}"#),
            ("PUT", "/v1/secrets/old", #"{"environment": "staging", "value": "x"}"#),
            ("PUT", "/v1/configs/old", #"{"environment": "staging", "values": {"A": "b"}}"#),
        ] {
            let answer = await port.send(method, target, body)
            try #require((200...202).contains(answer.status), "\(target): \(answer.text)")
        }
        _ = try await port.token(.viewer)
        let tokens = try await port.store.tokens()
        return (port, try #require(tokens.first { !$0.isBootstrap }).id)
    }

    /// Method and name of each row but those that read.
    private func rows(_ port: ControlPort) async throws -> [(name: String, method: String)] {
        let paths = try await port.send("GET", "/openapi.json").json()["paths"]
        return (paths?.members ?? []).flatMap { path in
            (path.value.members ?? []).filter { $0.name != "get" }.map { method in
                (method.value["operationId"]?.text ?? "", method.name.uppercased())
            }
        }
    }

    /// But when each was last used, which is told by the minute: asking is use.
    private func tokens(_ port: ControlPort) async -> String {
        await port.send("GET", "/v1/tokens").text.replacing(/"last_used_at": ?"[^"]*"/, with: "")
    }

    @Test func `every change can be tried, and the trial changes nothing`() async throws {
        let (port, token) = try await port()
        let sequence = try await port.store.sequence()
        let audit = await port.send("GET", "/v1/audit").text
        let tokens = await tokens(port)
        let traffic = await port.send("GET", "/v1/services/echo/traffic").text
        for (name, method) in try await rows(port) where !Self.questions.contains(name) {
            let trial = try #require(Self.trials[name], "\(name) is not tried")
            let target = trial.target.replacing("TOKEN", with: token) + "?dryRun=true"
            let answer = await port.send(method, target, trial.body, trial.headers)
            #expect(answer.status == 200, "\(name): \(answer.text)")
            #expect(try answer.json()["dry_run"] == true, "\(name): \(answer.text)")
            #expect(!answer.text.contains("\"secret\":"), "\(name)")
        }
        #expect(try await port.store.sequence() == sequence)
        #expect(await port.send("GET", "/v1/audit").text == audit)
        #expect(await self.tokens(port) == tokens)
        #expect(await port.send("GET", "/v1/services/echo/traffic").text == traffic)
        #expect(await port.control.asked.dropFirst().allSatisfy { $0.by.isDryRun })
        let backups = port.store.directory.appending(path: "backups")
        #expect(!FileManager.default.fileExists(atPath: backups.path(percentEncoded: false)))
    }

    @Test func `a trial is refused to whoever may not do it`() async throws {
        let (port, id) = try await port()
        let viewer = try await port.token(.viewer)
        for (name, method) in try await rows(port) where !Self.questions.contains(name) {
            let trial = try #require(Self.trials[name])
            let target = trial.target.replacing("TOKEN", with: id) + "?dryRun=true"
            let answer = await port.send(method, target, trial.body, token: viewer, trial.headers)
            #expect(answer.status == 403, "\(name): \(answer.status)")
        }
    }

    @Test func `a question takes no dry run`() async throws {
        let port = try await ControlPort.withIris()
        let answer = await port.send("POST", Self.iris + ":plan?dryRun=true", #"{"owner": "me"}"#)
        #expect(try answer.problem() == "UNKNOWN_PARAMETER")
    }

    @Test(arguments: [
        ("PUT", "/v1/services/echo/traffic", #"{"stable": 10, "canary": 80}"#, "INVALID_TRAFFIC"),
        ("POST", "/v1/services/echo/endpoints/127.0.0.1:1:drain", "", "ENDPOINT_NOT_FOUND"),
        ("DELETE", "/v1/models/iris/versions/v7", "", "MODEL_VERSION_NOT_FOUND"),
        ("POST", "/v1/tokens", #"{"grants": []}"#, "INVALID_BODY"),
        ("DELETE", "/v1/tokens/nobody", "", "TOKEN_NOT_FOUND"),
        ("POST", "/v1/operations/none:cancel", "", "OPERATION_NOT_FOUND"),
        ("POST", iris + "/replicas/iris-9:drain", "", "REPLICA_NOT_FOUND"),
    ])
    func `what would be refused is refused`(
        method: String, target: String, body: String, code: String
    ) async throws {
        let (port, _) = try await port()
        let answer = await port.send(method, target + "?dryRun=true", body)
        #expect(try answer.problem() == code, "\(answer.text)")
    }
}

// Deployments over the API: created, read, changed, listed; conditions, dry runs, repetitions. The
// controller is a double; tokens, records and answers are real.

import Admin
import Deployments
import Foundation
import Notation
import State
import Testing

@Suite struct AdminDeploymentTests {
    @Test func `what is created is answered as an operation and can be read`() async throws {
        let port = try await ControlPort()
        await port.control.slowDown()
        let answer = await port.send("POST", "/v1/deployments", ControlPort.least)
        #expect(answer.status == 202)
        let operation = try answer.json()
        #expect(operation["done"]?.boolean == false && operation["action"] == "create")
        #expect(answer.headers["location"] == "/v1/operations/\(operation["id"]?.text ?? "")")
        let read = await port.send("GET", "/v1/deployments/iris")
        let deployment = try read.json()
        #expect(read.headers["etag"] == "\"v1\"")
        #expect(deployment[path: ["metadata", "name"]] == "iris")
        #expect(deployment[path: ["spec", "scaling_config", "max_replicas"]] == 4)
        #expect(deployment[path: ["status", "status"]] == "healthy")
        #expect(
            deployment[path: ["status", "endpoint", "url"]] == "http://127.0.0.1:8080/iris/")
    }

    @Test func `what is shown may be sent again`() async throws {
        let port = try await ControlPort.withIris()
        let exported = await port.send("GET", "/v1/deployments/iris:export")
        let document = try exported.json().setting("name", to: "other")
        let answer = await port.send("POST", "/v1/deployments", document.compact)
        #expect(answer.status == 200, "\(answer.text)")
    }

    @Test func `a bad document is told field by field`() async throws {
        let port = try await ControlPort()
        let answer = await port.send(
            "POST", "/v1/deployments",
            #"{"name": "X", "command": [], "scaling_config": {"min_replicsa": 1}}"#)
        #expect(answer.status == 422)
        #expect(try answer.problem() == "INVALID_DEPLOYMENT")
        let pointers = try answer.json()["errors"]?.list.compactMap { $0["pointer"]?.text } ?? []
        #expect(
            Set(pointers) == [
                "/name", "/command", "/scaling_config/min_replicsa", "/model", "/version",
                "/resources/cpu", "/resources/memory",
            ])
        #expect(await port.control.asked.isEmpty)
    }

    @Test func `the scaling settings of the contract are a patch as they stand`() async throws {
        let port = try await ControlPort.withIris()
        let answer = await port.send(
            "PATCH", "/v1/deployments/iris",
            #"{"scaling_config":{"min_replicas":2,"max_replicas":10,"target_cpu_utilization":60,"#
                + #""cooldown_period":300}}"#, ["if-match": "\"v1\""])
        #expect(answer.status == 200)
        let body = try answer.json()
        #expect(
            body[path: ["edit_summary", "live"]]
                == .texts(["scaling_config.max_replicas", "scaling_config.target_cpu_utilization"]))
        #expect(body[path: ["edit_summary", "restart"]] == .texts([]))
        #expect(body["warnings"]?.list.first?["code"] == "AUTOSCALING_NOT_ACTIVE")
        #expect(answer.headers["etag"] == "\"v2\"")
    }

    @Test(arguments: [
        (nil, 428, "PRECONDITION_REQUIRED"), ("\"v0\"", 412, "STALE_VERSION"),
        ("v1", 400, "INVALID_PARAMETER"), ("W/\"v1\"", 400, "INVALID_PARAMETER"),
        ("\"v1\"", 200, ""), ("*", 200, ""),
    ])
    func `a change says which version it changes`(
        match: String?, status: Int, code: String
    ) async throws {
        let port = try await ControlPort.withIris()
        let headers = match.map { ["if-match": $0] } ?? [:]
        let patch = #"{"owner": "me"}"#
        let answer = await port.send("PATCH", "/v1/deployments/iris", patch, headers)
        #expect(answer.status == status)
        if status != 200 { #expect(try answer.problem() == code) }
        let deleted = await port.send(
            "DELETE", "/v1/deployments/iris", "",
            status == 200 ? ["if-match": "*"] : headers)
        #expect(deleted.status == status)
    }

    @Test func `what never changes is refused with the right way`() async throws {
        let port = try await ControlPort.withIris()
        for (patch, code) in [
            (#"{"name": "b"}"#, "FIELD_IMMUTABLE"),
            (#"{"environment": "production"}"#, "FIELD_IMMUTABLE"),
            (#"{"version": "v2"}"#, "USE_UPDATE_MODEL"),
        ] {
            let answer = await port.send("PATCH", "/v1/deployments/iris", patch, ["if-match": "*"])
            #expect(answer.status == 422)
            #expect(try answer.problem() == code)
            #expect(try answer.json()["hint"]?.text?.isEmpty == false)
        }
    }

    @Test func `an unchanged deployment is not sent again`() async throws {
        let port = try await ControlPort.withIris()
        let answer = await port.send(
            "GET", "/v1/deployments/iris", "", ["if-none-match": "\"v1\""])
        #expect(answer.status == 304 && answer.body.isEmpty)
    }

    @Test func `a dry run tells the plan and changes nothing`() async throws {
        let port = try await ControlPort.withIris()
        let answer = await port.send(
            "PATCH", "/v1/deployments/iris?dryRun=true",
            #"{"env": {"A": "1"}}"#, ["if-match": "*"])
        #expect(answer.status == 200)
        let body = try answer.json()
        #expect(body["dry_run"] == true)
        #expect(body[path: ["plan", "makes_revision"]] == true)
        #expect(body[path: ["edit_summary", "restart"]] == .texts(["env"]))
        let now = try await port.send("GET", "/v1/deployments/iris").json()
        #expect(now[path: ["spec", "env"]] == .object([JSONValue.Member]()))
    }

    @Test(arguments: [
        (#"{"resources": {"memory": "2GiB"}}"#, "update", true),
        (#"{"action": "scale", "arguments": {"replicas": 8}}"#, "scale", false),
        (#"{"action": "updateModel", "arguments": {"version": "v2"}}"#, "update_model", true),
    ])
    func `any change can be planned`(body: String, action: String, revision: Bool) async throws {
        let port = try await ControlPort.withIris()
        let answer = await port.send("POST", "/v1/deployments/iris:plan", body)
        #expect(answer.status == 200, "\(answer.text)")
        let plan = try answer.json()
        #expect(plan["action"]?.text == action)
        #expect(plan["makes_revision"]?.boolean == revision)
        #expect(await port.control.asked.count == 1)
    }

    @Test(arguments: [
        ("{}", "INVALID_BODY"), (#"{"action": "explode"}"#, "INVALID_BODY"),
        (#"{"action": "scale", "arguments": {"replicas": "x"}}"#, "INVALID_BODY"),
        (#"{"action": "scale", "replicas": 2}"#, "INVALID_BODY"),
        (#"{"name": "x"}"#, "FIELD_IMMUTABLE"),
    ])
    func `a plan that asks for nothing sensible is refused`(body: String, code: String) async throws
    {
        let answer = await (try ControlPort.withIris()).send(
            "POST", "/v1/deployments/iris:plan", body)
        #expect(answer.status == 422)
        #expect(try answer.problem() == code)
    }

    @Test func `creation is planned, too`() async throws {
        let port = try await ControlPort()
        let answer = await port.send("POST", "/v1/deployments:plan", ControlPort.least)
        #expect(try answer.json()[path: ["replicas", "after"]] == 2)
        #expect(await port.send("GET", "/v1/deployments/iris").status == 404)
    }

    @Test func `each verb asks the controller for its change`() async throws {
        let port = try await ControlPort.withIris()
        for (verb, body, change) in [
            ("scale", #"{"replicas": 3}"#, DeploymentChange.scale(replicas: 3, until: nil)),
            ("scale", #"{"automatic": true}"#, .scale(replicas: nil, until: nil)),
            ("stop", #"{"message": "back at noon"}"#, .stop(message: "back at noon")),
            ("start", "", .start), ("restart", #"{"reason": "leak"}"#, .restart),
            (
                "updateModel", #"{"version": "v2"}"#,
                .updateModel(version: "v2", artifact: nil, strategy: nil)
            ),
            (
                "redeploy", #"{"revision": 1, "patch": {"env": {"A": "1"}}}"#,
                .redeploy(
                    revision: 1,
                    patch: .object(["env": .object(["A": "1"])]))
            ),
            ("rollback", #"{"to": 1}"#, .rollback(to: 1, strategy: nil)),
        ] {
            let answer = await port.send("POST", "/v1/deployments/iris:\(verb)", body)
            #expect(answer.status == 200, "\(verb): \(answer.text)")
            #expect(await port.control.asked.last?.change == change, "\(verb)")
        }
        let last = await port.control.asked.first { $0.change == .restart }
        #expect(last?.by.reason == "leak")
    }

    @Test func `a number set for a time ends at a moment`() async throws {
        let port = try await ControlPort.withIris()
        let before = Date()
        let answer = await port.send(
            "POST", "/v1/deployments/iris:scale", #"{"replicas": 3, "for": "2h"}"#)
        #expect(answer.status == 200)
        guard case .scale(3, let until?)? = await port.control.asked.last?.change else {
            Issue.record("no scale for a time")
            return
        }
        #expect(abs(until.timeIntervalSince(before) - 7200) < 60)
    }

    @Test(arguments: [
        ("scale", "{}", "/replicas MISSING"),
        ("scale", #"{"replicas": 2, "automatic": true}"#, "/replicas MISSING"),
        ("scale", #"{"replicas": -1}"#, "/replicas OUT_OF_RANGE"),
        ("scale", #"{"replicas": 257}"#, "/replicas OUT_OF_RANGE"),
        ("scale", #"{"replicas": "2"}"#, "/replicas WRONG_TYPE"),
        ("scale", #"{"replicas": 2, "for": "0s"}"#, "/for OUT_OF_RANGE"),
        ("scale", #"{"replica": 2}"#, "/replica UNKNOWN_FIELD"),
        ("stop", #"{"message": ""}"#, "/message INVALID_VALUE"),
        ("stop", #"{"message": 5}"#, "/message WRONG_TYPE"),
        ("start", #"{"now": true}"#, "/now UNKNOWN_FIELD"), ("start", "[]", " WRONG_TYPE"),
        ("updateModel", "{}", "/version MISSING"),
        ("updateModel", #"{"version": null}"#, "/version WRONG_TYPE"),
        ("updateModel", #"{"version": "v 2"}"#, "/version INVALID_VALUE"),
        (
            "updateModel", #"{"version": "v2", "strategy": {"type": "x"}}"#,
            "/strategy/type INVALID_VALUE"
        ),
        (
            "updateModel", #"{"version": "v2", "strategy": {"type": "canary"}}"#,
            "/strategy/type NOT_SUPPORTED_YET"
        ),
        ("updateModel", #"{"version": "v2", "artifact": "relative"}"#, "/artifact INVALID_VALUE"),
        ("redeploy", #"{"revision": 0}"#, "/revision OUT_OF_RANGE"),
        ("redeploy", #"{"patch": 5}"#, "/patch WRONG_TYPE"),
        ("rollback", #"{"to": 1.5}"#, "/to OUT_OF_RANGE"),
    ])
    func `a verb's bad body is told at its place, and nothing is asked for`(
        verb: String, body: String, error: String
    ) async throws {
        let port = try await ControlPort.withIris()
        let answer = await port.send("POST", "/v1/deployments/iris:\(verb)", body)
        #expect(answer.status == 422)
        #expect(try answer.errors().contains(error), "\(answer.text)")
        #expect(await port.control.asked.count == 1)
    }

    @Test func `one who prefers to wait gets the end`() async throws {
        let port = try await ControlPort.withIris()
        await port.control.slowDown()
        let begun = await port.send("POST", "/v1/deployments/iris:restart")
        #expect(begun.status == 202)
        let id = try begun.json()["id"]?.text ?? ""
        await port.control.finish(id)
        let waited = await port.send("GET", "/v1/operations/\(id):wait?timeout=1")
        #expect(try waited.json()["done"] == true)
    }

    @Test func `refusals of the controller have their statuses`() async throws {
        let port = try await ControlPort.withIris()
        let running = DeploymentOperation(
            id: "op9", action: "scale", deployment: "iris", phase: .running,
            createdAt: Date(), createdBy: "x", updatedAt: Date())
        var plan = ChangePlan(action: "scale")
        plan.fit.fits = false
        plan.fit.reasons = ["no room"]
        for (error, status, code) in [
            (ControlError.busy(operation: running), 409, "OPERATION_RUNNING"),
            (.illegal(action: "start", status: "healthy", hint: "it runs"), 409, "ILLEGAL_STATE"),
            (.doesNotFit(plan), 409, "DOES_NOT_FIT"),
            (.needsAdmin(what: "do it"), 403, "NEEDS_ADMIN"),
            (.readOnly(reason: "full"), 503, "STATE_UNAVAILABLE"),
            (.unknownRevision(9, deployment: "iris", known: [1]), 404, "REVISION_NOT_FOUND"),
            (.notSupported(what: "x", hint: "y"), 422, "NOT_SUPPORTED_YET"),
            (
                .model(.unknown(model: "iris", version: "v9", known: [])), 422,
                "MODEL_VERSION_NOT_FOUND"
            ),
        ] {
            await port.control.refuse(with: error)
            let answer = await port.send("POST", "/v1/deployments/iris:start")
            #expect(answer.status == status, "\(error)")
            #expect(try answer.problem() == code)
        }
        let busy = try await { () async throws -> JSONValue in
            await port.control.refuse(with: .busy(operation: running))
            return try await port.send("POST", "/v1/deployments/iris:start").json()
        }()
        #expect(busy[path: ["operation", "id"]] == "op9")
    }

    @Test func `a conflict may be queued or superseded`() async throws {
        let port = try await ControlPort.withIris()
        _ = await port.send("POST", "/v1/deployments/iris:restart?onConflict=supersede")
        #expect(await port.control.asked.last?.by.onConflict == .supersede)
        let bad = await port.send("POST", "/v1/deployments/iris:restart?onConflict=win")
        #expect(bad.status == 400)
        #expect(try bad.problem() == "INVALID_PARAMETER")
    }
}

// Who may do what: every row of the route table, tried with every role and in every environment.
// The rights themselves are the state's; here is shown that no row forgets to ask.

import Admin
import Deployments
import Foundation
import Notation
import State
import Testing

@Suite struct AdminRightsTests {
    /// A request for each row that needs a right, with one that would be done if it were allowed.
    static let requests: [(method: String, target: String, verb: Verb, kind: ResourceKind)] = [
        ("GET", "/v1/services/echo", .read, .service),
        ("GET", "/v1/services/echo/stats", .read, .metric),
        ("GET", "/v1/services/echo/traffic", .read, .service),
        ("PUT", "/v1/services/echo/traffic", .shift, .service),
        ("DELETE", "/v1/services/echo/traffic", .shift, .service),
        ("POST", "/v1/services/echo/endpoints/127.0.0.1:9001:drain", .drain, .service),
        ("POST", "/v1/services/echo/endpoints/127.0.0.1:9001:undrain", .drain, .service),
        ("GET", "/v1/deployments/iris", .read, .deployment),
        ("PATCH", "/v1/deployments/iris", .update, .deployment),
        ("DELETE", "/v1/deployments/iris", .delete, .deployment),
        ("GET", "/v1/deployments/iris/health", .read, .deployment),
        ("GET", "/v1/deployments/iris:export", .read, .deployment),
        ("GET", "/v1/deployments/iris:lint", .read, .deployment),
        ("POST", "/v1/deployments/iris:plan", .read, .deployment),
        ("POST", "/v1/deployments/iris:scale", .scale, .deployment),
        ("POST", "/v1/deployments/iris:stop", .stop, .deployment),
        ("POST", "/v1/deployments/iris:start", .start, .deployment),
        ("POST", "/v1/deployments/iris:restart", .restart, .deployment),
        ("POST", "/v1/deployments/iris:updateModel", .update, .deployment),
        ("POST", "/v1/deployments/iris:redeploy", .update, .deployment),
        ("POST", "/v1/deployments/iris:rollback", .rollback, .deployment),
        ("GET", "/v1/deployments/iris/revisions", .read, .revision),
        ("GET", "/v1/deployments/iris/revisions/1", .read, .revision),
        ("GET", "/v1/deployments/iris/revisions/1:diff", .read, .revision),
        ("GET", "/v1/deployments/iris/replicas", .read, .replica),
        ("GET", "/v1/deployments/iris/replicas/iris-0", .read, .replica),
        ("GET", "/v1/deployments/iris/replicas/iris-0/logs", .read, .log),
        ("GET", "/v1/deployments/iris/dossiers", .read, .log),
        ("POST", "/v1/deployments/iris/replicas/iris-0:drain", .drain, .replica),
        ("POST", "/v1/deployments/iris/replicas/iris-0:undrain", .drain, .replica),
        ("POST", "/v1/deployments/iris/replicas/iris-0:eject", .drain, .replica),
        ("POST", "/v1/deployments/iris/replicas/iris-0:restart", .restart, .replica),
        ("GET", "/v1/operations/op1", .read, .operation),
        ("GET", "/v1/operations/op1:wait", .read, .operation),
        ("POST", "/v1/operations/op1:cancel", .cancel, .operation),
        ("GET", "/v1/models", .read, .model), ("GET", "/v1/models/iris", .read, .model),
        ("GET", "/v1/models/iris/versions", .read, .modelVersion),
        ("POST", "/v1/models/iris/versions", .create, .modelVersion),
        ("GET", "/v1/models/iris/versions/v1", .read, .modelVersion),
        ("DELETE", "/v1/models/iris/versions/v1", .delete, .modelVersion),
        ("POST", "/v1/models/iris/versions/v1:verify", .verify, .modelVersion),
        ("GET", "/v1/audit:verify", .verify, .audit),
        ("GET", "/v1/tokens", .read, .token), ("POST", "/v1/tokens", .create, .token),
        ("GET", "/v1/tokens/x", .read, .token), ("DELETE", "/v1/tokens/x", .revoke, .token),
        ("GET", "/v1/system", .read, .system), ("POST", "/v1/system:backup", .backup, .system),
        ("GET", "/v1/nodes", .read, .node),
    ]

    /// Rows whose handlers ask, and rows that need no right.
    static let others = [
        "live", "ready", "metrics", "whoAmI", "checkRights", "listInstanceTypes", "getOpenAPI",
        "listDeployments", "createDeployment", "planCreation", "listOperations", "watch",
        "listEvents", "listAudit", "listServices", "deployVersion", "applyDeployment",
        "listSecrets", "getSecret", "setSecret", "removeSecret",
        "listConfigs", "getConfig", "setConfig", "removeConfig",
    ]

    @Test func `every row of the table is tried here`() async throws {
        let document = try await (try ControlPort()).send("GET", "/openapi.json").json()
        let rows = document["paths"]?.members?.flatMap { path in
            (path.value.members ?? []).compactMap { $0.value["operationId"]?.text }
        }
        #expect(rows?.count == Self.requests.count + Self.others.count)
        #expect(Set(Self.others).isSubset(of: Set(rows ?? [])))
    }

    @Test(arguments: Role.allCases, [nil, "development", "staging", "production"])
    func `a row is open to exactly those who have its right`(
        role: Role, environment: String?
    ) async throws {
        let port = try await ControlPort.withIris()
        let environments = environment.map { Set([$0]) }
        let token = try await port.token(role, in: environments)
        let rights = Authorization(grants: [Grant(role, in: environments)])
        for (method, target, verb, kind) in Self.requests {
            // iris is in staging; nothing else is anywhere.
            let isInStaging =
                target.contains("iris") && !target.contains("models")
                || target.contains("/operations/")
            let mayDo = rights.allows(verb, kind, in: isInStaging ? "staging" : nil)
            // Refused by its head alone: nothing of this is ever done.
            var request = AdminRequest(method: method, target: target, host: "localhost")
            request.headers["authorization"] = "Bearer \(token)"
            let admission = await port.api.admit(request)
            let isAdmitted = if case .admitted = admission { true } else { false }
            #expect(isAdmitted == mayDo, "\(method) \(target)")
            if case .refused(let answer) = admission { #expect(answer.status == 403) }
        }
    }

    @Test(arguments: [
        (Role.engineer, "staging", 200), (.engineer, "production", 403),
        (.admin, "production", 200),
        (.operator_, "staging", 403), (.viewer, "staging", 403),
    ])
    func `what creates asks for the right where it creates`(
        role: Role, environment: String, status: Int
    ) async throws {
        let port = try await ControlPort()
        let token = try await port.token(role)
        let document = try JSONReader.read(Array(ControlPort.least.utf8))
            .setting("environment", to: .string(environment)).compact
        for target in ["/v1/deployments:plan", "/v1/deployments"] {
            let answer = await port.send("POST", target, document, token: token)
            #expect(answer.status == status, "\(answer.text)")
        }
    }

    @Test func `a version is deployed only where one may deploy`() async throws {
        let port = try await ControlPort()
        _ = await port.send("POST", "/v1/models/iris/versions", #"{"version": "v1"}"#)
        let token = try await port.token(.engineer)
        for (environment, status) in [("production", 403), ("staging", 422)] {
            let answer = await port.send(
                "POST", "/v1/models/iris/versions/v1:deploy",
                #"{"environment": "\#(environment)"}"#, token: token)
            // Allowed and incomplete: the version suggests no command.
            #expect(answer.status == status, "\(answer.text)")
        }
    }

    @Test func `one asks beforehand what one may`() async throws {
        let port = try await ControlPort()
        let token = try await port.token(.operator_, in: ["staging"])
        let answer = try await port.send(
            "POST", "/v1/authz:check",
            """
            {"checks": [{"verb": "scale", "resource": "deployment", "environment": "staging"},
             {"verb": "scale", "resource": "deployment", "environment": "production"},
             {"verb": "create", "resource": "token"}]}
            """, token: token
        ).json()
        #expect(answer["results"]?.list.map { $0["allowed"]?.boolean } == [true, false, false])
        let whoami = try await port.send("GET", "/v1/whoami", token: token).json()
        #expect(whoami["grants"]?.list.first?["role"] == "operator")
    }

    @Test func `a token that is not good gets nowhere`() async throws {
        let port = try await ControlPort.withIris()
        for target in ["/v1/deployments", "/v1/whoami", "/openapi.json", "/v1/nothing"] {
            #expect(await port.send("GET", target, token: "pst_wrong").status == 401)
        }
    }

    @Test func `an operation is told when its deployment is gone`() async throws {
        let port = try await ControlPort.withIris()
        let answer = await port.send("DELETE", "/v1/deployments/iris", "", ["if-match": "*"])
        let id = try #require(try answer.json()["id"]?.text, "\(answer.text)")
        let viewer = try await port.token(.viewer, in: ["staging"])
        #expect(await port.send("GET", "/v1/operations/\(id)", token: viewer).status == 200)
        let cancelled = await port.send("POST", "/v1/operations/\(id):cancel", token: viewer)
        #expect(cancelled.status == 403)
    }

    @Test func `when a name was deleted is told to admins`() async throws {
        let port = try await ControlPort.withIris()
        _ = await port.send("DELETE", "/v1/deployments/iris", "", ["if-match": "*"])
        let admin = try await port.send("GET", "/v1/deployments/iris").json()
        #expect(admin["code"] == "DEPLOYMENT_NOT_FOUND" && admin["deleted_at"] != nil)
        let viewer = try await port.token(.viewer)
        let other = try await port.send("GET", "/v1/deployments/iris", token: viewer).json()
        #expect(other["code"] == "DEPLOYMENT_NOT_FOUND" && other["deleted_at"] == nil)
    }
}

// `:apply`: what a file says, three ways, by whoever may; and whose file a deployment follows. The
// merge itself is told by the tests of the controller.

import Admin
import Deployments
import Notation
import State
import Testing

@Suite struct AdminApplyTests {
    private let target = "/v1/deployments/iris:apply"

    @Test func `it creates what is not there`() async throws {
        let port = try await ControlPort()
        let answer = await port.send("POST", target, ControlPort.least)
        #expect(answer.status == 200, "\(answer.text)")
        let view = try await port.send("GET", "/v1/deployments/iris").json()
        #expect(view[path: ["metadata", "applied_from"]] == "apply")
    }

    @Test func `the controller is told what the file says, and whose it is`() async throws {
        let port = try await ControlPort()
        _ = await port.send("POST", target, ControlPort.least)
        let next = try JSONReader.read(Array(ControlPort.least.utf8)).setting("owner", to: "me")
        #expect(await port.send("POST", target, next.compact).status == 200)
        let asked = try #require(await port.control.asked.last)
        guard case .apply(let spec) = asked.change else {
            Issue.record("it is an apply")
            return
        }
        #expect(spec.owner == "me")
        #expect(asked.by.source == "apply")
    }

    @Test func `a dry run does nothing and tells the plan`() async throws {
        let port = try await ControlPort()
        let answer = try await port.send("POST", target + "?dryRun=true", ControlPort.least).json()
        #expect(answer["dry_run"] == true && answer["plan"] != nil)
        #expect(await port.send("GET", "/v1/deployments/iris").status == 404)
    }

    @Test func `it follows one source until it is taken over`() async throws {
        let port = try await ControlPort()
        _ = await port.send("POST", target + "?source=a", ControlPort.least)
        let refused = await port.send("POST", target + "?source=b", ControlPort.least)
        #expect(refused.status == 409)
        #expect(try refused.problem() == "APPLIED_ELSEWHERE")
        let taken = await port.send(
            "POST", target + "?source=b&takeOver=true", ControlPort.least)
        #expect(taken.status == 200, "\(taken.text)")
    }

    @Test func `one that no file made is adopted`() async throws {
        let port = try await ControlPort.withIris()
        #expect(await port.send("POST", target, ControlPort.least).status == 200)
    }

    @Test(arguments: ["file", "a b", "", "-x"])
    func `a source that is none is refused`(source: String) async throws {
        let port = try await ControlPort()
        let query = "?source=" + source.replacing(" ", with: "%20")
        let answer = await port.send("POST", target + query, ControlPort.least)
        #expect(try answer.status == 400 && answer.problem() == "INVALID_PARAMETER")
    }

    @Test func `the name of the path counts`() async throws {
        let port = try await ControlPort()
        let other = await port.send("POST", "/v1/deployments/rose:apply", ControlPort.least)
        #expect(other.status == 422)
        let document = try JSONReader.read(Array(ControlPort.least.utf8))
        let nameless = document.setting("name", to: nil).compact
        #expect(await port.send("POST", target, nameless).status == 200)
    }

    @Test(arguments: [
        (Role.engineer, "staging", 200), (.engineer, "production", 403),
        (.operator_, "staging", 403), (.viewer, "staging", 403), (.admin, "production", 200),
    ])
    func `it needs the right to create or to update`(
        role: Role, environment: String, status: Int
    ) async throws {
        let port = try await ControlPort()
        let token = try await port.token(role)
        let document = try JSONReader.read(Array(ControlPort.least.utf8))
            .setting("environment", to: .string(environment)).compact
        for _ in 0..<2 {
            let answer = await port.send("POST", target, document, token: token)
            #expect(answer.status == status, "\(answer.text)")
            _ = await port.send("POST", target, document)
        }
    }
}

// The conventions every answer keeps: ids, problems, methods, limits, parameters.
// They hold for every path, so each is shown on the first path that comes to hand.

import Admin
import Testing
import Traffic

@Suite struct AdminProtocolTests {
    @Test func `every answer has a request id, the caller's own if it is fit`() async throws {
        let port = try await AdminPort()
        let own = await port.send("GET", "/livez", requestID: "abc-1")
        #expect(own.headers["x-request-id"] == "abc-1")
        let replaced = await port.send("GET", "/nothing", requestID: "a\r\nb")
        let made = try #require(replaced.headers["x-request-id"])
        #expect(made != "a\r\nb")
        #expect(try replaced.object()["requestId"] as? String == made)
    }

    @Test func `a problem says what, why and what to do`() async throws {
        let response = await (try AdminPort()).send("GET", "/v1/services/eco")
        #expect(response.status == 404)
        #expect(response.headers["content-type"] == "application/problem+json")
        let problem = try response.object()
        #expect(problem["code"] as? String == "SERVICE_NOT_FOUND")
        #expect(problem["detail"] as? String == "there is no service 'eco'; there is: echo")
        #expect(problem["status"] as? Int == 404)
        #expect(problem["hint"] != nil)
    }

    @Test(arguments: [
        ("POST", "/v1/services", "GET, HEAD"), ("DELETE", "/livez", "GET, HEAD"),
        ("PATCH", "/v1/services/echo/traffic", "GET, HEAD, PUT, DELETE"),
        ("GET", "/v1/services/echo/endpoints/127.0.0.1:9001:drain", "POST"),
    ])
    func `a wrong method is told the right ones`(
        method: String, path: String, allowed: String
    ) async throws {
        let response = await (try AdminPort()).send(method, path)
        #expect(response.status == 405)
        #expect(response.headers["allow"] == allowed)
    }

    @Test(arguments: [
        "/", "", "/v1", "/v1/services/", "/v1/services/echo/", "/v1//services", "/V1/services",
        "/v1/services/echo/endpoints", "/v1/services/echo/endpoints/127.0.0.1:9001",
        "/v1/services/echo/traffic/x",
    ])
    func `an unknown path leads nowhere`(path: String) async throws {
        let response = await (try AdminPort()).send("GET", path)
        #expect(response.status == 404)
        #expect(try response.code() == "NOT_FOUND")
    }

    @Test func `a path that is not encoded text is refused`() async throws {
        let response = await (try AdminPort()).send("GET", "/v1/services/%FF")
        #expect(response.status == 400)
        #expect(try response.code() == "INVALID_PATH")
    }

    @Test func `an unknown query parameter is named`() async throws {
        let response = await (try AdminPort()).send("GET", "/v1/services?fliter=x")
        #expect(response.status == 400)
        #expect(response.text.contains("'fliter'"))
        #expect(await (try AdminPort()).send("GET", "/v1/services?").status == 200)
    }

    @Test func `nobody unknown has a body read`() async throws {
        let port = try await AdminPort()
        var request = AdminRequest(method: "PUT", target: "/v1/services/echo/traffic")
        #expect(await refusal(port, request) == 401)
        request.headers["authorization"] = "Bearer \(AdminPort.token)"
        #expect(await refusal(port, request) == nil)
        request.target += "?x"
        #expect(await refusal(port, request) == 400)
    }

    /// The status of what is refused by its head alone.
    private func refusal(_ port: AdminPort, _ request: AdminRequest) async -> Int? {
        guard case .refused(let answer) = await port.api.admit(request) else { return nil }
        return answer.status
    }

    @Test func `a body beyond the limit is refused`() async throws {
        let body = String(repeating: " ", count: AdminAPI.bodyBytesMax + 1)
        let response = await (try AdminPort()).send("PUT", "/v1/services/echo/traffic", body)
        #expect(response.status == 413)
        #expect(try response.code() == "BODY_TOO_LARGE")
    }

    @Test func `it is not ready before a plan is in force`() async throws {
        let response = await (try AdminPort(isLoaded: false)).send("GET", "/readyz")
        #expect(response.status == 503)
        #expect(
            try response.object()["reasons"] as? [String] == ["no configuration has been loaded"])
    }

    @Test func `what stands in the way of readiness is told`() async throws {
        let port = try await AdminPort(obstacles: ["deployment iris has no ready replica"])
        let response = await port.send("GET", "/readyz")
        #expect(response.status == 503)
        #expect(response.text.contains("iris has no ready replica"))
    }

    @Test func `the system tells version and generation`() async throws {
        let system = try await (try AdminPort()).send("GET", "/v1/system").object()
        #expect(system["version"] as? String == "1.2.3")
        #expect(system["generation"] as? Int == 1)
        #expect(system["generation_in_force"] as? Int == 1)
        #expect((system["started_at"] as? String)?.hasSuffix("Z") == true)
    }
}

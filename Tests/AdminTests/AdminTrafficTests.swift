// Splits and drains over the API: what is taken, what is refused and how it is named.
// After each refusal the split is what it was before.

import Admin
import Testing
import Traffic

@Suite struct AdminTrafficTests {
    static let path = "/v1/services/echo/traffic"

    func split(_ response: AdminResponse) throws -> [String: Double] {
        try #require(try response.object()["traffic"] as? [String: Double])
    }

    @Test func `a split is read, set and taken back`() async throws {
        let port = try await AdminPort()
        #expect(try split(await port.send("GET", Self.path)) == ["stable": 95, "canary": 5])
        let set = await port.send("PUT", Self.path, #"{"stable": 66.7, "canary": 33.3}"#)
        #expect(set.status == 200)
        #expect(try split(set) == ["stable": 66.7, "canary": 33.3])
        #expect(try set.object()["generation"] as? Int == 2)
        #expect(try set.object()["source"] as? String == "api")
        let cleared = await port.send("DELETE", Self.path)
        #expect(try split(cleared) == ["stable": 95, "canary": 5])
        #expect(try cleared.object()["source"] as? String == "file")
        #expect(port.store.actors == ["token:admin", "token:admin"])
    }

    @Test func `revisions that are not named get nothing`() async throws {
        let set = await (try AdminPort()).send("PUT", Self.path, #"{"canary": 100}"#)
        #expect(try split(set) == ["stable": 0, "canary": 100])
    }

    @Test(arguments: [
        (#"{"stable": 90}"#, [" SUM_NOT_100"]),
        (#"{}"#, [" SUM_NOT_100"]),
        (#"{"stable": 90, "canary": 10.1}"#, [" SUM_NOT_100"]),
        (#"{"stable": "90", "canary": 10}"#, ["/stable WRONG_TYPE"]),
        (#"{"stable": null, "canary": true}"#, ["/stable WRONG_TYPE", "/canary WRONG_TYPE"]),
        (#"{"stable": -1, "canary": 101}"#, ["/stable OUT_OF_RANGE", "/canary OUT_OF_RANGE"]),
        (#"{"stable": 1e308}"#, ["/stable OUT_OF_RANGE"]),
        (#"{"stable": 99.95, "canary": 0.05}"#, ["/stable NOT_A_TENTH", "/canary NOT_A_TENTH"]),
        (#"{"a/b~c": 100}"#, ["/a~1b~0c UNKNOWN_REVISION"]),
        (#"[90, 10]"#, [" WRONG_TYPE"]),
        (#""stable""#, [" WRONG_TYPE"]),
    ])
    func `every wrong part of a split is named`(body: String, errors: [String]) async throws {
        let port = try await AdminPort()
        let response = await port.send("PUT", Self.path, body)
        #expect(response.status == 422)
        #expect(try response.code() == "INVALID_TRAFFIC")
        #expect(try response.errors() == errors)
        #expect(try split(await port.send("GET", Self.path)) == ["stable": 95, "canary": 5])
    }

    @Test(arguments: [
        ("", "line 1, column 1"), ("{\n  \"stable\" 90}", "line 2, column 12"),
        (#"{"stable": 90,}"#, "line 1, column 15"), (#"{"stable": 090}"#, "line 1, column 12"),
        (#"{"stable": 90, "stable": 10}"#, "line 1, column 16"), ("{} {}", "line 1, column 4"),
        (#"{"stable": 1e999}"#, "line 1, column 12"), (#"{"stable": .5}"#, "line 1, column 12"),
        (#"{"\ud800": 1}"#, "line 1, column 9"), ("{\"a\nb\": 1}", "line 1, column 4"),
        (String(repeating: "[", count: 5000), "line 1, column 33"), ("nul", "line 1, column 1"),
        (#"{"stable": NaN}"#, "line 1, column 12"), (#"{"a": "x"#, "line 1, column 9"),
    ])
    func `broken JSON is told where`(body: String, place: String) async throws {
        let response = await (try AdminPort()).send("PUT", Self.path, body)
        #expect(response.status == 400)
        #expect(try response.code() == "INVALID_JSON")
        let detail = try response.object()["detail"] as? String ?? ""
        #expect(detail.hasPrefix(place + ":"), "\(detail)")
    }

    @Test func `a full disk refuses the change and says so`() async throws {
        let port = try await AdminPort()
        port.store.fill()
        let response = await port.send("PUT", Self.path, #"{"canary": 100}"#)
        #expect(response.status == 503)
        #expect(try response.code() == "STATE_UNAVAILABLE")
        #expect(response.text.contains("the disk is full"))
        #expect(try split(await port.send("GET", Self.path)) == ["stable": 95, "canary": 5])
    }

    @Test(arguments: [
        "127.0.0.1:9001", "unix%3A%2Frun%2Fa.sock", "unix:/run/a.sock", "%5B::1%5D:9003",
        "127.0.0.1%3A9001",
    ])
    func `an endpoint is drained and put back`(address: String) async throws {
        let port = try await AdminPort()
        let path = "/v1/services/echo/endpoints/\(address)"
        let drained = await port.send("POST", path + ":drain")
        #expect(drained.status == 200)
        #expect(try drained.object()["drained"] as? Bool == true)
        #expect(await port.send("GET", "/v1/services/echo").text.contains("\"drained\":true"))
        #expect(await port.send("POST", path + ":undrain").status == 200)
        #expect(await !port.send("GET", "/v1/services/echo").text.contains("\"drained\":true"))
    }

    @Test func `an unknown endpoint is told the known ones`() async throws {
        let response = await (try AdminPort()).send(
            "POST", "/v1/services/echo/endpoints/127.0.0.1:1:drain")
        #expect(response.status == 404)
        #expect(try response.code() == "ENDPOINT_NOT_FOUND")
        #expect(response.text.contains("unix:/run/a.sock"))
    }
}

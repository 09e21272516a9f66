// What clients write into headers: nothing of it ends the gateway, and what conditions say is
// understood as RFC 9110 means it.

import Admin
import Deployments
import Notation
import State
import Testing

@Suite struct AdminHeaderTests {
    /// What a reader of lists, parameters, quotes and numbers may stumble over.
    private static let texts = [
        "", " ", ";", ",", "x,;", ";;,,;", "=", "wait=", "=30", "wait=-1",
        "wait=99999999999999999999",
        "wait;=1", "\"", "\"\"", "W/", "W/\"", "*", "*, *", "\"a", "a\"", "-1",
        "18446744073709551615",
        "18446744073709551616", "1.1", "é", "Bearer", "Bearer ", "/", ":", "[", "]", "[]", "::",
        "\u{0}", String(repeating: ",", count: 5000),
    ]

    private static let names = [
        "prefer", "if-match", "if-none-match", "last-event-id", "accept", "idempotency-key",
        "content-type", "x-request-id", "authorization",
    ]

    @Test(arguments: names)
    func `no text in a header ends the gateway`(name: String) async throws {
        let port = try await ControlPort.withIris()
        await port.control.slowDown()
        for text in Self.texts {
            for (method, target) in [
                ("POST", "/v1/deployments/iris:restart"), ("PATCH", "/v1/deployments/iris"),
                ("GET", "/v1/deployments/iris"), ("GET", "/v1/watch"),
                ("GET", "/v1/deployments/iris/replicas/iris-0/logs"),
            ] {
                let body = method == "PATCH" ? #"{"owner": "me"}"# : ""
                let answer = await port.send(method, target, body, [name: text])
                #expect((200..<500).contains(answer.status), "\(name): \(text): \(answer.text)")
            }
        }
        #expect(await port.send("GET", "/livez").status == 200)
    }

    @Test func `no name of a host ends the gateway`() async throws {
        let port = try await ControlPort()
        for host in Self.texts {
            let answer = await port.api.respond(
                to: AdminRequest(method: "GET", target: "/v1/system", host: host))
            #expect(answer.status == 421 || answer.status == 401, "\(host)")
        }
    }

    @Test(arguments: [
        ("*", 304), ("TAG", 304), ("W/TAG", 304), (#""x", TAG"#, 304), (#"W/"x",W/TAG , "y""#, 304),
        (#""x""#, 200), ("VERSION", 200), (#""TAG"#, 200), ("", 200),
    ])
    func `what the client has is not sent again`(field: String, status: Int) async throws {
        let port = try await ControlPort.withIris()
        let tag = try #require(await port.send("GET", "/v1/deployments/iris").headers["etag"])
        let text = field.replacing("TAG", with: tag)
            .replacing("VERSION", with: tag.replacing("\"", with: ""))
        let answer = await port.send(
            "GET", "/v1/deployments/iris", "", ["if-none-match": text])
        #expect(answer.status == status && answer.headers["etag"] == tag)
        #expect(answer.body.isEmpty == (status == 304))
    }

    @Test func `a preference that is none is passed over`() async throws {
        let port = try await ControlPort.withIris()
        for preference in [";", "x,;", "respond-async, wait", "wait=0", "wait=x"] {
            let answer = await port.send(
                "POST", "/v1/deployments/iris:restart", "", ["prefer": preference])
            #expect(answer.status == 200, "\(preference): \(answer.text)")
        }
    }
}

// A request and an answer of the admin port as values, so that everything behind the socket is
// tested without one.

import Notation

package struct AdminRequest: Sendable {
    package var method: String
    /// As sent: percent-encoded, with the query.
    package var target: String
    /// Of the `Host` field; nil when there was none.
    package var host: String?
    /// Lower-case names; several values of one name are joined by commas.
    package var headers: [String: String]
    package var body: [UInt8]
    /// Numeric address, without the port; nil when the peer has none.
    package var peer: String?

    package init(
        method: String, target: String, host: String? = nil, headers: [String: String] = [:],
        body: [UInt8] = [], peer: String? = nil
    ) {
        self.method = method
        self.target = target
        self.host = host
        self.headers = headers
        self.body = body
        self.peer = peer
    }
}

package struct AdminResponse: Sendable {
    package var status: Int
    /// Lower-case names.
    package var headers: [String: String]
    package var body: [UInt8]
    /// Goes on after the head, instead of a body; ends when it returns.
    package var stream: Stream?

    package typealias Stream =
        @Sendable (_ send: (_ text: String) async throws -> Void) async throws -> Void

    package init(
        status: Int, headers: [String: String] = [:], body: [UInt8] = [], stream: Stream? = nil
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.stream = stream
    }

    package var text: String { String(decoding: body, as: UTF8.self) }

    static func json(
        _ value: JSONValue, status: Int = 200, headers: [String: String] = [:]
    ) -> AdminResponse {
        var response = json(text: value.compact)
        response.status = status
        response.headers.merge(headers) { $1 }
        return response
    }

    /// What is JSON already, on one line.
    static func json(text: String) -> AdminResponse {
        AdminResponse(
            status: 200,
            headers: ["content-type": "application/json", "cache-control": "no-store"],
            body: Array((text + "\n").utf8))
    }

    static let noContent = AdminResponse(status: 204, headers: ["cache-control": "no-store"])

    /// All checks were passed; what it is about, as it is or would be.
    static func dryRun(_ thing: JSONValue) -> AdminResponse {
        .json(.object(["dry_run": true, "would_be": thing]))
    }
}

extension JSONValue {
    /// Says that it is no more than what would be.
    func marked(_ isDryRun: Bool) -> JSONValue {
        isDryRun ? merging(.object(["dry_run": true])) : self
    }
}

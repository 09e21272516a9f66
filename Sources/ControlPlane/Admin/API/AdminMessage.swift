// A request and an answer of the admin port as values, so that everything behind the socket is
// tested without one.

import Notation

package struct AdminRequest: Sendable {
    package var method: String
    /// As sent: percent-encoded, with the query.
    package var target: String
    /// Of the `Host` field; nil when there was none.
    package var host: String?
    package var authorization: String?
    package var requestID: String?
    package var body: [UInt8]
    /// Numeric address, without the port; nil when the peer has none.
    package var peer: String?

    package init(
        method: String, target: String, host: String? = nil, authorization: String? = nil,
        requestID: String? = nil, body: [UInt8] = [], peer: String? = nil
    ) {
        self.method = method
        self.target = target
        self.host = host
        self.authorization = authorization
        self.requestID = requestID
        self.body = body
        self.peer = peer
    }
}

package struct AdminResponse: Sendable {
    package var status: Int
    /// Lower-case names.
    package var headers: [String: String]
    package var body: [UInt8]

    package init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package var text: String { String(decoding: body, as: UTF8.self) }

    static func json(_ value: JSONValue, status: Int = 200) -> AdminResponse {
        AdminResponse(
            status: status,
            headers: ["content-type": "application/json", "cache-control": "no-store"],
            body: value.encoded)
    }
}

// The answer that a repeated request gets, as the API wrote it; whoever does the work stores it in
// the transaction of the work itself, so that one is never there without the other.

package struct RepetitionKey: Sendable, Hashable {
    /// Of `Idempotency-Key`.
    package var key: String
    /// Clients cannot meet each other's keys.
    package var token: String

    package init(key: String, token: String) {
        self.key = key
        self.token = token
    }
}

package struct RepeatedAnswer: Sendable, Equatable {
    package var status: Int
    package var headers: [String: String]
    package var body: [UInt8]

    package init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

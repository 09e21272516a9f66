// A client that does not know whether its request arrived sends it again with the same key, and
// gets the first answer. The answer is stored in the transaction that does the work: a record that
// is still running after a crash proves that nothing was done that would be done twice, so the key
// is free again.

/// The client's key within the token that used it; clients cannot meet each other's.
package struct IdempotencyKey: Sendable, Hashable {
    package var key: String
    package var token: String

    package init(key: String, token: String) {
        self.key = key
        self.token = token
    }
}

/// What the key's first request has come to.
package enum IdempotencyState: Sendable, Equatable {
    /// This is the first: do the work, with the answer in its transaction.
    case begun
    /// Done before: repeat this answer.
    case done(IdempotentAnswer)
    /// The first request is still at work: answer 409.
    case running
    /// The key was used for another request: answer 422.
    case mismatch
}

/// What to repeat. An answer with a secret in it, such as a new token, must not be kept: store one
/// that says so instead.
package struct IdempotentAnswer: Sendable, Equatable {
    package var key: IdempotencyKey
    package var status: Int
    package var headers: [String: String]
    package var body: [UInt8]

    package init(
        key: IdempotencyKey, status: Int, headers: [String: String] = [:], body: [UInt8] = []
    ) {
        self.key = key
        self.status = status
        self.headers = headers
        self.body = body
    }
}

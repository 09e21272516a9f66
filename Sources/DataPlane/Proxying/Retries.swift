// Whether a request whose try has failed is sent again, and at whose expense. Pure: the budget,
// which is shared, is asked by the caller. docs/operating.md says the same in words.

/// How far a try came before it failed.
package enum TryReach: Equatable, Sendable {
    /// No byte of the request has left: nobody listens, or the handshake failed.
    case unsent
    /// The replica has not begun with it: REFUSED_STREAM, a stream above the last of a GOAWAY (RFC
    /// 9113 8.7), or a stream that was never opened.
    case unprocessed
    /// It went out on a connection at rest, which ended without a byte of an answer: perhaps before
    /// the request arrived (RFC 9112 9.3.1).
    case crossed
    /// The replica may have worked on it.
    case processed
}

package enum RetryVerdict: Equatable, Sendable {
    /// Again, and it counts neither as an attempt nor against the budget. A replica that merely
    /// ends a connection, or has no room, may be asked again.
    case free(mayReturn: Bool)
    /// Again, elsewhere if possible, as an attempt and within the budget.
    case charged
    /// The client learns of it.
    case over
}

/// A failed try, and what had been tried before.
package struct FailedTry {
    package var reach: TryReach
    /// Something of an answer has come, if only an interim head.
    package var hasAnswer = false
    /// All of the request so far is still here.
    package var isWhole = true
    /// The request may reach a replica twice (RFC 9110 9.2.2): by its method, or by its service's
    /// word.
    package var isIdempotent: Bool
    /// This one included, if it counts.
    package var attempts: Int
    package var attemptsMax: Int
    /// Free ones before this one, and how many there may be.
    package var freeTries = 0
    package var freeTriesMax = 1
    /// A replica has said before that it had not begun.
    package var wasUnprocessed = false

    package init(_ reach: TryReach, isIdempotent: Bool, attempts: Int, attemptsMax: Int) {
        self.reach = reach
        self.isIdempotent = isIdempotent
        self.attempts = attempts
        self.attemptsMax = attemptsMax
    }

    package var verdict: RetryVerdict {
        // Never after the first byte of an answer, whatever else is said of the stream.
        if hasAnswer || !isWhole { return .over }
        switch reach {
        case .unprocessed where !wasUnprocessed: return .free(mayReturn: true)
        case .unprocessed, .unsent:
            return freeTries + 1 < freeTriesMax ? .free(mayReturn: false) : .over
        case .crossed, .processed:
            return isIdempotent && attempts < attemptsMax ? .charged : .over
        }
    }

    /// Whether the replica has shown a fault. One that ends a connection at rest, or says that it
    /// has not begun, has not; one that does so again and again has.
    package var blamesReplica: Bool {
        switch reach {
        case .crossed: hasAnswer
        case .unprocessed: hasAnswer || wasUnprocessed
        case .unsent, .processed: true
        }
    }
}

// How a command fails: one message for people, one code for scripts.

struct Failure: Error {
    enum Code: Int32 {
        case error = 1
        case usage = 2
        case notFound = 3
        case conflict = 4
        case denied = 5
        case timedOut = 6
        case rolledBack = 7
        case gate = 8
    }

    var code: Code
    var message: String
    /// The request may never have arrived, or may succeed in a moment.
    var mayBeRepeated: Bool
    /// The outcome of what was asked for, rather than a fault of asking.
    var isOutcome: Bool

    init(
        _ code: Code, _ message: String, mayBeRepeated: Bool = false, isOutcome: Bool = false
    ) {
        self.code = code
        self.message = message
        self.isOutcome = isOutcome
        self.mayBeRepeated = mayBeRepeated
    }
}

// A loop that does not come back to its poll serves nobody on its share of the connections. Looked
// at once a second; told once when it begins and once when it is over.

package struct StallWatch: Sendable {
    package enum News: Equatable, Sendable {
        case began(seconds: Int64)
        case ended
    }

    /// A batch takes milliseconds; the largest plan is applied in some hundred.
    package static let stallNanoseconds: Int64 = 2_000_000_000

    private var isStalled = false

    package init() {}

    /// `longest` is the longest time that any loop has been away from its poll.
    package mutating func look(longest nanoseconds: Int64) -> News? {
        let isOver = nanoseconds >= Self.stallNanoseconds
        guard isOver != isStalled else { return nil }
        isStalled = isOver
        return isOver ? .began(seconds: nanoseconds / 1_000_000_000) : .ended
    }
}

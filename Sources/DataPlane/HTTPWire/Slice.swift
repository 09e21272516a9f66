// Where something lies in the bytes a parser was given. A slice owns nothing and is only meaningful
// beside those bytes: whoever keeps one must keep them, unmoved, for as long.

package struct Slice: Equatable, Sendable {
    package var offset: UInt32
    package var count: UInt32

    package static var none: Slice { Slice(offset: UInt32(0), count: UInt32(0)) }

    package init(offset: UInt32, count: UInt32) {
        self.offset = offset
        self.count = count
    }

    @inline(__always) package init(from start: Int, to end: Int) {
        precondition(
            start >= 0 && start <= end && end <= Int(UInt32.max), "a slice of what was read")
        offset = UInt32(truncatingIfNeeded: start)
        count = UInt32(truncatingIfNeeded: end &- start)
    }

    package var start: Int { Int(offset) }
    package var end: Int { Int(offset) &+ Int(count) }
    package var isEmpty: Bool { count == 0 }
}

// How urgent an answer is: `u=0` to `u=7` and `i` (RFC 9218 4). The client says it in the request's
// head or later, the server in the answer's head, and what it says goes over the client's word.
// What cannot be read says nothing, as the RFC asks.

/// What goes for a stream.
struct HTTP2Priority: Equatable {
    var urgency: UInt8 = 3
    var isIncremental = false

    init() {}

    /// Reads a priority field value.
    init(_ bytes: RawSpan, from start: Int, to end: Int) {
        var signal = HTTP2PrioritySignal()
        signal.read(bytes, from: start, to: end)
        self = signal.over(HTTP2Priority())
    }
}

/// What one side has said, perhaps in several fields.
struct HTTP2PrioritySignal: Equatable {
    private(set) var urgency: UInt8?
    private(set) var isIncremental: Bool?

    init() {}

    var isEmpty: Bool { urgency == nil && isIncremental == nil }

    /// RFC 9218 8: what this side has not said stays as the other has it.
    func over(_ other: HTTP2Priority) -> HTTP2Priority {
        var priority = other
        if let urgency { priority.urgency = urgency }
        if let isIncremental { priority.isIncremental = isIncremental }
        return priority
    }

    /// Reads a field value, a dictionary of which only two keys matter.
    mutating func read(_ bytes: RawSpan, from start: Int, to end: Int) {
        var position = start
        while position < end {
            let stop = bytes.firstIndex(of: 0x2C, from: position, to: end) ?? end
            var first = position
            var last = stop
            while first < last, ByteClass.isSpace(bytes.byte(first)) { first &+= 1 }
            while last > first, ByteClass.isSpace(bytes.byte(last &- 1)) { last &-= 1 }
            take(bytes, Slice(from: first, to: last))
            position = stop &+ 1
        }
    }

    private mutating func take(_ bytes: RawSpan, _ member: Slice) {
        if bytes.isExactly(member, "i") || bytes.isExactly(member, "i=?1") {
            isIncremental = true
        } else if bytes.isExactly(member, "i=?0") {
            isIncremental = false
        } else if member.count == 3, bytes.byte(member.start) == 0x75,
            bytes.byte(member.start &+ 1) == 0x3D
        {
            let digit = bytes.byte(member.start &+ 2) &- 0x30
            if digit < 8 { urgency = digit }
        }
    }
}

/// Priorities of streams that have not begun (RFC 9218 7.1): the latest few, since a client may
/// name any number of streams and open none. The library would keep a stream for each, and frees
/// such a stream twice once it has begun and ended (libnghttp2 1.52).
struct HTTP2EarlyPriorities {
    private static let count = 8

    private var ids = InlineArray<8, Int32>(repeating: 0)
    private var priorities = InlineArray<8, HTTP2Priority>(repeating: HTTP2Priority())
    private var next = 0
    private var isUsed = false

    mutating func keep(_ priority: HTTP2Priority, for id: Int32) {
        isUsed = true
        var place = next
        for index in 0..<HTTP2EarlyPriorities.count where ids[index] == id { place = index }
        if place == next { next = (next &+ 1) % HTTP2EarlyPriorities.count }
        ids[place] = id
        priorities[place] = priority
    }

    mutating func take(for id: Int32) -> HTTP2Priority? {
        guard isUsed else { return nil }
        for index in 0..<HTTP2EarlyPriorities.count where ids[index] == id {
            ids[index] = 0
            return priorities[index]
        }
        return nil
    }
}

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

    /// Reads a field value, a dictionary of which only two keys matter (RFC 8941 3.2). Parameters
    /// of a member, which none has so far, change nothing.
    mutating func read(_ bytes: RawSpan, from start: Int, to end: Int) {
        var first = start
        var last = start
        var isQuoted = false
        var hasParameters = false
        for position in start..<end {
            let byte = bytes.byte(position)
            if byte == 0x22 { isQuoted.toggle() }
            if byte == 0x2C, !isQuoted {
                take(bytes, from: first, to: last)
                first = position &+ 1
                last = first
                hasParameters = false
                continue
            }
            if byte == 0x3B, !isQuoted { hasParameters = true }
            if !hasParameters { last = position &+ 1 }
        }
        take(bytes, from: first, to: last)
    }

    private mutating func take(_ bytes: RawSpan, from start: Int, to end: Int) {
        var first = start
        var last = end
        while first < last, ByteClass.isSpace(bytes.byte(first)) { first &+= 1 }
        while last > first, ByteClass.isSpace(bytes.byte(last &- 1)) { last &-= 1 }
        let member = Slice(from: first, to: last)
        if bytes.isExactly(member, "i") || bytes.isExactly(member, "i=?1") {
            isIncremental = true
        } else if bytes.isExactly(member, "i=?0") {
            isIncremental = false
        } else if member.count == 3, bytes.byte(first) == 0x75, bytes.byte(first &+ 1) == 0x3D {
            let digit = bytes.byte(first &+ 2) &- 0x30
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

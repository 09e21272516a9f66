// Counts the events of a server-sent stream (WHATWG HTML 9.2) while it passes, so that the time to
// the first token and between tokens comes from the stream itself. Reads the token counts that
// OpenAI-style streams carry in `usage`. Keeps a few words of state and not one byte of the stream.

/// Feed it every byte of the body in order. It cannot fail: what it does not understand it skips.
package struct EventStreamScanner: Sendable {
    /// Events with data so far; the closing `[DONE]` is none.
    package private(set) var events: UInt64 = 0
    /// The last `prompt_tokens` or `input_tokens` seen; 0 when there was none.
    package private(set) var promptTokens: UInt64 = 0
    /// The last `completion_tokens` or `output_tokens` seen; 0 when there was none.
    package private(set) var completionTokens: UInt64 = 0

    private enum Line: UInt8 {
        /// Within the first bytes, which may spell `data:`.
        case name
        /// A space behind the colon is no data (9.2.6).
        case dataStart
        case data
        case other
    }

    private enum Key: UInt8 {
        case none
        case prompt
        case completion
    }

    private var line = Line.name
    /// Bytes of the line's name, or of `[DONE]`, that fit so far.
    private var matched: UInt8 = 0
    private var hasData = false
    private var mayBeDone = false
    private var endedByReturn = false
    /// Bytes of a byte order mark that have come; three, too, once none can begin.
    private var markBytes: UInt8 = 0

    // Within the JSON of a data line.
    private var isInString = false
    private var isEscaped = false
    private var hash = EventStreamScanner.hashStart
    /// Bytes of the string so far; when it has more than any name that matters, or fewer than each,
    /// one more than the longest has.
    private var nameBytes: UInt8 = 0
    private var key = Key.none
    private var isPastColon = false
    private var digits: UInt8 = 0
    private var number: UInt64 = 0

    package init() {}

    /// - Returns: how many events these bytes have completed.
    package mutating func feed(_ bytes: RawSpan) -> Int {
        let before = events
        var position = 0
        while true {
            pass(bytes, &position)
            guard position < bytes.byteCount else { break }
            let byte = bytes.byte(position)
            position &+= 1
            if byte == 0x0A {
                if endedByReturn { endedByReturn = false } else { endLine() }
            } else if byte == 0x0D {
                endLine()
                endedByReturn = true
            } else {
                endedByReturn = false
                take(byte)
            }
        }
        return Int(events &- before)
    }

    /// Goes on to where single bytes matter: past a name that is whole, past what says nothing.
    @inline(__always)
    private mutating func pass(_ bytes: RawSpan, _ position: inout Int) {
        let start = position
        switch line {
        case .name:
            guard matched == 0, start &+ 5 <= bytes.byteCount,
                bytes.halfWord(start) == 0x6174_6164, bytes.byte(start &+ 4) == 0x3A
            else { return }
            position = start &+ 5
            line = .dataStart
        case .data:
            if isInString {
                if !isEscaped { passString(bytes, &position) }
            } else if key == .none, !mayBeDone {
                position = bytes.firstTextStop(from: start)
            }
        case .other: position = bytes.firstTextStop(from: start)
        case .dataStart: return
        }
        if position > start { endedByReturn = false }
    }

    /// Goes on to where the string may end. Of one that is as long as no name of a count, nothing
    /// needs to be kept.
    @inline(__always)
    private mutating func passString(_ bytes: RawSpan, _ position: inout Int) {
        let start = position
        position = bytes.firstTextStop(from: start)
        let count = Int(nameBytes) &+ position &- start
        let isWhole = position < bytes.byteCount && bytes.byte(position) == 0x22
        guard count <= Int(Self.nameBytesMax), !isWhole || count >= Self.nameBytesMin else {
            nameBytes = Self.nameBytesMax &+ 1
            return
        }
        for index in start..<position { keep(bytes.byte(index)) }
    }

    private mutating func endLine() {
        if line == .name && matched == 0 {
            // A blank line ends the event.
            if hasData { events &+= 1 }
            hasData = false
        } else if line == .data {
            endNumber()
            if !(mayBeDone && matched == 6) { hasData = true }
        } else if line == .dataStart || (line == .name && matched == 4) {
            // Nothing behind the colon, or no colon at all, is data too: an empty line of it.
            hasData = true
        }
        line = .name
        matched = 0
        markBytes = 3
        isInString = false
        isEscaped = false
        key = .none
        isPastColon = false
    }

    private mutating func take(_ byte: UInt8) {
        switch line {
        case .name: if !isMark(byte) { matchName(byte) }
        case .dataStart:
            line = .data
            matched = 0
            mayBeDone = true
            if byte != 0x20 { takeData(byte) }
        case .data: takeData(byte)
        case .other: break
        }
    }

    /// One byte order mark may stand before the stream (9.2.5).
    private mutating func isMark(_ byte: UInt8) -> Bool {
        guard markBytes < 3, matched == 0, byte == Self.mark[Int(markBytes)] else {
            markBytes = 3
            return false
        }
        markBytes &+= 1
        return true
    }

    private mutating func matchName(_ byte: UInt8) {
        let expected: UInt8 =
            switch matched {
            case 0: 0x64
            case 1: 0x61
            case 2: 0x74
            case 3: 0x61
            default: 0x3A
            }
        guard byte == expected else {
            line = .other
            return
        }
        matched &+= 1
        if matched == 5 { line = .dataStart }
    }

    private mutating func takeData(_ byte: UInt8) {
        if mayBeDone { matchDone(byte) }
        if isInString {
            takeString(byte)
        } else if byte == 0x22 {
            endNumber()
            isInString = true
            hash = EventStreamScanner.hashStart
            nameBytes = 0
        } else if key != .none {
            takeValue(byte)
        }
    }

    private mutating func matchDone(_ byte: UInt8) {
        let expected: UInt8 =
            switch matched {
            case 0: 0x5B
            case 1: 0x44
            case 2: 0x4F
            case 3: 0x4E
            case 4: 0x45
            case 5: 0x5D
            default: 0
            }
        if byte == expected { matched &+= 1 } else { mayBeDone = false }
    }

    // MARK: Token counts

    private mutating func takeString(_ byte: UInt8) {
        if isEscaped {
            isEscaped = false
        } else if byte == 0x5C {
            isEscaped = true
        } else if byte == 0x22 {
            isInString = false
            key = nameBytes > Self.nameBytesMax ? .none : EventStreamScanner.key(hash)
            isPastColon = false
            return
        }
        keep(byte)
    }

    @inline(__always)
    private mutating func keep(_ byte: UInt8) {
        guard nameBytes <= Self.nameBytesMax else { return }
        nameBytes &+= 1
        hash = (hash ^ UInt64(byte)) &* EventStreamScanner.hashFactor
    }

    /// What follows a key that names a count.
    private mutating func takeValue(_ byte: UInt8) {
        let isSpace = byte == 0x20 || byte == 0x09
        if !isPastColon {
            if byte == 0x3A { isPastColon = true } else if !isSpace { key = .none }
        } else if ByteClass.isDigit(byte) {
            // Nineteen digits always fit; no count has more.
            guard digits < 19 else { return dropNumber() }
            number = number &* 10 &+ UInt64(byte &- 0x30)
            digits &+= 1
        } else if digits > 0 || !isSpace {
            endNumber()
            key = .none
        }
    }

    private mutating func endNumber() {
        if digits > 0 {
            if key == .prompt { promptTokens = number }
            if key == .completion { completionTokens = number }
        }
        number = 0
        digits = 0
    }

    private mutating func dropNumber() {
        number = 0
        digits = 0
        key = .none
    }

    private static let mark: InlineArray<3, UInt8> = [0xEF, 0xBB, 0xBF]

    // FNV-1a over a key's bytes: four names are told apart without keeping any.
    private static let hashStart: UInt64 = 0xcbf2_9ce4_8422_2325
    private static let hashFactor: UInt64 = 0x100_0000_01b3

    /// The shortest and the longest of the names.
    private static let nameBytesMin = 12
    private static let nameBytesMax: UInt8 = 17

    private static func key(_ hash: UInt64) -> Key {
        switch hash {
        case 0x0d70_0b4a_4e95_c08e: .prompt  // prompt_tokens
        case 0xb515_8be5_a9bb_d92e: .prompt  // input_tokens
        case 0xb301_c1ed_a403_926a: .completion  // completion_tokens
        case 0x72e6_01d5_8dde_c77f: .completion  // output_tokens
        default: .none
        }
    }
}

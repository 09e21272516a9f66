// Resolves dot segments (RFC 3986, 5.2.4), `.` also spelled `%2e`, before routes are matched, so
// that a path cannot dodge its route or climb out of a stripped prefix; all else is kept as sent.
// Refused, because two servers could read them differently: leaving the root, a malformed escape,
// NUL, `..;` (some drop path parameters first), and dot segments in a path that also holds `%2f`,
// `%5c` or a backslash (some decode those into separators; without dots they are harmless).

import HTTPWire

package enum PathNormaliser {
    package enum Outcome: Equatable, Sendable {
        /// The path is already normal; the output was not touched.
        case unchanged
        /// The normal path is the first bytes of the output.
        case rewritten(Int)
        case refused
    }

    /// - Precondition: `output` is at least as long as `path`: a normal path is never longer.
    package static func normalise(
        _ path: RawSpan, into output: inout MutableRawSpan
    ) -> Outcome {
        guard path.byteCount > 0, path.byte(0) == 0x2f else {
            return path.firstIndex(of: 0, from: 0) == nil ? .unchanged : .refused
        }
        guard needsCare(path) else { return .unchanged }
        var survey = Survey()
        guard survey.read(path) else { return .refused }
        if !survey.hasDots { return .unchanged }
        if survey.hasHiddenSlash { return .refused }
        precondition(output.byteCount >= path.byteCount, "the output holds any normal path")
        return resolve(path, into: &output)
    }

    /// Whether a path has anything but plain bytes: `/.`, `%`, `\`, NUL. Most have not even a dot
    /// and are passed over eight bytes at a time.
    @inline(__always)
    private static func needsCare(_ path: RawSpan) -> Bool {
        var offset = 1
        while path.byteCount &- offset >= 8 {
            let word = path.word(offset)
            let hits =
                Word.zeros(word) | Word.zeros(word ^ Word.all(0x2e))
                | Word.zeros(word ^ Word.all(0x25)) | Word.zeros(word ^ Word.all(0x5c))
            if hits & Word.high != 0 { break }
            offset &+= 8
        }
        var previous = path.byte(offset &- 1)
        while offset < path.byteCount {
            let byte = path.byte(offset)
            switch byte {
            case 0x2e: if previous == 0x2f { return true }
            case 0x25, 0x5c, 0x00: return true
            default: break
            }
            previous = byte
            offset &+= 1
        }
        return false
    }

    private static func resolve(_ path: RawSpan, into output: inout MutableRawSpan) -> Outcome {
        var count = 0
        var start = 0
        while start < path.byteCount {
            // `start` is at a slash; the segment runs to the next one.
            let end = path.firstIndex(of: 0x2f, from: start + 1) ?? path.byteCount
            let isLast = end == path.byteCount
            switch Segment.dots(path, from: start + 1, to: end) {
            case 1:
                if isLast { append(0x2f, to: &output, &count) }
            case 2:
                guard count > 0 else { return .refused }
                repeat { count -= 1 } while byte(of: output, count) != 0x2f
                if isLast { append(0x2f, to: &output, &count) }
            default:
                for offset in start..<end { append(path.byte(offset), to: &output, &count) }
            }
            start = end
        }
        return .rewritten(count)
    }

    @inline(__always)
    private static func append(
        _ byte: UInt8, to output: inout MutableRawSpan, _ count: inout Int
    ) {
        output.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    @inline(__always)
    private static func byte(of output: borrowing MutableRawSpan, _ offset: Int) -> UInt8 {
        output.bytes.byte(offset)
    }
}

/// What a path holds that decides how it is treated.
private struct Survey {
    var hasDots = false
    var hasHiddenSlash = false
    /// Where the segment being read began, counting hidden slashes as slashes, too.
    private var segment = 0

    /// False when the path is refused whatever else it holds.
    mutating func read(_ path: RawSpan) -> Bool {
        var offset = 0
        while offset < path.byteCount {
            var byte = path.byte(offset)
            var width = 1
            if byte == 0x25 {
                guard let escape = PercentEscape(path, at: offset, end: path.byteCount)
                else { return false }
                byte = escape.byte
                width = 3
                if byte == 0x2f { hasHiddenSlash = true }
            }
            if byte == 0 { return false }
            if byte == 0x5c { hasHiddenSlash = true }
            let isSeparator = byte == 0x2f || byte == 0x5c
            if isSeparator || byte == 0x3b {
                let isDots = Segment.dots(path, from: segment, to: offset) > 0
                if isDots, byte == 0x3b { return false }
                hasDots = hasDots || isDots
            }
            offset += width
            if isSeparator { segment = offset }
        }
        if Segment.dots(path, from: segment, to: path.byteCount) > 0 { hasDots = true }
        return true
    }
}

private enum Segment {
    /// 1 for `.`, 2 for `..`, in any spelling; 0 for anything else.
    static func dots(_ path: RawSpan, from start: Int, to end: Int) -> Int {
        var offset = start
        var dots = 0
        while offset < end {
            if path.byte(offset) == 0x2e {
                offset += 1
            } else if PercentEscape(path, at: offset, end: end)?.byte == 0x2e {
                offset += 3
            } else {
                return 0
            }
            dots += 1
            if dots > 2 { return 0 }
        }
        return dots
    }
}

// Looks at the header of every frame before the library gets it, because the library is silent on
// some: what it ignores costs, too, and part of it is the peer's fault. Keeps a frame's first bytes
// and a few counts between calls; sees the same however the bytes arrive.

internal import CNGHTTP2

struct HTTP2FrameScanner {
    enum Finding: Equatable {
        /// A frame that moves nothing.
        case idle
        /// A head or data after the peer has reset the stream.
        case late(Int32)
        /// Data as they should be, if their stream is still there.
        case data(Int32, bytes: Int)
        /// The client says how urgent a stream is.
        case priority(Int32, HTTP2Priority)
        case fault(HTTP2ErrorCode)

        /// It only wants to be counted.
        var isDone: Bool {
            switch self {
            case .idle, .data: true
            default: false
            }
        }
    }

    private let isServer: Bool
    private let blockBytesMax: Int
    private var header = InlineArray<45, UInt8>(repeating: 0)
    private var filled = 0
    /// Of the preface, or of a frame's payload, still to pass over.
    private var skip: Int
    private var recent = HTTP2RecentStreams()
    /// Of the header block under way, frame headers included; 0 when there is none.
    private var blockBytes = 0
    /// Where the frame of the last finding begins; below zero if that was in earlier bytes.
    private(set) var frameStart = 0

    /// A server's input begins with the preface.
    init(isServer: Bool, headBytes: Int) {
        self.isServer = isServer
        blockBytesMax = max(headBytes, Limits.headerBlockBytes)
        skip = isServer ? 24 : 0
    }

    /// Goes on from `offset` up to `end`, or to just behind the header of a frame worth telling of.
    mutating func next(_ bytes: RawSpan, from offset: inout Int, to end: Int) -> Finding? {
        while offset < end {
            if skip > 0 {
                let count = min(skip, end &- offset)
                skip &-= count
                offset &+= count
                continue
            }
            if filled == 0 {
                frameStart = offset
                if end &- offset > 8 { takeWord(bytes, from: &offset) }
            }
            header[filled] = bytes.byte(offset)
            filled &+= 1
            offset &+= 1
            guard filled >= 9 else { continue }
            guard filled == headerBytes else { continue }
            skip = length &- (filled &- 9)
            filled = 0
            if let finding = judge() { return finding }
        }
        return nil
    }

    /// The first eight bytes of a header, which are there.
    @inline(__always)
    private mutating func takeWord(_ bytes: RawSpan, from offset: inout Int) {
        let word = bytes.word(offset)
        for index in 0..<8 {
            header[index] = UInt8(truncatingIfNeeded: word &>> UInt64(index &* 8))
        }
        filled = 8
        offset &+= 8
    }

    /// The caller begins to count anew, `count` bytes further on.
    mutating func advance(_ count: Int) { frameStart &-= count }

    // MARK: The header

    private var length: Int {
        Int(header[0]) &<< 16 | Int(header[1]) &<< 8 | Int(header[2])
    }

    private var type: Int { Int(header[3]) }
    private var endsStream: Bool { header[4] & 1 != 0 }
    private var endsBlock: Bool { header[4] & 4 != 0 }
    private var stream: Int32 { Int32(number(5) & 0x7FFF_FFFF) }

    private func number(_ at: Int) -> UInt32 {
        UInt32(header[at]) &<< 24 | UInt32(header[at &+ 1]) &<< 16
            | UInt32(header[at &+ 2]) &<< 8 | UInt32(header[at &+ 3])
    }

    /// With what matters of the payload: priority signals name a stream in its first four bytes,
    /// and PRIORITY_UPDATE says the rest behind them. What is longer than 32 says nothing we know.
    private var headerBytes: Int {
        switch type {
        case PENSTOCK_H2_PRIORITY: length >= 4 ? 13 : 9
        case PENSTOCK_H2_PRIORITY_UPDATE: length <= 36 ? 9 &+ length : 13
        default: 9
        }
    }

    // MARK: Judging

    private mutating func judge() -> Finding? {
        // Within a header block the library refuses everything but CONTINUATION.
        if blockBytes > 0 { return type == PENSTOCK_H2_CONTINUATION ? countBlock() : nil }
        switch type {
        case PENSTOCK_H2_DATA:
            return judgeStream(isHead: false) ?? .data(stream, bytes: length)
        case PENSTOCK_H2_HEADERS:
            if let finding = judgeStream(isHead: true) { return finding }
            return countBlock()
        case PENSTOCK_H2_PUSH_PROMISE:
            return countBlock()
        case PENSTOCK_H2_RST_STREAM:
            recent.end(stream, isReset: true)
            return nil
        case PENSTOCK_H2_PRIORITY:
            if stream == 0 { return .fault(.protocolError) }
            // RFC 9113 5.3.2 makes the signal void, but not a stream's dependency on itself valid.
            let dependsOnItself = length == 5 && Int32(number(9) & 0x7FFF_FFFF) == stream
            return dependsOnItself ? .fault(.protocolError) : .idle
        case PENSTOCK_H2_PRIORITY_UPDATE:
            return isServer ? judgePriority() : .idle
        default:
            return .idle
        }
    }

    private mutating func judgeStream(isHead: Bool) -> Finding? {
        guard isServer, stream & 1 == 1 else { return nil }
        switch recent.judge(stream, isHead: isHead) {
        case .fine:
            if endsStream { recent.end(stream, isReset: false) }
            return nil
        case .wasReset:
            if isHead { _ = countBlock() }
            return .late(stream)
        case .hasEnded: return .fault(.streamClosed)
        case .wasSkipped: return .fault(.protocolError)
        }
    }

    /// RFC 9218 7.1.
    private func judgePriority() -> Finding {
        guard length >= 4 else { return .fault(.frameSizeError) }
        let named = Int32(number(9) & 0x7FFF_FFFF)
        // Nothing is pushed, so a server's streams are idle: not to be named either.
        guard stream == 0, named & 1 == 1 else { return .fault(.protocolError) }
        guard length <= 36 else { return .idle }
        var value = InlineArray<32, UInt8>(repeating: 0)
        for index in 0..<(length &- 4) { value[index] = header[13 &+ index] }
        let span = value.span
        return .priority(
            named, HTTP2Priority(unsafe span.bytes, from: 0, to: length &- 4))
    }

    private mutating func countBlock() -> Finding? {
        blockBytes &+= 9 &+ length
        if blockBytes > blockBytesMax { return .fault(.enhanceYourCalm) }
        if endsBlock { blockBytes = 0 }
        return nil
    }
}

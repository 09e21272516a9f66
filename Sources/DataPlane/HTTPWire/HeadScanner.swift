// Tells a head that cannot be complete yet from one worth parsing, looking at each byte once. A
// head that arrives byte by byte then costs what it weighs, not its square.

package struct HeadScanner: Sendable {
    package enum Verdict: Sendable { case incomplete, parseNow }

    // Small, as every connection has one.
    private let headBytes: UInt32
    private var lineStart: UInt32 = 0
    private var hasLines = false

    /// At `headBytes` the parser is asked in any case: it knows the right refusal.
    package init(headBytes: Int = Limits.headBytes) {
        self.headBytes = UInt32(clamping: headBytes)
    }

    /// `bytes` is the head so far, `from` where the bytes not yet shown begin.
    package mutating func scan(_ bytes: RawSpan, from start: Int) -> Verdict {
        if bytes.byteCount >= Int(headBytes) { return .parseNow }
        var from = start
        var lineStart = Int(lineStart)
        defer { self.lineStart = UInt32(lineStart) }
        while let feed = bytes.firstIndex(of: 0x0A, from: from) {
            // A LF without CR is a refusal, whatever follows.
            if feed == lineStart || bytes.byte(feed - 1) != 0x0D { return .parseNow }
            // An empty line ends the head; one before the first line is tolerated.
            if feed == lineStart + 1, hasLines { return .parseNow }
            lineStart = feed + 1
            hasLines = true
            from = lineStart
        }
        return .incomplete
    }

    package mutating func reset() {
        lineStart = 0
        hasLines = false
    }
}

// Fuzzes the scanner of event streams: it never traps, no cut changes what it counts, and it counts
// the events that a plain reading of whole lines counts. The first two bytes say where to cut.

#if canImport(HTTPWire)
    import HTTPWire
#endif

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEventStream(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count >= 2 else { return 0 }
    let input = unsafe UnsafeRawBufferPointer(start: start + 2, count: count - 2)
    let bytes = unsafe input.bytes
    let cut = unsafe (Int(start[0]) << 8 | Int(start[1])) % (bytes.byteCount + 1)
    let whole = scan(bytes, cut: 0)
    precondition(scan(bytes, cut: cut) == whole, "a cut changes nothing")
    precondition(whole.events == events(unsafe Array(input)), "the plain reading agrees")
    return 0
}

private struct Scan: Equatable {
    var events: UInt64
    var prompt: UInt64
    var completion: UInt64
}

private func scan(_ bytes: RawSpan, cut: Int) -> Scan {
    var scanner = EventStreamScanner()
    let first = scanner.feed(bytes.extracting(0..<cut))
    let second = scanner.feed(bytes.extracting(cut..<bytes.byteCount))
    precondition(UInt64(first + second) == scanner.events, "each event is told once")
    return Scan(
        events: scanner.events, prompt: scanner.promptTokens,
        completion: scanner.completionTokens)
}

/// WHATWG HTML 9.2.6, line by line: a blank line ends an event that has a line of data.
private func events(_ bytes: [UInt8]) -> UInt64 {
    var (events, hasData): (UInt64, Bool) = (0, false)
    for line in lines(bytes) {
        if line.isEmpty {
            if hasData { events += 1 }
            hasData = false
        } else if line == Array("data".utf8) {
            hasData = true
        } else if line.starts(with: Array("data:".utf8)) {
            var data = line.dropFirst(5)
            if data.first == 0x20 { data = data.dropFirst() }
            if Array(data) != Array("[DONE]".utf8) { hasData = true }
        }
    }
    return events
}

/// Those that have an end: LF, CR, or both.
private func lines(_ bytes: [UInt8]) -> [[UInt8]] {
    var (lines, line, hasReturned): ([[UInt8]], [UInt8], Bool) = ([], [], false)
    for byte in bytes {
        if byte == 0x0A, hasReturned {
            hasReturned = false
            continue
        }
        hasReturned = byte == 0x0D
        if byte == 0x0A || byte == 0x0D {
            lines.append(line)
            line = []
        } else {
            line.append(byte)
        }
    }
    return lines
}

// Fuzzes the search for a body's model: it never traps, and no cut of the input changes its answer.
// The first two bytes say where to cut.

#if canImport(HTTPWire)
    import HTTPWire
#endif

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzModelScanner(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count >= 2 else { return 0 }
    let input = unsafe UnsafeRawBufferPointer(start: start + 2, count: count - 2)
    let bytes = unsafe input.bytes
    let cut = unsafe (Int(start[0]) << 8 | Int(start[1])) % (bytes.byteCount + 1)
    let whole = scan(bytes, cut: 0)
    precondition(scan(bytes, cut: cut) == whole, "a cut changes nothing")
    return 0
}

private struct Scan: Equatable {
    var answer: JSONModelScanner.Answer
    var model: [UInt8]
}

private func scan(_ bytes: RawSpan, cut: Int) -> Scan {
    var scanner = JSONModelScanner(bytesMax: 4096)
    _ = scanner.feed(bytes.extracting(0..<cut))
    _ = scanner.feed(bytes.extracting(cut..<bytes.byteCount))
    let answer = scanner.finish()
    precondition(answer != .needMore, "a finished scan has an answer")
    let model = scanner.withModel { name in (0..<name.byteCount).map { name.byte($0) } }
    return Scan(answer: answer, model: answer == .found ? model : [])
}

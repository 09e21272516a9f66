// Any bytes as a JSON body, in one piece and cut where the first byte says: no trap, one answer.

func scan(_ bytes: RawSpan, cut: Int) -> (JSONModelScanner.Answer, Int) {
    var scanner = JSONModelScanner(bytesMax: 4_096)
    _ = scanner.feed(bytes.extracting(first: cut))
    _ = scanner.feed(bytes.extracting(droppingFirst: cut))
    let answer = scanner.finish()
    return (answer, scanner.withModel { $0.byteCount })
}

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = unsafe UnsafeRawBufferPointer(start: start, count: count).bytes
    guard count > 1 else { return 0 }
    let bytes = input.extracting(droppingFirst: 1)
    let whole = scan(bytes, cut: bytes.byteCount)
    precondition(scan(bytes, cut: Int(input.byte(0)) % count) == whole, "cut anywhere")
    return 0
}

// Fuzzes the PROXY protocol parser: it never traps, a part of a header is never an answer that the
// whole takes back, and a header never takes more than its bounds or the input.

#if canImport(HTTPWire)
    import HTTPWire
#endif

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzProxyProtocol(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count >= 1 else { return 0 }
    let input = unsafe UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    let bytes = unsafe input.bytes
    let part = unsafe Int(start[0]) % (bytes.byteCount + 1)
    let first = parse(bytes.extracting(0..<part))
    let whole = parse(bytes)
    if first != .success(nil) { precondition(first == whole, "an answer is final") }
    if case .success(let header?) = whole {
        let most =
            ProxyProtocolParser.binaryHeadBytes + ProxyProtocolParser.binaryBodyBytesMax
        precondition(header.byteCount <= min(most, bytes.byteCount), "a header has a bound")
    }
    return 0
}

private func parse(_ bytes: RawSpan) -> Result<ProxyProtocolHeader?, ProxyProtocolError> {
    do throws(ProxyProtocolError) {
        return .success(try ProxyProtocolParser.parse(bytes))
    } catch {
        return .failure(error)
    }
}

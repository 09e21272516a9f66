// Any bytes as a PROXY protocol header: no trap, and a shorter beginning only ever waits.

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count).bytes
    guard count > 0, let parsed = try? ProxyProtocolParser.parse(bytes) else { return 0 }
    precondition(parsed.byteCount <= count, "a header within its bytes")
    let beginning = bytes.extracting(first: parsed.byteCount - 1)
    var isWaiting = false
    do throws(ProxyProtocolError) {
        isWaiting = try ProxyProtocolParser.parse(beginning) == nil
    } catch {}
    precondition(isWaiting, "complete at its last byte and not before")
    return 0
}

// Any bytes as a response to GET and to HEAD: no trap, every slice within the head, and the method
// decides about the body alone.

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count).bytes
    var fields = FieldTable(capacity: 64)
    let parser = ResponseParser(limits: WireLimits(headBytes: 4_096, headers: 64))
    guard count > 0 else { return 0 }
    let toHead = try? parser.parse(bytes, fields: &fields, requestMethod: .head)
    let toGet = try? parser.parse(bytes, fields: &fields, requestMethod: .get)
    precondition(toHead?.byteCount == toGet?.byteCount, "the same head for both")
    guard let head = toGet else { return 0 }
    precondition(head.byteCount <= count, "a head within its bytes")
    precondition((100...599).contains(head.status), "a status in range")
    precondition(head.reason.end <= head.byteCount, "a slice within the head")
    for index in 0..<fields.count {
        precondition(fields[index].line.end <= head.byteCount, "a line within the head")
    }
    var scanner = HeadScanner(headBytes: 4_096)
    precondition(scanner.scan(bytes, from: 0) == .parseNow, "a complete head is not held back")
    return 0
}

// Any bytes as a request: no trap, every slice within the head, the scanner as eager as the parser,
// and what the writer makes of an accepted head parses to the same framing.

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count).bytes
    var fields = FieldTable(capacity: 64)
    let parser = RequestParser(limits: WireLimits(headBytes: 4_096, headers: 64))
    guard count > 0, let head = try? parser.parse(bytes, fields: &fields) else { return 0 }
    precondition(head.byteCount <= count, "a head within its bytes")
    for slice in [head.methodText, head.target, head.path, head.query, head.host, head.upgrade] {
        precondition(slice.end <= head.byteCount, "a slice within the head")
    }
    for index in 0..<fields.count {
        let field = fields[index]
        precondition(field.line.end <= head.byteCount, "a line within the head")
        precondition(field.value.end + 2 <= field.line.end, "a value within its line")
    }
    var scanner = HeadScanner(headBytes: 4_096)
    precondition(scanner.scan(bytes, from: 0) == .parseNow, "a complete head is not held back")
    checkRewritten(bytes, head, fields)
    return 0
}

func checkRewritten(_ bytes: RawSpan, _ head: RequestHead, _ fields: borrowing FieldTable) {
    var buffer = HeadBuffer(capacity: 8_192)
    buffer.append(bytes, head.methodText)
    buffer.append(" ")
    buffer.append(bytes, head.target)
    buffer.append(" HTTP/1.1\r\n")
    HeadWriter.copyFields(fields, of: bytes, into: &buffer)
    if head.framing == .chunked { buffer.append("transfer-encoding: chunked\r\n") }
    if head.hostField < 0 { buffer.append("host: a\r\n") }
    buffer.appendCRLF()
    precondition(!buffer.didOverflow, "no longer than it came, but for what was added")
    unsafe buffer.withBytes { written in
        var fields = FieldTable(capacity: 66)
        let again = try? RequestParser().parse(unsafe written.bytes, fields: &fields)
        precondition(again?.framing == head.framing, "written as it was read")
        precondition(again?.byteCount == written.count, "nothing left over")
    }
}

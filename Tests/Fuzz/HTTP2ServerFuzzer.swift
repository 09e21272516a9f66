// Any bytes from a client after the preface, cut where the first byte says, to a session whose
// owner answers, stalls, resets and lets go as the bytes have it: no trap, no event of a stream
// that is gone, every head within what the strict parser reads, and bounded memory.

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard count > 1, let start else { return 0 }
    let input = unsafe UnsafeRawBufferPointer(start: start, count: count)
    var drive = FuzzedServer(cut: unsafe Int(input[0]))
    drive.run(unsafe input.bytes.extracting(droppingFirst: 1))
    drive.end()
    return 0
}

struct FuzzedServer: ~Copyable {
    let loop = HTTP2Loop()
    let session: HTTP2Session
    let cut: Int
    var fields = FieldTable(capacity: 128)
    var held: [HTTP2Stream] = []
    var now: Int64 = 0
    var room = [UInt8](repeating: 0, count: 20_000)
    var turn = 0

    init(cut: Int) {
        self.cut = max(1, cut)
        var options = HTTP2Options()
        options.headBytes = 4_096
        options.streams = 8
        options.allowsUpgrades = cut & 1 == 1
        guard let session = loop.makeServer(options, owner: 1, now: 0) else {
            preconditionFailure("memory")
        }
        self.session = session
        let hello: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0"
        let bytes = unsafe UnsafeRawBufferPointer(
            start: hello.utf8Start, count: hello.utf8CodeUnitCount)
        precondition(unsafe session.receive(bytes.bytes, now: 0) == bytes.count, "a hello is taken")
        precondition(session.fault == nil, "a hello is no fault")
    }

    mutating func run(_ bytes: RawSpan) {
        var offset = 0
        while offset < bytes.byteCount || session.hasMore {
            let end = min(bytes.byteCount, offset + cut * 7)
            let piece = bytes.extracting(offset..<end)
            let taken = session.receive(piece, now: now)
            precondition(taken <= piece.byteCount, "no more than there is")
            drain(piece)
            offset += taken
            now += 1_000_000
            produce()
            if session.isOver { return }
        }
    }

    mutating func drain(_ piece: RawSpan) {
        while let event = loop.nextEvent() {
            turn += 1
            let isNew = event.kind == .head || event.kind == .headTooLarge
            precondition(held.contains(event.stream) != isNew, "a stream begins with its head")
            if isNew { held.append(event.stream) }
            switch event.kind {
            case .head: check(event)
            case .data:
                precondition(event.slice.end <= piece.byteCount, "data within what was read")
                if turn % 3 != 0 { event.stream.consume(Int(event.slice.count)) }
            case .trailers: checkTrailers(event)
            case .headTooLarge, .interim, .end: break
            }
            answer(event.stream)
        }
        while let notice = session.nextNotice() {
            guard case .reset(let stream, _) = notice else { continue }
            letGo(stream) { $0.release() }
        }
    }

    mutating func check(_ event: HTTP2Event) {
        unsafe loop.withHeads { heads in
            let head = unsafe heads.bytes.extracting(event.slice.start..<event.slice.end)
            // A refusal is a fine answer; a part of a head, or a second one behind it, is not.
            guard let parsed = try? RequestParser().parse(head, fields: &fields) else { return }
            precondition(parsed.byteCount == head.byteCount, "one head and no more")
            precondition(fields.count == Int(event.fieldCount), "as many fields as came")
        }
    }

    mutating func checkTrailers(_ event: HTTP2Event) {
        unsafe loop.withHeads { heads in
            let lines = unsafe heads.bytes.extracting(event.slice.start..<event.slice.end)
            let end = try? TrailerFields.read(lines, into: &fields)
            guard let end else { return }
            precondition(end == lines.byteCount, "one section and no more")
            precondition(fields.count == Int(event.fieldCount), "as many fields as came")
        }
    }

    mutating func answer(_ stream: HTTP2Stream) {
        let heads: [StaticString] = [
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n",
            "HTTP/1.1 101 Switching\r\n\r\n", "HTTP/1.1 103 Hints\r\nlink: x\r\n\r\n",
        ]
        let head = heads[turn % 4]
        let bytes = unsafe UnsafeRawBufferPointer(
            start: head.utf8Start, count: head.utf8CodeUnitCount)
        switch turn % 7 {
        case 0: letGo(stream) { $0.reset(.cancel) }
        case 1, 2, 3:
            // A stream that is over, or an answer that does not suit it.
            _ = try? stream.respond(unsafe bytes.bytes, ends: turn % 2 == 0)
        case 4: letGo(stream) { $0.release() }
        default:
            _ = stream.writable
            let some = [UInt8](repeating: 1, count: turn % 5_000)
            let size = turn % 4 == 0 ? 0 : 20_000
            unsafe room.withUnsafeMutableBytes { room in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<size])
                _ = unsafe stream.send(some.span.bytes, ends: turn % 3 == 0, into: room, now: now)
            }
        }
    }

    mutating func letGo(_ stream: HTTP2Stream, _ end: (HTTP2Stream) -> Void) {
        guard let index = held.firstIndex(of: stream) else { return }
        held.remove(at: index)
        end(stream)
    }

    mutating func produce() {
        let now = now
        let session = session
        let written = unsafe room.withUnsafeMutableBytes { room in
            unsafe session.produce(into: room, now: now)
        }
        precondition(written <= 20_000, "within the room")
        precondition(session.streamCount <= 8, "no more streams than allowed")
        precondition(session.pendingBytes < 1_000_000, "no more waits than was sent")
        while let notice = session.nextNotice() {
            guard case .reset(let stream, _) = notice else { continue }
            letGo(stream) { $0.release() }
        }
    }

    mutating func end() {
        while let stream = held.popLast() { stream.reset(.cancel) }
        while loop.nextEvent() != nil {}
        session.free()
    }
}

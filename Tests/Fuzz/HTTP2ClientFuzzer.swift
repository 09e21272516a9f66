// Any bytes from a replica, cut where the first byte says, to a session whose owner asks, stalls,
// resets and lets go meanwhile: no trap, no event of a stream that is gone, every head within what
// the strict parser reads, and bounded memory.

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard count > 1, let start else { return 0 }
    let input = unsafe UnsafeRawBufferPointer(start: start, count: count)
    var drive = FuzzedClient(cut: unsafe Int(input[0]))
    drive.run(unsafe input.bytes.extracting(droppingFirst: 1))
    drive.end()
    return 0
}

struct FuzzedClient: ~Copyable {
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
        guard let session = loop.makeClient(HTTP2Options(), owner: 1, now: 0) else {
            preconditionFailure("memory")
        }
        self.session = session
        for _ in 0..<4 { request() }
        produce()
    }

    mutating func request() {
        let heads: [StaticString] = [
            "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
            "POST /x HTTP/1.1\r\nHost: a\r\ncontent-length: 9\r\n\r\n",
            "HEAD /x HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET /c HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        ]
        turn += 1
        let head = heads[turn % 4]
        let bytes = unsafe UnsafeRawBufferPointer(
            start: head.utf8Start, count: head.utf8CodeUnitCount)
        // There may be no room, or no leave to upgrade.
        if let stream = try? session.request(unsafe bytes.bytes, owner: 3, ends: turn % 3 == 0) {
            held.append(stream)
        }
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
            precondition(held.contains(event.stream), "an event of a stream that is held")
            switch event.kind {
            case .head, .interim: check(event)
            case .data:
                precondition(event.slice.end <= piece.byteCount, "data within what was read")
                if turn % 3 != 0 { event.stream.consume(Int(event.slice.count)) }
            case .trailers: checkTrailers(event)
            case .headTooLarge, .end: break
            }
            goOn(event.stream)
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
            let found = try? ResponseParser().parse(head, fields: &fields, requestMethod: .get)
            guard let parsed = found else { return }
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

    mutating func goOn(_ stream: HTTP2Stream) {
        switch turn % 7 {
        case 0: letGo(stream) { $0.reset(.cancel) }
        case 1, 2, 3: request()
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
        precondition(session.streamCount <= 256, "no more streams than allowed")
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

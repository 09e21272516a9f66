// One end of an HTTP/2 connection under any bytes of its peer, and an owner that speaks, stalls,
// resets and lets go as its turn has it. Both fuzzers of HTTP/2 drive it; what always holds is
// checked here, and what differs between the ends is its `side`.

struct FuzzedSession: ~Copyable {
    enum Side { case client, server }

    let side: Side
    let loop: HTTP2Loop
    let session: HTTP2Session
    let cut: Int
    let mostStreams: Int
    var fields = FieldTable(capacity: 128)
    var held: [HTTP2Stream] = []
    var now: Int64 = 0
    var room = [UInt8](repeating: 0, count: 20_000)
    var turn = 0

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
            let begins = side == .server && (event.kind == .head || event.kind == .headTooLarge)
            precondition(held.contains(event.stream) != begins, "an event of a stream in its time")
            if begins { held.append(event.stream) }
            switch event.kind {
            case .head: checkHead(event)
            case .interim: if side == .client { checkHead(event) }
            case .data:
                precondition(event.slice.end <= piece.byteCount, "data within what was read")
                if turn % 3 != 0 { event.stream.consume(Int(event.slice.count)) }
            case .trailers: checkTrailers(event)
            case .headTooLarge, .end: break
            }
            goOn(event.stream)
        }
        letGoOfReset()
    }

    // MARK: What came

    mutating func checkHead(_ event: HTTP2Event) {
        unsafe loop.withHeads { heads in
            let head = unsafe heads.bytes.extracting(event.slice.start..<event.slice.end)
            // A refusal is a fine answer; a part of a head, or a second one behind it, is not.
            let byteCount =
                switch side {
                case .server: (try? RequestParser().parse(head, fields: &fields))?.byteCount
                case .client:
                    (try? ResponseParser().parse(head, fields: &fields, requestMethod: .get))?
                        .byteCount
                }
            guard let byteCount else { return }
            precondition(byteCount == head.byteCount, "one head and no more")
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

    // MARK: What its owner does

    mutating func goOn(_ stream: HTTP2Stream) {
        switch turn % 7 {
        case 0: letGo(stream) { $0.reset(.cancel) }
        case 1, 2, 3:
            switch side {
            case .client: request()
            case .server: answer(stream)
            }
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

    mutating func request() {
        let heads: [StaticString] = [
            "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
            "POST /x HTTP/1.1\r\nHost: a\r\ncontent-length: 9\r\n\r\n",
            "HEAD /x HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET /c HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        ]
        turn += 1
        let head = unsafe Self.bytes(heads[turn % 4])
        // There may be no room, or no leave to upgrade.
        if let stream = try? session.request(unsafe head.bytes, owner: 3, ends: turn % 3 == 0) {
            held.append(stream)
        }
    }

    mutating func answer(_ stream: HTTP2Stream) {
        let heads: [StaticString] = [
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n",
            "HTTP/1.1 101 Switching\r\n\r\n", "HTTP/1.1 103 Hints\r\nlink: x\r\n\r\n",
        ]
        let head = unsafe Self.bytes(heads[turn % 4])
        // A stream that is over, or an answer that does not suit it.
        _ = try? stream.respond(unsafe head.bytes, ends: turn % 2 == 0)
    }

    static func bytes(_ text: StaticString) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    // MARK: What goes out, and the end

    mutating func produce() {
        let (now, session) = (now, session)
        let written = unsafe room.withUnsafeMutableBytes { room in
            unsafe session.produce(into: room, now: now)
        }
        precondition(written <= 20_000, "within the room")
        precondition(session.streamCount <= mostStreams, "no more streams than allowed")
        precondition(session.pendingBytes < 1_000_000, "no more waits than was sent")
        letGoOfReset()
    }

    mutating func letGoOfReset() {
        while let notice = session.nextNotice() {
            guard case .reset(let stream, _) = notice else { continue }
            letGo(stream) { $0.release() }
        }
    }

    mutating func letGo(_ stream: HTTP2Stream, _ end: (HTTP2Stream) -> Void) {
        guard let index = held.firstIndex(of: stream) else { return }
        held.remove(at: index)
        end(stream)
    }

    mutating func end() {
        while let stream = held.popLast() { stream.reset(.cancel) }
        while loop.nextEvent() != nil {}
        session.free()
    }
}

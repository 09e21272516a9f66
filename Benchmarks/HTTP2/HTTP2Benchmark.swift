// Nanoseconds that a request costs in HTTP/2: from the head that a proxy composed, over both ends
// of the wire in memory, to heads that were parsed again, and back with an answer and its body.
// Built together with the module it measures, as the release build inlines it into the data plane.

import Glibc

@main enum HTTP2Benchmark {
    static let request: StaticString = """
        POST /v2/models/iris/infer HTTP/1.1\r
        host: models.example.com:8443\r
        content-type: application/json\r
        content-length: 121\r
        user-agent: python-httpx/0.27\r
        accept: */*\r
        accept-encoding: gzip, deflate\r
        x-tenant: blue\r
        x-forwarded-for: 10.1.2.3\r
        x-forwarded-proto: https\r
        x-request-id: 5f2c1d9077aa43f0b1c2d3e4f5a60718\r
        \r

        """
    static let answer: StaticString = """
        HTTP/1.1 200 OK\r
        content-type: application/json\r
        content-length: 121\r
        server: uvicorn\r
        date: Sat, 01 Jan 2000 00:00:00 GMT\r
        x-request-id: 5f2c1d9077aa43f0b1c2d3e4f5a60718\r
        x-penstock-revision: blue\r
        \r

        """

    static let openAnswer: StaticString = "HTTP/1.1 200 OK\r\nserver: uvicorn\r\n\r\n"

    static func main() {
        var bench = HTTP2Bench()
        bench.measure("one at a time", streams: 1, body: 121, rounds: 200_000)
        bench.measure("32 at a time", streams: 32, body: 121, rounds: 6_000)
        bench.measure("answers of 16 KB", streams: 1, body: 16_000, rounds: 50_000)
        bench.measure("answers of 1 MB", streams: 1, body: 1_000_000, rounds: 500)
    }
}

/// Both ends on one loop, and the bytes between them.
struct HTTP2Bench: ~Copyable {
    let loop = HTTP2Loop()
    let client: HTTP2Session
    let server: HTTP2Session
    var fields = FieldTable(capacity: 128)
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 262_144, alignment: 64)
    var body = [UInt8](repeating: 0x61, count: 1_000_000)
    /// What each end has spent, in nanoseconds; the clock's own cost is part of it.
    var answerBytes = 0
    var asked = 0
    var got = 0

    init() {
        guard let client = loop.makeClient(HTTP2Options(), owner: 1, now: 0),
            let server = loop.makeServer(HTTP2Options(), owner: 2, now: 0)
        else { preconditionFailure("there is memory") }
        self.client = client
        self.server = server
    }

    deinit {
        client.free()
        server.free()
        unsafe room.deallocate()
    }

    mutating func measure(_ name: String, streams: Int, body: Int, rounds: Int) {
        var best = Int.max
        for _ in 0..<7 {
            asked = 0
            got = 0
            let start = spent()
            for _ in 0..<rounds { exchange(streams, body) }
            best = min(best, spent() - start)
            precondition(got == streams * rounds, "every answer ends")
        }
        print("\(name): \(best / (streams * rounds)) ns a request, both ends")
    }

    /// Processor time rather than the clock's, so that a busy machine disturbs little.
    func spent() -> Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    mutating func exchange(_ streams: Int, _ body: Int) {
        let target = got + streams
        answerBytes = body
        for _ in 0..<streams { ask() }
        deliver(client, server)
        while got < target {
            deliver(server, client)
            if got < target { deliver(client, server) }
        }
    }

    mutating func ask() {
        withText(HTTP2Benchmark.request) { head in
            // A refusal shows as an answer that never ends.
            guard let stream = try? client.request(head, owner: 1, ends: false) else { return }
            let none = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
            let some = unsafe body.span.bytes.extracting(first: 121)
            _ = unsafe stream.send(some, ends: true, into: none, now: 1)
        }
    }

    mutating func deliver(_ from: HTTP2Session, _ to: HTTP2Session) {
        repeat {
            let count = unsafe from.produce(into: room, now: 1)
            take(unsafe UnsafeRawBufferPointer(rebasing: room[..<count]).bytes, to)
        } while from.wantsToSend
    }

    mutating func take(_ bytes: RawSpan, _ end: HTTP2Session) {
        var rest = bytes
        while rest.byteCount > 0 || end.hasMore {
            let count = end.receive(rest, now: 1)
            while let event = loop.nextEvent() {
                if end.isServer { atServer(event) } else { atClient(event) }
            }
            rest = rest.extracting(droppingFirst: count)
        }
        while let notice = end.nextNotice() {
            if case .writable(let stream) = notice { goOn(stream) }
        }
    }

    mutating func atServer(_ event: HTTP2Event) {
        if event.kind == .head { parse(event, isRequest: true) }
        if event.kind == .data { event.stream.consume(Int(event.slice.count)) }
        guard event.endsStream else { return }
        asked += 1
        // Its length is the small body's; larger ones go without.
        let answer = answerBytes == 121 ? HTTP2Benchmark.answer : HTTP2Benchmark.openAnswer
        withText(answer) { head in
            _ = try? event.stream.respond(head, ends: false)
        }
        event.stream.owner = UInt(answerBytes)
        goOn(event.stream)
    }

    /// Sends what the windows allow, as a proxy does: it reads no more than that.
    mutating func goOn(_ stream: HTTP2Stream) {
        let left = Int(stream.owner)
        let count = min(left, stream.writable)
        guard count > 0 else { return }
        stream.owner = UInt(left - count)
        let piece = unsafe body.span.bytes.extracting(first: count)
        let none = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
        _ = unsafe stream.send(piece, ends: count == left, into: none, now: 1)
        if count == left { stream.release() } else { _ = stream.writable }
    }

    mutating func atClient(_ event: HTTP2Event) {
        if event.kind == .head { parse(event, isRequest: false) }
        if event.kind == .data { event.stream.consume(Int(event.slice.count)) }
        guard event.endsStream else { return }
        got += 1
        event.stream.release()
    }

    mutating func parse(_ event: HTTP2Event, isRequest: Bool) {
        unsafe loop.withHeads { heads in
            let head = unsafe heads.bytes.extracting(event.slice.start..<event.slice.end)
            let isRead =
                isRequest
                ? (try? RequestParser().parse(head, fields: &fields)) != nil
                : (try? ResponseParser().parse(head, fields: &fields, requestMethod: .post)) != nil
            precondition(isRead, "heads are right")
        }
    }

    func withText(_ text: StaticString, _ body: (RawSpan) -> Void) {
        let bytes = unsafe UnsafeRawBufferPointer(
            start: text.utf8Start, count: text.utf8CodeUnitCount)
        unsafe body(bytes.bytes)
    }
}

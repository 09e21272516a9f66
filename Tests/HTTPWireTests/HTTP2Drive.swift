// One end of an HTTP/2 connection under test: bytes and frames in, what its owner would see as
// plain values, frames out. Owns its loop and its session.

import HTTPWire
import Testing

enum Seen: Equatable {
    case head(Int32, String, ends: Bool)
    case interim(Int32, String)
    case headTooLarge(Int32)
    case data(Int32, String, ends: Bool)
    case trailers(Int32, String)
    case end(Int32)
    case reset(Int32, UInt32)
    case writable(Int32)
}

struct NoMemory: Error {}

final class HTTP2Drive {
    let loop = HTTP2Loop()
    let session: HTTP2Session
    var now: Int64 = 1_000_000_000
    var streams: [Int32: HTTP2Stream] = [:]
    /// Consumes data as it is handed out.
    var consumes = true
    /// Data are shown as text; else they are put by, which for much of it is a lot faster.
    var showsData = true
    var received: [Int32: [UInt8]] = [:]
    /// Bytes offered to `produce` at a time.
    var roomBytes = 65_536

    init(server options: HTTP2Options = HTTP2Options()) throws {
        guard let session = loop.makeServer(options, owner: 7, now: now) else { throw NoMemory() }
        self.session = session
    }

    init(client options: HTTP2Options) throws {
        guard let session = loop.makeClient(options, owner: 7, now: now) else { throw NoMemory() }
        self.session = session
    }

    deinit { session.free() }

    /// A server whose client has said hello, and the other way round; what it said is dropped.
    static func server(
        _ options: HTTP2Options = HTTP2Options(), settings: [(UInt16, UInt32)] = []
    ) throws -> HTTP2Drive {
        let drive = try HTTP2Drive(server: options)
        drive.take(RawFrame.preface + RawFrame.settings(settings).bytes)
        _ = drive.output()
        drive.take(.settingsAck)
        return drive
    }

    static func client(
        _ options: HTTP2Options = HTTP2Options(), settings: [(UInt16, UInt32)] = []
    ) throws -> HTTP2Drive {
        let drive = try HTTP2Drive(client: options)
        _ = drive.output()
        drive.take(RawFrame.settings(settings).bytes)
        _ = drive.output()
        drive.take(.settingsAck)
        return drive
    }

    // MARK: In

    @discardableResult func take(_ frames: RawFrame...) -> [Seen] {
        var bytes: [UInt8] = []
        for frame in frames { bytes += frame.bytes }
        return take(bytes)
    }

    @discardableResult func take(_ bytes: [UInt8]) -> [Seen] {
        var seen: [Seen] = []
        var chunk = bytes
        repeat {
            let count = session.receive(unsafe chunk.span.bytes, now: now)
            while let event = loop.nextEvent() { seen.append(note(event, chunk)) }
            chunk.removeFirst(count)
        } while !chunk.isEmpty || session.hasMore
        return seen + notices()
    }

    func notices() -> [Seen] {
        var seen: [Seen] = []
        while let notice = session.nextNotice() {
            switch notice {
            case .reset(let stream, let code): seen.append(.reset(stream.id, code.rawValue))
            case .writable(let stream): seen.append(.writable(stream.id))
            }
        }
        return seen
    }

    private func note(_ event: HTTP2Event, _ chunk: [UInt8]) -> Seen {
        let id = event.stream.id
        streams[id] = event.stream
        switch event.kind {
        case .head: return .head(id, text(event), ends: event.endsStream)
        case .interim: return .interim(id, text(event))
        case .headTooLarge: return .headTooLarge(id)
        case .trailers: return .trailers(id, text(event))
        case .end: return .end(id)
        case .data:
            if consumes { event.stream.consume(Int(event.slice.count)) }
            guard showsData else {
                received[id, default: []] += chunk[event.slice.start..<event.slice.end]
                return .data(id, "", ends: event.endsStream)
            }
            return .data(id, Wire.text(chunk, event.slice), ends: event.endsStream)
        }
    }

    private func text(_ event: HTTP2Event) -> String {
        unsafe loop.withHeads { Wire.text(unsafe Array($0), event.slice) }
    }

    // MARK: Out

    func outputBytes() -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let some = unsafe room { unsafe session.produce(into: $0, now: now) }
            bytes += some
            if some.isEmpty { return bytes }
        }
    }

    func output() -> [RawFrame] {
        var bytes = outputBytes()
        if bytes.starts(with: RawFrame.preface) { bytes.removeFirst(RawFrame.preface.count) }
        return RawFrame.parse(bytes)
    }

    func room(_ fill: (UnsafeMutableRawBufferPointer) -> Int) -> [UInt8] {
        // Without room it would be the array of nothing, which is shared, and this writes to it.
        unsafe Array(unsafeUninitializedCapacity: max(1, roomBytes)) { room, count in
            count = unsafe fill(
                UnsafeMutableRawBufferPointer(start: room.baseAddress, count: roomBytes))
        }
    }

    // MARK: Verbs

    func stream(_ id: Int32) throws -> HTTP2Stream { try #require(streams[id]) }

    @discardableResult func request(_ head: String, ends: Bool = true) throws -> HTTP2Stream {
        let bytes = Array(head.utf8)
        let stream = try session.request(unsafe bytes.span.bytes, owner: 11, ends: ends)
        streams[stream.id] = stream
        return stream
    }

    func respond(
        _ id: Int32, _ head: String = "HTTP/1.1 200 OK\r\n\r\n", ends: Bool = true
    ) throws {
        let bytes = Array(head.utf8)
        try stream(id).respond(unsafe bytes.span.bytes, ends: ends)
    }

    func send(_ id: Int32, _ text: String, ends: Bool = false) throws -> [RawFrame] {
        RawFrame.parse(try sendBytes(id, Array(text.utf8), ends: ends))
    }

    func sendBytes(_ id: Int32, _ bytes: [UInt8], ends: Bool) throws -> [UInt8] {
        let stream = try stream(id)
        let now = now
        return unsafe room { unsafe stream.send(bytes.span.bytes, ends: ends, into: $0, now: now) }
    }

    func sendTrailers(_ id: Int32, _ lines: String) throws {
        let bytes = Array(lines.utf8)
        try stream(id).sendTrailers(unsafe bytes.span.bytes)
    }
}

extension [RawFrame] {
    func first(_ type: UInt8) -> RawFrame? { first { $0.type == type } }
    func only(_ type: UInt8) -> [RawFrame] { filter { $0.type == type } }
    /// Codes of resets, by stream.
    var resets: [UInt32: UInt32] {
        var codes: [UInt32: UInt32] = [:]
        for frame in only(RawFrame.Kind.reset) { codes[frame.stream] = frame.value }
        return codes
    }
    /// The code of a GOAWAY, if there is one.
    var goAway: UInt32? {
        first(RawFrame.Kind.goAway).map { RawFrame.value($0.payload, 4) }
    }
    /// The last stream that it speaks of.
    var goAwayLast: UInt32? { first(RawFrame.Kind.goAway)?.value }
}

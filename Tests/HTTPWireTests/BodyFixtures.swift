// Drives a body decoder over bytes cut anywhere, as a connection would, and tells the outcome as
// one value that must not depend on the cuts.

import HTTPWire

struct DecodedBody: Equatable {
    enum Outcome: Equatable {
        case complete
        case wantsMore
        case refused(WireError)
    }

    var payload: [UInt8] = []
    var trailers: [ParsedField] = []
    var outcome = Outcome.wantsMore
    /// Bytes after the body's end.
    var rest = 0
}

struct BodyDrive: ~Copyable {
    private var decoder: BodyDecoder
    private var table = FieldTable(capacity: 64)
    private var waiting: [UInt8] = []
    private(set) var body = DecodedBody()
    /// What a gateway that keeps the framing would send on, without the last chunk.
    private(set) var forwarded: [UInt8] = []
    /// Payload as the events count it.
    private(set) var counted = 0

    static func run(
        _ bytes: [UInt8], framing: BodyFraming, keepsFraming: Bool, cuts: [Int] = []
    ) -> (body: DecodedBody, forwarded: [UInt8], counted: Int) {
        var drive = BodyDrive(
            decoder: BodyDecoder(framing: framing, keepsFraming: keepsFraming))
        var start = 0
        for end in cuts + [bytes.count] {
            drive.feed(Array(bytes[start..<end]))
            start = end
        }
        return (drive.body, drive.forwarded, drive.counted)
    }

    private init(decoder: BodyDecoder) { self.decoder = decoder }

    private mutating func feed(_ bytes: [UInt8]) {
        guard body.outcome == .wantsMore else {
            if body.outcome == .complete { body.rest += bytes.count }
            return
        }
        waiting += bytes
        var offset = 0
        do throws(WireError) {
            while try step(&offset) {}
        } catch {
            body.outcome = .refused(error)
        }
        if body.outcome == .complete { body.rest += waiting.count - offset }
        waiting.removeFirst(offset)
    }

    private mutating func step(_ offset: inout Int) throws(WireError) -> Bool {
        let bytes = waiting
        let span = unsafe bytes.span.bytes
        switch try decoder.next(span, from: &offset, fields: &table) {
        case .needMore: return false
        case .data(let slice):
            body.payload += bytes[slice.start..<slice.end]
            counted += Int(slice.count)
        case .framed(let slice, let payload):
            forwarded += bytes[slice.start..<slice.end]
            counted += payload
        case .chunkHeader(let size):
            forwarded += Array((String(size, radix: 16) + "\r\n").utf8)
        case .end(let hasTrailers):
            body.outcome = .complete
            if hasTrailers { body.trailers = Wire.fields(table, of: bytes) }
            return false
        }
        return true
    }
}

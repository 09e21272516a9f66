// HTTP/2 frames made and read by hand, byte by byte as RFC 9113 4 and RFC 7541 5 and 6 have them,
// and independent of the library under test: header blocks of literals, never compressed.

import Foundation

struct RawFrame: Equatable {
    enum Kind {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let priority: UInt8 = 2
        static let reset: UInt8 = 3
        static let settings: UInt8 = 4
        static let pushPromise: UInt8 = 5
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
        static let windowUpdate: UInt8 = 8
        static let continuation: UInt8 = 9
        static let priorityUpdate: UInt8 = 16
    }

    static let endStream: UInt8 = 1
    static let ack: UInt8 = 1
    static let endHeaders: UInt8 = 4
    static let padded: UInt8 = 8
    static let priority: UInt8 = 32

    var type: UInt8
    var flags: UInt8 = 0
    var stream: UInt32 = 0
    var payload: [UInt8] = []

    var bytes: [UInt8] {
        let count = payload.count
        return [
            UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags,
            UInt8(stream >> 24), UInt8(stream >> 16 & 255), UInt8(stream >> 8 & 255),
            UInt8(stream & 255),
        ] + payload
    }

    /// The first four bytes of the payload: a code, an increment.
    var value: UInt32 { RawFrame.value(payload, 0) }

    static func value(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        guard bytes.count >= at + 4 else { return 0 }
        let (high, low) = (UInt32(bytes[at]) << 8 | UInt32(bytes[at + 1]), at + 2)
        return high << 16 | UInt32(bytes[low]) << 8 | UInt32(bytes[low + 1])
    }

    /// All the frames that are whole.
    static func parse(_ bytes: [UInt8]) -> [RawFrame] {
        var frames: [RawFrame] = []
        var at = 0
        while at + 9 <= bytes.count {
            let length = Int(bytes[at]) << 16 | Int(bytes[at + 1]) << 8 | Int(bytes[at + 2])
            guard at + 9 + length <= bytes.count else { break }
            frames.append(
                RawFrame(
                    type: bytes[at + 3], flags: bytes[at + 4],
                    stream: value(bytes, at + 5) & 0x7FFF_FFFF,
                    payload: Array(bytes[(at + 9)..<(at + 9 + length)])))
            at += 9 + length
        }
        return frames
    }
}

func number(_ value: UInt32) -> [UInt8] {
    [
        UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255),
    ]
}

extension RawFrame {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    static func settings(_ values: [(UInt16, UInt32)] = []) -> RawFrame {
        RawFrame(
            type: Kind.settings,
            payload: values.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] + number($1) })
    }

    static let settingsAck = RawFrame(type: Kind.settings, flags: ack)

    static func headers(
        _ stream: UInt32, _ fields: [(String, String)], ends: Bool = true,
        flags: UInt8 = endHeaders
    ) -> RawFrame {
        RawFrame(
            type: Kind.headers, flags: flags | (ends ? endStream : 0), stream: stream,
            payload: HPACK.block(fields))
    }

    static func data(_ stream: UInt32, _ text: String, ends: Bool = false) -> RawFrame {
        RawFrame(
            type: Kind.data, flags: ends ? endStream : 0, stream: stream, payload: Array(text.utf8))
    }

    static func data(_ stream: UInt32, count: Int, ends: Bool = false) -> RawFrame {
        RawFrame(
            type: Kind.data, flags: ends ? endStream : 0, stream: stream,
            payload: Array(repeating: 0x61, count: count))
    }

    static func reset(_ stream: UInt32, _ code: UInt32 = 8) -> RawFrame {
        RawFrame(type: Kind.reset, stream: stream, payload: number(code))
    }

    static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> RawFrame {
        RawFrame(type: Kind.windowUpdate, stream: stream, payload: number(increment))
    }

    static func ping(_ value: UInt64 = 7, ack: Bool = false) -> RawFrame {
        let bytes = number(UInt32(value >> 32)) + number(UInt32(truncatingIfNeeded: value))
        return RawFrame(type: Kind.ping, flags: ack ? RawFrame.ack : 0, payload: bytes)
    }

    static func goAway(last: UInt32, _ code: UInt32 = 0) -> RawFrame {
        RawFrame(type: Kind.goAway, payload: number(last) + number(code))
    }
}

enum HPACK {
    /// Every field as a literal that is not to be indexed, its name and value as they are.
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        var block: [UInt8] = []
        for (name, value) in fields { block += literal(name, value) }
        return block
    }

    static func literal(_ name: String, _ value: String, form: UInt8 = 0) -> [UInt8] {
        [form] + text(name) + text(value)
    }

    /// RFC 7541 5.2, without Huffman coding.
    static func text(_ text: String) -> [UInt8] {
        integer(text.utf8.count, prefix: 7) + Array(text.utf8)
    }

    /// RFC 7541 5.1.
    static func integer(_ value: Int, prefix: Int, form: UInt8 = 0) -> [UInt8] {
        let limit = (1 << prefix) - 1
        if value < limit { return [form | UInt8(value)] }
        var bytes = [form | UInt8(limit)]
        var rest = value - limit
        while rest >= 128 {
            bytes.append(UInt8(rest % 128) | 128)
            rest /= 128
        }
        return bytes + [UInt8(rest)]
    }

    static let get: [(String, String)] = [
        (":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a.example"),
    ]

    static let post: [(String, String)] = [
        (":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a.example"),
    ]
}

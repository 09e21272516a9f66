// The one message that the gateway itself reads: `HealthCheckResponse` of grpc.health.v1, an
// enumeration in field 1. Anything else that may stand in it is skipped by the rules of the wire.

package enum HealthMessage {
    /// Whether the bytes are one whole message, with its five bytes before it, that says SERVING.
    package static func isServing(_ bytes: RawSpan) -> Bool {
        guard bytes.byteCount >= 5, bytes.byte(0) == 0 else { return false }
        var length = 0
        for index in 1..<5 { length = length << 8 | Int(bytes.byte(index)) }
        guard length == bytes.byteCount &- 5 else { return false }
        var position = 5
        var status: UInt64 = 0
        while position < bytes.byteCount {
            guard let key = varint(bytes, &position) else { return false }
            switch key & 7 {
            case 0:
                guard let value = varint(bytes, &position) else { return false }
                if key >> 3 == 1 { status = value }
            case 1: position &+= 8
            case 5: position &+= 4
            case 2:
                guard let count = varint(bytes, &position), count <= UInt64(bytes.byteCount)
                else { return false }
                position &+= Int(count)
            default: return false
            }
        }
        return position == bytes.byteCount && status == 1
    }

    private static func varint(_ bytes: RawSpan, _ position: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.byteCount, shift < 64 {
            let byte = bytes.byte(position)
            position &+= 1
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift &+= 7
        }
        return nil
    }
}

// `grpc-message`: text for a person, its bytes percent-encoded where a header could not hold them.
// Reading it is lenient, as gRPC asks: what is no escape stands for itself.

package enum GRPCMessage {
    package static func encode(_ bytes: RawSpan, into head: inout HeadBuffer) {
        for index in 0..<bytes.byteCount {
            let byte = bytes.byte(index)
            if byte >= 0x20, byte < 0x7F, byte != 0x25 {
                head.append(byte)
            } else {
                head.append(0x25)
                head.append(digit(byte &>> 4))
                head.append(digit(byte & 15))
            }
        }
    }

    package static func decode(_ bytes: RawSpan, _ value: Slice, into text: inout HeadBuffer) {
        var position = value.start
        while position < value.end {
            let byte = bytes.byte(position)
            if byte == 0x25, position &+ 2 < value.end {
                let high = ByteClass.hexValue(bytes.byte(position &+ 1))
                let low = ByteClass.hexValue(bytes.byte(position &+ 2))
                if high < 16, low < 16 {
                    text.append(high &<< 4 | low)
                    position &+= 3
                    continue
                }
            }
            text.append(byte)
            position &+= 1
        }
    }

    /// Upper case, as RFC 3986 2.1 would have it.
    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? value &+ 0x30 : value &+ 0x37
    }
}

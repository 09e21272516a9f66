// Looks at the first nine bytes of a client before OpenSSL does: the header of a record and that of
// the message in it. Tells plain HTTP and noise from TLS at the first byte, and refuses a message
// whose claimed size alone would set 128 KiB aside.

struct ClientHelloGuard {
    enum Verdict: Equatable {
        case accepted
        /// An upper-case letter: the method of an HTTP request.
        case plainHTTP
        case notTLS
        case tooLarge
    }

    /// Bytes seen so far, at most nine.
    private var count: UInt8 = 0
    /// The length of the record, then that of the message.
    private var length: UInt32 = 0

    private static let headerBytes = 9

    mutating func inspect(_ bytes: UnsafeRawBufferPointer) -> Verdict {
        var index = 0
        while index < bytes.count, Int(count) < Self.headerBytes {
            let verdict = take(unsafe bytes[index])
            if verdict != .accepted { return verdict }
            index += 1
        }
        return .accepted
    }

    private mutating func take(_ byte: UInt8) -> Verdict {
        defer { count += 1 }
        switch count {
        case 0: return first(byte)
        case 1: return byte == 3 ? .accepted : .notTLS
        case 2: return .accepted
        case 3, 4:
            length = length << 8 | UInt32(byte)
            // Nobody sends a message's header in pieces; what did could not be judged here.
            return count == 4 && length < 4 ? .notTLS : .accepted
        case 5:
            length = 0
            return byte == 1 ? .accepted : .notTLS
        default:
            length = length << 8 | UInt32(byte)
            return length > UInt32(TLSLimits.clientHelloBytes) ? .tooLarge : .accepted
        }
    }

    private func first(_ byte: UInt8) -> Verdict {
        switch byte {
        case 22: .accepted
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): .plainHTTP
        default: .notTLS
        }
    }
}

// WebSocket's handshake where only one side has it: HTTP/1.1 proves with a key and its hash that
// both mean WebSocket (RFC 6455 4.2.2), HTTP/2 needs neither (RFC 8441 5). Between the two, the
// gateway makes up the key or the hash. Pure; SHA-1 of one short text, without memory of its own.

package enum WebSocketKey {
    /// A key is sixteen bytes in base 64.
    private static let keyBytes = 24
    private static let suffix: StaticString = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// A key for a request that came without one.
    package static func append(_ high: UInt64, _ low: UInt64, to head: inout HeadBuffer) {
        var bytes = InlineArray<20, UInt8>(repeating: 0)
        for index in 0..<8 {
            bytes[index] = UInt8(truncatingIfNeeded: high &>> UInt64(index &* 8))
            bytes[index &+ 8] = UInt8(truncatingIfNeeded: low &>> UInt64(index &* 8))
        }
        appendBase64(bytes, count: 16, to: &head)
    }

    /// Where the key of a composed head stands.
    package static func find(in head: RawSpan) -> Slice? {
        var line = 0
        while let end = head.firstIndex(of: 0x0D, from: line) {
            if end &- line > 18, isName(head, at: line) {
                var start = line &+ 18
                while start < end, ByteClass.isSpace(head.byte(start)) { start &+= 1 }
                var last = end
                while last > start, ByteClass.isSpace(head.byte(last &- 1)) { last &-= 1 }
                return Slice(from: start, to: last)
            }
            line = end &+ 2
        }
        return nil
    }

    private static func isName(_ head: RawSpan, at start: Int) -> Bool {
        let name: StaticString = "sec-websocket-key:"
        for index in 0..<name.utf8CodeUnitCount {
            let wanted = unsafe name.utf8Start[index]
            if ByteClass.lowercased(head.byte(start &+ index)) != wanted { return false }
        }
        return true
    }

    /// What the side that has the key expects in `sec-websocket-accept`.
    ///
    /// - Returns: false, and nothing is written, for what is no key.
    package static func appendAccept(
        for head: RawSpan, _ key: Slice, to answer: inout HeadBuffer
    ) -> Bool {
        guard key.count == keyBytes else { return false }
        // 24 + 36 bytes, the end mark and the length take two blocks.
        var message = InlineArray<128, UInt8>(repeating: 0)
        for index in 0..<keyBytes { message[index] = head.byte(key.start &+ index) }
        let length = keyBytes &+ suffix.utf8CodeUnitCount
        for index in keyBytes..<length {
            unsafe message[index] = suffix.utf8Start[index &- keyBytes]
        }
        message[length] = 0x80
        let bits = length &* 8
        message[126] = UInt8(truncatingIfNeeded: bits &>> 8)
        message[127] = UInt8(truncatingIfNeeded: bits)
        var state = SHA1State()
        state.add(message, from: 0)
        state.add(message, from: 64)
        appendBase64(state.digest, count: 20, to: &answer)
        return true
    }

    private static func appendBase64(
        _ bytes: InlineArray<20, UInt8>, count: Int, to head: inout HeadBuffer
    ) {
        var index = 0
        while index < count {
            let left = count &- index
            let word =
                UInt32(bytes[index]) &<< 16 | (left > 1 ? UInt32(bytes[index &+ 1]) &<< 8 : 0)
                | (left > 2 ? UInt32(bytes[index &+ 2]) : 0)
            for place in 0..<4 {
                let digit = UInt8(truncatingIfNeeded: word &>> UInt32(18 &- place &* 6)) & 63
                head.append(place > left ? 0x3D : letter(digit))
            }
            index &+= 3
        }
    }

    private static func letter(_ digit: UInt8) -> UInt8 {
        switch digit {
        case ..<26: digit &+ 0x41
        case ..<52: digit &- 26 &+ 0x61
        case ..<62: digit &- 52 &+ 0x30
        case 62: 0x2B
        default: 0x2F
        }
    }
}

/// FIPS 180-4, 6.1. Not a secret and not a signature here: the handshake just names it.
private struct SHA1State {
    private var h: (UInt32, UInt32, UInt32, UInt32, UInt32) = (
        0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0
    )

    mutating func add(_ message: InlineArray<128, UInt8>, from start: Int) {
        var words = InlineArray<80, UInt32>(repeating: 0)
        for index in 0..<16 {
            for byte in 0..<4 {
                words[index] = words[index] &<< 8 | UInt32(message[start &+ index &* 4 &+ byte])
            }
        }
        for index in 16..<80 {
            words[index] = rotate(
                words[index &- 3] ^ words[index &- 8] ^ words[index &- 14] ^ words[index &- 16], 1)
        }
        var (a, b, c, d, e) = h
        for index in 0..<80 {
            let mixed: UInt32
            switch index {
            case ..<20: mixed = (b & c | ~b & d) &+ 0x5A82_7999
            case ..<40: mixed = (b ^ c ^ d) &+ 0x6ED9_EBA1
            case ..<60: mixed = (b & c | b & d | c & d) &+ 0x8F1B_BCDC
            default: mixed = (b ^ c ^ d) &+ 0xCA62_C1D6
            }
            let next = rotate(a, 5) &+ mixed &+ e &+ words[index]
            (e, d, c, b, a) = (d, c, rotate(b, 30), a, next)
        }
        h = (h.0 &+ a, h.1 &+ b, h.2 &+ c, h.3 &+ d, h.4 &+ e)
    }

    private func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
        word &<< count | word &>> (32 &- count)
    }

    var digest: InlineArray<20, UInt8> {
        var bytes = InlineArray<20, UInt8>(repeating: 0)
        let words: InlineArray<5, UInt32> = [h.0, h.1, h.2, h.3, h.4]
        for index in 0..<20 {
            bytes[index] = UInt8(
                truncatingIfNeeded: words[index / 4] &>> UInt32(24 &- index % 4 &* 8))
        }
        return bytes
    }
}

// Digits made eight at a time are those made one at a time.

import HTTPWire
import Testing

@Suite struct DigitsTests {
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    private func text(_ word: UInt64) -> String {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func plainBase32(_ value: UInt64) -> String {
        let digits = (0..<8).map { Self.alphabet[Int(value >> UInt64(35 - 5 * $0)) & 31] }
        return String(decoding: digits, as: UTF8.self)
    }

    @Test(arguments: [0, 1, 9, 10, 0x0123_4567, 0x89AB_CDEF, 0xFEDC_BA98, UInt32.max])
    func `hexadecimal digits are lower case, with leading zeros`(value: UInt32) {
        let plain = String(value, radix: 16)
        let padded = String(repeating: "0", count: 8 - plain.count) + plain
        #expect(text(Digits.hex(value)) == padded)
    }

    @Test func `every base 32 digit is Crockford's, at every place`() {
        for digit in 0..<UInt64(32) {
            for place in 0..<UInt64(8) {
                let value = digit << (5 * place)
                #expect(text(Digits.base32(value)) == plainBase32(value))
            }
        }
    }

    @Test func `bits above the fortieth do not matter`() {
        #expect(Digits.base32(1 << 40 | 31) == Digits.base32(31))
    }
}

// Each class against the characters the RFC spells out.

import HTTPWire
import Testing

@Suite struct ByteClassesTests {
    private static let alphanumeric =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

    private func bytes(where isMember: (UInt8) -> Bool) -> Set<UInt8> {
        Set((UInt8.min...UInt8.max).filter(isMember))
    }

    @Test func `token characters are those of RFC 9110`() {
        let expected = Set("!#$%&'*+-.^_`|~\(Self.alphanumeric)".utf8)
        #expect(bytes(where: ByteClass.isToken) == expected)
    }

    @Test func `registered names are those of RFC 3986`() {
        let expected = Set("-._~!$&'()*+,;=\(Self.alphanumeric)".utf8)
        #expect(bytes(where: ByteClass.isRegisteredName) == expected)
    }

    @Test func `hexadecimal digits have their values in both cases`() {
        for (value, digit) in "0123456789abcdef".utf8.enumerated() {
            #expect(ByteClass.hexValue(digit) == UInt8(value))
        }
        for (value, digit) in "ABCDEF".utf8.enumerated() {
            #expect(ByteClass.hexValue(digit) == UInt8(value + 10))
        }
        #expect(bytes { ByteClass.hexValue($0) < 16 } == Set("0123456789abcdefABCDEF".utf8))
    }

    @Test func `text is all but controls, and HTAB`() {
        let expected = Set((UInt8(0x20)...0xFF).filter { $0 != 0x7F } + [0x09])
        #expect(bytes(where: ByteClass.isText) == expected)
    }

    @Test func `only capital letters change case`() {
        for byte in UInt8.min...UInt8.max {
            let isCapital = (0x41...0x5A).contains(byte)
            #expect(ByteClass.lowercased(byte) == (isCapital ? byte + 0x20 : byte))
        }
    }
}

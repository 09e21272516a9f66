// A buffer writes what fits and remembers that something did not.

import HTTPWire
import Testing

@Suite struct HeadBufferTests {
    private func text(_ buffer: borrowing HeadBuffer) -> String {
        unsafe buffer.withBytes { bytes in unsafe String(decoding: bytes, as: UTF8.self) }
    }

    @Test func `appends follow each other`() {
        var buffer = HeadBuffer(capacity: 64)
        let source = Array("one two".utf8)
        let span = unsafe source.span.bytes
        buffer.append("GET ")
        buffer.append(span, Slice(from: 4, to: 7))
        buffer.append(0x21)
        buffer.appendCRLF()
        buffer.append(span)
        let written = text(buffer)
        #expect(written == "GET two!\r\none two")
    }

    @Test(arguments: [0, 1, 9, 10, 99, 100, 12_345_678_901, UInt64.max])
    func `numbers are written in full`(value: UInt64) {
        var buffer = HeadBuffer(capacity: 64)
        buffer.appendDecimal(value)
        buffer.append(" ")
        buffer.appendHex(value)
        let written = text(buffer)
        #expect(written == "\(value) \(String(value, radix: 16))")
    }

    @Test func `an identifier keeps its leading zeros`() {
        var buffer = HeadBuffer(capacity: 64)
        buffer.appendFullHex(0x00AB_0000_0000_001F)
        let written = text(buffer)
        #expect(written == "00ab00000000001f")
    }

    @Test func `the last digits in base 32 follow each other`() {
        var buffer = HeadBuffer(capacity: 64)
        buffer.appendBase32(0b11111_00001, digits: 2)
        buffer.appendBase32(18, digits: 8)
        let written = text(buffer)
        #expect(written == "Z10000000J")
    }

    @Test func `what does not fit changes nothing but the flag`() {
        var buffer = HeadBuffer(capacity: 4)
        buffer.append("abc")
        buffer.append("de")
        buffer.appendDecimal(10)
        buffer.appendHex(255)
        buffer.appendFullHex(1)
        buffer.appendBase32(1, digits: 1)
        let written = text(buffer)
        let overflowed = buffer.didOverflow
        #expect(written == "abc")
        #expect(overflowed)
    }

    @Test func `an exact fit is no overflow, and removal begins anew`() {
        var buffer = HeadBuffer(capacity: 4)
        buffer.append("abcd")
        let overflowed = buffer.didOverflow
        #expect(!overflowed)
        buffer.append("e")
        buffer.removeAll()
        let state = (buffer.count, buffer.didOverflow)
        #expect(state == (0, false))
    }

    @Test func `written bytes can be patched, cut and added by others`() {
        var buffer = HeadBuffer(capacity: 8)
        buffer.append("abcdef")
        buffer.patch(0x58, at: 1)
        buffer.truncate(to: 4)
        unsafe buffer.appendRaw { free in
            unsafe free.storeBytes(of: 0x21, as: UInt8.self)
            return 1
        }
        let written = text(buffer)
        #expect(written == "aXcd!")
    }
}

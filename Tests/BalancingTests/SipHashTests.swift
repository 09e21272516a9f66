// SipHash-2-4 against the vectors of its authors' reference implementation: key 00 01 … 0f and
// messages 00 01 … of growing length.

import Balancing
import Testing

@Suite struct SipHashTests {
    @Test(
        arguments: [
            (0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd), (2, 0x0d6c_8009_d9a9_4f5a),
            (3, 0x8567_6696_d7fb_7e2d), (7, 0xab02_00f5_8b01_d137), (8, 0x93f5_f579_9a93_2462),
            (15, 0xa129_ca61_49be_45e5),
        ] as [(Int, UInt64)])
    func `a message hashes as its authors say`(length: Int, expected: UInt64) {
        let message = (0..<length).map { UInt8($0) }
        #expect(unsafe SipHash.hash(message.span.bytes, key: stickyKey) == expected)
    }

    @Test func `two words hash as their sixteen bytes`() {
        let message = (0..<16).map { UInt8($0) }
        let words = SipHash.hash(
            0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908, key: stickyKey)
        #expect(unsafe SipHash.hash(message.span.bytes, key: stickyKey) == words)
    }

    @Test func `another key gives another hash`() {
        let other = StickyKey(bytes: [UInt8](repeating: 7, count: 16))
        #expect(SipHash.hash(1, 2, key: stickyKey) != SipHash.hash(1, 2, key: other))
    }
}

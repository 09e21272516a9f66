// gRPC's health answer: SERVING and nothing else is good.

import Testing

@testable import HTTPWire

struct HealthMessageTests {
    private func isServing(_ bytes: [UInt8]) -> Bool {
        unsafe HealthMessage.isServing(bytes.span.bytes)
    }

    @Test func `a message that says SERVING is good`() {
        #expect(isServing([0, 0, 0, 0, 2, 0x08, 0x01]))
    }

    @Test func `unknown fields are skipped`() {
        #expect(isServing([0, 0, 0, 0, 10, 0x12, 2, 9, 9, 0x08, 0x01, 0x1D, 1, 2, 3]) == false)
        #expect(isServing([0, 0, 0, 0, 6, 0x12, 2, 9, 9, 0x08, 0x01]))
    }

    @Test(arguments: [
        [], [0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 2, 0x08, 0x02], [1, 0, 0, 0, 2, 0x08, 0x01],
        [0, 0, 0, 0, 3, 0x08, 0x01], [0, 0, 0, 0, 1, 0x08], [0, 0, 0, 0, 2, 0x12, 0x7F],
        [0, 0, 0, 0, 11, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        [0, 0, 0, 0, 2, 0x0B, 0x01],
    ])
    func `anything else is not`(bytes: [UInt8]) {
        #expect(!isServing(bytes))
    }
}

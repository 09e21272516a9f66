// What two processes say to each other while one takes over: every word comes back as it was sent,
// and nothing that could be sent makes the reader stumble.

import Proxying
import TLS
import Testing
import Traffic

@Suite struct HandoverMessageTests {
    private static let tcp = NetworkAddress.tcp(host: "::1", port: 8080)
    private static let unix = NetworkAddress.unix(path: "/run/a path\nwith a line end.sock")

    @Test(
        arguments: [
            .prepared(version: "1.2.3"), .serving(taken: []), .serving(taken: [tcp, unix]),
            .inCharge,
            .failed("a cause, in words"), .lock, .admin(address: tcp),
            .listener(address: .tcp(host: "0.0.0.0", port: 0), bound: tcp),
            .listener(address: unix, bound: unix), .begin, .yours, .announced,
            .tickets(PassedTicketKeys(keys: [[0, 1, 0xFE, 0xFF], [16]], rotated: -5)),
        ] as [HandoverMessage])
    func `a message is read as it was written`(message: HandoverMessage) {
        #expect(HandoverMessage(message.bytes) == message)
    }

    @Test func `a cause is cut and freed of separators`() {
        let message = HandoverMessage(
            HandoverMessage.failed("a\0b" + String(repeating: "c", count: 9000)).bytes)
        guard case .failed(let cause) = message else {
            Issue.record("read \(message)")
            return
        }
        #expect(cause.hasPrefix("a bcc") && cause.utf8.count == 4096)
    }

    @Test(arguments: [
        "", "a later version's word", "listener", "listener\0127.0.0.1:80",
        "listener\0nonsense\0127.0.0.1:80", "serving\0nonsense", "admin", "tickets", "tickets\0x",
    ])
    func `what is not understood is unknown, and no error`(text: String) {
        #expect(HandoverMessage(Array(text.utf8)) == .unknown)
    }

    @Test func `keys that are no hexadecimal digits are left out`() {
        let message = HandoverMessage(Array("tickets\07\0zz\0abc\00a0B".utf8))
        #expect(message == .tickets(PassedTicketKeys(keys: [[10, 11]], rotated: 7)))
    }

    @Test func `bytes that are no text are unknown`() {
        #expect(HandoverMessage([0xFF, 0xFE, 0, 0x80]) == .unknown)
    }
}

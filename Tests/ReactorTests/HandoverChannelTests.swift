// The channel between a process and its successor, both ends in this one: messages stay apart,
// descriptors arrive usable and closed on exec, an end is seen.

import Glibc
import Reactor
import Testing

@Suite struct HandoverChannelTests {
    private func next(_ channel: HandoverChannel) throws -> (String, [Int32])? {
        guard case .message(let bytes, let descriptors) = try channel.receive(within: .seconds(20))
        else { return nil }
        return (String(decoding: bytes, as: UTF8.self), descriptors)
    }

    @Test func `messages come one by one and the end after them`() throws {
        let (here, there) = try HandoverChannel.pair()
        defer { there.close() }
        try here.send(Array("one".utf8))
        try here.send(Array("another".utf8))
        here.close()
        #expect(try next(there)?.0 == "one")
        #expect(try next(there)?.0 == "another")
        #expect(try next(there) == nil)
    }

    @Test func `descriptors arrive as new ones of the same files`() throws {
        let (here, there) = try HandoverChannel.pair()
        defer {
            here.close()
            there.close()
        }
        let listener = try Sockets.listen(
            on: #require(SocketAddress(numeric: "127.0.0.1", port: 0)))
        let port = Sockets.boundPort(listener)
        try here.send(Array("listener".utf8), descriptors: [listener, listener])
        Sockets.close(listener)
        let descriptors = try #require(try next(there)).1
        #expect(descriptors.count == 2 && Set(descriptors).count == 2)
        for descriptor in descriptors {
            #expect(Sockets.boundPort(descriptor) == port)
            #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
            Sockets.close(descriptor)
        }
    }

    @Test func `a message that does not come in time is told by its errno`() throws {
        let (here, there) = try HandoverChannel.pair()
        defer {
            here.close()
            there.close()
        }
        #expect(throws: SystemError(call: "recvmsg", code: ETIMEDOUT)) {
            try here.receive(within: .milliseconds(1))
        }
    }

    @Test func `nobody on the other side is an error for who sends`() throws {
        let (here, there) = try HandoverChannel.pair()
        there.close()
        #expect(throws: SystemError.self) { try here.send([1]) }
        here.close()
    }

    @Test func `what was not started to take over has no predecessor`() {
        #expect(HandoverChannel.toPredecessor() == nil)
    }

    @Test func `a program that is not there cannot be started`() throws {
        let (here, there) = try HandoverChannel.pair()
        defer {
            here.close()
            there.close()
        }
        #expect(throws: SystemError(call: "posix_spawn", code: ENOENT)) {
            try HandoverChannel.startSuccessor("/nonexistent/penstock", there)
        }
    }

    @Test func `a successor has the channel, and its end is told`() throws {
        let (here, there) = try HandoverChannel.pair()
        // It has the arguments of this process, which make no sense to it.
        let process = try HandoverChannel.startSuccessor("/bin/false", there)
        there.close()
        #expect(try next(here) == nil)
        #expect(HandoverChannel.end(of: process, within: .seconds(20)) == .exited(1))
        #expect(HandoverChannel.end(of: process, within: .seconds(20)) == .running)
        here.close()
    }
}

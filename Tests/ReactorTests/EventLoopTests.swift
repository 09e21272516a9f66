// Channels over a real loopback pair: when a loop hears of them, and how their last bytes leave.
// The loop runs on the test's own thread, batch by batch.

import Glibc
import Reactor
import Testing

@Suite struct EventLoopTests {
    /// Runs batches until the loop has heard of a channel; how many that took.
    private func batches(_ loop: inout EventLoop, atMost limit: Int) -> Int? {
        for batch in 1...limit {
            if loop.wait(atMost: 10_000) > 0 { return batch }
            loop.endBatch()
        }
        return nil
    }

    @Test func `a channel that nobody polls is not heard of`() throws {
        let pair = try Pair(host: "127.0.0.1")
        defer { Sockets.close(pair.client) }
        var loop = try EventLoop(channelLimit: 4)
        let opened = loop.openUnpolled(pair.server)
        let channel = try #require(opened)
        #expect(write("x", to: pair.client) == 1)
        let early = loop.wait(atMost: 0)
        let isPolled = loop.poll(channel)
        let late = loop.wait(atMost: 10_000)
        let token = loop.poller.token(0)
        #expect(early == 0 && isPolled && late == 1)
        #expect(token == UInt64(channel.address))
        loop.close(channel)
        loop.endBatch()
    }

    @Test func `a channel polled later is heard of without any other event`() throws {
        let pair = try Pair(host: "127.0.0.1")
        defer { Sockets.close(pair.client) }
        var loop = try EventLoop(channelLimit: 4)
        let opened = loop.openUnpolled(pair.server)
        let channel = try #require(opened)
        let isAgreed = loop.pollLater(channel)
        #expect(isAgreed && !channel.it.isPolled)
        #expect(write("x", to: pair.client) == 1)
        // Waits of a millisecond each, or less: nothing else would end them.
        let needed = batches(&loop, atMost: 100)
        #expect(needed != nil && channel.it.isPolled)
        loop.close(channel)
        loop.endBatch()
    }

    @Test func `a channel closed before its time is not polled, and leaves nothing behind`() throws
    {
        let pair = try Pair(host: "127.0.0.1")
        defer { Sockets.close(pair.client) }
        var loop = try EventLoop(channelLimit: 1)
        let opened = loop.openUnpolled(pair.server)
        let channel = try #require(opened)
        _ = loop.pollLater(channel)
        loop.close(channel)
        loop.endBatch()
        let left = loop.channelCount
        #expect(left == 0)
        let other = try Pair(host: "127.0.0.1")
        defer { Sockets.close(other.client) }
        let reopened = loop.openUnpolled(other.server)
        let next = try #require(reopened)
        loop.endBatch()
        #expect(!next.it.isPolled)
        loop.close(next)
        loop.endBatch()
    }

    @Test func `a channel that cannot send is polled at once`() throws {
        let pair = try Pair(host: "127.0.0.1")
        defer { Sockets.close(pair.client) }
        var loop = try EventLoop(channelLimit: 4)
        let opened = loop.openUnpolled(pair.server)
        let channel = try #require(opened)
        let block = String(repeating: "x", count: 1 << 20)
        while case .bytes = send(block, to: pair.server) {}
        unsafe Array(block.utf8).withUnsafeBytes { unsafe loop.send(channel, Bytes($0)) }
        #expect(channel.it.isCongested && channel.it.isPolled)
        let kept = loop.surplus
        #expect(kept == channel.it.unsentCount - 16 * 1024)
        loop.drop(channel)
        loop.endBatch()
        let left = loop.surplus
        #expect(left == 0)
    }

    @Test func `the last bytes and the end arrive together`() throws {
        let pair = try Pair(host: "127.0.0.1")
        defer { Sockets.close(pair.client) }
        var poller = try Poller()
        try poller.addLevelTriggered(pair.client, token: 0)
        var loop = try EventLoop(channelLimit: 4)
        let opened = loop.openUnpolled(pair.server)
        let channel = try #require(opened)
        loop.send(channel, Bytes("farewell"))
        loop.flushLast(channel)
        // Kept back: the end is to come.
        let early = try poller.wait(milliseconds: 0)
        #expect(early == 0)
        loop.close(channel)
        loop.endBatch()
        #expect(try readAll(pair.client, count: 9) == "farewell")
    }
}

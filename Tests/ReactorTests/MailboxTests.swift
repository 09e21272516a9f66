// Messages from many threads arrive once, in each sender's order, and never without a ring.
// Threads meet by joining, not by waiting.

import Reactor
import Synchronization
import Testing

private struct Letter: Sendable {
    var sender: Int
    var number: Int
}

/// Lets threads start together, so that they really meet.
private final class StartingLine: Sendable {
    private let missing: Atomic<Int>

    init(_ count: Int) {
        missing = Atomic(count)
    }

    func wait() {
        missing.subtract(1, ordering: .acquiringAndReleasing)
        while missing.load(ordering: .acquiring) > 0 {}
    }
}

@Suite struct MailboxTests {
    @Test func `messages come out in order, each once`() throws {
        let mailbox = try Mailbox<Int>()
        for number in 0..<5 { mailbox.post(number) }
        var seen: [Int] = []
        mailbox.drain { seen.append($0) }
        mailbox.drain { seen.append($0) }
        #expect(seen == [0, 1, 2, 3, 4])
    }

    @Test func `the doorbell is readable exactly while there is mail`() throws {
        let mailbox = try Mailbox<Int>()
        var poller = try Poller()
        try poller.addLevelTriggered(mailbox.doorbell, token: 42)
        let before = try poller.wait(milliseconds: 0)
        mailbox.post(1)
        mailbox.post(2)
        let during = try poller.wait(milliseconds: 0)
        let token = poller.token(0)
        mailbox.drain { _ in }
        let after = try poller.wait(milliseconds: 0)
        #expect([before, during, after] == [0, 1, 0] && token == 42)
    }

    @Test func `a message posted while draining rings again`() throws {
        let mailbox = try Mailbox<Int>()
        var poller = try Poller()
        try poller.addLevelTriggered(mailbox.doorbell, token: 0)
        mailbox.post(1)
        mailbox.drain { _ in mailbox.post(2) }
        let count = try poller.wait(milliseconds: 0)
        #expect(count == 1)
    }

    @Test func `nothing is lost or reordered between four threads and a loop`() throws {
        let mailbox = try Mailbox<Letter>()
        let line = StartingLine(5)
        let each = 5000
        let threads = (0..<4).map { sender in
            LoopThread.start(name: "sender") {
                line.wait()
                for number in 0..<each { mailbox.post(Letter(sender: sender, number: number)) }
            }
        }
        var poller = try Poller()
        try poller.addLevelTriggered(mailbox.doorbell, token: 0)
        line.wait()
        var next = [0, 0, 0, 0]
        while next.reduce(0, +) < 4 * each {
            let count = try poller.wait(milliseconds: 10_000)
            #expect(count == 1, "mail without a ring")
            mailbox.drain { letter in
                #expect(letter.number == next[letter.sender])
                next[letter.sender] += 1
            }
        }
        for thread in threads { thread.join() }
        #expect(next == [each, each, each, each])
    }
}

@Suite struct LockTests {
    @Test func `additions from several threads are all kept`() {
        let total = Lock(0)
        let line = StartingLine(4)
        let threads = (0..<4).map { _ in
            LoopThread.start(name: "adder") {
                line.wait()
                for _ in 0..<10_000 { total.withLock { $0 += 1 } }
            }
        }
        for thread in threads { thread.join() }
        #expect(total.withLock { $0 } == 40_000)
    }
}

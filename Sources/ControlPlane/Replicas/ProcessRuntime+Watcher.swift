// Waiting for descriptors without polling: one thread, one epoll set, and whoever waits is a
// suspended task. Used for pidfds, which are readable once the process has ended, and for answers
// of shims. Each wait is for one event or one deadline.

import CLinux
import Glibc
import Guarding

final class DescriptorWatcher: Sendable {
    typealias Instant = ContinuousClock.Instant

    private struct Waiting: Sendable {
        var descriptor: Int32
        var deadline: Instant?
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct Book: Sendable {
        var waiting: [UInt64: Waiting] = [:]
        var nextToken: UInt64 = 1
        var isClosed = false
    }

    private let poller: Int32
    private let bell: Int32
    private let book = Guarded(Book())

    init() throws(ReplicaError) {
        poller = penstock_epoll_create()
        bell = penstock_eventfd()
        guard poller >= 0, bell >= 0, penstock_epoll_add_level(poller, bell, 0, 0) == 0 else {
            throw .systemCall("epoll_create1", Kernel.errorText(errno))
        }
        Self.startThread(self)
    }

    /// True once the descriptor can be read or its other side is gone; false when the time is over
    /// first. The descriptor stays open until this returns, and nobody else waits for it.
    func readable(_ descriptor: Int32, within patience: Duration? = nil) async -> Bool {
        await withCheckedContinuation { continuation in
            let deadline = patience.map { ContinuousClock.now.advanced(by: $0) }
            let isWaiting = book.withLock { book in
                guard !book.isClosed else { return false }
                let token = book.nextToken
                book.nextToken += 1
                book.waiting[token] = Waiting(
                    descriptor: descriptor, deadline: deadline, continuation: continuation)
                guard penstock_epoll_add_level(poller, descriptor, token, 0) != 0 else {
                    return true
                }
                book.waiting[token] = nil
                return false
            }
            // A descriptor that cannot be waited for tells what it has when it is read.
            if !isWaiting { return continuation.resume(returning: true) }
            if deadline != nil { penstock_eventfd_ring(bell) }
        }
    }

    /// Ends the thread; who still waits is told that the time is over.
    func close() {
        book.withLock { $0.isClosed = true }
        penstock_eventfd_ring(bell)
    }

    private static func startThread(_ watcher: DescriptorWatcher) {
        let box = unsafe Unmanaged.passRetained(watcher)
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                penstock_block_signals()
                unsafe penstock_set_thread_name("replica-watch")
                unsafe Unmanaged<DescriptorWatcher>.fromOpaque(context).takeRetainedValue().loop()
                return nil
            }, box.toOpaque())
        precondition(code == 0, "a thread that waits for descriptors can be started")
        pthread_detach(thread)
    }

    private func loop() {
        var event = unsafe epoll_event()
        while !book.withLock({ $0.isClosed }) {
            let count = unsafe epoll_wait(poller, &event, 1, timeout())
            if count == 1 { happened(unsafe penstock_event_token(&event, 0)) }
            expire { $0.deadline.map { $0 <= .now } ?? false }
        }
        expire { _ in true }
        _ = Glibc.close(poller)
        _ = Glibc.close(bell)
    }

    private func timeout() -> Int32 {
        let next = book.withLock { $0.waiting.values.compactMap(\.deadline).min() }
        guard let next else { return -1 }
        let left = (next - .now) / .milliseconds(1)
        return Int32(max(0, min(left.rounded(.up), 60_000)))
    }

    private func happened(_ token: UInt64) {
        guard token != 0 else { return penstock_eventfd_silence(bell) }
        let waiting = book.withLock { $0.waiting.removeValue(forKey: token) }
        guard let waiting else { return }
        _ = penstock_epoll_remove(poller, waiting.descriptor)
        waiting.continuation.resume(returning: true)
    }

    private func expire(_ isOver: (Waiting) -> Bool) {
        let over = book.withLock { book in
            let over = book.waiting.filter { isOver($0.value) }
            for token in over.keys { book.waiting[token] = nil }
            return over.values.map(\.self)
        }
        for waiting in over {
            _ = penstock_epoll_remove(poller, waiting.descriptor)
            waiting.continuation.resume(returning: false)
        }
    }
}

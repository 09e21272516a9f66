// Wakes watchers when something they care for has been committed. It holds no changes: a woken
// watcher reads them from the change log, at its own pace, so a slow one costs nothing.

import Foundation
import Guarding

final class WatchHub: Sendable {
    private struct Waiter {
        var kinds: Set<DocumentKind>
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct Board {
        /// The last sequence of each kind since this process began.
        var latest: [DocumentKind: UInt64] = [:]
        var waiters: [UInt64: Waiter] = [:]
        /// Woken before they had begun to wait.
        var early: Set<UInt64> = []
        var nextWaiter: UInt64 = 0
        var watchers = 0
        var isClosed = false

        func hasNews(_ kinds: Set<DocumentKind>, after position: UInt64) -> Bool {
            if kinds.isEmpty { return latest.values.contains { $0 > position } }
            return kinds.contains { (latest[$0] ?? 0) > position }
        }
    }

    private let board = Guarded(Board())

    var isClosed: Bool { board.withLock(\.isClosed) }

    func publish(_ changed: [DocumentKind: UInt64]) {
        if changed.isEmpty { return }
        let woken = board.withLock { board in
            // Commits may come here in another order than they were made.
            board.latest.merge(changed) { max($0, $1) }
            let ids = board.waiters.filter { _, waiter in
                waiter.kinds.isEmpty || changed.keys.contains(where: waiter.kinds.contains)
            }.keys
            return ids.compactMap { board.waiters.removeValue(forKey: $0)?.continuation }
        }
        for continuation in woken { continuation.resume() }
    }

    /// Returns when there may be something after `position`, when `deadline` has passed, when the
    /// task is cancelled, or when the store is closed.
    func wait(
        for kinds: Set<DocumentKind>, after position: UInt64,
        until deadline: ContinuousClock.Instant?
    ) async {
        let id = board.withLock { board in
            board.nextWaiter += 1
            return board.nextWaiter
        }
        let alarm = deadline.map { deadline in
            Task {
                // Cancelled is as good: the wait is over.
                try? await Task.sleep(until: deadline, clock: .continuous)
                wake(id)
            }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = board.withLock { board in
                    if board.isClosed || board.early.contains(id)
                        || board.hasNews(kinds, after: position)
                    {
                        return true
                    }
                    board.waiters[id] = Waiter(kinds: kinds, continuation: continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            wake(id)
        }
        alarm?.cancel()
        await alarm?.value
        board.withLock { _ = $0.early.remove(id) }
    }

    private func wake(_ id: UInt64) {
        let continuation = board.withLock { board in
            let waiter = board.waiters.removeValue(forKey: id)
            if waiter == nil { board.early.insert(id) }
            return waiter?.continuation
        }
        continuation?.resume()
    }

    func close() {
        let woken = board.withLock { board in
            board.isClosed = true
            defer { board.waiters = [:] }
            return board.waiters.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume() }
    }

    /// Counts one watcher in for as long as the ticket lives.
    func ticket() throws -> WatchTicket {
        try board.withLock { board in
            guard board.watchers < StateLimits.watchers else {
                throw StateError.noRoom(what: "watches", limit: StateLimits.watchers)
            }
            board.watchers += 1
        }
        return WatchTicket(hub: self)
    }

    fileprivate func leave() {
        board.withLock { $0.watchers -= 1 }
    }
}

final class WatchTicket: Sendable {
    private let hub: WatchHub

    fileprivate init(hub: WatchHub) {
        self.hub = hub
    }

    deinit { hub.leave() }
}

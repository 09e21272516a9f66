// Hearing of exits without polling: one thread waits on an epoll set of pidfds. A process is
// signalled through its group; the group is ended before the leader is reaped, while its number
// is still ours.

import CLinux
import Glibc

/// How a process ended.
package enum ReplicaExit: Sendable, Equatable, CustomStringConvertible {
    case code(Int32)
    case signal(Int32)
    case unknown

    package var description: String {
        switch self {
        case .code(let code): "exited with code \(code)"
        case .signal(let signal): "killed by signal \(signal)"
        case .unknown: "ended, nobody knows how"
        }
    }
}

final class ReplicaProcess: Sendable {
    let identifier: pid_t
    private let state: Guarded<State>

    private struct State: Sendable {
        var exit: ReplicaExit?
        var waiting: [CheckedContinuation<ReplicaExit, Never>] = []
    }

    init(identifier: pid_t, watcher: ExitWatcher) throws(ReplicaError) {
        self.identifier = identifier
        state = Guarded(State())
        try watcher.watch(self)
    }

    /// Returns once the process has ended.
    func exit() async -> ReplicaExit {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state -> ReplicaExit? in
                if state.exit == nil { state.waiting.append(continuation) }
                return state.exit
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// To the whole group; nothing once the process has been reaped and its number is free.
    func signal(_ number: Int32) {
        state.withLock { state in
            guard state.exit == nil else { return }
            _ = kill(-identifier, number)
        }
    }

    fileprivate func reap(_ descriptor: Int32) {
        let waiting = state.withLock { state in
            _ = kill(-identifier, SIGKILL)
            let exit = Self.status(descriptor)
            state.exit = exit
            defer { state.waiting = [] }
            return state.waiting.map { ($0, exit) }
        }
        for (continuation, exit) in waiting { continuation.resume(returning: exit) }
    }

    private static func status(_ descriptor: Int32) -> ReplicaExit {
        var code: Int32 = 0
        var status: Int32 = 0
        guard unsafe penstock_waitid_pidfd(descriptor, &code, &status, 0) == 1 else {
            return .unknown
        }
        return code == Int32(CLD_EXITED) ? .code(status) : .signal(status)
    }
}

/// Lives as long as the program: its thread is never joined.
final class ExitWatcher: Sendable {
    private let poller: Int32
    private let processes = Guarded<[Int32: ReplicaProcess]>([:])

    init() throws(ReplicaError) {
        poller = penstock_epoll_create()
        guard poller >= 0 else { throw Self.failure("epoll_create1") }
        Self.startThread(self)
    }

    func watch(_ process: ReplicaProcess) throws(ReplicaError) {
        let descriptor = penstock_pidfd_open(process.identifier)
        guard descriptor >= 0 else { throw Self.failure("pidfd_open") }
        processes.withLock { $0[descriptor] = process }
        guard penstock_epoll_add_level(poller, descriptor, UInt64(descriptor), 0) == 0 else {
            let failure = Self.failure("epoll_ctl")
            processes.withLock { $0[descriptor] = nil }
            close(descriptor)
            throw failure
        }
    }

    private static func startThread(_ watcher: ExitWatcher) {
        let box = unsafe Unmanaged.passRetained(watcher)
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                penstock_block_signals()
                unsafe penstock_set_thread_name("replica-exits")
                unsafe Unmanaged<ExitWatcher>.fromOpaque(context).takeRetainedValue().loop()
                return nil
            }, box.toOpaque())
        precondition(code == 0, "a thread that hears of exits can be started")
        pthread_detach(thread)
    }

    private func loop() {
        var event = unsafe epoll_event()
        while true {
            guard unsafe epoll_wait(poller, &event, 1, -1) == 1 else { continue }
            ended(Int32(truncatingIfNeeded: unsafe penstock_event_token(&event, 0)))
        }
    }

    private func ended(_ descriptor: Int32) {
        _ = penstock_epoll_remove(poller, descriptor)
        let process = processes.withLock { $0.removeValue(forKey: descriptor) }
        process?.reap(descriptor)
        close(descriptor)
    }

    private static func failure(_ call: String) -> ReplicaError {
        let code = errno
        return .systemCall(
            call, "\(unsafe String(cString: penstock_error_text(code))) (\(code))")
    }
}

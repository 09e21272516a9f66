// A thread of the operating system with a name. Started from here, in a nonisolated function: a
// closure written in a main file would be taken for the main actor's and crash on another thread.
// Signals are blocked on it, so that they reach whoever waits for them and interrupt no loop.

internal import CLinux
internal import Glibc

package final class LoopThread: Sendable {
    private let running: Lock<pthread_t?>

    private init(_ thread: pthread_t) {
        running = Lock(thread)
    }

    /// Starts a thread that runs `body` to its end. `name` shows in tools, cut to 15 bytes.
    package static func start(
        name: String, _ body: @escaping @Sendable () -> Void
    ) -> LoopThread {
        let work = unsafe Unmanaged.passRetained(ThreadWork(name: name, body: body))
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<ThreadWork>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            work.toOpaque())
        precondition(code == 0, "the system lets the gateway start its few threads")
        return LoopThread(thread)
    }

    /// Waits until the thread has ended; a second call returns at once.
    package func join() {
        let thread = running.withLock { thread in
            defer { thread = nil }
            return thread
        }
        guard let thread else { return }
        pthread_join(thread, nil)
    }

    /// Lets a millisecond pass. For threads that wait for a loop, never for loops.
    package static func pause() {
        usleep(1000)
    }

    deinit {
        if let thread = running.withLock({ $0 }) { pthread_detach(thread) }
    }
}

/// What travels to the new thread.
private final class ThreadWork: Sendable {
    private let name: String
    private let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }

    func run() {
        unsafe penstock_set_thread_name(name)
        penstock_block_signals()
        // Started from a thread of Swift's pool, whose nice value is its own: without this, `nice`
        // and `Nice=` would reach everything but the loops.
        penstock_take_process_priority()
        body()
    }
}

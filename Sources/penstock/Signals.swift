// Signals as a stream. A handler writes into a pipe and a thread of its own reads it, so neither
// the loops nor the replicas this program starts inherit a mask or a disposition.

import CLinux
import Foundation
import Glibc

enum Signals {
    enum Wish: Sendable {
        case stop, reload, upgrade
        /// Not a signal: what came of the last upgrade.
        case upgraded(Upgrade.Outcome)
    }

    /// To be called once, before anything else runs. Whoever has obeyed the last one finishes the
    /// stream.
    static func watch() throws -> (AsyncStream<Wish>, AsyncStream<Wish>.Continuation) {
        let descriptor = penstock_watch_signals()
        guard descriptor >= 0 else { throw Failure(.error, "no pipe for signals: \(descriptor)") }
        let (stream, continuation) = AsyncStream.makeStream(of: Wish.self)
        let thread = Thread {
            while true {
                switch penstock_next_signal(descriptor) {
                case SIGTERM, SIGINT: continuation.yield(.stop)
                case SIGHUP: continuation.yield(.reload)
                case SIGUSR2: continuation.yield(.upgrade)
                case 0: return continuation.finish()
                default: break
                }
            }
        }
        thread.name = "signals"
        thread.start()
        return (stream, continuation)
    }
}

// One run of a replica, from exec to exit, as its owner sees it: who it is, and facts in order. The
// last fact is always the end, and it is never lost.

import Foundation
import Guarding

package enum ReplicaFact: Sendable, Equatable {
    /// Its program runs; told again after adoption.
    case spawned(ProcessIdentity)
    case usage(UsageSample)
    case exited(ReplicaEnd)
}

package final class ReplicaRun: Sendable {
    package let record: ReplicaRecord
    /// For one consumer. Of a slow one's facts the oldest go; `exited` stays.
    package let facts: AsyncStream<ReplicaFact>
    private let continuation: AsyncStream<ReplicaFact>.Continuation
    private let state = Guarded(State())

    private struct State: Sendable {
        var identity: ProcessIdentity?
        var usage: UsageSample?
        var end: ReplicaEnd?
        var waiting: [CheckedContinuation<ReplicaEnd, Never>] = []
    }

    package init(record: ReplicaRecord) {
        self.record = record
        (facts, continuation) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingNewest(Limits.unreadFacts))
    }

    /// The replica's own process, once it runs.
    package var identity: ProcessIdentity? { state.withLock { $0.identity } }
    /// The newest sample.
    package var usage: UsageSample? { state.withLock { $0.usage } }
    package var hasEnded: Bool { state.withLock { $0.end != nil } }

    /// Returns once it has ended; for any number of callers.
    package func end() async -> ReplicaEnd {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state -> ReplicaEnd? in
                if state.end == nil { state.waiting.append(continuation) }
                return state.end
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// For runtimes. Nothing is told after the end.
    package func report(_ fact: ReplicaFact) {
        let waiting = state.withLock { state -> [CheckedContinuation<ReplicaEnd, Never>]? in
            guard state.end == nil else { return nil }
            switch fact {
            case .spawned(let identity): state.identity = identity
            case .usage(let sample): state.usage = sample
            case .exited(let end): state.end = end
            }
            defer { if state.end != nil { state.waiting = [] } }
            return state.end == nil ? [] : state.waiting
        }
        guard let waiting else { return }
        continuation.yield(fact)
        guard case .exited(let end) = fact else { return }
        continuation.finish()
        for caller in waiting { caller.resume(returning: end) }
    }
}

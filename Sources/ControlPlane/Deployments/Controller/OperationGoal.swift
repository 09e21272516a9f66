// When an operation is done, and when it has failed. Level, not edge: the question is whether the
// fleet is as it is wished, not whether every step was seen, so a crash in between loses nothing.

import Foundation
import State

struct OperationGoal {
    enum Outcome: Equatable {
        case open(OperationRecord.Progress)
        case met(OperationRecord.Progress)
        case failed(OperationRecord.Failure, hint: String?)
    }

    var wish: FleetWish
    var rows: [ReplicaRow]
    var sightings: [String: ReplicaSighting]
    /// Replicas that no GPU is free for.
    var unplaced: Int
    /// When a replica last got ready, or the operation began.
    var lastProgress: Date
    var deadline: TimeInterval
    var now: Date

    var outcome: Outcome {
        let living = rows.filter { $0.phase != .exited }
        guard wish.isRunning else {
            let total = max(living.count, 1)
            let done = living.isEmpty ? total : 0
            let progress = OperationRecord.Progress(
                done: done, total: total,
                message: living.isEmpty
                    ? "no replica is left" : "\(Words.replicas(living.count)) still to end")
            return living.isEmpty ? .met(progress) : .open(progress)
        }
        let good = living.count { isGood($0) }
        let leaving = living.count - living.count { wish.isCurrent($0) && !$0.phase.isLeaving }
        let progress = OperationRecord.Progress(
            done: good, total: wish.count + leaving, message: words(good, leaving))
        if good == wish.count, leaving == 0, living.count == wish.count { return .met(progress) }
        return failure.map { .failed($0.0, hint: $0.1) } ?? .open(progress)
    }

    private func isGood(_ row: ReplicaRow) -> Bool {
        // One that a person keeps out of the rotation is where it shall be.
        row.phase == .ready && wish.isCurrent(row) && sightings[row.id]?.role == row.role
            && sightings[row.id]?.isReachable ?? true
    }

    private func words(_ good: Int, _ leaving: Int) -> String {
        let text = "\(good) of \(Words.replicas(wish.count)) ready"
        return leaving == 0 ? text : "\(text), \(leaving) to leave"
    }

    private var failure: (OperationRecord.Failure, String?)? {
        let current = rows.filter { wish.isCurrent($0) && !$0.phase.isLeaving }
        if let looping = current.first(where: { $0.history.isCrashLooping }) {
            return (
                OperationRecord.Failure(
                    code: "CRASH_LOOP",
                    message: "\(looping.id) does not stay up; last: \(looping.cause)"),
                "penstock logs \(wish.deployment) --replica \(looping.id) --previous"
            )
        }
        guard now.timeIntervalSince(lastProgress) > deadline else { return nil }
        if unplaced > 0 {
            return (
                OperationRecord.Failure(
                    code: "NO_CAPACITY",
                    message: "\(Words.replicas(unplaced)) have no GPU to run on"),
                "free some, or ask for fewer"
            )
        }
        let waiting = current.first { $0.phase != .ready }
        let what = waiting.map { "; \($0.id) waits for \($0.waitingFor)" } ?? ""
        return (
            OperationRecord.Failure(
                code: "DEADLINE_EXCEEDED",
                message: "nothing has got ready for \(Words.seconds(deadline))\(what)"),
            "penstock why \(wish.deployment)"
        )
    }
}

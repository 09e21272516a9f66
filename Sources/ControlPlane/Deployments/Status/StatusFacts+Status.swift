// The status itself: a table of rules, the first that holds gives the word. Order is meaning here,
// so the rules stand in one list, each with the reason it gives.

import Foundation

extension StatusFacts {
    /// A rule's outcome.
    struct Summary: Equatable {
        var word: StatusWord
        var reason: String
        var message: String
    }

    /// - Parameter earlier: what was said last, for the moments of transition.
    package func status(after earlier: DeploymentStatus?) -> DeploymentStatus {
        let summary = summary
        let since = earlier.flatMap { $0.word == summary.word ? $0.since : nil } ?? now
        return DeploymentStatus(
            word: summary.word, reason: summary.reason, message: summary.message,
            observedGeneration: generation, since: since, replicas: counts,
            conditions: findings.map { finding in
                finding.condition(
                    after: earlier?.condition(finding.kind), generation: generation, now: now)
            })
    }

    var summary: Summary {
        switch desire {
        case .deleted: deleting
        case .stopped: living.isEmpty ? stopped : stopping
        case .running:
            drainedByHand ?? failedSummary ?? scaledToZero ?? onTheWay ?? serving ?? waiting
        }
    }

    private var deleting: Summary {
        Summary(
            word: .deleting, reason: "Deleting",
            message: living.isEmpty
                ? "nothing is left of it but its history"
                : "\(Words.replicas(living.count)) still to end")
    }

    private var stopping: Summary {
        Summary(
            word: .stopping, reason: "Draining",
            message: "\(Words.replicas(living.count)) still to end")
    }

    private var stopped: Summary {
        Summary(word: .stopped, reason: "Stopped", message: "stopped; start it to serve again")
    }

    /// A person did it, and only a person can undo it.
    private var drainedByHand: Summary? {
        guard target > 0, reachable.isEmpty, !held.isEmpty else { return nil }
        return Summary(
            word: isUnreachableTooLong ? .failed : .starting, reason: "DrainedByHand",
            message: "no replica takes requests: \(Words.replicas(held.count)) taken out of the "
                + "rotation by hand; undrain one")
    }

    private var failedSummary: Summary? {
        guard target > 0, reachable.isEmpty, isBudgetSpent || isUnreachableTooLong else {
            return nil
        }
        let trouble = (failed + ejected).map(\.trouble).first { !$0.isEmpty }
        let reason = isBudgetSpent ? "CrashLoop" : "Unreachable"
        let fact =
            isBudgetSpent
            ? "no replica stays up"
            : "no replica has been reachable for \(Words.seconds(failAfter))"
        return Summary(
            word: .failed, reason: reason,
            message: trouble.map { "\(fact); last: \($0)" } ?? fact)
    }

    private var scaledToZero: Summary? {
        guard target == 0, minReplicas == 0, !lastStartFailed else { return nil }
        return Summary(
            word: .healthy, reason: "ScaledToZero",
            message: "no replica runs because none is needed")
    }

    private var onTheWay: Summary? {
        guard reachable.isEmpty else { return nil }
        if pastSpawn.isEmpty {
            return Summary(
                word: .provisioning, reason: failed.isEmpty ? "Provisioning" : "Restarting",
                message: trouble ?? "\(Words.replicas(target)) to be started")
        }
        let warming = replicas.count { $0.phase == .warming || $0.phase == .loading }
        guard warming > 0 else { return nil }
        return Summary(
            word: .starting, reason: "Loading",
            message: "\(Words.replicas(warming)) loading the model or being proved")
    }

    private var serving: Summary? {
        guard !reachable.isEmpty else { return nil }
        if degradation.isDegraded {
            return Summary(
                word: .degraded, reason: degradation.reason, message: degradation.message)
        }
        guard reachable.count >= max(1, minAvailable), isRoutingSynced else { return nil }
        return Summary(
            word: .healthy, reason: "Serving",
            message: "\(reachable.count) of \(Words.replicas(target)) ready"
                + (held.isEmpty ? "" : ", \(held.count) drained by hand"))
    }

    private var waiting: Summary {
        if !reachable.isEmpty, !isRoutingSynced {
            return Summary(
                word: .starting, reason: "RoutingPending",
                message: "not every worker has the newest plan yet")
        }
        if !ejected.isEmpty, reachable.isEmpty {
            return Summary(
                word: .starting, reason: "Unreachable",
                message: "no replica is reachable: \(ejected[0].trouble)")
        }
        return Summary(
            word: .starting, reason: "TooFewReady",
            message: "\(reachable.count) of \(Words.replicas(target)) ready")
    }

    private var trouble: String? {
        failed.first.map { "\($0.id) is started anew: \($0.trouble)" }
    }
}

/// Numbers as people say them.
enum Words {
    static func replicas(_ count: Int) -> String { count == 1 ? "1 replica" : "\(count) replicas" }

    static func seconds(_ interval: TimeInterval) -> String {
        interval >= 120 && interval.truncatingRemainder(dividingBy: 60) == 0
            ? "\(Int(interval / 60)) min" : "\(Int(interval.rounded())) s"
    }
}

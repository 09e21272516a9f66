// The status against its table: every combination of a few thousand facts is judged by a second,
// literal reading of the rules, and each rule has an example of its own.

import Deployments
import Foundation
import Testing

@Suite struct StatusRulesTests {
    static let now = Date(timeIntervalSince1970: 1_700_000_000)

    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var facts: StatusFacts
        var word: StatusWord
        var reason: String

        init(
            _ name: String, _ word: StatusWord, _ reason: String,
            _ change: (inout StatusFacts) -> Void
        ) {
            self.name = name
            self.word = word
            self.reason = reason
            facts = StatusFacts(now: StatusRulesTests.now)
            facts.target = 2
            change(&facts)
        }

        var testDescription: String { name }
    }

    static let rows: [Row] = [
        Row("deleted", .deleting, "Deleting") { $0.desire = .deleted },
        Row("deleted with replicas", .deleting, "Deleting") {
            $0.desire = .deleted
            $0.replicas = replicas(.draining, .ready)
        },
        Row("stopped while replicas live", .stopping, "Draining") {
            $0.desire = .stopped
            $0.replicas = replicas(.stopping)
        },
        Row("stopped", .stopped, "Stopped") { $0.desire = .stopped },
        Row("crash loop", .failed, "CrashLoop") {
            $0.replicas = replicas(.failed, .failed, isBudgetSpent: true)
        },
        Row("crash loop in its next start", .failed, "CrashLoop") {
            $0.replicas = replicas(.loading, isBudgetSpent: true)
        },
        Row("unreachable for long", .failed, "Unreachable") {
            $0.replicas = replicas(.ready, isReachable: false)
            $0.unreachableSince = now - 61
        },
        Row("unreachable for a moment", .starting, "Unreachable") {
            $0.replicas = replicas(.ready, isReachable: false)
            $0.unreachableSince = now - 59
        },
        Row("scaled to zero", .healthy, "ScaledToZero") { ($0.target, $0.minReplicas) = (0, 0) },
        Row("scaled to zero after a failed start", .provisioning, "Provisioning") {
            ($0.target, $0.minReplicas, $0.lastStartFailed) = (0, 0, true)
        },
        Row("nothing yet", .provisioning, "Provisioning") { $0.replicas = [] },
        Row("spawning", .provisioning, "Provisioning") {
            $0.replicas = replicas(.spawning, .reserved)
        },
        Row("in its back-off", .provisioning, "Restarting") { $0.replicas = replicas(.failed) },
        Row("loading", .starting, "Loading") { $0.replicas = replicas(.loading, .spawning) },
        Row("warming", .starting, "Loading") { $0.replicas = replicas(.warming) },
        Row("degraded", .degraded, "ErrorRate") {
            $0.replicas = replicas(.ready, .ready)
            $0.degradation = Degradation("ErrorRate", "5 % of 100 requests failed")
        },
        Row("healthy", .healthy, "Serving") { $0.replicas = replicas(.ready, .ready) },
        Row("healthy while one more loads", .healthy, "Serving") {
            $0.replicas = replicas(.ready, .loading)
        },
        Row("too few for its minimum", .starting, "TooFewReady") {
            $0.replicas = replicas(.ready, .loading)
            $0.minAvailable = 2
        },
        Row("not every worker knows", .starting, "RoutingPending") {
            $0.replicas = replicas(.ready, .ready)
            $0.isRoutingSynced = false
        },
        Row("a person has taken all out", .starting, "DrainedByHand") {
            $0.replicas = replicas(.ready, .ready, isHeld: true)
        },
        Row("for long", .failed, "DrainedByHand") {
            $0.replicas = replicas(.ready, isHeld: true)
            $0.unreachableSince = StatusRulesTests.now - 61
        },
    ]

    static func replicas(
        _ phases: ReplicaPhase..., isReachable: Bool = true, isHeld: Bool = false,
        isBudgetSpent: Bool = false
    ) -> [ReplicaStanding] {
        phases.enumerated().map {
            ReplicaStanding(
                id: "r-\($0)", phase: $1, isReachable: isReachable, isHeld: isHeld,
                trouble: "trouble", isBudgetSpent: isBudgetSpent)
        }
    }

    @Test(arguments: rows)
    func `each rule gives its word and its reason`(_ row: Row) {
        let status = row.facts.status(after: nil)
        #expect(status.word == row.word)
        #expect(status.reason == row.reason)
        #expect(!status.message.isEmpty)
    }

    @Test func `every combination of facts agrees with the table`() {
        var seen: [StatusWord: Int] = [:]
        for facts in Combinations.all(now: Self.now) {
            let word = facts.status(after: nil).word
            #expect(word == Combinations.expected(facts), "\(facts)")
            seen[word, default: 0] += 1
        }
        #expect(Set(seen.keys) == Set(StatusWord.allCases))
    }

    @Test func `the moment of a transition stays until the truth changes`() {
        var facts = StatusFacts(now: Self.now)
        facts.replicas = Self.replicas(.ready)
        let first = facts.status(after: nil)
        facts.now += 30
        facts.generation = 7
        let second = facts.status(after: first)
        #expect(second.since == Self.now)
        #expect(second.condition(.available)?.since == Self.now)
        #expect(second.condition(.available)?.observedGeneration == 7)
        facts.replicas = []
        let third = facts.status(after: second)
        #expect(third.since == facts.now)
        #expect(third.condition(.available)?.since == facts.now)
    }

    @Test func `what nobody has asked is unknown and read-only is told only when it is so`() {
        var facts = StatusFacts(now: Self.now)
        #expect(facts.status(after: nil).condition(.capacityOk)?.truth == .unknown)
        #expect(facts.status(after: nil).condition(.readOnly) == nil)
        facts.capacity = Verdict(false, "NoGPU", "2 A100 are wanted, 1 is free")
        facts.readOnlyBecause = "the disk is full"
        let status = facts.status(after: nil)
        #expect(status.condition(.capacityOk)?.truth == .no)
        #expect(status.condition(.readOnly)?.message.contains("the disk is full") == true)
    }

    @Test(arguments: [
        (StatusWord.provisioning, ActivityWord.deploying), (.starting, .deploying),
        (.healthy, .deployed), (.degraded, .deployed), (.stopping, .stopping),
        (.deleting, .stopping), (.failed, .inactive), (.stopped, .inactive),
    ])
    func `activity follows the word`(_ word: StatusWord, _ activity: ActivityWord) {
        #expect(word.activity == activity)
    }
}

/// Facts in every combination that a rule looks at, and the table read once more, literally.
enum Combinations {
    static func all(now: Date) -> [StatusFacts] {
        var list: [StatusFacts] = []
        let switches = (0..<64)
        for desire in Desire.allCases {
            for target in [0, 2] {
                for fleet in fleets {
                    for bits in switches {
                        var facts = StatusFacts(now: now)
                        (facts.desire, facts.target) = (desire, target)
                        facts.minReplicas = bits & 1
                        facts.minAvailable = 1 + (bits >> 1 & 1)
                        facts.lastStartFailed = bits & 4 != 0
                        facts.isRoutingSynced = bits & 8 != 0
                        facts.unreachableSince = bits & 16 != 0 ? now - 100 : nil
                        if bits & 32 != 0 { facts.degradation = Degradation("Latency", "slow") }
                        facts.replicas = fleet
                        list.append(facts)
                    }
                }
            }
        }
        return list
    }

    /// None, one or two replicas in any phase, reachable or not, with budget or without. Of two
    /// that differ either comes first in half of the pairs: no rule looks at their order.
    private static var fleets: [[ReplicaStanding]] {
        var single: [ReplicaStanding] = []
        for phase in ReplicaPhase.allCases {
            for bits in 0..<4 where bits & 1 == 0 || phase == .ready {
                single.append(
                    ReplicaStanding(
                        id: "a", phase: phase, isReachable: bits & 1 == 0,
                        isBudgetSpent: bits & 2 != 0))
            }
        }
        let pairs = single.indices.flatMap { one in
            (0...one).map { other in
                let isFirst = (one + other).isMultiple(of: 2)
                return isFirst ? [single[one], single[other]] : [single[other], single[one]]
            }
        }
        return [[]] + single.map { [$0] } + pairs
    }

    static func expected(_ facts: StatusFacts) -> StatusWord {
        let ready = facts.replicas.count { $0.phase == .ready && $0.isReachable }
        let alive = facts.replicas.count { $0.phase != .exited }
        func has(_ phases: ReplicaPhase...) -> Bool {
            facts.replicas.contains { phases.contains($0.phase) }
        }
        let staying = facts.replicas.filter {
            ![.draining, .stopping, .exited].contains($0.phase)
        }
        let isSpent =
            facts.replicas.contains(where: \.isBudgetSpent) && staying.allSatisfy(\.isBudgetSpent)
        switch facts.desire {
        case .deleted: return .deleting
        case .stopped: return alive > 0 ? .stopping : .stopped
        case .running: break
        }
        if facts.target > 0, ready == 0, isSpent || facts.unreachableSince != nil {
            return .failed
        }
        if facts.target == 0, facts.minReplicas == 0, !facts.lastStartFailed { return .healthy }
        if ready == 0, !has(.loading, .warming, .ready) { return .provisioning }
        if ready == 0, has(.loading, .warming) { return .starting }
        if ready >= 1, facts.degradation.isDegraded { return .degraded }
        if ready >= max(1, facts.minAvailable), facts.isRoutingSynced { return .healthy }
        return .starting
    }
}

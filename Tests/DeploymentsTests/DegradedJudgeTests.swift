// Degraded comes late and goes late, on purpose: two bad windows of three, three good ones in a
// row. Time passes by hand.

import Deployments
import Fixtures
import Foundation
import Testing
import Traffic

/// A deployment's traffic, told second by second.
private struct Story {
    var judge = DegradedJudge()
    var measures = Measures()
    var now = Date(timeIntervalSince1970: 1_700_000_000)
    var objective = ServiceObjective()
    var fleet = DegradedJudge.Fleet(ready: 2, desired: 2, revision: 1)

    init() { observe() }

    mutating func observe() {
        judge.observe(measures, fleet: fleet, objective: objective, now: now)
    }

    /// Ten seconds of requests, of which so many fail.
    mutating func window(requests: Int = 100, failing: Int = 0, milliseconds: Int64 = 20) {
        measures.outcomes[Int(Outcome.success.rawValue)] += UInt64(requests - failing)
        measures.outcomes[Int(Outcome.model.rawValue)] += UInt64(failing)
        measures.total.record(nanoseconds: milliseconds * 1_000_000, count: UInt64(requests))
        now += 10
        observe()
    }
}

@Suite struct DegradedJudgeTests {
    @Test func `one bad window is not enough, two of three are`() {
        var story = Story()
        story.window(failing: 5)
        #expect(!story.judge.verdict.isDegraded)
        story.window()
        story.window(failing: 5)
        #expect(story.judge.verdict.isDegraded)
        #expect(story.judge.verdict.reason == "ErrorRate")
        #expect(story.judge.verdict.message.contains("5.0 % of 100 requests failed"))
    }

    @Test func `only three good windows in a row take it back`() {
        var story = Story()
        for _ in 0..<2 { story.window(failing: 5) }
        story.window()
        story.window()
        #expect(story.judge.verdict.isDegraded)
        story.window()
        #expect(!story.judge.verdict.isDegraded)
    }

    @Test func `errors within the objective are no trouble`() {
        var story = Story()
        for _ in 0..<5 { story.window(requests: 1000, failing: 10) }
        #expect(!story.judge.verdict.isDegraded)
    }

    @Test func `a quiet window is stretched to a minute`() {
        var story = Story()
        for _ in 0..<5 { story.window(requests: 2, failing: 2) }
        #expect(!story.judge.verdict.isDegraded)
        story.window(requests: 2, failing: 2)
        for _ in 0..<6 { story.window(requests: 2, failing: 2) }
        #expect(story.judge.verdict.isDegraded)
    }

    @Test func `a latency objective is held against the 95th percentile`() {
        var story = Story()
        story.objective.latencyP95Milliseconds = 100
        for _ in 0..<2 { story.window(milliseconds: 99) }
        #expect(!story.judge.verdict.isDegraded)
        for _ in 0..<2 { story.window(milliseconds: 120) }
        #expect(story.judge.verdict.reason == "Latency")
    }

    @Test func `without an objective twice the usual latency is too much`() {
        var story = Story()
        for _ in 0..<45 { story.window() }
        for _ in 0..<2 { story.window(milliseconds: 35) }
        #expect(!story.judge.verdict.isDegraded)
        for _ in 0..<2 { story.window(milliseconds: 60) }
        #expect(story.judge.verdict.isDegraded)
        #expect(story.judge.verdict.message.contains("usual"))
    }

    @Test func `two milliseconds that become six are not noticed`() {
        var story = Story()
        for _ in 0..<6 { story.window(milliseconds: 2) }
        for _ in 0..<4 { story.window(milliseconds: 6) }
        #expect(!story.judge.verdict.isDegraded)
    }

    @Test func `another revision has its own usual latency`() {
        var story = Story()
        for _ in 0..<6 { story.window() }
        story.fleet.revision = 2
        story.window()
        for _ in 0..<4 { story.window(milliseconds: 60) }
        #expect(!story.judge.verdict.isDegraded)
    }

    @Test func `too few replicas for over a minute degrade, and enough for a while take it back`() {
        var story = Story()
        story.fleet = .init(ready: 1, desired: 2, revision: 1, ejections: "r-1 answers 500")
        for _ in 0..<7 { story.window() }
        #expect(!story.judge.verdict.isDegraded)
        story.window()
        #expect(story.judge.verdict.reason == "TooFewReplicas")
        #expect(story.judge.verdict.message.contains("r-1 answers 500"))
        story.fleet.ready = 2
        for _ in 0..<3 {
            story.window()
            #expect(story.judge.verdict.isDegraded)
            #expect(story.judge.verdict.message.contains("2 of 2 replicas ready again"))
        }
        story.window()
        #expect(!story.judge.verdict.isDegraded)
    }

    @Test func `a long first start is no shortage`() {
        var story = Story()
        story.judge = DegradedJudge()
        story.fleet = .init(ready: 0, desired: 2, revision: 1)
        for _ in 0..<20 { story.window() }
        #expect(!story.judge.verdict.isDegraded)
        story.fleet.ready = 2
        story.window()
        #expect(!story.judge.verdict.isDegraded)
        // One that served and serves no more is one.
        story.fleet.ready = 0
        for _ in 0..<8 { story.window() }
        #expect(story.judge.verdict.reason == "TooFewReplicas")
    }

    @Test func `counters that begin anew do not trap`() {
        var story = Story()
        for _ in 0..<2 { story.window(failing: 1) }
        story.measures = Measures()
        story.window(failing: 50)
        story.window(failing: 50)
        #expect(story.judge.verdict.isDegraded)
    }

    @Test func `an alarm outlives a restart and leaves by the same rule`() {
        var story = Story()
        story.judge = DegradedJudge(resuming: Degradation("ErrorRate", "5 % failed"))
        story.observe()
        for _ in 0..<2 { story.window() }
        #expect(story.judge.verdict.isDegraded)
        story.window()
        #expect(!story.judge.verdict.isDegraded)
    }

    @Test func `rest forgets what was`() {
        var story = Story()
        for _ in 0..<2 { story.window(failing: 50) }
        story.judge.rest()
        #expect(!story.judge.verdict.isDegraded)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `random traffic never degrades before two windows nor recovers before three`(
        _ seed: UInt64
    ) {
        var generator = SeededGenerator(seed: seed)
        var story = Story()
        var bad: [Bool] = []
        for _ in 0..<200 {
            let isBad = UInt64.random(in: 0..<3, using: &generator) == 0
            story.window(failing: isBad ? 10 : 0)
            let before = bad.suffix(3)
            bad.append(isBad)
            let lastThree = bad.suffix(3)
            if lastThree.count(where: { $0 }) >= 2 {
                #expect(story.judge.verdict.isDegraded, "seed \(seed) after \(before)")
            }
            if lastThree.count == 3, !lastThree.contains(true) {
                #expect(!story.judge.verdict.isDegraded, "seed \(seed)")
            }
        }
    }
}

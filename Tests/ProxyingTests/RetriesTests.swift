// Which failed tries are followed by another, and at whose expense: RFC 9110 9.2.2, RFC 9112 9.3.1
// and RFC 9113 8.7 as the gateway takes them.

import Proxying
import Testing

@Suite struct RetriesTests {
    private func failed(
        _ reach: TryReach, isIdempotent: Bool = true, attempts: Int = 1, of attemptsMax: Int = 2
    ) -> FailedTry {
        FailedTry(
            reach, isIdempotent: isIdempotent, attempts: attempts, attemptsMax: attemptsMax)
    }

    @Test(arguments: [TryReach.crossed, .processed])
    func `what a replica may have worked on is repeated only where that is safe`(
        _ reach: TryReach
    ) {
        #expect(failed(reach).verdict == .charged)
        #expect(failed(reach, isIdempotent: false).verdict == .over)
    }

    @Test(arguments: [TryReach.crossed, .processed])
    func `attempts counts all tries`(_ reach: TryReach) {
        #expect(failed(reach, attempts: 1, of: 1).verdict == .over)
        #expect(failed(reach, attempts: 2, of: 3).verdict == .charged)
        #expect(failed(reach, attempts: 3, of: 3).verdict == .over)
    }

    @Test func `what nobody has begun with is free whatever the method`() {
        var first = failed(.unprocessed, isIdempotent: false, attempts: 0, of: 1)
        #expect(first.verdict == .free(mayReturn: true))
        first.wasUnprocessed = true
        #expect(first.verdict == .over)
        first.freeTriesMax = 3
        #expect(first.verdict == .free(mayReturn: false))
        first.freeTries = 2
        #expect(first.verdict == .over)
    }

    @Test func `what did not leave is free as long as there are replicas`() {
        var unsent = failed(.unsent, isIdempotent: false, attempts: 0, of: 1)
        #expect(unsent.verdict == .over)
        unsent.freeTriesMax = 2
        #expect(unsent.verdict == .free(mayReturn: false))
        unsent.freeTries = 1
        #expect(unsent.verdict == .over)
    }

    @Test(arguments: [TryReach.unsent, .unprocessed, .crossed, .processed])
    func `nothing is repeated behind a byte of an answer or in part`(_ reach: TryReach) {
        var begun = failed(reach)
        begun.freeTriesMax = 5
        begun.hasAnswer = true
        #expect(begun.verdict == .over)
        var cut = failed(reach)
        cut.freeTriesMax = 5
        cut.isWhole = false
        #expect(cut.verdict == .over)
    }

    @Test func `a replica is blamed for what it did`() {
        #expect(failed(.unsent).blamesReplica && failed(.processed).blamesReplica)
        #expect(!failed(.crossed).blamesReplica && !failed(.unprocessed).blamesReplica)
        var again = failed(.unprocessed)
        again.wasUnprocessed = true
        #expect(again.blamesReplica)
        var contradictory = failed(.crossed)
        contradictory.hasAnswer = true
        #expect(contradictory.blamesReplica)
    }
}

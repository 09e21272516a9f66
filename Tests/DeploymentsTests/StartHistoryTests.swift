// Back-off and start budget, stored with the replica.

import Deployments
import Foundation
import Testing

@Suite struct StartHistoryTests {
    private let start = Date(timeIntervalSince1970: 1_700_000_000)

    @Test func `pauses double up to a minute`() {
        var history = StartHistory()
        var now = start
        var pauses: [TimeInterval] = []
        for _ in 0..<8 {
            history.started(at: now)
            pauses.append(history.ended(at: now, chance: 0))
            now += 700
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60])
    }

    @Test func `chance takes up to a fifth off`() {
        var history = StartHistory()
        history.started(at: start)
        #expect(history.ended(at: start, chance: 0.5) == 0.9)
    }

    @Test func `five starts in ten minutes are a crash loop, with the longest pause`() {
        var history = StartHistory()
        for number in 0..<5 {
            #expect(!history.isCrashLooping)
            history.started(at: start + Double(number))
            _ = history.ended(at: start + Double(number), chance: 0)
        }
        #expect(history.isCrashLooping)
        history.started(at: start + 60)
        #expect(history.isCrashLooping)
        #expect(history.ended(at: start + 61, chance: 0) == 60)
    }

    @Test func `five minutes ready forgive what was before`() {
        var history = StartHistory()
        for _ in 0..<4 {
            history.started(at: start)
            _ = history.ended(at: start, chance: 0)
        }
        history.started(at: start)
        history.becameReady(at: start)
        #expect(history.isReady(for: 300, at: start + 300))
        #expect(history.ended(at: start + 300, chance: 0) == 1)
        #expect(!history.isCrashLooping)
    }

    @Test func `it reads back what it wrote`() throws {
        var history = StartHistory()
        for _ in 0..<6 {
            history.started(at: start)
            _ = history.ended(at: start, chance: 0)
        }
        let text = try JSONEncoder().encode(history)
        #expect(try JSONDecoder().decode(StartHistory.self, from: text) == history)
    }
}

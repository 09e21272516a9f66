// A loop that makes no progress is told of once, and once when it goes on.

import Admin
import Testing

@Suite struct StallWatchTests {
    @Test func `a stall is told when it begins and when it ends, not in between`() {
        var watch = StallWatch()
        let looks: [Int64] = [0, 1_900, 2_100, 3_100, 9_000, 5, 0, 2_000]
        let news = looks.map { watch.look(longest: $0 * 1_000_000) }
        #expect(
            news == [nil, nil, .began(seconds: 2), nil, nil, .ended, nil, .began(seconds: 2)])
    }
}

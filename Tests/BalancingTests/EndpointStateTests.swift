// The count of requests in flight is exact whoever counts; health decides who may be chosen.

import Balancing
import Testing
import Traffic

@Suite struct EndpointStateTests {
    @Test func `loops that count at once lose nothing`() async {
        let state = EndpointState()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<10_000 {
                        state.handle.begin()
                        state.handle.end()
                    }
                    state.handle.begin()
                }
            }
        }
        #expect(state.handle.inFlight == 4)
    }

    @Test func `loops that reserve at once never pass the limit`() async {
        let state = EndpointState()
        let granted = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (0..<100).reduce(0) { sum, _ in
                        sum + (state.handle.begin(limit: 37) > 0 ? 1 : 0)
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(granted == 37)
        #expect(state.handle.inFlight == 37)
    }

    @Test func `an endpoint found down is not usable until it is found up`() {
        let state = EndpointState()
        #expect(state.handle.health == .unknown)
        #expect(state.handle.isUsable(now: 0))
        state.handle.setHealth(.down, now: 1)
        #expect(!state.handle.isUsable(now: 2))
        state.handle.setHealth(.up, now: 3)
        #expect(state.handle.isUsable(now: 4))
    }

    @Test func `the last error is kept as the caller's number`() {
        let state = EndpointState()
        state.handle.lastError = 9
        #expect(state.handle.lastError == 9)
    }
}

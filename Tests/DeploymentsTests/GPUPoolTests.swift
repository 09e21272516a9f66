// No more GPUs are promised than there are.

import Deployments
import Testing

@Suite struct GPUPoolTests {
    @Test func `what is taken is gone and what is released is back`() {
        var pool = GPUPool(total: ["T4": 2, "A100": 1])
        #expect(pool.take(2, type: "T4") == "T4")
        #expect(pool.take(1, type: "T4") == nil)
        #expect(pool.available(type: nil) == 1)
        pool.release(2, type: "T4")
        #expect(pool.available(type: "T4") == 2)
    }

    @Test func `without a type one type gives them all`() {
        var pool = GPUPool(total: ["T4": 2, "A100": 3])
        #expect(pool.take(4, type: nil) == nil)
        #expect(pool.take(3, type: nil) == "A100")
        #expect(pool.take(2, type: nil) == "T4")
    }

    @Test func `a card that was taken out of the host makes no room`() {
        var pool = GPUPool(total: ["T4": 1])
        pool.hold(2, type: "T4")
        #expect(pool.available(type: "T4") == 0)
        pool.release(1, type: "T4")
        #expect(pool.take(1, type: "T4") == nil)
    }
}

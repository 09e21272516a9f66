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

    @Test func `a type is taken by any of its spellings, under the name the devices bear`() {
        var pool = GPUPool(total: ["NVIDIA T4": 2, "NVIDIA A100": 4])
        #expect(pool.take(1, type: "T4") == "NVIDIA T4")
        #expect(pool.take(1, type: "tesla-t4") == "NVIDIA T4")
        #expect(pool.take(1, type: "T4") == nil)
        pool.release(1, type: "NVIDIA T4")
        #expect(pool.available(type: "T4") == 1)
    }

    @Test func `what is held under a former spelling stays held`() {
        var pool = GPUPool(total: ["Tesla T4": 2])
        pool.hold(1, type: "NVIDIA T4")
        #expect(pool.available(type: "T4") == 1)
    }

    @Test func `of several kinds that would do, one gives them all`() {
        var pool = GPUPool(total: ["A100-SXM4-40GB": 1, "A100-SXM4-80GB": 2])
        #expect(pool.take(3, type: "A100") == nil)
        #expect(pool.take(2, type: "A100") == "A100-SXM4-80GB")
        #expect(pool.take(1, type: "A100") == "A100-SXM4-40GB")
    }
}

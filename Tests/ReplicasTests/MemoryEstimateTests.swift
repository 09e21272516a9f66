// What processes share counts once, and the kernel is asked to count only now and then.

import Replicas
import Testing

@Suite struct MemoryEstimateTests {
    private let start = ContinuousClock.now
    private let mebibyte = 1 << 20

    @Test func `one process, or one beside a shell, is what is resident`() {
        let estimate = MemoryEstimate()
        let resident = 501 * mebibyte
        #expect(
            !estimate.wantsExact(resident: resident, largest: 500 * mebibyte, at: start))
        #expect(estimate.bytes(resident: resident, largest: 500 * mebibyte) == resident)
    }

    @Test func `ten forks that share all count once`() {
        var estimate = MemoryEstimate()
        let (resident, largest) = (2000 * mebibyte, 200 * mebibyte)
        #expect(estimate.wantsExact(resident: resident, largest: largest, at: start))
        estimate.note(exact: 220 * mebibyte, resident: resident, at: start)
        #expect(estimate.bytes(resident: resident, largest: largest) == 220 * mebibyte)
        #expect(estimate.bytes(resident: resident * 11 / 10, largest: largest) == 242 * mebibyte)
    }

    @Test func `it is counted again after a while, or when much has changed`() {
        var estimate = MemoryEstimate()
        let (resident, largest) = (2000 * mebibyte, 200 * mebibyte)
        estimate.note(exact: 220 * mebibyte, resident: resident, at: start)
        let soon = start + .seconds(2)
        #expect(!estimate.wantsExact(resident: resident, largest: largest, at: soon))
        #expect(estimate.wantsExact(resident: resident * 3, largest: largest, at: soon))
        #expect(estimate.wantsExact(resident: resident / 3, largest: largest, at: soon))
        let later = start + .seconds(10)
        #expect(estimate.wantsExact(resident: resident, largest: largest, at: later))
    }

    @Test func `without an exact count it is what is resident`() {
        var estimate = MemoryEstimate()
        estimate.note(exact: 0, resident: 2000 * mebibyte, at: start)
        #expect(
            estimate.bytes(resident: 2000 * mebibyte, largest: 200 * mebibyte)
                == 2000 * mebibyte)
    }
}

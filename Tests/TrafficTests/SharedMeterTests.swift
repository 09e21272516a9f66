// Meters and counters: what several loops write, one reader sums. One test writes and reads at the
// same time; ThreadSanitizer watches that one.

import Dispatch
import Fixtures
import Testing
import Traffic

@Suite struct SharedMeterTests {
    @Test func `a meter merges what its loops recorded`() {
        let meter = EndpointMeter(loops: 2)
        let first = meter.handle(loop: 0)
        let second = meter.handle(loop: 1)
        first.record(outcome: .success, status: 200)
        second.record(outcome: .success, status: 204)
        second.record(outcome: .model, status: 503)
        first.addBytes(received: 10, sent: 1)
        second.addBytes(received: 20, sent: 2)
        let measures = meter.measures()
        #expect(measures.outcomes[Int(Outcome.success.rawValue)] == 2)
        #expect(measures.outcomes[Int(Outcome.model.rawValue)] == 1)
        #expect(measures.statusClasses == [0, 2, 0, 0, 1])
        #expect(measures.requests == 3)
        #expect(measures.bytesReceived == 30)
        #expect(measures.bytesSent == 3)
    }

    @Test(arguments: [0, 99, 600, -1, .min, .max])
    func `a status that is none counts no class`(status: Int) {
        let meter = EndpointMeter(loops: 1)
        meter.handle(loop: 0).record(outcome: .transport, status: status)
        #expect(meter.measures().statusClasses == [0, 0, 0, 0, 0])
        #expect(meter.measures().requests == 1)
    }

    @Test func `calls of gRPC are timed by status, and what is none is not`() {
        let meter = EndpointMeter(loops: 2)
        for status in [0, 0, 14, 16, 17, -1, .max] {
            meter.handle(loop: status & 1).recordGRPC(status: status, nanoseconds: 5_000_000)
        }
        let latencies = meter.measures().grpcLatencies
        #expect(latencies.count == 17)
        #expect(latencies[0].count == 2 && latencies[14].count == 1 && latencies[16].count == 1)
        #expect(latencies.reduce(0) { $0 + $1.count } == 4)
        #expect(latencies[0].sum == 10_000_000 && latencies[0].max == 5_000_000)
        var merged = meter.measures()
        merged.merge(meter.measures())
        #expect(merged.grpcLatencies[14].count == 2)
        #expect(merged.grpcLatencies[1].isEmpty)
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `latencies of calls equal those of histograms that saw them all`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let meter = EndpointMeter(loops: 3)
        var expected = [LatencyHistogram](repeating: LatencyHistogram(), count: 17)
        for _ in 0..<1000 {
            let status = Int.random(in: 0..<17, using: &generator)
            let sample = generator.latency(bits: 45)
            meter.handle(loop: Int.random(in: 0..<3, using: &generator)).recordGRPC(
                status: status, nanoseconds: sample)
            expected[status].record(nanoseconds: sample)
        }
        #expect(meter.measures().grpcLatencies == expected, "seed \(seed)")
        #expect(meter.measures().total.isEmpty)
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `latencies equal those of a histogram that saw them all`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let meter = EndpointMeter(loops: 3)
        var expected = Measures()
        for _ in 0..<1000 {
            let handle = meter.handle(loop: Int.random(in: 0..<3, using: &generator))
            let sample = generator.latency(bits: 45)
            handle.recordTotal(sample)
            handle.recordFirstByte(sample / 2)
            handle.recordConnect(sample / 3)
            expected.total.record(nanoseconds: sample)
            expected.firstByte.record(nanoseconds: sample / 2)
            expected.connect.record(nanoseconds: sample / 3)
        }
        let measures = meter.measures()
        #expect(measures.total == expected.total, "seed \(seed)")
        #expect(measures.firstByte == expected.firstByte, "seed \(seed)")
        #expect(measures.connect == expected.connect, "seed \(seed)")
    }

    @Test func `an unused meter reads as empty`() {
        let measures = EndpointMeter(loops: 4).measures()
        #expect(measures.requests == 0)
        #expect(measures.total == LatencyHistogram())
    }

    @Test func `loops write while others read, and nothing is lost`() {
        let loops = 3
        let rounds = 20_000
        let meter = EndpointMeter(loops: loops)
        let counters = SharedCounters(count: 1, loops: loops)
        DispatchQueue.concurrentPerform(iterations: loops + 1) { worker in
            if worker == loops {
                var last: UInt64 = 0
                for _ in 0..<200 {
                    let count = meter.measures().total.count
                    #expect(count >= last)
                    last = count
                }
                return
            }
            let handle = meter.handle(loop: worker)
            let counter = counters.counter(0, loop: worker)
            for round in 0..<rounds {
                handle.recordTotal(Int64(round) << Int64(round % 20))
                counter.increment()
            }
        }
        #expect(meter.measures().total.count == UInt64(loops * rounds))
        #expect(counters.sum(0) == UInt64(loops * rounds))
    }

    @Test func `counters add up over loops, also below zero on one of them`() {
        let counters = SharedCounters(count: 2, loops: 2)
        counters.counter(1, loop: 0).add(5)
        counters.counter(1, loop: 1).decrement()
        counters.counter(1, loop: 1).decrement()
        #expect(counters.sum(0) == 0)
        #expect(counters.gauge(1) == 3)
        counters.counter(1, loop: 0).decrement()
        counters.counter(1, loop: 0).set(1)
        #expect(counters.gauge(1) == -1)
    }

    @Test func `smallest and largest look at each loop by itself`() {
        let counters = SharedCounters(count: 1, loops: 3)
        for loop in 0..<3 { counters.counter(0, loop: loop).set(UInt64(loop) + 7) }
        #expect(counters.smallest(0) == 7)
        #expect(counters.largest(0) == 9)
    }
}

// Measures add up over endpoints and revisions.

import Testing
import Traffic

@Suite struct TrafficReportTests {
    @Test func `merged measures hold both sides`() {
        let left = EndpointMeter(loops: 1)
        left.handle(loop: 0).record(outcome: .success, status: 200)
        left.handle(loop: 0).recordTotal(1000)
        left.handle(loop: 0).addBytes(received: 1, sent: 2)
        let right = EndpointMeter(loops: 1)
        right.handle(loop: 0).record(outcome: .client, status: 404)
        right.handle(loop: 0).recordFirstByte(10)
        right.handle(loop: 0).recordConnect(20)
        right.handle(loop: 0).addBytes(received: 10, sent: 20)
        var merged = left.measures()
        merged.merge(right.measures())
        #expect(merged.requests == 2)
        #expect(merged.statusClasses == [0, 1, 0, 1, 0])
        #expect(merged.bytesReceived == 11)
        #expect(merged.bytesSent == 22)
        #expect(merged.total.sum == 1000)
        #expect(merged.firstByte.max == 10)
        #expect(merged.connect.count == 1)
    }

    @Test func `every outcome has a label of its own`() {
        #expect(Set(Outcome.allCases.map(\.label)).count == Outcome.allCases.count)
        #expect(Outcome.allCases.map(\.rawValue) == Array(0..<7))
    }
}

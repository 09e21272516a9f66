// Statuses of gRPC as a table: whose doing each is.

import HTTPWire
import Proxying
import Testing
import Traffic

@Suite struct GRPCOutcomesTests {
    @Test func `a replica that cannot is to blame as with 5xx`() {
        for status in [GRPCStatus.unknown, .internal, .unavailable, .dataLoss] {
            #expect(status.outcome == .model)
        }
    }

    @Test func `what a client can bring about by itself blames no replica`() {
        let blameless: [GRPCStatus] = [
            .cancelled, .invalidArgument, .notFound, .alreadyExists, .permissionDenied,
            .resourceExhausted, .failedPrecondition, .aborted, .outOfRange, .unimplemented,
            .unauthenticated,
        ]
        for status in blameless { #expect(status.outcome == .client) }
    }

    @Test func `success and lateness are what they are called`() {
        #expect(GRPCStatus.ok.outcome == .success)
        #expect(GRPCStatus.deadlineExceeded.outcome == .timeout)
    }

    @Test func `there is a counter for every status`() {
        #expect(GRPCStatus.allCases.count == Measures().grpcLatencies.count)
        #expect(GRPCStatus.allCases.map { Int($0.rawValue) } == Array(0..<17))
    }
}

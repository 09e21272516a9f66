// What a deployment's clients got in about ten seconds: the difference of two reports. Clients
// that left or asked wrongly say nothing about the model and are not counted.

import Foundation
package import Traffic

package struct TrafficWindow: Sendable, Equatable {
    package var requests: UInt64 = 0
    package var errors: UInt64 = 0
    package var latencies = LatencyHistogram()

    package init() {}

    /// What happened between two copies of the same measures.
    package init(from earlier: Measures, to later: Measures) {
        // The gateway forgot the service in between: its counters began anew.
        let isReset = later.requests < earlier.requests
        let before = isReset ? Measures() : earlier
        requests = Self.count(later, Self.judged) - Self.count(before, Self.judged)
        errors = Self.count(later, Self.faults) - Self.count(before, Self.faults)
        latencies = later.total.difference(since: before.total)
    }

    package var errorRatio: Double { requests == 0 ? 0 : Double(errors) / Double(requests) }

    /// Nanoseconds.
    package var p95: Int64 { latencies.quantile(0.95) }

    private static let judged: [Outcome] = [.success, .model, .timeout, .overload, .transport]
    private static let faults: [Outcome] = [.model, .timeout, .overload, .transport]

    private static func count(_ measures: Measures, _ outcomes: [Outcome]) -> UInt64 {
        outcomes.reduce(0) { $0 + measures.outcomes[Int($1.rawValue)] }
    }
}

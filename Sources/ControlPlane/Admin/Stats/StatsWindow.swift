// What happened between two snapshots, as the API tells it.

import Notation
import Traffic

struct StatsWindow {
    let seconds: Double
    let outcomes: [UInt64]
    let total: LatencyHistogram

    /// From `earlier` (nothing, at the start) to `later`.
    init(
        from earlier: StatsSnapshot.Counts, to later: StatsSnapshot.Counts, nanoseconds: Int64
    ) {
        seconds = Double(max(nanoseconds, 0)) / 1e9
        outcomes = zip(later.outcomes, earlier.outcomes).map { $0 > $1 ? $0 - $1 : 0 }
        total = later.total.difference(since: earlier.total)
    }

    var json: JSONValue {
        let requests = outcomes.reduce(0, +)
        let failures: [Outcome] = [.model, .timeout, .overload, .transport]
        let failed = failures.reduce(UInt64(0)) { $0 + outcomes[Int($1.rawValue)] }
        return .object([
            "seconds": .number(rounded(seconds)), "requests": .count(requests),
            "requests_per_second": .number(
                seconds > 0 ? rounded(Double(requests) / seconds) : 0),
            "failed": .count(failed),
            "failed_percent": .number(
                requests > 0 ? rounded(100 * Double(failed) / Double(requests)) : 0),
            "mean_ms": total.isEmpty ? .null : .number(rounded(total.mean / 1e6)),
            "outcomes": .object(
                Outcome.allCases.map {
                    .init(name: $0.label, value: .count(outcomes[Int($0.rawValue)]))
                }),
        ]).merging(quantiles(naming: { "\($0)_ms" }))
    }

    /// Milliseconds; null without requests.
    func quantiles(naming name: (String) -> String) -> JSONValue {
        .object([
            .init(name: name("p50"), value: quantile(0.50)),
            .init(name: name("p95"), value: quantile(0.95)),
            .init(name: name("p99"), value: quantile(0.99)),
        ])
    }

    private func quantile(_ share: Double) -> JSONValue {
        total.isEmpty ? .null : .number(rounded(Double(total.quantile(share)) / 1e6))
    }

    private func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}

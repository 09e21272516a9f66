// What was counted a moment ago, so that rates and quantiles of the last seconds can be told.
// One snapshot a second for ten seconds, one in five seconds for a minute: 24 in all, each as large
// as the latencies are spread (an empty histogram owns no memory).

package import Traffic

/// Counts of everything at one moment.
struct StatsSnapshot: Sendable {
    struct Key: Sendable, Hashable {
        var service: String
        var revision = ""
        var endpoint = ""
    }

    struct Counts: Sendable {
        var outcomes: [UInt64]
        var total: LatencyHistogram

        init(_ measures: Measures) {
            outcomes = measures.outcomes
            total = measures.total
        }

        init() { self.init(Measures()) }
    }

    var at: Instant
    private(set) var counts: [Key: Counts] = [:]

    init(_ report: TrafficReport, at instant: Instant) {
        at = instant
        for service in report.services {
            counts[Key(service: service.name)] = Counts(service.measures)
            for revision in service.revisions {
                let key = Key(service: service.name, revision: revision.name)
                counts[key] = Counts(revision.measures)
                for endpoint in revision.endpoints {
                    let address = endpoint.address.description
                    counts[
                        Key(service: key.service, revision: key.revision, endpoint: address)] =
                        Counts(endpoint.measures)
                }
            }
        }
    }

    func of(_ key: Key) -> Counts { counts[key] ?? Counts() }
}

package actor StatsRecorder {
    private static let second: Int64 = 1_000_000_000
    /// Half a second of grace, since a timer is never early but often late.
    private static let fineNanoseconds = 10 * second + second / 2
    private static let coarseNanoseconds = 60 * second + second / 2
    private static let coarseEvery = 5

    /// Oldest first. `isCoarse` ones outlive the fine ones.
    private var ring: [(snapshot: StatsSnapshot, isCoarse: Bool)] = []
    private var taken = 0

    package init() {}

    /// To be called about once a second.
    package func take(_ report: TrafficReport, at now: Instant) {
        ring.append((StatsSnapshot(report, at: now), taken % Self.coarseEvery == 0))
        taken += 1
        ring.removeAll { entry in
            let age = now.nanoseconds(since: entry.snapshot.at)
            return age > (entry.isCoarse ? Self.coarseNanoseconds : Self.fineNanoseconds)
        }
    }

    /// How many are kept; bounded whatever happens.
    package var count: Int { ring.count }

    /// The oldest snapshot that is not older than `seconds`; nil when there is none.
    func snapshot(secondsAgo seconds: Int64, now: Instant) -> StatsSnapshot? {
        ring.first { entry in
            now.nanoseconds(since: entry.snapshot.at) <= seconds * Self.second + Self.second / 2
        }?.snapshot
    }
}

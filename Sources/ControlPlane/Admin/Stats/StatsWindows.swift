// The windows of one moment: ten seconds, a minute, since the start.

import Notation
import Traffic

/// The three windows of every figure. A gateway younger than a window shows what there is, and
/// `seconds` says how much that is.
struct StatsWindows {
    let now: StatsSnapshot
    let short: StatsSnapshot?
    let long: StatsSnapshot?

    func json(_ key: StatsSnapshot.Key) -> JSONValue {
        .object([
            "last_10s": window(key, since: short).json, "last_60s": window(key, since: long).json,
            "since_start": StatsWindow(
                from: .init(), to: now.of(key), nanoseconds: now.at.nanoseconds
            ).json,
        ])
    }

    /// Quantiles of the last minute, for an overview.
    func latency(_ key: StatsSnapshot.Key) -> JSONValue {
        window(key, since: long).quantiles(naming: { $0 })
    }

    private func window(_ key: StatsSnapshot.Key, since earlier: StatsSnapshot?) -> StatsWindow {
        StatsWindow(
            from: earlier?.of(key) ?? .init(), to: now.of(key),
            nanoseconds: now.at.nanoseconds(since: earlier?.at ?? Instant(nanoseconds: 0)))
    }
}

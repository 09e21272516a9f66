// Live figures of one service: rates and quantiles over the last seconds and since the start.

import Deployments
import Traffic

extension AdminAPI {
    func liveStats(of name: String) async throws -> AdminResponse {
        let plan = try await loadedPlan()
        let service = try service(name, in: plan)
        let now = self.now()
        let report = await director.report()
        let windows = StatsWindows(
            now: StatsSnapshot(report, at: now),
            short: await stats.snapshot(secondsAgo: 10, now: now),
            long: await stats.snapshot(secondsAgo: 60, now: now))
        let revisions = service.revisions.map { revision in
            let key = StatsSnapshot.Key(service: name, revision: revision.name)
            let seen = report.service(name)?.revisions.first { $0.name == revision.name }
            let endpoints = (seen?.endpoints ?? []).map { endpoint in
                var key = key
                key.endpoint = endpoint.address.description
                return JSONValue.object(["address": .string(key.endpoint)])
                    .merging(windows.json(key))
            }
            return JSONValue.object(["name": .string(revision.name)])
                .merging(windows.json(key))
                .merging(.object(["endpoints": .array(endpoints)]))
        }
        return .json(
            .object(["service": .string(name), "generation": .count(plan.generation)])
                .merging(windows.json(.init(service: name)))
                .merging(.object(["revisions": .array(revisions)])))
    }
}

/// The three windows of every figure. A gateway younger than a window shows what there is, and
/// `seconds` says how much that is.
private struct StatsWindows {
    let now: StatsSnapshot
    let short: StatsSnapshot?
    let long: StatsSnapshot?

    func json(_ key: StatsSnapshot.Key) -> JSONValue {
        .object([
            "last_10s": window(key, since: short), "last_60s": window(key, since: long),
            "since_start": StatsWindow(
                from: .init(), to: now.of(key), nanoseconds: now.at.nanoseconds
            ).json,
        ])
    }

    private func window(_ key: StatsSnapshot.Key, since earlier: StatsSnapshot?) -> JSONValue {
        StatsWindow(
            from: earlier?.of(key) ?? .init(), to: now.of(key),
            nanoseconds: now.at.nanoseconds(since: earlier?.at ?? Instant(nanoseconds: 0))
        ).json
    }
}

// Live figures of one service: rates and quantiles over the last seconds and since the start.

import Deployments
import Notation
import Traffic

extension AdminAPI {
    func liveStats(of name: String) async throws -> AdminResponse {
        let plan = try await loadedPlan()
        let service = try service(name, in: plan)
        let report = await director.report()
        let windows = await windows(of: report)
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

    /// What is remembered, up to `report`.
    func windows(of report: TrafficReport) async -> StatsWindows {
        let now = self.now()
        return StatsWindows(
            now: StatsSnapshot(report, at: now),
            short: await stats.snapshot(secondsAgo: 10, now: now),
            long: await stats.snapshot(secondsAgo: 60, now: now))
    }
}

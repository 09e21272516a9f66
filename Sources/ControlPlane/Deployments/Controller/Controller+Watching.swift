// What the data plane tells: who is down or ejected, how many requests are under way, how many
// failed and how long they took. Reports add up every counter there is, so they are taken off the
// controller's own time and no more often than their price allows.

import Foundation
import Traffic

extension Controller {
    /// Once a second, as long as the controller works.
    func watch() async {
        while !isStopping, !Task.isCancelled {
            var pause = Limits.watchPause
            if !entries.isEmpty {
                let (report, price) = await report()
                observe(report)
                pause = max(pause, price / Limits.reportShare)
            }
            // Cancelled: the loop's condition sees it.
            try? await Task.sleep(for: pause)
        }
    }

    /// More often while replicas drain.
    func watchDraining() {
        guard drainWatch == nil else { return }
        drainWatch = Task {
            while !Task.isCancelled, isDraining {
                let (report, price) = await report()
                noteLoad(report)
                let range = Limits.reportPause
                let pause = min(
                    range.upperBound, max(range.lowerBound, price / Limits.reportShare))
                // Cancelled: the loop's condition sees it.
                try? await Task.sleep(for: pause)
            }
            drainWatch = nil
        }
    }

    private var isDraining: Bool {
        entries.values.contains { $0.rows.contains { $0.phase == .draining } }
    }

    private func report() async -> (TrafficReport, Duration) {
        let director = director
        let clock = ContinuousClock()
        let start = clock.now
        let report = await director.report()
        return (report, clock.now - start)
    }

    /// Requests under way at each replica.
    private func noteLoad(_ report: TrafficReport) {
        for service in report.services {
            guard let entry = entries[service.name],
                entry.rows.contains(where: { $0.phase == .draining })
            else { continue }
            let loads = Dictionary(
                service.revisions.flatMap(\.endpoints).map { ($0.address, $0.inFlight) },
                uniquingKeysWith: +)
            for row in entry.rows where row.phase == .draining {
                guard let address = row.address.flatMap({ NetworkAddress($0) }),
                    entry.sightings[row.id]?.role == .drained
                else { continue }
                // A report that was taken before the plan was in force knows nothing of it.
                guard report.generation >= places[row.id]?.generation ?? .max else { continue }
                see(row.id, of: entry.name) { $0.inFlight = loads[address] ?? 0 }
            }
        }
    }

    private func observe(_ report: TrafficReport) {
        let now = surroundings.now()
        noteLoad(report)
        for service in report.services {
            guard let entry = entries[service.name] else { continue }
            noteHealth(service, entry, now)
            judge(service, now)
        }
    }

    private func noteHealth(
        _ service: ServiceReport, _ entry: DeploymentEntry, _ now: Date
    ) {
        let facts = Dictionary(
            service.revisions.flatMap(\.endpoints).map { ($0.address, $0) },
            uniquingKeysWith: { first, _ in first })
        for row in entry.rows where row.phase == .ready {
            guard let address = row.address.flatMap({ NetworkAddress($0) }),
                let fact = facts[address]
            else { continue }
            let isBad = fact.health == .down || fact.isEjected
            see(row.id, of: entry.name) { sighting in
                sighting.unreachableSince = isBad ? sighting.unreachableSince ?? now : nil
                sighting.trouble = isBad ? fact.trouble : ""
            }
        }
    }

    private func judge(_ service: ServiceReport, _ now: Date) {
        guard var entry = entries[service.name] else { return }
        let before = entry.judge.verdict
        if entry.record.desire == .running {
            let ready = entry.status.replicas.ready
            let troubles =
                entry.rows.filter { $0.isHeld && $0.phase == .ready }
                .map { "\($0.id): drained by hand" }
                + entry.sightings.sorted { $0.key < $1.key }
                .filter { !$0.value.isReachable }.map { "\($0.key): \($0.value.trouble)" }
            entry.judge.observe(
                service.measures,
                fleet: .init(
                    ready: ready, desired: entry.record.target(at: now),
                    revision: entry.revisionInForce ?? 0,
                    ejections: troubles.prefix(3).joined(separator: ", ")),
                objective: ServiceObjective(entry.record.spec.objective), now: now)
        } else if before.isDegraded {
            entry.judge.rest()
        }
        entries[service.name]?.judge = entry.judge
        if entry.judge.verdict != before { touch(service.name) }
    }
}

extension EndpointReport {
    fileprivate var trouble: String {
        if !lastError.isEmpty { return lastError }
        return health == .down ? "fails its health check" : "ejected: too many failures"
    }
}

// The topology of one service under one plan, laid out for the request path: rows of trivial values
// at fixed addresses. Immutable; built on the control thread, shared by all loops, replaced whole.

package import Traffic

package final class BalancingTable: Sendable {
    let settings: BalancingSettings
    let revisions: SharedRecords<RevisionRow>
    private let sessions: SharedRecords<SessionRow>
    private let states: [[EndpointState]]
    /// Stands in the row of a revision without endpoints; never chosen.
    private let vacant: EndpointState
    private let revisionNames: [String]
    private let revisionStates: [RevisionState]
    private let displaced: [DisplacedKeys]
    private let revisionMemory: SharedMemory<RevisionRow>
    private let sessionMemory: SharedMemory<SessionRow>
    private let endpointMemory: [SharedMemory<EndpointRow>]

    /// - Parameters:
    ///   - states: one per endpoint, revision by revision, in the plan's order.
    ///   - previous: the table this one replaces; what it has learned is kept.
    /// - Precondition: `states` has the plan's shape.
    package init(
        service: ServicePlan, states: [[EndpointState]], key: StickyKey, now: Int64,
        previous: BalancingTable? = nil
    ) {
        precondition(
            states.map(\.count) == service.revisions.map(\.endpoints.count),
            "one state for each endpoint of the plan")
        self.states = states
        settings = BalancingSettings(service: service, key: key)
        revisionNames = service.revisions.map(\.name)
        revisionStates = service.revisions.map { previous?.state(of: $0.name) ?? RevisionState() }
        var isNeeded = false
        if case .header = service.balancing.sticky?.key { isNeeded = true }
        displaced = service.revisions.map { revision in
            previous?.displacedKeys(of: revision.name, isNeeded)
                ?? DisplacedKeys(isNeeded: isNeeded)
        }
        let vacant = EndpointState()
        self.vacant = vacant
        endpointMemory = zip(service.revisions, states).map { revision, states in
            EndpointRow.rows(revision, states, vacant, service: service.name, key: key)
        }
        let rows = (revisionStates, displaced, endpointMemory)
        var firstPosition = 0
        revisionMemory = SharedMemory(count: service.revisions.count) { index in
            defer { firstPosition += service.revisions[index].endpoints.count }
            return RevisionRow(
                plan: service.revisions[index], firstPosition: firstPosition,
                state: rows.0[index].handle, displaced: rows.1[index].records,
                endpoints: rows.2[index].records,
                service: service.name, key: key)
        }
        revisions = revisionMemory.records
        let found = SessionRow.sorted(endpointMemory.map(\.records), revisions)
        sessionMemory = SharedMemory(count: max(1, found.count)) { index in
            index < found.count ? found[index] : SessionRow(tag: .max, revision: -1, endpoint: -1)
        }
        sessions = sessionMemory.records
        for state in states.joined() { state.handle.adopt(now: now) }
    }

    private func state(of revision: String) -> RevisionState? {
        revisionNames.firstIndex(of: revision).map { revisionStates[$0] }
    }

    private func displacedKeys(of revision: String, _ isNeeded: Bool) -> DisplacedKeys? {
        revisionNames.firstIndex(of: revision).map { displaced[$0] }
            .flatMap { ($0.records.count > 1) == isNeeded ? $0 : nil }
    }
}

// MARK: - Views

extension BalancingTable {
    package func handle(revision: Int, endpoint: Int) -> EndpointHandle {
        revisions[revision].endpoints[endpoint].handle
    }

    /// Who waits for a slot of a revision.
    package func holdBoard(revision: Int) -> HoldBoard { revisions[revision].state.board }

    /// Tells a round trip to an endpoint of the revision: late binding depends on it.
    package func recordRoundTrip(revision: Int, nanoseconds: Int64) {
        let cell = revisions[revision].state.records
        let before = cell.it.roundTrip.value
        let sample = Double(nanoseconds)
        cell.it.roundTrip.value = before == 0 ? sample : before + (sample - before) / 16
    }

    /// None of the revision's endpoints is usable, so all that are not drained are tried.
    package func isPanicking(revision: Int, now: Int64) -> Bool {
        let rows = revisions[revision].endpoints
        var hasCandidate = false
        for index in 0..<revisions[revision].count where !rows[index].isDrained {
            if rows[index].handle.isUsable(now: now) { return false }
            hasCandidate = true
        }
        return hasCandidate
    }

    /// The opaque tag that stands for an endpoint in session cookies.
    package func tag(revision: Int, endpoint: Int) -> UInt64 {
        revisions[revision].endpoints[endpoint].tag
    }

    /// The endpoint a session belongs to; nil when it is gone, drained, or of a revision that gets
    /// no share of the traffic any more. It may be down: `choose` moves the session then.
    package func session(tag: UInt64) -> (revision: Int, endpoint: Int32)? {
        var low = 0
        var high = sessions.count
        while low < high {
            let middle = (low + high) / 2
            if sessions[middle].tag < tag { low = middle + 1 } else { high = middle }
        }
        guard low < sessions.count else { return nil }
        let row = sessions[low]
        guard row.tag == tag, row.revision >= 0 else { return nil }
        return (Int(row.revision), row.endpoint)
    }
}

// Passive ejection: an endpoint that fails several times in a row, fails far more often than its
// peers, or answers far more slowly, gets no requests for a while; each further time for longer.
// Never more than the budget, never the last usable one. Ejections end by the clock alone.

import Traffic

extension BalancingTable {
    /// Compares the endpoints of every revision and ejects outliers. One loop calls it, once a
    /// second.
    package func evaluate(now: Int64) {
        for revision in 0..<revisions.count { evaluate(revision: revision, now: now) }
    }

    package func evaluate(revision: Int, now: Int64) {
        guard settings.ejection.failures > 0 else { return }
        let row = revisions[revision]
        let seen = (0..<row.count).map { OutlierSample(row.endpoints[$0].handle.records.it.window) }
        let comparesLatency = settings.algorithm != .leastLatency
        for index in 0..<row.count where row.endpoints[index].handle.isUsable(now: now) {
            var others = OutlierSample()
            for other in 0..<row.count where other != index { others.add(seen[other]) }
            if seen[index].failsMore(than: others)
                || comparesLatency && seen[index].isSlower(than: others)
            {
                eject(revision: revision, endpoint: index, now: now)
            }
        }
        for index in 0..<row.count { row.endpoints[index].handle.age(settings.ejection, now) }
    }

    /// Ejects an endpoint if the budget allows; otherwise its next failure asks again.
    func eject(revision: Int, endpoint: Int, now: Int64) {
        let row = revisions[revision]
        let handle = row.endpoints[endpoint].handle
        guard row.state.records.it.ejecting.enter() else { return }
        defer { row.state.records.it.ejecting.leave() }
        guard !handle.isEjected(now: now), allowsEjection(row, of: endpoint, now) else { return }
        handle.eject(settings.ejection, now)
    }

    private func allowsEjection(_ row: RevisionRow, of endpoint: Int, _ now: Int64) -> Bool {
        var ejected = 0
        var othersUsable = 0
        for index in 0..<row.count where !row.endpoints[index].isDrained {
            let handle = row.endpoints[index].handle
            if handle.isEjected(now: now) { ejected += 1 }
            if index != endpoint, handle.isUsable(now: now) { othersUsable += 1 }
        }
        let budget = Int(settings.ejection.maxShare * Double(row.candidates))
        return ejected < budget && othersUsable > 0
    }
}

extension EndpointHandle {
    /// Takes the endpoint out for the base time, times the ejections it has had lately.
    func eject(_ plan: EjectionPlan, _ now: Int64) {
        let base = plan.base.wholeNanoseconds
        let times = records.it.ejections.add(1)
        let scaled = base.multipliedReportingOverflow(by: times)
        let longest = max(base, Limits.ejectionNanoseconds)
        let length = scaled.overflow ? longest : min(scaled.partialValue, longest)
        records.it.ejectedUntil.value = now + length
        records.it.consecutiveFailures.value = 0
        guard records.it.gate.enter() else { return }
        records.it.window.scale(by: 0)
        records.it.gate.leave()
    }

    /// A second has passed: the window fades, and a base time of good conduct forgives an ejection.
    func age(_ plan: EjectionPlan, _ now: Int64) {
        if records.it.gate.enter() {
            records.it.window.scale(by: 0.9)
            records.it.gate.leave()
        }
        let ejections = records.it.ejections.value
        let since = max(records.it.reviewed.value, records.it.ejectedUntil.value)
        guard ejections > 0, now - since >= plan.base.wholeNanoseconds else { return }
        records.it.ejections.add(-1)
        records.it.reviewed.value = now
    }
}

/// A window's sums, taken out to be compared.
struct OutlierSample {
    private var requests = 0.0
    private var failures = 0.0
    private var answers = 0.0
    private var logarithms = 0.0
    private var squares = 0.0

    init() {}

    init(_ window: borrowing OutlierWindow) {
        requests = window.requests.value
        failures = window.failures.value
        answers = window.answers.value
        logarithms = window.logarithms.value
        squares = window.squares.value
    }

    mutating func add(_ other: OutlierSample) {
        requests += other.requests
        failures += other.failures
        answers += other.answers
        logarithms += other.logarithms
        squares += other.squares
    }

    /// At least a fifth more of its requests fail, and chance does not explain it.
    func failsMore(than others: OutlierSample) -> Bool {
        guard requests >= Self.least, others.requests >= Self.least else { return false }
        let rate = failures / requests
        let rateOfOthers = others.failures / others.requests
        let pooled = (failures + others.failures) / (requests + others.requests)
        let variance = pooled * (1 - pooled) * (1 / requests + 1 / others.requests)
        return rate - rateOfOthers > max(0.2, Self.sigmas * variance.squareRoot())
    }

    /// Its geometric mean latency is five times the others', and chance does not explain it.
    func isSlower(than others: OutlierSample) -> Bool {
        guard answers >= Self.least, others.answers >= Self.least else { return false }
        let variance = spread / answers + others.spread / others.answers
        let excess = logarithms / answers - others.logarithms / others.answers
        return excess > max(Self.ln5, Self.sigmas * variance.squareRoot())
    }

    private var spread: Double {
        let mean = logarithms / answers
        return max(0, squares / answers - mean * mean)
    }

    /// Requests in the window below which nothing is concluded.
    private static var least: Double { 30 }
    private static var sigmas: Double { 4 }
    private static var ln5: Double { 1.609_437_912_434_1 }
}

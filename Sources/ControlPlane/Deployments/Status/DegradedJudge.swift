// Whether a deployment answers badly, with hysteresis: two of the last three windows must be bad to
// say so and three in a row good to take it back. A window lasts ten seconds and is stretched up
// to a minute while it has fewer than twenty requests. Too few replicas for a minute count at once.

package import Foundation
package import Traffic

/// What the judge says.
package struct Degradation: Sendable, Equatable, Codable {
    package var isDegraded = false
    package var reason = "WithinObjectives"
    package var message = "errors and latency are within their objectives"

    package init() {}

    package init(_ reason: String, _ message: String) {
        isDegraded = true
        self.reason = reason
        self.message = message
    }
}

/// What a deployment promises.
package struct ServiceObjective: Sendable, Equatable, Codable {
    /// Share of requests that may fail, 0...1.
    package var errorRatio = 0.01
    /// Nil compares with the revision's own last day.
    package var latencyP95Milliseconds: Double?

    package init() {}
}

package struct DegradedJudge: Sendable {
    static let windowSeconds: TimeInterval = 10
    static let stretchedSeconds: TimeInterval = 60
    static let requestsMin: UInt64 = 20
    static let shortageSeconds: TimeInterval = 60
    /// Nobody feels two milliseconds become four: slower than usual counts from here on.
    static let noticeableNanoseconds: Int64 = 5_000_000

    /// Replicas in the rotation at this moment.
    package struct Fleet: Sendable {
        package var ready: Int
        package var desired: Int
        package var revision: Int
        /// Why replicas are ejected, in words; empty when none is.
        package var ejections: String

        package init(ready: Int, desired: Int, revision: Int, ejections: String = "") {
            self.ready = ready
            self.desired = desired
            self.revision = revision
            self.ejections = ejections
        }
    }

    package private(set) var verdict = Degradation()
    private var windowStarted: Date?
    private var measuresThen = Measures()
    /// Why each of the last windows was bad; nil for a good one. Newest last.
    private var windows: [Degradation?] = []
    private var baseline = LatencyBaseline()
    private var shortSince: Date?
    private var enoughSince: Date?
    private var isSlow = false
    /// Until then its replicas are awaited, not missed, however long a model loads.
    private var hasServed = false

    /// - Parameter earlier: what was stored, so that a restart of Penstock neither raises nor
    ///   forgets an alarm.
    package init(resuming earlier: Degradation = Degradation()) {
        verdict = earlier
        isSlow = earlier.isDegraded && earlier.reason != Self.shortageReason
        hasServed = earlier.isDegraded
    }

    static let shortageReason = "TooFewReplicas"

    /// To be called every few seconds with the newest report.
    package mutating func observe(
        _ measures: Measures, fleet: Fleet, objective: ServiceObjective, now: Date
    ) {
        noteShortage(fleet, now)
        if let started = windowStarted {
            let window = TrafficWindow(from: measuresThen, to: measures)
            let age = now.timeIntervalSince(started)
            let isFull = age >= Self.windowSeconds && window.requests >= Self.requestsMin
            if isFull || age >= Self.stretchedSeconds {
                close(window, fleet, objective, now)
                begin(measures, now)
            }
        } else {
            begin(measures, now)
        }
        verdict = judged(fleet, now)
    }

    /// What is not meant to run cannot be degraded; the windows begin anew with the next start.
    package mutating func rest() {
        self = DegradedJudge()
    }

    private mutating func begin(_ measures: Measures, _ now: Date) {
        windowStarted = now
        measuresThen = measures
    }

    private mutating func close(
        _ window: TrafficWindow, _ fleet: Fleet, _ objective: ServiceObjective, _ now: Date
    ) {
        let fault = fault(of: window, fleet, objective)
        windows.append(fault)
        if windows.count > 3 { windows.removeFirst() }
        if fault == nil, window.requests > 0 {
            baseline.add(window, revision: fleet.revision, at: now)
        }
        let bad = windows.count { $0 != nil }
        if bad >= 2 { isSlow = true }
        if windows.count == 3, bad == 0 { isSlow = false }
    }

    private func fault(
        of window: TrafficWindow, _ fleet: Fleet, _ objective: ServiceObjective
    ) -> Degradation? {
        guard window.requests > 0 else { return nil }
        if window.errorRatio > objective.errorRatio {
            return Degradation(
                "ErrorRate",
                "\(Self.percent(window.errorRatio)) of \(window.requests) requests failed; "
                    + "allowed: \(Self.percent(objective.errorRatio))\(Self.also(fleet.ejections))")
        }
        return slowness(of: window, fleet, objective)
    }

    private func slowness(
        of window: TrafficWindow, _ fleet: Fleet, _ objective: ServiceObjective
    ) -> Degradation? {
        let p95 = Double(window.p95) / 1e6
        if let allowed = objective.latencyP95Milliseconds {
            guard p95 > allowed else { return nil }
            return Degradation(
                "Latency",
                "p95 is \(Self.milliseconds(p95)); allowed: \(Self.milliseconds(allowed))"
                    + Self.also(fleet.ejections))
        }
        guard let usual = baseline.p95, window.p95 > 2 * usual,
            window.p95 > usual + Self.noticeableNanoseconds
        else { return nil }
        return Degradation(
            "Latency",
            "p95 is \(Self.milliseconds(p95)), over twice the usual "
                + Self.milliseconds(Double(usual) / 1e6) + Self.also(fleet.ejections))
    }

    /// Scaling and restarts are short of replicas for a while; that is no trouble yet.
    private mutating func noteShortage(_ fleet: Fleet, _ now: Date) {
        hasServed = hasServed || fleet.ready > 0
        guard hasServed else { return }
        if fleet.ready < fleet.desired {
            shortSince = shortSince ?? now
            enoughSince = nil
            return
        }
        enoughSince = enoughSince ?? now
        let steady = 3 * Self.windowSeconds
        if let since = enoughSince, now.timeIntervalSince(since) >= steady || !isShort(now) {
            shortSince = nil
        }
    }

    private func isShort(_ now: Date) -> Bool {
        if verdict.isDegraded, verdict.reason == Self.shortageReason { return shortSince != nil }
        return shortSince.map { now.timeIntervalSince($0) > Self.shortageSeconds } ?? false
    }

    private func judged(_ fleet: Fleet, _ now: Date) -> Degradation {
        if isSlow {
            let newest = windows.last { $0 != nil } ?? nil
            return newest ?? verdict
        }
        if isShort(now) {
            let count = "\(fleet.ready) of \(Words.replicas(fleet.desired)) ready"
            let words =
                enoughSince == nil
                ? "\(count) for over \(Words.seconds(Self.shortageSeconds))"
                : "\(count) again; too few were for over \(Words.seconds(Self.shortageSeconds))"
            return Degradation(Self.shortageReason, words + Self.also(fleet.ejections))
        }
        return Degradation()
    }

    private static func percent(_ share: Double) -> String {
        "\((share * 1000).rounded() / 10) %"
    }

    private static func milliseconds(_ value: Double) -> String {
        "\((value * 10).rounded() / 10) ms"
    }

    private static func also(_ ejections: String) -> String {
        ejections.isEmpty ? "" : "; \(ejections)"
    }
}

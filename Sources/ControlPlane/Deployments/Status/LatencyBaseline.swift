// What is usual for a revision: its latencies of the last 24 hours, in four parts so that the
// oldest six hours fall off at once. Not stored: after a restart the usual is learnt anew, and
// until there is enough of it nothing is called unusual.

package import Foundation
import Traffic

package struct LatencyBaseline: Sendable, Equatable {
    static let parts = 4
    static let partSeconds: TimeInterval = 6 * 3600
    /// Below this a 95th percentile is made of fewer than 25 requests.
    static let requestsMin: UInt64 = 500

    private var revision = 0
    private var histograms: [LatencyHistogram] = []
    private var partStarted: Date?
    /// 95th percentile, nanoseconds; nil while too little is known.
    package private(set) var p95: Int64?

    package init() {}

    /// A window without faults, of the revision that served in it.
    package mutating func add(_ window: TrafficWindow, revision serving: Int, at now: Date) {
        if serving != revision {
            self = LatencyBaseline()
            revision = serving
        }
        if partStarted.map({ now.timeIntervalSince($0) >= Self.partSeconds }) ?? true {
            partStarted = now
            histograms.append(LatencyHistogram())
            if histograms.count > Self.parts { histograms.removeFirst() }
        }
        histograms[histograms.count - 1].merge(window.latencies)
        var whole = LatencyHistogram()
        for histogram in histograms { whole.merge(histogram) }
        p95 = whole.count >= Self.requestsMin ? whole.quantile(0.95) : nil
    }

    /// Another revision serves: what was usual for the old one says nothing about it.
    package mutating func forget() { self = LatencyBaseline() }
}

// How much output of a replica is kept.

package struct LogBounds: Sendable, Equatable, Codable {
    package var segmentBytes: Int
    package var segments: Int
    package var runs: Int

    package init(
        segmentBytes: Int = Limits.logSegmentBytes, segments: Int = Limits.logSegments,
        runs: Int = Limits.logRuns
    ) {
        precondition(segmentBytes > 0 && segments > 0 && runs > 0, "a log keeps something")
        self.segmentBytes = segmentBytes
        self.segments = segments
        self.runs = runs
    }
}

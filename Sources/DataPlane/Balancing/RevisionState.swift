// What all loops know about one revision of a service: its latency curve, who waits for a slot, and
// the round trip to its endpoints. It outlives plans: a new table takes over its predecessor's.

final class RevisionState: Sendable {
    private let record: SharedMemory<RevisionRecord>
    private let curveTotals: SharedMemory<CurveTotals>
    private let curveDepths: SharedMemory<CurveDepth>
    private let published: SharedMemory<SharedNumber>
    private let holdTotals: SharedMemory<HoldTotals>
    private let holdLines: SharedMemory<HoldLine>
    let handle: RevisionHandle

    init() {
        record = SharedMemory(count: 1) { _ in RevisionRecord() }
        curveTotals = SharedMemory(count: 1) { _ in CurveTotals() }
        curveDepths = SharedMemory(count: Limits.curveDepths) { _ in CurveDepth() }
        published = SharedMemory(count: Limits.curveDepths) { SharedNumber(Double($0 + 1)) }
        holdTotals = SharedMemory(count: 1) { _ in HoldTotals() }
        holdLines = SharedMemory(count: Limits.loops) { _ in HoldLine() }
        handle = RevisionHandle(
            records: record.records,
            curve: LatencyCurve(
                totals: curveTotals.records, depths: curveDepths.records,
                published: published.records),
            board: HoldBoard(totals: holdTotals.records, lines: holdLines.records))
    }
}

struct RevisionRecord: ~Copyable {
    /// Decayed mean round trip in nanoseconds; 0 is unknown.
    let roundTrip = SharedNumber(0)
    /// Held while an ejection is decided, so that two loops cannot both spend the budget's last.
    let ejecting = SampleGate()
}

/// A trivial view of a revision's shared records.
struct RevisionHandle: Sendable {
    let records: SharedRecords<RevisionRecord>
    let curve: LatencyCurve
    let board: HoldBoard
}

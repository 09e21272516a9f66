// L(k): the mean latency of requests sent as the k-th at once on their endpoint, learned per
// revision and shared by all loops. It is the shape all endpoints of a fleet have in common; how
// one differs from it is in its `LatencyMemory`.

import Synchronization

struct LatencyCurve: Sendable {
    private let totals: SharedRecords<CurveTotals>
    private let depths: SharedRecords<CurveDepth>
    private let published: SharedRecords<SharedNumber>

    init(
        totals: SharedRecords<CurveTotals>, depths: SharedRecords<CurveDepth>,
        published: SharedRecords<SharedNumber>
    ) {
        self.totals = totals
        self.depths = depths
        self.published = published
    }

    /// Expected latency at a depth, which weights make fractional. Before the first sample it is
    /// the depth itself, so that least_latency begins as least_connections.
    func latency(at depth: Double) -> Double {
        let last = published.count
        if depth >= Double(last) { return published[last - 1].value * depth / Double(last) }
        if depth <= 1 { return published[0].value * depth }
        let whole = Int(depth)
        let low = published[whole - 1].value
        let part = depth - Double(whole)
        return part == 0 ? low : low + part * (published[whole].value - low)
    }

    /// Decayed mean latency of all requests in nanoseconds; 0 before the first.
    var meanLatency: Double { totals.it.mean.value }

    /// Spread of residuals over the fleet.
    var variance: Double { totals.it.variance.value }

    /// Time after which a residual counts half.
    var halfLife: Double { max(5 * Double(Limits.second), 8 * meanLatency) }

    /// Learns one latency and says how it compares with its depth's mean in logarithms; nil while
    /// too little is known or when another loop is learning.
    func record(nanoseconds: Double, depth: Int) -> Double? {
        guard totals.it.gate.enter() else { return nil }
        defer { totals.it.gate.leave() }
        let index = min(max(depth, 1), depths.count) - 1
        let logarithm = Logarithms.ln(nanoseconds)
        let residual = depths[index].residual(of: logarithm)
        depths[index].add(nanoseconds, logarithm)
        totals.it.add(nanoseconds, residual: residual)
        let samples = totals.it.samples.add(1)
        if samples < 64 || samples & 31 == 0 { publish() }
        return residual
    }

    /// Makes the measured means non-decreasing and fills the gaps between them.
    private func publish() {
        var known = 0
        var height = 0.0
        for index in 0..<depths.count where depths[index].isKnown {
            let mean = max(depths[index].mean, height)
            // Below the first known depth the line runs through zero, between two straight.
            let step = (mean - height) / Double(index + 1 - known)
            for gap in known...index {
                published[gap].value = height + step * Double(gap + 1 - known)
            }
            known = index + 1
            height = mean
        }
        guard known > 0 else { return }
        for index in known..<published.count {
            published[index].value = height * Double(index + 1) / Double(known)
        }
    }
}

/// Sums of one depth, decayed by 0.999 with each sample. Written under the curve's gate.
struct CurveDepth: ~Copyable {
    private let count = SharedNumber(0)
    private let sum = SharedNumber(0)
    private let logarithms = SharedNumber(0)

    var isKnown: Bool { count.value >= 4.9 }

    var mean: Double { sum.value / count.value }

    func residual(of logarithm: Double) -> Double? {
        isKnown ? logarithm - logarithms.value / count.value : nil
    }

    func add(_ nanoseconds: Double, _ logarithm: Double) {
        count.value = count.value * 0.999 + 1
        sum.value = sum.value * 0.999 + nanoseconds
        logarithms.value = logarithms.value * 0.999 + logarithm
    }
}

/// What the depths of a revision have in common.
struct CurveTotals: ~Copyable {
    let gate = SampleGate()
    let samples = SharedInteger(0)
    let mean = SharedNumber(0)
    let variance = SharedNumber(0)
    private let weight = SharedNumber(0)
    private let residualWeight = SharedNumber(0)

    func add(_ nanoseconds: Double, residual: Double?) {
        weight.value = weight.value * 0.999 + 1
        mean.value = mean.value + (nanoseconds - mean.value) / weight.value
        guard let residual else { return }
        residualWeight.value = residualWeight.value * 0.999 + 1
        let excess = residual * residual - variance.value
        variance.value = variance.value + excess / residualWeight.value
    }
}

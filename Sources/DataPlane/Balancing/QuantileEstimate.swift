// One quantile of a stream of durations in sixteen bytes, for decisions that need no histogram:
// when is a request late? Stochastic approximation (Robbins and Monro, 1951) on the logarithm, so
// that the step is a share of the value: each sample above moves the estimate up by step × p, each
// below moves it down by step × (1 − p), and the two balance at the quantile.

package struct QuantileEstimate: Sendable {
    private var logarithm = 0.0
    private var count: UInt32 = 0

    package init() {}

    /// Takes a sample in nanoseconds; those below 1 count as 1.
    ///
    /// - Parameter quantile: above 0, below 1, and the same each time.
    package mutating func record(_ nanoseconds: Int64, quantile: Double) {
        let sample = Logarithms.ln(Double(max(1, nanoseconds)))
        if count == 0 {
            logarithm = sample
        } else if sample > logarithm {
            logarithm += step * quantile
        } else {
            logarithm -= step * (1 - quantile)
        }
        count = min(count &+ 1, UInt32(Limits.quantileSamples))
    }

    /// The estimate in nanoseconds; nil until it has seen enough to mean something.
    package var nanoseconds: Int64? {
        guard count >= Limits.quantileSamples else { return nil }
        return Int64(Logarithms.exp(logarithm))
    }

    /// Half an octave at first, so that a bad start is left quickly; later a fiftieth.
    private var step: Double { count < Limits.quantileSamples ? 0.35 : 0.02 }
}

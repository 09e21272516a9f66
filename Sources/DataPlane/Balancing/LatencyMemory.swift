// What one endpoint's answers say about it, for least_latency: how much slower or faster than the
// fleet it is at equal depth, and how often it fails. Recent answers count most; silence forgives.
// Updated under the endpoint's sample gate only.

struct LatencyMemory: ~Copyable {
    /// Decayed count and sum of residuals: ln latency minus the fleet's mean at that depth.
    private let count = SharedNumber(0)
    private let residuals = SharedNumber(0)
    /// Decayed requests and errors.
    private let requests = SharedNumber(0)
    private let errors = SharedNumber(0)
    private let updated = SharedInteger(.min)

    /// Lets time pass, then adds a request and, if its latency says anything, its residual.
    func record(residual: Double?, isError: Bool, now: Int64, halfLife: Double) {
        forget(until: now, halfLife: halfLife)
        if let residual {
            count.value = count.value * Self.keptPerRequest + 1
            residuals.value = residuals.value * Self.keptPerRequest + residual
        }
        requests.value = requests.value + 1
        if isError { errors.value = errors.value + 1 }
    }

    /// How much worse than its peers a request here is expected to fare: 1 is just as well.
    func factor(variance: Double) -> Double {
        let weight = count.value + 4
        let mean = residuals.value / weight
        // Two standard errors of doubt: equal endpoints keep exactly 1.
        let certain = max(0, abs(mean) - 2 * (variance / weight).squareRoot())
        let speed = certain == 0 ? 1 : Logarithms.exp(mean < 0 ? -certain : certain)
        return speed * penalty
    }

    private var penalty: Double {
        // Five pseudo-requests, so that one failure of a new endpoint does not condemn it for long.
        let rate = errors.value / (requests.value + 5)
        return rate > 0.02 ? 1 + 100 * rate : 1
    }

    /// Decays by elapsed time: residuals with `halfLife`, errors four times as slowly.
    func forget(until now: Int64, halfLife: Double) {
        let before = updated.value
        updated.value = now
        guard before > .min, now > before else { return }
        let kept = Logarithms.exp2(-Double(now - before) / halfLife)
        count.value *= kept
        residuals.value *= kept
        let keptErrors = kept.squareRoot().squareRoot()
        requests.value *= keptErrors
        errors.value *= keptErrors
    }

    /// 2^(−1/64): after 64 answers an old one counts half.
    private static let keptPerRequest = 0.989_228_013_193_975_5
}

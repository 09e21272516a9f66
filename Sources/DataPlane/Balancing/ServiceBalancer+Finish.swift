// What a finished try teaches: least_latency learns its latency, ejection counts its failures. The
// count of requests in flight is the caller's to end.

import Traffic

extension ServiceBalancer {
    /// Tells how a try ended. Cancelled tries and the gateway's own refusals say nothing about an
    /// endpoint and change nothing.
    package mutating func finished(
        revision: Int, endpoint: Int32, result: TryResult, now: Int64
    ) {
        guard let isFailure = result.outcome.isFailure else { return }
        let row = revisions[revision]
        let target = row.endpoints[Int(endpoint)]
        if ejectionFailures > 0 {
            countFailure(isFailure, revision, Int(endpoint), target.handle, now)
        }
        let nanoseconds = Double(max(1, result.latencyNanoseconds))
        let curve = row.state.curve
        // What fails fast, or refuses fast, does not become quick by it.
        let isTelling =
            result.outcome == .success || nanoseconds >= 0.1 * curve.meanLatency
        guard algorithm == .leastLatency else {
            if row.slots > 0, isTelling { _ = curve.record(nanoseconds: nanoseconds, depth: 1) }
            observe(target.handle, isFailure, nanoseconds)
            return
        }
        let depth = Int((Double(result.depth) * target.inverseShare).rounded())
        let residual = isTelling ? curve.record(nanoseconds: nanoseconds, depth: depth) : nil
        let record = target.handle.records
        guard record.it.gate.enter() else { return }
        record.it.latency.record(
            residual: residual, isError: isFailure, now: now, halfLife: curve.halfLife)
        target.handle.publishFactor(curve, now)
        record.it.window.record(isFailure: isFailure, logarithm: Logarithms.ln(nanoseconds))
        record.it.gate.leave()
    }

    private func observe(_ handle: EndpointHandle, _ isFailure: Bool, _ nanoseconds: Double) {
        guard ejectionFailures > 0, handle.records.it.gate.enter() else { return }
        handle.records.it.window.record(
            isFailure: isFailure, logarithm: Logarithms.ln(nanoseconds))
        handle.records.it.gate.leave()
    }

    private func countFailure(
        _ isFailure: Bool, _ revision: Int, _ endpoint: Int, _ handle: EndpointHandle, _ now: Int64
    ) {
        let record = handle.records
        guard isFailure else {
            if record.it.consecutiveFailures.value != 0 { record.it.consecutiveFailures.value = 0 }
            return
        }
        if record.it.consecutiveFailures.add(1) >= ejectionFailures {
            table.eject(revision: revision, endpoint: endpoint, now: now)
        }
    }
}

extension Outcome {
    /// Whether an endpoint answered badly; nil when it is not the endpoint's doing.
    var isFailure: Bool? {
        switch self {
        case .success, .client: false
        case .model, .timeout, .transport: true
        case .overload, .cancelled: nil
        }
    }
}

// What goes into a choice of endpoint, what comes out, and what is told afterwards. Trivial values.

package import Traffic

/// What a request brings to the choice of its endpoint.
package struct ChoiceRequest: Sendable {
    /// Hash of the client's address, for ip_hash.
    package var clientHash: UInt64 = 0
    /// The endpoint of the request's session, from `BalancingTable.session(tag:)`; −1 is none.
    package var stickyEndpoint: Int32 = -1
    /// Hash of the header that keeps a client on one endpoint.
    package var stickyHash: UInt64 = 0
    package var hasStickyHash = false
    /// Endpoints tried before, a bit each; those from the 64th on are not remembered.
    package var tried: UInt64 = 0
    /// The request was held and is asked for again; a new one does not overtake those held.
    package var isHeld = false

    package init() {}

    package mutating func recordTry(of endpoint: Int32) {
        if endpoint < Limits.triedEndpoints { tried |= 1 << UInt64(endpoint) }
    }
}

package enum Choice: Sendable, Equatable {
    /// The request is counted in on this endpoint; count it out with `EndpointHandle.end()`.
    case endpoint(Int32)
    /// Every usable endpoint is at its concurrency: wait for a slot; see `HoldBoard`.
    case hold
    /// No endpoint is left to try.
    case none
}

/// How a try ended.
package struct TryResult: Sendable {
    package var outcome: Outcome
    /// From sending the request to the end of its answer.
    package var latencyNanoseconds: Int64
    /// `ServiceBalancer.chosenDepth` when the request was sent.
    package var depth: Int32

    package init(outcome: Outcome, latencyNanoseconds: Int64, depth: Int32) {
        self.outcome = outcome
        self.latencyNanoseconds = latencyNanoseconds
        self.depth = depth
    }
}

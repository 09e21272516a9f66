// What a plan says about the gateway as a whole, in the units of the loops. Times are nanoseconds;
// 0 is none.

package import HTTPWire
package import Reactor
package import Traffic

package struct GatewayRules {
    package let requestHead: Int64
    package let requestIdle: Int64
    package let responseIdle: Int64
    package let keepAlive: Int64
    package let wire: WireLimits
    package let requestBodyBytes: UInt64
    package let replayBytes: Int
    package let pending: Int
    package let trusted: [AddressRange]

    package init(_ plan: GatewayPlan) {
        requestHead = plan.timeouts.requestHead.wholeNanoseconds
        requestIdle = plan.timeouts.requestIdle.wholeNanoseconds
        responseIdle = plan.timeouts.responseIdle.wholeNanoseconds
        keepAlive = plan.timeouts.keepAlive.wholeNanoseconds
        wire = WireLimits(headBytes: plan.limits.requestHeadBytes, headers: plan.limits.headers)
        requestBodyBytes = plan.limits.requestBodyBytes
        replayBytes = plan.limits.replayBytes
        pending = plan.limits.pending
        trusted = plan.trustedProxies
    }

    /// Whether a peer's forwarding headers are believed. Those on a unix socket are ours to trust
    /// only if a proxy is configured at all: their address says nothing.
    package func trusts(_ peer: PeerAddress) -> Bool {
        if trusted.isEmpty { return false }
        if peer.isUnix { return true }
        return GatewayRules.holds(AddressBits(high: peer.high, low: peer.low), in: trusted)
    }

    static func holds(_ address: AddressBits, in ranges: [AddressRange]) -> Bool {
        for range in ranges where range.contains(address) { return true }
        return false
    }
}

// What a plan says about the gateway as a whole, in the units of the loops. Times are nanoseconds;
// 0 is none.

import HTTPWire
import Reactor
import Traffic

struct GatewayRules {
    let requestHead: Int64
    let requestIdle: Int64
    let responseIdle: Int64
    let keepAlive: Int64
    let wire: WireLimits
    let requestBodyBytes: UInt64
    let replayBytes: Int
    let pending: Int
    let trusted: [AddressRange]

    init(_ plan: GatewayPlan) {
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
    func trusts(_ peer: PeerAddress) -> Bool {
        if trusted.isEmpty { return false }
        if peer.isUnix { return true }
        let address = AddressBits(high: peer.high, low: peer.low)
        return trusted.contains { $0.contains(address) }
    }
}

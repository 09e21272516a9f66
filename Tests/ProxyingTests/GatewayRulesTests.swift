// Whom the gateway believes, and its settings in the units of the loops.

import Proxying
import Reactor
import Testing
import Traffic

@Suite struct GatewayRulesTests {
    private func rules(trusting ranges: [AddressRange]) -> GatewayRules {
        var plan = GatewayPlan(listeners: [], workers: 1)
        plan.trustedProxies = ranges
        plan.timeouts.requestHead = .milliseconds(250)
        plan.timeouts.keepAlive = .zero
        return GatewayRules(plan)
    }

    private func ipv4(_ bits: UInt32) -> PeerAddress {
        PeerAddress(high: 0, low: 0xffff_0000_0000 | UInt64(bits), port: 1)
    }

    private let ten = AddressRange(base: AddressBits(ipv4: 0x0a00_0000), prefixLength: 104)

    @Test func `a peer is believed when a range holds it`() {
        let rules = rules(trusting: [
            ten, AddressRange(base: AddressBits(high: 0, low: 1), prefixLength: 128),
        ])
        #expect(rules.trusts(ipv4(0x0aff_ffff)))
        #expect(!rules.trusts(ipv4(0x0b00_0000)))
        #expect(rules.trusts(PeerAddress(high: 0, low: 1, port: 9)))
        #expect(!rules.trusts(PeerAddress(high: 0, low: 2, port: 9)))
    }

    @Test func `a unix socket's peer is believed where anybody is`() {
        #expect(rules(trusting: [ten]).trusts(.unix))
        #expect(!rules(trusting: []).trusts(.unix))
    }

    @Test func `nobody is believed unless configured`() {
        #expect(!rules(trusting: []).trusts(ipv4(0x7f00_0001)))
    }

    @Test func `times are nanoseconds and off is zero`() {
        let rules = rules(trusting: [])
        #expect(rules.requestHead == 250_000_000 && rules.keepAlive == 0)
        #expect(rules.requestBodyBytes == 256 * 1024 * 1024 && rules.replayBytes == 64 * 1024)
    }
}

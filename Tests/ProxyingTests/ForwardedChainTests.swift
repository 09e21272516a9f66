// Whom a chain of proxies speaks for. Lists are given as a request has them, first field first.

import Proxying
import Reactor
import Testing
import Traffic

private let trusted = [
    AddressRange(base: AddressBits(ipv4: 0x0a00_0000), prefixLength: 104),
    AddressRange(base: AddressBits(high: 0xfd00 << 48, low: 0), prefixLength: 8),
]

@Suite struct ForwardedChainTests {
    private func client(_ lists: [String]) -> String {
        let owned = lists.map(TextBytes.init)
        var chain = ForwardedChain()
        for list in owned.reversed() where chain.read(list.bytes, trusted: trusted) { break }
        return withExtendedLifetime(owned) {
            switch chain.client {
            case .none: "none"
            case .name(let name): "name \(name.text)"
            case .address(let bits) where bits.high == 0: String(bits.low & 0xffff_ffff, radix: 16)
            case .address(let bits): String(bits.high, radix: 16)
            }
        }
    }

    @Test(arguments: [
        (["203.0.113.7"], "cb007107"),
        (["198.51.100.1, 203.0.113.7"], "cb007107"),
        (["203.0.113.7, 10.0.0.1"], "cb007107"),
        (["6.6.6.6, 203.0.113.7:4711,10.0.0.1 ,\t10.9.9.9"], "cb007107"),
        (["6.6.6.6, 203.0.113.7", "10.0.0.1"], "cb007107"),
        (["203.0.113.7", "10.0.0.1, 10.0.0.2", "fd00::1, [fd00::2]:80"], "cb007107"),
        (["2001:db8::7, 10.0.0.1"], "20010db800000000"),
    ])
    func `the first one from the right who is not trusted is the client`(
        lists: [String], expected: String
    ) {
        #expect(client(lists) == expected)
    }

    @Test func `what stands left of the client is anybody's word`() {
        #expect(client(["10.6.6.6, 203.0.113.7, 10.0.0.1"]) == "cb007107")
        #expect(client(["203.0.113.66", "203.0.113.7"]) == "cb007107")
    }

    @Test func `when all are trusted the farthest is the client`() {
        #expect(client(["10.0.0.3, 10.0.0.2", "10.0.0.1"]) == "a000003")
    }

    @Test(arguments: [["unknown, 10.0.0.1"], ["203.0.113.7, unknown"], ["unknown", "10.0.0.1"]])
    func `a name in place of an address is the client by that name`(lists: [String]) {
        #expect(client(lists) == "name unknown")
    }

    @Test(arguments: [[""], [" , ,"], ["", ","], []] as [[String]])
    func `empty lists name nobody`(lists: [String]) {
        #expect(client(lists) == "none")
    }

    @Test func `empty elements are passed over`() {
        #expect(client(["203.0.113.7,,", ", 10.0.0.1,"]) == "cb007107")
    }

    @Test func `a chain without an end is not read to its end`() {
        let endless = Array(repeating: "10.0.0.1", count: 100_000).joined(separator: ",")
        #expect(client(["203.0.113.7," + endless]) == "a000001")
        let long = Array(repeating: "10.0.0.1", count: 31).joined(separator: ",")
        #expect(client(["203.0.113.7," + long]) == "cb007107")
    }
}

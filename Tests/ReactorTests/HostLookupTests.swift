// The system's resolver, as far as it can be asked without a network.

import Reactor
import Testing

@Suite struct HostLookupTests {
    @Test func `localhost has a loopback address`() throws {
        let texts = try HostLookup.addresses(of: "localhost").map { $0.peer.description }
        #expect(texts.contains("127.0.0.1") || texts.contains("::1"))
        #expect(Set(texts).count == texts.count)
    }

    @Test func `a name that cannot exist fails with the name and the reason`() throws {
        let name = String(repeating: "a", count: 300)
        let error = #expect(throws: LookupError.self) { try HostLookup.addresses(of: name) }
        #expect(try #require(error).description.hasPrefix(name + ": "))
    }
}

// Which of the old process's sockets is which of the new one's listeners, and which loop polls it:
// each socket is some loop's, and none is two loops'.

import Proxying
import TLS
import Testing
import Traffic

@Suite struct InheritanceTests {
    private func passed(_ address: String, _ bound: String, _ descriptors: Int32...) throws
        -> PassedListener
    {
        PassedListener(
            address: try #require(NetworkAddress(address)),
            bound: try #require(NetworkAddress(bound)), descriptors: descriptors)
    }

    @Test func `a listener is found by its name in the file`() throws {
        let any = try passed("127.0.0.1:0", "127.0.0.1:4711", 5)
        let fixed = try passed("127.0.0.1:80", "127.0.0.1:80", 6)
        var listeners = PassedListeners([any, fixed])
        #expect(listeners.take(any.address) == any)
        #expect(listeners.take(fixed.address) == fixed)
        #expect(listeners.taken == [any.address, fixed.address] && listeners.rest.isEmpty)
    }

    @Test func `one on port 0 is found by the port that it got`() throws {
        let any = try passed("127.0.0.1:0", "127.0.0.1:4711", 5)
        var listeners = PassedListeners([any])
        #expect(listeners.take(any.bound) == any)
        #expect(listeners.taken == [any.address])
    }

    @Test func `another host, port or path is another listener`() throws {
        var listeners = PassedListeners([
            try passed("127.0.0.1:80", "127.0.0.1:80", 5),
            try passed("unix:/run/a", "unix:/run/a", 6),
        ])
        for other in ["0.0.0.0:80", "127.0.0.1:81", "unix:/run/b"] {
            #expect(listeners.take(try #require(NetworkAddress(other))) == nil)
        }
        #expect(listeners.rest.count == 2 && listeners.taken.isEmpty)
    }

    @Test func `none is taken twice`() throws {
        let only = try passed("127.0.0.1:80", "127.0.0.1:80", 5)
        var listeners = PassedListeners([only])
        #expect(listeners.take(only.address) == only)
        #expect(listeners.take(only.address) == nil)
    }

    @Test func `sockets of a listener that came in pieces are put together`() throws {
        var inheritance = Inheritance()
        inheritance.add(try passed("127.0.0.1:80", "127.0.0.1:80", 5, 6))
        inheritance.add(try passed("127.0.0.1:81", "127.0.0.1:81", 7))
        inheritance.add(try passed("127.0.0.1:80", "127.0.0.1:80", 8))
        #expect(inheritance.listeners.map(\.descriptors) == [[5, 6, 8], [7]])
    }

    @Test(arguments: [(4, 4), (4, 1), (4, 3), (1, 4), (253, 2), (0, 2)])
    func `every socket has a loop, and no loop many more than another`(
        sockets: Int, loops: Int
    ) {
        let descriptors = (0..<Int32(sockets)).map { $0 + 10 }
        let shares = PassedListeners.shares(of: descriptors, loops: loops)
        #expect(shares.count == loops)
        #expect(shares.flatMap(\.self).sorted() == descriptors)
        let counts = shares.map(\.count)
        #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
    }
}

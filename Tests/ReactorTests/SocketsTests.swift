// The socket functions against the kernel itself, on loopback and in a fresh directory.
// Ports are the kernel's choice; nothing leaves the machine.

import Fixtures
import Glibc
import Reactor
import Testing

@Suite struct SocketsTests {
    @Test(arguments: ["127.0.0.1", "::1"])
    func `bytes go both ways and the end is seen`(host: String) throws {
        let pair = try Pair(host: host)
        defer { pair.close() }
        #expect(pair.peer.description == host && pair.peer.port != 0)
        #expect(write("ping", to: pair.client) == 4)
        #expect(try readAll(pair.server, count: 4) == "ping")
        Sockets.shutdownWrites(pair.client)
        #expect(try readAll(pair.server, count: 1) == "")
    }

    @Test func `two pieces go out as one`() throws {
        let pair = try Pair(host: "127.0.0.1")
        defer { pair.close() }
        let sent = unsafe [UInt8]("head".utf8).withUnsafeBytes { head in
            unsafe [UInt8]("body".utf8).withUnsafeBytes { body in
                unsafe Sockets.send(pair.server, head, body)
            }
        }
        guard case .bytes(8) = sent else {
            Issue.record("sent \(sent)")
            return
        }
        #expect(try readAll(pair.client, count: 8) == "headbody")
    }

    @Test func `accepted and connected sockets do not delay small messages`() throws {
        let pair = try Pair(host: "127.0.0.1")
        defer { pair.close() }
        for descriptor in [pair.client, pair.server] {
            #expect(option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY) != 0)
            #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
            #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
        }
    }

    @Test func `loops share a port, a probe sees that it is held`() throws {
        let first = try Sockets.listen(on: SocketAddress(ipv4: 0x7f00_0001, port: 0))
        defer { Sockets.close(first) }
        let address = SocketAddress(ipv4: 0x7f00_0001, port: Sockets.boundPort(first))
        let second = try Sockets.listen(on: address)
        Sockets.close(second)
        #expect(throws: SystemError(call: "bind", code: EADDRINUSE)) {
            try Sockets.probe(address)
        }
    }

    @Test func `a probe of a free port leaves it free`() throws {
        let first = try Sockets.listen(on: SocketAddress(ipv4: ownHost(1), port: 0))
        let address = SocketAddress(ipv4: ownHost(1), port: Sockets.boundPort(first))
        Sockets.close(first)
        try Sockets.probe(address)
        Sockets.close(try Sockets.listen(on: address))
    }

    @Test func `nothing to accept is said`() throws {
        let listener = try Sockets.listen(on: SocketAddress(ipv4: 0x7f00_0001, port: 0))
        defer { Sockets.close(listener) }
        guard case .wouldBlock = Sockets.accept(listener) else {
            Issue.record("accepted something")
            return
        }
    }

    @Test func `a refused connection carries its reason`() throws {
        let listener = try Sockets.listen(on: SocketAddress(ipv4: ownHost(2), port: 0))
        let address = SocketAddress(ipv4: ownHost(2), port: Sockets.boundPort(listener))
        Sockets.close(listener)
        switch Sockets.connect(to: address) {
        case .inProgress(let descriptor):
            defer { Sockets.close(descriptor) }
            var poller = try Poller()
            try poller.add(descriptor, token: 1)
            let count = try poller.wait(milliseconds: 10_000)
            #expect(count == 1 && poller.readiness(0).contains(.failed))
            #expect(Sockets.pendingError(descriptor) == ECONNREFUSED)
        case .failed(let code): #expect(code == ECONNREFUSED)
        case .connected: Issue.record("somebody else listens on \(address)")
        }
    }

    @Test func `a reset on close is an error for the peer, not an end`() throws {
        let pair = try Pair(host: "127.0.0.1")
        defer { Sockets.close(pair.client) }
        Sockets.resetOnClose(pair.server)
        Sockets.close(pair.server)
        var poller = try Poller()
        try poller.add(pair.client, token: 1)
        let count = try poller.wait(milliseconds: 10_000)
        #expect(count == 1 && poller.readiness(0).contains([.failed, .hungUp, .peerClosed]))
        #expect(Sockets.pendingError(pair.client) == ECONNRESET)
    }

    @Test func `sending to a peer that is gone is an error, not a signal`() throws {
        let pair = try Pair(host: "127.0.0.1")
        defer { Sockets.close(pair.client) }
        Sockets.resetOnClose(pair.server)
        Sockets.close(pair.server)
        var codes: [Int32] = []
        for _ in 0..<2 {
            if case .failed(let code) = send("x", to: pair.client) { codes.append(code) }
        }
        #expect(codes.contains(EPIPE))
    }

    @Test func `unsent bytes are counted until the peer has them`() throws {
        let pair = try Pair(host: "127.0.0.1")
        defer { pair.close() }
        #expect(Sockets.unsentBytes(pair.server) == 0)
        let block = String(repeating: "x", count: 1 << 20)
        while case .bytes = send(block, to: pair.server) {}
        #expect(Sockets.unsentBytes(pair.server) > 0)
    }

    @Test func `the room for sending is gone when the kernel takes no more`() throws {
        let pair = try Pair(host: "127.0.0.1")
        defer { pair.close() }
        #expect(Sockets.sendRoom(pair.server) > 16 * 1024)
        let block = String(repeating: "x", count: 1 << 20)
        while case .bytes = send(block, to: pair.server) {}
        #expect(Sockets.sendRoom(pair.server) < 16 * 1024)
    }
}

@Suite struct UnixSocketTests {
    private let folder: ScratchFolder

    init() throws {
        folder = try .made()
    }

    @Test func `a unix listener answers, and its file is not taken from it`() throws {
        let address = try #require(SocketAddress(unixPath: folder.path(of: "a.sock")))
        let listener = try Sockets.listen(on: address)
        defer { Sockets.close(listener) }
        guard case .connected(let client) = Sockets.connect(to: address) else {
            Issue.record("no connection")
            return
        }
        defer { Sockets.close(client) }
        guard case .connection(let server, let peer) = Sockets.accept(listener) else {
            Issue.record("nothing accepted")
            return
        }
        Sockets.close(server)
        #expect(peer == .unix)
        let taken = SystemError(call: "bind", code: EADDRINUSE)
        #expect(throws: taken) { try Sockets.probe(address) }
        #expect(throws: taken) { Sockets.close(try Sockets.listen(on: address)) }
    }

    @Test func `a socket file that nobody answers on is replaced`() throws {
        let address = try #require(SocketAddress(unixPath: folder.path(of: "a.sock")))
        Sockets.close(try Sockets.listen(on: address))
        try Sockets.probe(address)
        let again = try Sockets.listen(on: address)
        Sockets.close(again)
        Sockets.removeFile(of: address)
        #expect(unsafe access(folder.path(of: "a.sock"), F_OK) == -1)
    }

    @Test func `an ordinary file at the path is left alone`() throws {
        let path = folder.path(of: "precious")
        Sockets.close(unsafe open(path, O_CREAT | O_WRONLY, 0o600))
        let address = try #require(SocketAddress(unixPath: path))
        #expect(throws: SystemError(call: "bind", code: EADDRINUSE)) {
            Sockets.close(try Sockets.listen(on: address))
        }
        Sockets.removeFile(of: address)
        #expect(unsafe access(path, F_OK) == 0)
    }

    @Test func `a shared listener can be paused and resumed on one poller`() throws {
        let address = try #require(SocketAddress(unixPath: folder.path(of: "a.sock")))
        let listener = try Sockets.listen(on: address)
        defer { Sockets.close(listener) }
        var poller = try Poller()
        try poller.addLevelTriggered(listener, token: 3, exclusive: true)
        guard case .connected(let client) = Sockets.connect(to: address) else { return }
        defer { Sockets.close(client) }
        let open = try poller.wait(milliseconds: 0)
        poller.pause(levelTriggered: listener, token: 3)
        let paused = try poller.wait(milliseconds: 0)
        try poller.resume(levelTriggered: listener, token: 3, exclusive: true)
        let resumed = try poller.wait(milliseconds: 0)
        #expect([open, paused, resumed] == [1, 0, 1])
    }
}

@Suite struct ReserveTests {
    @Test func `the reserve is a descriptor that can be given up`() {
        let reserve = Sockets.openReserve()
        #expect(reserve >= 0)
        Sockets.close(reserve)
    }
}

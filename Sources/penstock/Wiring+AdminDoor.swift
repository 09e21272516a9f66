// Takes the admin port's connections from the socket that listens, on a thread of its own. Not left
// to the HTTP library's loops: they cannot stand another process that accepts from the same socket,
// nor stop accepting without losing what they have just accepted.

import Admin
import Dispatch
import Reactor
import Synchronization
import Traffic

final class AdminDoor: Sendable {
    /// How long nothing is accepted when the system has no descriptor left.
    private static let restMilliseconds: Int32 = 50

    let descriptor: Int32
    /// Peers that may connect; empty is everybody who can reach the address.
    private let allow: [AddressRange]
    private let places = DispatchSemaphore(value: AdminLimits.connectionsTaken)
    private let bell: Doorbell
    private let isClosed = Atomic(false)
    private let ended = Latch(count: 1)
    private let connections = AsyncStream.makeStream(of: Int32.self)

    /// - Parameter descriptor: listens without blocking; stays open, for a process that takes over.
    init(_ descriptor: Int32, allow: [AddressRange]) throws {
        self.descriptor = descriptor
        self.allow = allow
        bell = try Doorbell()
        let poller = try Poller()
        try poller.addLevelTriggered(descriptor, token: 0)
        try poller.addLevelTriggered(bell.descriptor, token: 1)
        let polled = PolledDoor(poller)
        _ = LoopThread.start(name: "admin-door") { [self] in accept(polled) }
    }

    var incoming: AdminConnections {
        AdminConnections(
            descriptors: connections.stream, release: { [places] in places.signal() },
            stop: { [self] in close() })
    }

    /// Whoever connects once this has returned meets another process.
    func shut() async {
        close()
        // Waiting does not fail.
        try? await OwnThread.run { [ended] in ended.wait() }
    }

    /// No further connection is taken; those taken already are handed on.
    private func close() {
        isClosed.store(true, ordering: .releasing)
        bell.ring()
        places.signal()
    }

    private func accept(_ polled: PolledDoor) {
        while !isClosed.load(ordering: .acquiring) {
            places.wait()
            guard let connection = next(polled) else { break }
            connections.continuation.yield(connection)
        }
        connections.continuation.finish()
        ended.arrive()
    }

    private func next(_ polled: PolledDoor) -> Int32? {
        while !isClosed.load(ordering: .acquiring) {
            switch Sockets.accept(descriptor) {
            case .connection(let connection, let peer):
                if isAllowed(peer) { return connection }
                // A stranger gets no place, and not a byte.
                Sockets.close(connection)
            case .wouldBlock: polled.wait()
            case .outOfDescriptors, .failed: bell.wait(milliseconds: Self.restMilliseconds)
            }
        }
        return nil
    }
}

extension AdminDoor {
    private func isAllowed(_ peer: PeerAddress) -> Bool {
        let address = AddressBits(high: peer.high, low: peer.low)
        return allow.isEmpty || allow.contains { $0.contains(address) }
    }
}

/// A poller on its way to the one thread that waits with it.
private final class PolledDoor: Sendable {
    private let poller: Mutex<Poller>

    init(_ poller: consuming sending Poller) {
        self.poller = Mutex(poller)
    }

    func wait() {
        // EBADF only, and both descriptors are open.
        poller.withLock { _ = try? $0.wait(milliseconds: -1) }
    }
}

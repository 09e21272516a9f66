// The connections of one loop to one endpoint: those idle, newest first, so that the surplus ages
// and is closed, and those at work. Lives as long as a plan names the endpoint or a connection is
// open.

import Reactor
import Synchronization
import TLS

struct EndpointPool: ~Copyable {
    let endpoint: CompiledEndpoint
    var firstIdle: Slot<UpstreamConnection>?
    var idleCount = 0
    /// Connections that carry an exchange or open one.
    var firstActive: Slot<UpstreamConnection>?
    var openCount = 0
    /// Snapshots that name the endpoint.
    var users = 0
    /// Streams that the endpoint takes on one HTTP/2 connection, as it said last.
    var streamsAllowed = Limits.streamsPerCarrier
    /// The endpoint may choose, and has chosen HTTP/1.1.
    var choseHTTP1 = false
    /// Which of several addresses the next connection goes to.
    private var turn = 0
    /// As of this edition of the endpoint, so that no connection waits for a lock.
    private var edition = 0
    private var addresses: [SocketAddress] = []
    private var copiedTLS: EndpointTLS?
    /// Why a handshake failed last, and when that was told.
    private var fault: TLSFault?
    private var faultTold: Int64 = 0

    init(endpoint: CompiledEndpoint) {
        self.endpoint = endpoint
    }

    /// Nil while a name has not been resolved.
    mutating func nextAddress() -> SocketAddress? {
        refresh()
        turn &+= 1
        return addresses.isEmpty ? nil : addresses[turn % addresses.count]
    }

    /// Nil is cleartext.
    mutating func tls() -> EndpointTLS? {
        refresh()
        return copiedTLS
    }

    private mutating func refresh() {
        let current = endpoint.edition.load(ordering: .acquiring)
        if current == edition { return }
        edition = current
        addresses = endpoint.addresses.withLock { $0 }
        copiedTLS = endpoint.tls.withLock { $0 }
    }

    /// Tells what failed, for people: in words once a second at most, however many fail.
    mutating func note(_ fault: TLSFault, now: Int64) {
        if fault == self.fault, now - faultTold < Limits.housekeepingNanoseconds { return }
        self.fault = fault
        faultTold = now
        let text = "\(fault)"
        endpoint.probeError.withLock { if $0 != text { $0 = text } }
    }
}

extension Slot where Record == EndpointPool {
    func linkActive(_ upstream: Slot<UpstreamConnection>) {
        upstream.it.previous = nil
        upstream.it.next = it.firstActive
        it.firstActive?.it.previous = upstream
        it.firstActive = upstream
    }

    func linkIdle(_ upstream: Slot<UpstreamConnection>) {
        upstream.it.previous = nil
        upstream.it.next = it.firstIdle
        it.firstIdle?.it.previous = upstream
        it.firstIdle = upstream
        it.idleCount += 1
    }

    /// Takes a connection off the list its phase says it is on.
    func unlink(_ upstream: Slot<UpstreamConnection>) {
        let next = upstream.it.next
        let previous = upstream.it.previous
        next?.it.previous = previous
        if let previous {
            previous.it.next = next
        } else if upstream.it.phase == .idle {
            it.firstIdle = next
        } else {
            it.firstActive = next
        }
        if upstream.it.phase == .idle { it.idleCount -= 1 }
        upstream.it.next = nil
        upstream.it.previous = nil
    }
}

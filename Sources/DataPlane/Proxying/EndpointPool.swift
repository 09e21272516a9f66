// The connections of one loop to one endpoint: those idle, newest first, so that the surplus ages
// and is closed, and those at work. Lives as long as a plan names the endpoint or a connection is
// open.

import Reactor

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

    init(endpoint: CompiledEndpoint) {
        self.endpoint = endpoint
    }

    /// Nil while a name has not been resolved.
    mutating func nextAddress() -> SocketAddress? {
        turn &+= 1
        let turn = turn
        return endpoint.addresses.withLock { addresses in
            addresses.isEmpty ? nil : addresses[turn % addresses.count]
        }
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

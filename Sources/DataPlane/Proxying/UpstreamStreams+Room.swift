// Which of an endpoint's HTTP/2 connections takes the next request, and whether there may be one
// more of them: few, or else multiplexing would be of no use, but those that end do not count.

import HTTPWire
import Reactor

extension Worker {
    /// The endpoint's connections, or one more of them, can take the request.
    func hasRoom(at pool: Slot<EndpointPool>, for exchange: Slot<Exchange>) -> Bool {
        if !exchange.it.keepsPayload || pool.it.choseHTTP1 { return true }
        return hasRoomForCarrier(pool) || roomiest(of: pool) != nil
    }

    /// Connections that only end, with answers that may take long, do not stand in others' way.
    func hasRoomForCarrier(_ pool: Slot<EndpointPool>) -> Bool {
        if pool.it.openCount < Limits.carriersPerEndpoint { return true }
        var ending = 0
        var next = pool.it.firstActive
        while let connection = next {
            next = connection.it.next
            guard let carrier = connection.it.carrier else { continue }
            if carrier.it.isEnding || carrier.it.session.isLeaving { ending += 1 }
        }
        return pool.it.openCount - ending < Limits.carriersPerEndpoint
            && pool.it.openCount < Limits.carriersPerEndpointMax
    }

    /// A connection that takes one more stream, if there is one.
    func roomiest(of pool: Slot<EndpointPool>) -> Slot<UpstreamConnection>? {
        var next = pool.it.firstActive
        while let connection = next {
            next = connection.it.next
            guard let carrier = connection.it.carrier, !carrier.it.isEnding else { continue }
            // Until a connection has said what it allows, it is taken for one like the last.
            if carrier.it.session.hasPeerSettings {
                pool.it.streamsAllowed = min(
                    carrier.it.session.streamsAllowed, Limits.streamsPerCarrier)
            }
            // Requests that wait for the connection count, and it may allow fewer than the last.
            let room = min(pool.it.streamsAllowed, carrier.it.session.streamsAllowed)
            if carrier.it.session.canRequest, carrier.it.streamCount < room { return connection }
        }
        return nil
    }
}

// tmp

import HTTPWire
import Reactor

struct Carrier { let channel: Slot<Channel> }
struct StreamState { var id: Int32; var hasEnded = false; var isComplete = false }

extension Worker {
    mutating func sendHead(
        to client: Slot<ClientConnection>, isFinal: Bool, endsStream: Bool = false
    ) {
        loop.send(client.it.channel, composed)
    }
    mutating func readCarried(_ upstream: Slot<UpstreamConnection>) {}
    mutating func keepTrailers(_ lines: Bytes, of client: Slot<ClientConnection>) {}
    mutating func keepTrailers(_ lines: Bytes, of upstream: Slot<UpstreamConnection>) {}
    mutating func completeStream(_ client: Slot<ClientConnection>) {}
    mutating func completeStream(_ upstream: Slot<UpstreamConnection>) {}
    mutating func carrierEvent(_ client: Slot<ClientConnection>, hasDrained: Bool) {}
    mutating func carrierEvent(_ upstream: Slot<UpstreamConnection>, hasDrained: Bool) {}
    mutating func carrierConnected(_ upstream: Slot<UpstreamConnection>, failed: Bool) {}
    mutating func carrierTimer(_ client: Slot<ClientConnection>) {}
    mutating func carrierTimer(_ upstream: Slot<UpstreamConnection>) {}
    mutating func endCarried(_ client: Slot<ClientConnection>) {}
    mutating func endCarried(_ upstream: Slot<UpstreamConnection>) {}
    mutating func takeFrames(_ bytes: Bytes, from client: Slot<ClientConnection>) -> Int { 0 }
    mutating func takePayload(_ bytes: Bytes, from client: Slot<ClientConnection>) -> Int { 0 }
    mutating func reachStream(
        of pool: Slot<EndpointPool>, for exchange: Slot<Exchange>
    ) -> RefusalCode? { nil }
    mutating func transmitOnStream(
        _ exchange: Slot<Exchange>, on upstream: Slot<UpstreamConnection>
    ) {}
    func speaksHTTP2(_ exchange: Slot<Exchange>) -> Bool { false }
}

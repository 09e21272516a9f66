// Streams of multiplexed connections as channels without sockets: they have a timer and an owner
// like any other, so that deadlines and back-pressure need not know which kind it is.

extension EventLoop {
    /// A channel without a socket. Nil when the loop has as many channels as it may.
    package mutating func openStream(owner: UInt64) -> Slot<Channel>? {
        channels.take(Channel(descriptor: -1, owner: owner, isConnecting: false))
    }
}

// One stream socket as its loop sees it: readiness, the part of a batch's arena that waits to be
// sent, and what the kernel would not take. The record's owner is known by a tagged address, so
// that an event finds its way without a look-up. A channel without a socket stands for one stream
// of a multiplexed connection, which does the sending and says when the stream is blocked.

internal import TLS

package struct Channel {
    /// -1 for a stream.
    package let descriptor: Int32
    /// What the event belongs to: a record's address with its kind in the low four bits.
    package var owner: UInt64
    package var timer = TimerID.none

    /// Bytes may be waiting in the kernel. Edge-triggered: stays true until a read comes up short.
    package var isReadable = false
    /// The peer has closed its sending side, or all of it.
    package var isPeerClosed = false
    /// A send failed; nothing more goes out.
    package var isBroken = false
    package var isConnecting = false
    /// The poller knows the socket: events of it come.
    package internal(set) var isPolled = false
    package var isClosed = false
    /// When the kernel last began not to take all that was sent.
    package var stalledAt: Int64 = 0
    /// Bytes of backlogs that the kernel has taken since.
    var drainedBytes: Int64 = 0
    /// Of a stream: its connection takes no more for now.
    package var isBlocked = false

    /// What is sent and received is sealed.
    var session: Slot<TLSSession>?

    var deferredOffset: UInt32 = 0
    var deferredCount: UInt32 = 0
    var backlog = HeapBytes()

    init(descriptor: Int32, owner: UInt64, isConnecting: Bool) {
        self.descriptor = descriptor
        self.owner = owner
        self.isConnecting = isConnecting
    }

    package var isStream: Bool { descriptor < 0 }
    package var isSealed: Bool { session != nil }

    /// The kernel, or the connection that carries the stream, would not take all of what was sent:
    /// do not read the source meanwhile.
    package var isCongested: Bool { !backlog.isEmpty || isBlocked }

    /// Memory of the backlog beyond the usual.
    var surplus: Int { max(0, backlog.reserved - ReactorLimits.usualBacklogBytes) }

    /// Bytes accepted from the caller that the kernel does not have yet.
    package var unsentCount: Int { backlog.count + Int(deferredCount) }
}

// Every bound of this module, with the sum that chose it.

package enum ReactorLimits {
    /// Events taken by one wait: 6 KB of memory, and more than one batch ever held under load.
    package static let eventsPerWait = 512
    /// Records a slab allocates at once: 64 × 256 B is four pages.
    package static let recordsPerBlock = 64
    /// Connections the kernel may queue for a listener; net.core.somaxconn caps it.
    package static let listenBacklog: Int32 = 4096
    /// A tick of the timer wheel is 2²⁵ ns, 33.6 ms: a timer is late by one tick and 1 ms at most.
    package static let timerTickBits: Int64 = 25
    /// Slots of the timer wheel: 4096 × 33.6 ms = 137 s, longer than the usual time-outs; timers
    /// beyond it are looked at once each 137 s. 64 words of bitmap with one word above them.
    package static let timerSlots = 4096
    /// The shared read buffer: the largest single read. A quarter of a second-level cache of
    /// 2 MiB, so that what was read is still there when it is sent.
    package static let scratchBytes = 512 * 1024
    /// Sealed bytes read at once: opened they fit the shared read buffer, with the record before.
    package static let sealedReadBytes = 128 * 1024
    /// Plaintext sealed in one go.
    package static let sealBytes = 256 * 1024
    /// Messages of one batch that wait to be sent together: 512 events of 2 KiB.
    package static let arenaBytes = 1024 * 1024
    /// Channels that are not polled yet: as many as one batch accepts and a fast replica leaves
    /// unanswered for a millisecond. Further ones are polled at once.
    static let unpolledChannels = 256
    /// Nanoseconds a channel may stay unpolled: replicas that take longer cost much more than the
    /// call that polling takes. The shortest time that a wait for events can be limited to.
    static let unpolledNanoseconds: Int64 = 1_000_000
    /// Channels with something deferred; when there are more, all are flushed first.
    package static let dirtyChannels = 1024
    /// How soon after a channel's peer has stopped taking bytes its owner gets a look: long enough
    /// for the pauses of a fast transfer, short beside any time-out that ends such a connection.
    package static let stallLookNanoseconds: Int64 = 100_000_000
    /// What a channel may keep without being counted: one small read of its source.
    static let usualBacklogBytes = 16 * 1024
    /// A message above this is sent at once: copying it would cost more than a call saves.
    package static let deferredBytes = 16 * 1024
    /// Freed memory is given back when so much more is resident than there need be: a thousand
    /// handshakes, and 5 % of what 20,000 connections take.
    static let spareBytes = 16 * 1024 * 1024
    /// How soon after the last time; twice as long whenever it brought little, up to minutes, since
    /// the allocator has to be searched through for it.
    static let sparePauseNanoseconds: Int64 = 2_000_000_000
    static let sparePauseNanosecondsMax: Int64 = 256_000_000_000
    /// A message from one process to its successor: an address twice, or a sentence of cause; the
    /// longest is the list of 64 listeners with paths of 107 bytes.
    package static let handoverMessageBytes = 16 * 1024
}

// Counts what a peer does that costs us and moves nothing (RFC 9113 10.5), against what it does
// that is useful. Six leaky buckets; whoever empties one is asked to calm down and let go.

struct HTTP2AbuseMeter {
    private var peerResets: AbuseBucket
    private var ownResets: AbuseBucket
    private var refusals: AbuseBucket
    private var idleFrames: AbuseBucket
    private var lateData: AbuseBucket
    private var excess: AbuseBucket

    init(now: Int64) {
        peerResets = AbuseBucket(Limits.peerResets, now: now)
        ownResets = AbuseBucket(Limits.ownResets, now: now)
        refusals = AbuseBucket(Limits.refusals, now: now)
        idleFrames = AbuseBucket(Limits.idleFrames, now: now)
        lateData = AbuseBucket(Limits.lateData, now: now)
        excess = AbuseBucket(Limits.excessKilobytes, now: now)
    }

    /// The peer reset a stream. False when that was once too often; so for the others.
    mutating func peerReset(now: Int64) -> Bool { peerResets.take(Limits.peerResets, now: now) }

    /// The peer's fault made us reset a stream.
    mutating func ownReset(now: Int64) -> Bool { ownResets.take(Limits.ownResets, now: now) }

    /// The peer began a stream beyond its limit.
    mutating func refusal(now: Int64) -> Bool { refusals.take(Limits.refusals, now: now) }

    /// A frame came that moves nothing.
    mutating func idleFrame(now: Int64) -> Bool { idleFrames.take(Limits.idleFrames, now: now) }

    /// A head came for a stream that is over: it must be read all the same, like ten small frames.
    mutating func lateHead(now: Int64) -> Bool {
        idleFrames.take(Limits.idleFrames, thousandths: 10_000, now: now)
    }

    /// Data came for a stream that is over.
    mutating func lateFrame(now: Int64) -> Bool { lateData.take(Limits.lateData, now: now) }

    /// So many bytes of a head came that has been too large already.
    mutating func excess(_ bytes: Int, now: Int64) -> Bool {
        excess.take(Limits.excessKilobytes, thousandths: Int64(bytes), now: now)
    }

    /// A head was understood, or a frame of data went in either direction: a busy peer sends a
    /// WINDOW_UPDATE for the stream and one for the connection after it, perhaps a PING, too.
    mutating func message() { idleFrames.give(4, Limits.idleFrames) }

    /// Both sides of a stream ended as they should.
    mutating func streamEnded() { peerResets.give(1, Limits.peerResets) }
}

/// Thousandths, so that a bucket refilled often loses nothing to rounding.
struct AbuseBucket {
    private var level: Int64
    private var since: Int64

    init(_ budget: AbuseBudget, now: Int64) {
        level = budget.burst &* 1_000
        since = now
    }

    mutating func take(
        _ budget: AbuseBudget, thousandths: Int64 = 1_000, now: Int64
    ) -> Bool {
        refill(budget, now: now)
        guard level >= thousandths else { return false }
        level &-= thousandths
        return true
    }

    mutating func give(_ count: Int64, _ budget: AbuseBudget) {
        level = min(level &+ count &* 1_000, budget.burst &* 1_000)
    }

    /// By whole milliseconds; what is left of one counts the next time.
    private mutating func refill(_ budget: AbuseBudget, now: Int64) {
        let elapsed = (now &- since) / 1_000_000
        guard elapsed > 0 else { return }
        since &+= elapsed &* 1_000_000
        // A day fills any bucket, and is far from overflowing.
        let counted = min(elapsed, 86_400_000)
        level = min(level &+ counted &* budget.perSecond, budget.burst &* 1_000)
    }
}

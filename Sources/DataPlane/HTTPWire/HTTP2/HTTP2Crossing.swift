// What a replica has on the way when it hears that calls were given up. That is no fault of its
// own, nor of those who share the connection with the client that left: only what goes beyond it
// counts against the replica. Bounded by the window that each of the calls had.

struct HTTP2Crossing {
    private var heads = 0
    private var bytes = 0

    /// A call was given up before its answer was whole.
    mutating func gaveUp() {
        let streams = Limits.crossingStreams
        heads = min(heads &+ Limits.crossingHeads, streams &* Limits.crossingHeads)
        bytes = min(
            bytes &+ Limits.replicaStreamWindowBytes, streams &* Limits.replicaStreamWindowBytes)
    }

    /// A head came for a call that is over. False when that is none of these.
    mutating func takeHead() -> Bool {
        guard heads > 0 else { return false }
        heads &-= 1
        return true
    }

    /// A frame of data came for a call that is over; an empty one is taken for a byte.
    mutating func takeData(_ count: Int) -> Bool {
        let taken = max(1, count)
        guard bytes >= taken else { return false }
        bytes &-= taken
        return true
    }
}

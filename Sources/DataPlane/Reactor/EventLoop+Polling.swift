// Putting off the registration of connections that may be over before anything more comes of them.

extension EventLoop {
    /// For a channel that is likely to be closed before it is of any interest what comes of it: it
    /// is polled a millisecond later if it is still open then. What nobody polls costs nothing,
    /// and polling for one request costs 4 % of it.
    package mutating func pollLater(_ channel: Slot<Channel>) -> Bool {
        if channel.it.isPolled { return true }
        if unpolledCount == ReactorLimits.unpolledChannels { return poll(channel) }
        let until = now + ReactorLimits.unpolledNanoseconds
        unsafe unpolled[unpolledCount] = Unpolled(channel: channel, until: until)
        unpolledCount += 1
        return true
    }

    /// Before the records of closed channels are recycled.
    mutating func pollOverdue() {
        var kept = 0
        for index in 0..<unpolledCount {
            let entry = unsafe unpolled[index]
            let channel = entry.channel
            if channel.it.isClosed || channel.it.isPolled { continue }
            if entry.until <= now {
                // Without memory for it the channel goes the way of a failed one.
                if !poll(channel) { channel.it.isBroken = true }
                continue
            }
            unsafe unpolled[kept] = entry
            kept += 1
        }
        unpolledCount = kept
    }
}

/// A channel that is polled later.
struct Unpolled {
    let channel: Slot<Channel>
    let until: Int64
}

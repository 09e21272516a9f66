// The last streams a client has begun, and how it ended them. The library forgets a stream when it
// closes and ignores what comes for it later; but frames after the client's own end of a stream, or
// on a stream that it skipped, are its fault (RFC 9113 5.1, 5.1.1), while those that crossed with a
// reset of ours are not.

struct HTTP2RecentStreams {
    enum Verdict: Equatable { case fine, wasReset, hasEnded, wasSkipped }

    /// 320 bytes a connection; a frame is rarely more than some streams late.
    private static let count = 64

    private var ids = InlineArray<64, Int32>(repeating: 0)
    private var ends = InlineArray<64, UInt8>(repeating: 0)
    private var next = 0
    private var last: Int32 = 0

    /// About a head or data on a stream; heads may begin it.
    mutating func judge(_ id: Int32, isHead: Bool) -> Verdict {
        if id > last {
            if isHead { begin(id) }
            return .fine
        }
        guard let place = place(of: id) else {
            // Skipped, unless it is too long ago to tell.
            return id > ids[next] ? .wasSkipped : .fine
        }
        return ends[place] == 0 ? .fine : ends[place] == 1 ? .hasEnded : .wasReset
    }

    /// The client has sent the last frame of a stream.
    mutating func end(_ id: Int32, isReset: Bool) {
        if let place = place(of: id) { ends[place] = isReset ? 2 : 1 }
    }

    private mutating func begin(_ id: Int32) {
        last = id
        ids[next] = id
        ends[next] = 0
        next = (next &+ 1) % HTTP2RecentStreams.count
    }

    /// Streams begin in order, so the latest are the likeliest. Mutating, or a copy would be made
    /// for the search.
    private mutating func place(of id: Int32) -> Int? {
        var place = next
        for _ in 0..<HTTP2RecentStreams.count {
            place = place == 0 ? HTTP2RecentStreams.count &- 1 : place &- 1
            if ids[place] == id { return place }
            if ids[place] < id { return nil }
        }
        return nil
    }
}

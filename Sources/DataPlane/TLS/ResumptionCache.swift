// Sessions that replicas let us resume: a few per loop, each used once, the oldest given up first.
// A loop touches its own row only. Owned by the client context they belong to.

internal import COpenSSL

@safe
final class ResumptionCache {
    @safe
    private struct Place {
        /// Of the peer's name; 0 is free.
        var name: UInt64 = 0
        var session: OpaquePointer?
    }

    /// Per loop, the newest last.
    private let rows: UnsafeMutableBufferPointer<Place>
    private static let width = TLSLimits.resumptions

    init(loops: Int) {
        unsafe rows = .allocate(capacity: loops * Self.width)
        unsafe rows.initialize(repeating: Place())
    }

    deinit {
        for index in unsafe rows.indices { unsafe SSL_SESSION_free(rows[index].session) }
        unsafe rows.deallocate()
    }

    /// Owns the session from now on.
    func put(_ session: OpaquePointer, for name: UInt64, loop: Int) {
        let first = loop * Self.width
        let free = (first..<(first + Self.width)).last { unsafe rows[$0].name == 0 } ?? first
        unsafe SSL_SESSION_free(rows[free].session)
        close(gap: free, upTo: first + Self.width - 1)
        unsafe rows[first + Self.width - 1] = unsafe Place(name: name, session: session)
    }

    /// The newest session with a peer, which the caller then owns. Resumed once only, so that
    /// nobody on the way can tell that two connections belong together (RFC 8446 C.4).
    func take(_ name: UInt64, loop: Int) -> OpaquePointer? {
        let first = loop * Self.width
        let last = first + Self.width - 1
        guard let found = (first...last).last(where: { unsafe rows[$0].name == name }) else {
            return nil
        }
        let session = unsafe rows[found].session
        // The free places stay in front.
        var place = found
        while place > first {
            unsafe rows[place] = unsafe rows[place - 1]
            place -= 1
        }
        unsafe rows[first] = Place()
        return unsafe session
    }

    private func close(gap: Int, upTo last: Int) {
        var place = gap
        while place < last {
            unsafe rows[place] = unsafe rows[place + 1]
            place += 1
        }
    }

    /// Called when a replica has sent a ticket. Answers 1 to keep the session.
    static let keep: @convention(c) (OpaquePointer?, OpaquePointer?) -> Int32 = {
        session, resumable in
        guard let cache = unsafe ContextMaking.known(to: session, as: ResumptionCache.self),
            let transfer = unsafe Transfer.of(session: session), let resumable = unsafe resumable,
            unsafe SSL_SESSION_is_resumable(resumable) == 1
        else { return 0 }
        let name = UInt64(UInt(bitPattern: unsafe SSL_get_ex_data(session, 0)))
        guard name != 0 else { return 0 }
        unsafe cache.put(resumable, for: name, loop: transfer.pointee.loop)
        return 1
    }
}

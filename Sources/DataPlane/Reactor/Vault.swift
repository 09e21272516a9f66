// What the sealed channels of a loop share: the sessions' slab, and memory for sealed bytes on
// their way in and out. Pages that no channel needs are never touched.

internal import TLS

@safe
struct Vault: ~Copyable {
    let engine: TLSEngine
    var sessions: Slab<TLSSession>
    /// As read from a socket.
    let sealed: UnsafeMutableRawBufferPointer
    /// What sessions say by themselves.
    let reply: UnsafeMutableRawBufferPointer
    /// On its way out.
    let outgoing: UnsafeMutableRawBufferPointer
    /// Why the last session that failed did so.
    var fault: TLSFault?

    init(loop: Int, limit: Int) {
        engine = TLSEngine(loop: loop)
        sessions = Slab(limit: limit)
        unsafe sealed = .allocate(byteCount: ReactorLimits.sealedReadBytes, alignment: 64)
        unsafe reply = .allocate(byteCount: TLSLimits.replyBytes, alignment: 64)
        unsafe outgoing = .allocate(
            byteCount: TLSLimits.sealedBytes(ReactorLimits.sealBytes), alignment: 64)
    }

    deinit {
        unsafe sealed.deallocate()
        unsafe reply.deallocate()
        unsafe outgoing.deallocate()
    }
}

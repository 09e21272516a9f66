// One TLS connection as bytes in, bytes out: what the socket brought goes in, plaintext and what
// must be sent come out. Owns no socket and no buffer; an idle session is OpenSSL's state alone,
// about 13 KiB. A plain handle that lives in a record: whoever made it frees it once.

internal import COpenSSL

@safe
package struct TLSSession {
    private enum Phase: UInt8 {
        /// A server that has not seen nine bytes yet.
        case guarded
        case shakingHands
        case established
        /// The peer has said that it will send no more.
        case peerClosed
        case failed
    }

    let session: OpaquePointer
    private let transfer: UnsafeMutablePointer<Transfer>
    private var phase: Phase
    /// It was said that nothing more will be sent; the peer may go on.
    private var hasEnded = false
    private var hello = ClientHelloGuard()
    /// Steps of the protocol since so many bytes of plaintext.
    private var steps: UInt16 = 0
    private var stepBytes: UInt32 = 0
    /// Records sealed with the present key.
    private var records: UInt32 = 0
    /// A record's plaintext is two to the power of this; a peer with little memory may have asked
    /// for less than usual (RFC 6066 4).
    private var recordShift: UInt8 = 14
    /// A client's ticket goes with the first bytes that it is sent, so as to save a call.
    private var owesTicket = false

    init?(_ context: OpaquePointer, on engine: borrowing TLSEngine, isServer: Bool) {
        guard let session = unsafe SSL_new(context) else {
            ERR_clear_error()
            return nil
        }
        unsafe self.session = session
        unsafe transfer = engine.transfer
        phase = isServer ? .guarded : .shakingHands
        unsafe BIO_up_ref(engine.bio)
        unsafe SSL_set_bio(session, engine.bio, engine.bio)
        if isServer {
            unsafe SSL_set_accept_state(session)
        } else {
            unsafe SSL_set_connect_state(session)
        }
    }

    /// The session and its copies must not be used again.
    package func free() {
        // Told that the session ended well, OpenSSL does not look for it in a store to forget it,
        // and a client may resume it. Sessions with a fault were forgotten when it happened.
        unsafe SSL_set_shutdown(session, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(session)
    }

    /// Plaintext can be sent.
    package var isEstablished: Bool {
        (phase == .established || phase == .peerClosed) && !hasEnded
    }

    /// The peer has ended the session itself (close_notify). If its socket ends without that, what
    /// it sent may have been cut short by anybody.
    package var isPeerClosed: Bool { phase == .peerClosed }

    /// Nothing more will be received.
    package var isOver: Bool { phase == .peerClosed || phase == .failed }

    /// The peer is who was connected to.
    package var isClient: Bool { unsafe SSL_is_server(session) == 0 }

    // MARK: Receiving

    /// Takes all that the socket brought. Also begins a client's handshake, when given nothing.
    ///
    /// - Parameters:
    ///   - plaintext: room for what was sent to us, at least `TLSLimits.openedBytes`.
    ///   - reply: room for what must be sent, at least `TLSLimits.replyBytes`.
    package mutating func receive(
        _ ciphertext: UnsafeRawBufferPointer, plaintext: UnsafeMutableRawBufferPointer,
        reply: UnsafeMutableRawBufferPointer
    ) -> TLSReceived {
        precondition(
            plaintext.count >= TLSLimits.openedBytes(ciphertext.count)
                && reply.count >= TLSLimits.replyBytes, "there is room for all that may come")
        var received = TLSReceived()
        switch phase {
        case .established: break
        case .guarded:
            if let fault = unsafe inspect(ciphertext) { return fail(fault, &received) }
        case .shakingHands: break
        case .peerClosed:
            received.status = .closed
            return received
        case .failed: return fail(TLSFault(.unusable), &received)
        }
        unsafe transfer.pointee.begin(ciphertext, reply)
        if phase == .established || shakeHands(&received) {
            unsafe drain(into: plaintext, &received)
        }
        // Behind the end comes nothing, also no answer to a peer that changes its key.
        received.replyCount = unsafe hasEnded ? 0 : transfer.pointee.outputCount
        unsafe transfer.pointee.end()
        return received
    }

    private mutating func inspect(_ ciphertext: UnsafeRawBufferPointer) -> TLSFault? {
        switch unsafe hello.inspect(ciphertext) {
        case .accepted: return nil
        case .plainHTTP: return TLSFault(.plainHTTP)
        case .notTLS: return TLSFault(.notTLS)
        case .tooLarge: return TLSFault(.tooLarge)
        }
    }

    private mutating func fail(_ fault: TLSFault, _ received: inout TLSReceived) -> TLSReceived {
        phase = .failed
        received.status = .failed(fault)
        return received
    }

    /// True when the handshake is done.
    @inline(never)
    private mutating func shakeHands(_ received: inout TLSReceived) -> Bool {
        let answer = unsafe SSL_do_handshake(session)
        if answer == 1 {
            phase = .established
            unsafe transfer.pointee.forgetSteps()
            let wish = unsafe SSL_SESSION_get_max_fragment_length(SSL_get_session(session))
            if (1...4).contains(wish) { recordShift = 8 + wish }
            owesTicket = unsafe SSL_is_server(session) == 1 && version == .tls13
            // Some functions of the library succeed and leave an error behind all the same.
            ERR_clear_error()
            return true
        }
        note(unsafe SSL_get_error(session, answer), &received)
        return false
    }

    /// Reads records until the input is used up. What is left of a last one waits in the session.
    @inline(__always)
    private mutating func drain(
        into room: UnsafeMutableRawBufferPointer, _ received: inout TLSReceived
    ) {
        guard let start = room.baseAddress else { return }
        while unsafe transfer.pointee.inputCount > 0 {
            var count = 0
            let place = unsafe start + received.plaintextCount
            let answer = unsafe SSL_read_ex(
                session, place, room.count - received.plaintextCount, &count)
            guard answer == 1 else {
                note(unsafe SSL_get_error(session, answer), &received)
                break
            }
            received.plaintextCount += count
        }
        if unsafe transfer.pointee.steps > 0 { countSteps(&received) }
        stepBytes &+= UInt32(truncatingIfNeeded: received.plaintextCount)
    }

    @inline(never)
    private mutating func note(_ code: Int32, _ received: inout TLSReceived) {
        switch code {
        case SSL_ERROR_WANT_READ: return
        case SSL_ERROR_ZERO_RETURN:
            phase = .peerClosed
            received.status = .closed
        default:
            // Whatever else it is: nothing more can be done with this session.
            phase = .failed
            received.status = .failed(unsafe TLSFault.take(session))
        }
    }

    /// Each step costs us a derivation of keys or an answer, and the peer a few bytes.
    @inline(never)
    private mutating func countSteps(_ received: inout TLSReceived) {
        ERR_clear_error()
        if stepBytes > UInt32(TLSLimits.stepWindowBytes) { (steps, stepBytes) = (0, 0) }
        steps &+= UInt16(clamping: unsafe transfer.pointee.steps)
        guard steps > UInt16(TLSLimits.stepsPerWindow), phase == .established else { return }
        _ = fail(TLSFault(.flood), &received)
    }

    // MARK: Sending

    /// Seals plaintext into records, one behind the other: all of it, or as much as surely fits.
    ///
    /// - Parameter room: `TLSLimits.sealedBytes` holds all at once, but for peers that want small
    ///   records; `TLSLimits.sealRoomBytes` at least.
    package mutating func send(
        _ plaintext: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) throws(TLSFault) -> TLSSealed {
        precondition(room.count >= TLSLimits.sealRoomBytes, "there is room for a record")
        guard isEstablished else { throw TLSFault(.unusable) }
        let count =
            plaintext.count <= 1 << Int(recordShift)
            ? plaintext.count : min(plaintext.count, fitting(room.count))
        guard count > 0 else { return TLSSealed(plaintextCount: 0, ciphertextCount: 0) }
        unsafe transfer.pointee.begin(UnsafeRawBufferPointer(start: nil, count: 0), room)
        records &+= UInt32(truncatingIfNeeded: count >> Int(recordShift) + 1)
        if records > TLSLimits.recordsPerKey { renewKey() }
        var written = 0
        let answer = unsafe SSL_write_ex(session, plaintext.baseAddress, count, &written)
        let sealed = unsafe transfer.pointee.outputCount
        unsafe transfer.pointee.end()
        guard answer == 1, written == count else {
            phase = .failed
            throw unsafe TLSFault.take(session)
        }
        return TLSSealed(plaintextCount: count, ciphertextCount: sealed)
    }

    /// Seals what lets the client resume, once, where it is owed: in front of the first plaintext.
    ///
    /// - Parameter room: of `TLSLimits.replyBytes` at least.
    /// - Returns: how many bytes of `room` are to be sent.
    package mutating func sendTicket(
        into room: UnsafeMutableRawBufferPointer
    ) throws(TLSFault) -> Int {
        guard owesTicket else { return 0 }
        return try unsafe makeTicket(into: room)
    }

    @inline(never)
    private mutating func makeTicket(
        into room: UnsafeMutableRawBufferPointer
    ) throws(TLSFault) -> Int {
        precondition(room.count >= TLSLimits.replyBytes, "there is room for a ticket")
        owesTicket = false
        guard isEstablished else { return 0 }
        unsafe transfer.pointee.begin(UnsafeRawBufferPointer(start: nil, count: 0), room)
        let isMade =
            unsafe SSL_new_session_ticket(session) == 1 && SSL_do_handshake(session) == 1
        let sealed = unsafe transfer.pointee.outputCount
        unsafe transfer.pointee.end()
        guard isMade else {
            phase = .failed
            throw unsafe TLSFault.take(session)
        }
        // A handshake makes room to read, which only reading would give back.
        _ = unsafe SSL_free_buffers(session)
        ERR_clear_error()
        return sealed
    }

    /// The plaintext that fits when it is cut into whole records.
    private func fitting(_ roomBytes: Int) -> Int {
        let record = 1 << Int(recordShift)
        let free = roomBytes - TLSLimits.sealSlackBytes
        let whole = free / (record + TLSLimits.recordOverheadBytes)
        let rest = free - whole * (record + TLSLimits.recordOverheadBytes)
        return whole * record + max(0, rest - TLSLimits.recordOverheadBytes)
    }

    /// TLS 1.2 has no way to do so; its nonces do not repeat either.
    @inline(never)
    private mutating func renewKey() {
        records = 0
        guard version == .tls13 else { return }
        // Fails only while another update waits to be sent, which does as well.
        if unsafe SSL_key_update(session, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 { ERR_clear_error() }
    }

    /// Says that nothing more will be sent. What the peer still sends is received as before; once
    /// is enough.
    ///
    /// - Returns: how many bytes of `room` are to be sent; 256 is enough of it.
    package mutating func close(into room: UnsafeMutableRawBufferPointer) -> Int {
        guard isEstablished else { return 0 }
        unsafe transfer.pointee.begin(UnsafeRawBufferPointer(start: nil, count: 0), room)
        if unsafe SSL_shutdown(session) < 0 { ERR_clear_error() }
        let sealed = unsafe transfer.pointee.outputCount
        unsafe transfer.pointee.end()
        hasEnded = true
        return sealed
    }
}

/// What became of bytes to be sent.
package struct TLSSealed {
    package let plaintextCount: Int
    package let ciphertextCount: Int
}

/// What became of bytes received.
package struct TLSReceived {
    package enum Status {
        /// More may come.
        case open
        /// The peer has ended the session: all that it sent has arrived.
        case closed
        /// Over; the reply, an alert, may still be sent.
        case failed(TLSFault)
    }

    package var status = Status.open
    package var plaintextCount = 0
    package var replyCount = 0
}

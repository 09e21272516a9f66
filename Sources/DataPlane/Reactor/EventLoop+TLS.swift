// TLS under a channel: whoever sends and receives sees plaintext. Records are sealed when the batch
// ends, many messages in one, and opened into the shared scratch; handshakes need nobody's help.

package import TLS

extension EventLoop {
    // MARK: Sessions

    /// The channel's next bytes are a client's handshake. False when there is no memory for it.
    package mutating func beginTLS(_ channel: Slot<Channel>, as context: TLSServerContext) -> Bool {
        guard let session = context.accept(on: vault.engine) else { return false }
        return adopt(session, on: channel)
    }

    /// Begins a handshake with the peer. False when there is no memory for it.
    package mutating func beginTLS(
        _ channel: Slot<Channel>, as context: TLSClientContext, to name: TLSPeerName
    ) -> Bool {
        guard let session = context.connect(to: name, on: vault.engine),
            adopt(session, on: channel)
        else { return false }
        return unsafe !hasFailed(open(UnsafeRawBufferPointer(start: nil, count: 0), on: channel))
    }

    private mutating func adopt(_ session: TLSSession, on channel: Slot<Channel>) -> Bool {
        guard let slot = vault.sessions.take(session) else {
            session.free()
            return false
        }
        channel.it.session = slot
        return true
    }

    private func hasFailed(_ result: Received) -> Bool {
        if case .failed = result { return true }
        return false
    }

    /// The handshake is done.
    package func isEstablished(_ channel: Slot<Channel>) -> Bool {
        channel.it.session?.it.isEstablished == true
    }

    package func negotiated(_ channel: Slot<Channel>) -> TLSProtocol {
        channel.it.session?.it.negotiated ?? .http1
    }

    /// Why the session that was received from last has failed; nil when it has not, or its socket
    /// was at fault.
    package var sessionFault: TLSFault? { vault.fault }

    /// Writes the subject of the peer's certificate; 0 without one.
    package func peerSubject(
        of channel: Slot<Channel>, into room: UnsafeMutableRawBufferPointer
    ) -> Int {
        unsafe channel.it.session?.it.peerSubject(into: room) ?? 0
    }

    /// From here on the channel is in the clear: to tell a client that it is mistaken.
    package mutating func dropTLS(_ channel: Slot<Channel>) { dropSession(of: channel) }

    mutating func dropSession(of channel: Slot<Channel>) {
        guard let session = channel.it.session else { return }
        channel.it.session = nil
        session.it.free()
        vault.sessions.give(session)
    }

    /// Says that nothing more will be sent (RFC 8446 6.1): without it an end could be anybody's.
    mutating func endSession(of channel: Slot<Channel>) {
        guard let session = channel.it.session else { return }
        let count = unsafe session.it.close(into: vault.outgoing)
        unsafe sendRaw(
            Bytes(UnsafeRawBufferPointer(rebasing: vault.outgoing[..<count])), on: channel)
    }

    /// Nothing more will be sent on the channel.
    package mutating func endWrites(_ channel: Slot<Channel>) {
        if channel.it.isSealed { endSession(of: channel) }
        Sockets.shutdownWrites(channel.it.descriptor)
    }

    // MARK: Receiving

    mutating func receiveSealed(_ channel: Slot<Channel>, atMost limit: Int) -> Received {
        let room = min(limit, ReactorLimits.sealedReadBytes)
        vault.fault = nil
        while true {
            if let session = channel.it.session, session.it.isOver {
                channel.it.isReadable = false
                return session.it.isPeerClosed ? .ended : .failed(SystemError.connectionReset)
            }
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: vault.sealed[..<room])
            switch unsafe Sockets.receive(channel.it.descriptor, target) {
            case .bytes(let count):
                if count < room && !channel.it.isPeerClosed { channel.it.isReadable = false }
                let bytes = unsafe UnsafeRawBufferPointer(rebasing: vault.sealed[..<count])
                let result = unsafe open(bytes, on: channel)
                if case .wouldBlock = result, channel.it.isReadable { continue }
                return result
            case .wouldBlock:
                channel.it.isReadable = false
                return .wouldBlock
            case .ended:
                channel.it.isReadable = false
                // Nobody said so: what came last may be cut short.
                return .failed(SystemError.connectionReset)
            case .failed(let code):
                channel.it.isReadable = false
                return .failed(code)
            }
        }
    }

    /// Bytes that came before it was known that they are sealed.
    package mutating func feed(_ bytes: Bytes, to channel: Slot<Channel>) -> Received {
        precondition(bytes.count <= ReactorLimits.sealedReadBytes, "what was read at once fits")
        unsafe vault.sealed.copyMemory(from: bytes.buffer)
        let copy = unsafe UnsafeRawBufferPointer(rebasing: vault.sealed[..<bytes.count])
        return unsafe open(copy, on: channel)
    }

    /// Opens records into the scratch, and sends what the session has to say.
    private mutating func open(
        _ bytes: UnsafeRawBufferPointer, on channel: Slot<Channel>
    ) -> Received {
        vault.fault = nil
        guard let session = channel.it.session else { return .failed(SystemError.connectionReset) }
        let received = unsafe session.it.receive(bytes, plaintext: scratch, reply: vault.reply)
        if received.replyCount > 0 {
            let reply = unsafe UnsafeRawBufferPointer(rebasing: vault.reply[..<received.replyCount])
            unsafe sendRaw(Bytes(reply), on: channel)
        }
        switch received.status {
        case .open:
            return received.plaintextCount > 0 ? .bytes(received.plaintextCount) : .wouldBlock
        case .closed:
            // The end is told by the next receive.
            channel.it.isReadable = received.plaintextCount > 0
            return received.plaintextCount > 0 ? .bytes(received.plaintextCount) : .ended
        case .failed(let fault):
            vault.fault = fault
            // What a replica said before counts, as it would in the clear; the fault is told by the
            // next receive. A client could not be answered any more.
            channel.it.isReadable = received.plaintextCount > 0 && session.it.isClient
            return channel.it.isReadable
                ? .bytes(received.plaintextCount) : .failed(SystemError.connectionReset)
        }
    }

    // MARK: Sending

    /// Seals one behind the other, and sends at once.
    mutating func sendSealed(_ first: Bytes, _ second: Bytes, on channel: Slot<Channel>) {
        var used = sealTicket(on: channel)
        used = seal(first, after: used, on: channel)
        used = seal(second, after: used, on: channel)
        sendOutgoing(used, on: channel)
    }

    /// Seals and sends the last that there is for the peer, and with it that it was the last.
    mutating func sendLastSealed(_ bytes: Bytes, on channel: Slot<Channel>) {
        var used = sealTicket(on: channel)
        used = seal(bytes, after: used, on: channel)
        if unsafe vault.outgoing.count - used < TLSLimits.closeBytes {
            sendOutgoing(used, on: channel)
            used = 0
        }
        if !channel.it.isBroken, let session = channel.it.session {
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: vault.outgoing[used...])
            used += unsafe session.it.close(into: room)
        }
        sendRaw(
            unsafe Bytes(UnsafeRawBufferPointer(rebasing: vault.outgoing[..<used])), on: channel,
            isLast: true)
    }

    /// - Returns: how much of the outgoing memory is used then.
    private mutating func sealTicket(on channel: Slot<Channel>) -> Int {
        guard let session = channel.it.session else { return 0 }
        do throws(TLSFault) {
            return try unsafe session.it.sendTicket(into: vault.outgoing)
        } catch {
            channel.it.isBroken = true
            return 0
        }
    }

    private mutating func sendOutgoing(_ count: Int, on channel: Slot<Channel>) {
        unsafe sendRaw(
            Bytes(UnsafeRawBufferPointer(rebasing: vault.outgoing[..<count])), on: channel)
    }

    /// - Returns: how much of the outgoing memory is used then.
    private mutating func seal(_ bytes: Bytes, after start: Int, on channel: Slot<Channel>) -> Int {
        guard let session = channel.it.session else { return start }
        var used = start
        var rest = bytes
        while !rest.isEmpty, !channel.it.isBroken {
            if unsafe vault.outgoing.count - used < TLSLimits.sealRoomBytes {
                sendOutgoing(used, on: channel)
                used = 0
            }
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: vault.outgoing[used...])
            do throws(TLSFault) {
                let sealed = try unsafe session.it.send(rest.buffer, into: target)
                used += sealed.ciphertextCount
                rest = rest.dropping(sealed.plaintextCount)
            } catch {
                channel.it.isBroken = true
                return 0
            }
        }
        return used
    }
}

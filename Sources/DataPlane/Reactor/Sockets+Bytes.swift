// Moving bytes through connected sockets, and the few questions a loop asks about them. One system
// call each; a peer that has gone never raises SIGPIPE.

internal import CLinux
internal import Glibc

package enum Received {
    case bytes(Int)
    case wouldBlock
    /// The peer has said all it will say.
    case ended
    case failed(Int32)
}

package enum Sent {
    case bytes(Int)
    case wouldBlock
    case failed(Int32)
}

extension Sockets {
    package static func receive(
        _ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer
    ) -> Received {
        let count = unsafe penstock_receive(descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { return .bytes(count) }
        if count == 0 { return .ended }
        let code = Int32(truncatingIfNeeded: -count)
        // Interrupted: an event that has been taken must not get lost, so ask again.
        if code == EINTR { return unsafe receive(descriptor, buffer) }
        return code == EAGAIN ? .wouldBlock : .failed(code)
    }

    package static func send(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> Sent {
        let count = unsafe penstock_send(descriptor, buffer.baseAddress, buffer.count)
        if count >= 0 { return .bytes(count) }
        let code = Int32(truncatingIfNeeded: -count)
        if code == EINTR { return unsafe send(descriptor, buffer) }
        return code == EAGAIN ? .wouldBlock : .failed(code)
    }

    /// Bytes that the socket's end follows at once: both then leave in one segment.
    package static func sendLast(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> Sent {
        let count = unsafe penstock_send_more(descriptor, buffer.baseAddress, buffer.count)
        if count >= 0 { return .bytes(count) }
        let code = Int32(truncatingIfNeeded: -count)
        if code == EINTR { return unsafe sendLast(descriptor, buffer) }
        return code == EAGAIN ? .wouldBlock : .failed(code)
    }

    /// Both pieces in order, as one message: a head and its body.
    package static func send(
        _ descriptor: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) -> Sent {
        let count = unsafe penstock_send_two(
            descriptor, first.baseAddress, first.count, second.baseAddress, second.count)
        if count >= 0 { return .bytes(count) }
        let code = Int32(truncatingIfNeeded: -count)
        if code == EINTR { return unsafe send(descriptor, first, second) }
        return code == EAGAIN ? .wouldBlock : .failed(code)
    }

    /// Whether an idle connection is still silent and open: nothing to read, not even an end.
    package static func isQuiet(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        let count = unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        return count < 0 && errno == EAGAIN
    }

    /// The error that waits on the socket (SO_ERROR), 0 if there is none; asking clears it.
    package static func pendingError(_ descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        if unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) < 0 { return errno }
        return code
    }

    /// Bytes sent that the peer has not acknowledged yet; 0 if the socket cannot tell.
    package static func unsentBytes(_ descriptor: Int32) -> Int {
        max(0, Int(penstock_unsent_bytes(descriptor)))
    }

    /// About as many bytes as the kernel takes now for sending; 0 if the socket cannot tell.
    package static func sendRoom(_ descriptor: Int32) -> Int {
        max(0, Int(penstock_send_room(descriptor)))
    }

    package static func shutdownWrites(_ descriptor: Int32) {
        // Fails only when the peer has reset the connection: then there is nothing to shut.
        _ = Glibc.shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Makes the next close send a reset: the peer must not take what it has for the whole.
    package static func resetOnClose(_ descriptor: Int32) {
        var now = linger(l_onoff: 1, l_linger: 0)
        // Fails only on sockets that know no reset, where closing is all there is.
        _ = unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    }

    /// The port that the kernel chose for a listener on port 0; 0 for a unix one.
    package static func boundPort(_ descriptor: Int32) -> UInt16 {
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let answer = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe getsockname(descriptor, generic, &length)
            }
        }
        // The port stands at the same place for both families.
        guard answer == 0, address.sin6_family != UInt16(AF_UNIX) else { return 0 }
        return UInt16(bigEndian: address.sin6_port)
    }
}

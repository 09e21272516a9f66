// The socket calls of the loops, as functions over descriptors: open, accept, connect. All sockets
// are non-blocking and closed on exec, TCP ones without Nagle's delay. Failures of peers are
// values; only what an operator can mend (an address taken, no permission) is thrown.

internal import CLinux
internal import Glibc

package enum Sockets {}

package enum Accepted {
    case connection(Int32, PeerAddress)
    case wouldBlock
    /// The process or the system has no descriptor or memory left: stop accepting for a while.
    case outOfDescriptors
    case failed(Int32)
}

package enum Connecting {
    /// Becomes writable when it is decided; `pendingError` then says how.
    case inProgress(Int32)
    case connected(Int32)
    case failed(Int32)
}

extension Sockets {
    /// Opens a listener: on TCP one per loop (SO_REUSEPORT), on a unix path one for all loops.
    /// IPv6 does not take IPv4. A socket file that nobody answers on is replaced.
    ///
    /// - Parameter isExclusive: one socket has the port, and IPv6 takes IPv4 where it can.
    package static func listen(
        on address: SocketAddress, backlog: Int32 = ReactorLimits.listenBacklog,
        isExclusive: Bool = false
    ) throws(SystemError) -> Int32 {
        if address.isUnix { try removeStaleFile(of: address) }
        let descriptor = try open(address, sharesPort: !isExclusive, takesIPv4: isExclusive)
        do throws(SystemError) {
            try bind(descriptor, to: address)
            // Accepted sockets inherit it, which saves a call for each connection.
            if !address.isUnix { try set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1) }
            if Glibc.listen(descriptor, backlog) < 0 {
                throw SystemError(call: "listen", code: errno)
            }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Throws EADDRINUSE if anybody holds the address, even with SO_REUSEPORT, by which a forgotten
    /// process would silently take its share of the connections.
    package static func probe(_ address: SocketAddress) throws(SystemError) {
        if address.isUnix {
            if try answers(address) { throw SystemError(call: "bind", code: EADDRINUSE) }
            return
        }
        let descriptor = try open(address, sharesPort: false)
        defer { close(descriptor) }
        try bind(descriptor, to: address)
    }

    package static func accept(_ listener: Int32) -> Accepted {
        var peer = penstock_peer()
        let descriptor = unsafe penstock_accept(listener, &peer)
        if descriptor >= 0 { return .connection(descriptor, PeerAddress(peer)) }
        if descriptor == -EAGAIN { return .wouldBlock }
        return isShortage(-descriptor) ? .outOfDescriptors : .failed(-descriptor)
    }

    /// Begins a connection. A unix listener whose queue is full fails at once with EAGAIN.
    package static func connect(to address: SocketAddress) -> Connecting {
        let descriptor = penstock_stream_socket(address.family)
        if descriptor < 0 { return .failed(-descriptor) }
        if !address.isUnix {
            // Without it the connection is slower, not wrong.
            try? set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1)
        }
        let code = unsafe address.withSocketAddress { pointer, length in
            unsafe Glibc.connect(descriptor, pointer, length) < 0 ? errno : 0
        }
        switch code {
        case 0: return .connected(descriptor)
        case EINPROGRESS, EINTR: return .inProgress(descriptor)
        default:
            close(descriptor)
            return .failed(code)
        }
    }

    /// Has the kernel take no more than about so many bytes that it cannot send yet: what has not
    /// been given to it can still be sent in another order. A unix socket knows no such bound.
    package static func boundUnsent(_ descriptor: Int32, bytes: Int32) {
        // Without it the order is a worse one, not wrong.
        try? set(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, bytes)
    }

    /// Whether a call failed because this process or system has nothing left to give.
    package static func isShortage(_ code: Int32) -> Bool {
        code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM
    }

    package static func close(_ descriptor: Int32) {
        // Linux frees the descriptor even when close reports an error.
        _ = Glibc.close(descriptor)
    }

    /// Another descriptor of the same socket, for another loop to poll and close.
    package static func duplicate(_ descriptor: Int32) throws(SystemError) -> Int32 {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        if copy < 0 { throw SystemError(call: "fcntl", code: errno) }
        return copy
    }

    /// A descriptor to give up when there are no others: it lets a loop accept and close at once
    /// what would otherwise stay in the queue and wake it for ever. -1 if there is none.
    package static func openReserve() -> Int32 {
        unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
    }

    /// Deletes a unix listener's file; a TCP address has none.
    package static func removeFile(of address: SocketAddress) {
        guard let path = address.unixPath, unsafe penstock_is_socket_file(path) == 1 else { return }
        unsafe unlink(path)
    }
}

extension Sockets {
    private static func open(
        _ address: SocketAddress, sharesPort: Bool, takesIPv4: Bool = false
    ) throws(SystemError) -> Int32 {
        let descriptor = penstock_stream_socket(address.family)
        if descriptor < 0 { throw SystemError(call: "socket", code: -descriptor) }
        if address.isUnix { return descriptor }
        do throws(SystemError) {
            try set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
            if sharesPort { try set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
            if address.family == AF_INET6 {
                try set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, takesIPv4 ? 0 : 1)
            }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func bind(
        _ descriptor: Int32, to address: SocketAddress
    ) throws(SystemError) {
        let code = unsafe address.withSocketAddress { pointer, length in
            unsafe Glibc.bind(descriptor, pointer, length) < 0 ? errno : 0
        }
        if code != 0 { throw SystemError(call: "bind", code: code) }
    }

    static func set(
        _ descriptor: Int32, _ level: some BinaryInteger, _ option: Int32, _ value: Int32
    ) throws(SystemError) {
        var value = value
        let answer = unsafe setsockopt(
            descriptor, Int32(level), option, &value, socklen_t(MemoryLayout<Int32>.size))
        if answer < 0 { throw SystemError(call: "setsockopt", code: errno) }
    }

    private static func answers(_ address: SocketAddress) throws(SystemError) -> Bool {
        let answer = unsafe address.withSocketAddress { pointer, length in
            unsafe penstock_unix_answers(pointer, length)
        }
        if answer < 0 { throw SystemError(call: "connect", code: -answer) }
        return answer == 1
    }

    /// Only a socket file is ever deleted: bind refuses a path that is anything else.
    private static func removeStaleFile(of address: SocketAddress) throws(SystemError) {
        guard let path = address.unixPath, unsafe penstock_is_socket_file(path) == 1
        else { return }
        if try answers(address) { throw SystemError(call: "bind", code: EADDRINUSE) }
        if unsafe unlink(path) < 0, errno != ENOENT {
            throw SystemError(call: "unlink", code: errno)
        }
    }
}

extension PeerAddress {
    init(_ peer: penstock_peer) {
        if peer.is_unix != 0 {
            self = .unix
        } else {
            self.init(high: peer.high, low: peer.low, port: peer.port)
        }
    }
}

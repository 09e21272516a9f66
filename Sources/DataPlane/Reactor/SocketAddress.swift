// Where to listen or connect: the kernel's own sockaddr in 112 plain bytes, so that a connect on a
// loop needs no conversion and no allocation. Names are resolved elsewhere.

internal import Glibc

package struct SocketAddress: Sendable {
    /// sockaddr_in, sockaddr_in6 or sockaddr_un (110 bytes), the rest zero.
    private var words: InlineArray<14, UInt64> = .init(repeating: 0)
    private var length: UInt32 = 0

    package static let unixPathBytesMax = 107

    /// `ipv4` as a number: 127.0.0.1 is 0x7f00_0001.
    package init(ipv4 address: UInt32, port: UInt16) {
        unsafe withUnsafeMutableBytes(of: &words) { bytes in
            unsafe bytes.storeBytes(of: UInt16(AF_INET), as: UInt16.self)
            unsafe bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            unsafe bytes.storeBytes(of: address.bigEndian, toByteOffset: 4, as: UInt32.self)
        }
        length = UInt32(MemoryLayout<sockaddr_in>.size)
    }

    /// The first and the last 8 bytes of the address, as numbers.
    package init(ipv6High high: UInt64, low: UInt64, port: UInt16) {
        unsafe withUnsafeMutableBytes(of: &words) { bytes in
            unsafe bytes.storeBytes(of: UInt16(AF_INET6), as: UInt16.self)
            unsafe bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            unsafe bytes.storeBytes(of: high.bigEndian, toByteOffset: 8, as: UInt64.self)
            unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 16, as: UInt64.self)
        }
        length = UInt32(MemoryLayout<sockaddr_in6>.size)
    }

    /// Nil when the path is empty, holds a NUL or is longer than the kernel's 107 bytes.
    package init?(unixPath path: String) {
        let text = path.utf8
        guard !text.isEmpty, text.count <= Self.unixPathBytesMax, !text.contains(0) else {
            return nil
        }
        unsafe withUnsafeMutableBytes(of: &words) { bytes in
            unsafe bytes.storeBytes(of: UInt16(AF_UNIX), as: UInt16.self)
            for (index, byte) in text.enumerated() { unsafe bytes[2 + index] = byte }
        }
        length = UInt32(2 + text.count + 1)
    }

    /// Reads dotted IPv4 or IPv6 without brackets; nil for anything else, names included.
    package init?(numeric host: String, port: UInt16) {
        var four = in_addr()
        if unsafe inet_pton(AF_INET, host, &four) == 1 {
            self.init(ipv4: UInt32(bigEndian: four.s_addr), port: port)
            return
        }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, host, &six) == 1 else { return nil }
        let (high, low) = unsafe withUnsafeBytes(of: &six) { bytes in
            unsafe (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        self.init(ipv6High: high, low: low, port: port)
    }

    /// AF_INET, AF_INET6 or AF_UNIX.
    package var family: Int32 {
        Int32(UInt16(truncatingIfNeeded: UInt64(littleEndian: words[0])))
    }

    package var isUnix: Bool { family == AF_UNIX }

    package var port: UInt16 {
        isUnix ? 0 : UInt16(truncatingIfNeeded: UInt64(bigEndian: words[0]) >> 32)
    }

    /// The same host with another port; a unix address has none and stays as it is.
    package func with(port: UInt16) -> SocketAddress {
        guard !isUnix else { return self }
        var copy = self
        unsafe withUnsafeMutableBytes(of: &copy.words) { bytes in
            unsafe bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
        }
        return copy
    }

    /// The path of a unix address; nil for the others.
    package var unixPath: String? {
        guard isUnix else { return nil }
        return unsafe withUnsafeBytes(of: words) { bytes in
            unsafe String(decoding: bytes[2..<Int(length) - 1], as: UTF8.self)
        }
    }

    /// The same point as a peer: what an accepted connection from there would show.
    package var peer: PeerAddress {
        switch family {
        case AF_INET:
            let address = UInt32(truncatingIfNeeded: UInt64(bigEndian: words[0]))
            return PeerAddress(ipv4: address, port: port)
        case AF_INET6:
            return PeerAddress(
                high: UInt64(bigEndian: words[1]), low: UInt64(bigEndian: words[2]), port: port)
        default:
            return .unix
        }
    }

    /// For the kernel only: valid during `body`.
    func withSocketAddress<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        unsafe withUnsafePointer(to: words) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe body(address, socklen_t(length))
            }
        }
    }
}

extension SocketAddress: Hashable {
    package static func == (left: SocketAddress, right: SocketAddress) -> Bool {
        guard left.length == right.length else { return false }
        for index in 0..<14 where left.words[index] != right.words[index] { return false }
        return true
    }

    package func hash(into hasher: inout Hasher) {
        for index in 0..<14 { hasher.combine(words[index]) }
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:80`, `[::1]:80` or `unix:/path`.
    package var description: String {
        if let unixPath { return "unix:\(unixPath)" }
        return family == AF_INET6 && !peer.isIPv4 ? "[\(peer)]:\(port)" : "\(peer):\(port)"
    }
}

// Host names to addresses by the system's resolver. It blocks for as long as the resolver likes:
// only a thread of its own may call it.

internal import Glibc

/// Why a name has no addresses now: the resolver's own words.
package struct LookupError: Error, Sendable, Equatable, CustomStringConvertible {
    package let host: String
    package let code: Int32
    package let description: String

    package init(host: String, code: Int32, description: String) {
        self.host = host
        self.code = code
        self.description = description
    }
}

package enum HostLookup {
    /// The addresses of `host` with port 0, each once, in the resolver's order. Never empty.
    package static func addresses(of host: String) throws(LookupError) -> [SocketAddress] {
        var wanted = unsafe addrinfo()
        unsafe wanted.ai_family = AF_UNSPEC
        unsafe wanted.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, nil, &wanted, &list)
        guard code == 0 else { throw failure(of: host, code: code, system: errno) }
        defer { unsafe freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe SocketAddress(entry.pointee), !found.contains(address) {
                found.append(address)
            }
            unsafe next = entry.pointee.ai_next
        }
        if found.isEmpty { throw failure(of: host, code: EAI_NONAME, system: 0) }
        return found
    }

    private static func failure(of host: String, code: Int32, system: Int32) -> LookupError {
        if code == EAI_SYSTEM {
            let error = SystemError(call: "getaddrinfo", code: system)
            return LookupError(host: host, code: code, description: "\(host): \(error)")
        }
        let reason = unsafe String(cString: gai_strerror(code))
        return LookupError(host: host, code: code, description: "\(host): \(reason) (\(code))")
    }
}

extension SocketAddress {
    /// Nil for families that are neither IPv4 nor IPv6.
    fileprivate init?(_ entry: addrinfo) {
        guard let address = unsafe UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch unsafe entry.ai_family {
        case AF_INET:
            let four = unsafe address.loadUnaligned(as: sockaddr_in.self)
            self.init(ipv4: UInt32(bigEndian: four.sin_addr.s_addr), port: 0)
        case AF_INET6:
            let high = unsafe address.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            let low = unsafe address.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
            self.init(ipv6High: UInt64(bigEndian: high), low: UInt64(bigEndian: low), port: 0)
        default: return nil
        }
    }
}

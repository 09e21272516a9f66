// Where the admin port listens, and the rule that it never listens wider than loopback in the
// clear.

package import Traffic

package struct AdminOptions: Sendable {
    package var address: NetworkAddress
    package var tls: AdminCertificate?
    /// Peers that may connect; empty is everybody who can reach the address.
    package var allow: [AddressRange]

    package init(
        address: NetworkAddress, tls: AdminCertificate? = nil, allow: [AddressRange] = []
    ) {
        self.address = address
        self.tls = tls
        self.allow = allow
    }

    /// - Throws: `AdminError` when this must not or cannot be listened on.
    package func access(tokens: any TokenSource) throws(AdminError) -> AdminAccess {
        guard case .tcp(let host, _) = address else { throw .unsupportedAddress(address) }
        let isLoopback = LoopbackName.matches(host: host)
        if !isLoopback, tls == nil { throw .exposed(address, missing: "admin.tls") }
        return AdminAccess(
            isLoopback: isLoopback, isEncrypted: tls != nil, allow: allow, tokens: tokens)
    }
}

/// Paths of PEM files: the chain, leaf first, and its key.
package struct AdminCertificate: Sendable, Equatable {
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// Why the admin port does not open.
package enum AdminError: Error, Sendable, Equatable {
    case exposed(NetworkAddress, missing: String)
    case unsupportedAddress(NetworkAddress)
    case unusableCertificate(file: String, reason: String)
    case cannotListen(NetworkAddress, reason: String)
}

extension AdminError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .exposed(let address, let missing):
            "admin.listen: \(address) is beyond loopback, which needs \(missing)"
        case .unsupportedAddress(let address):
            "admin.listen: \(address) is not supported yet; use host:port"
        case .unusableCertificate(let file, let reason):
            "admin.tls: \(file): \(reason)"
        case .cannotListen(let address, let reason):
            "admin.listen: cannot listen on \(address): \(reason)"
        }
    }
}

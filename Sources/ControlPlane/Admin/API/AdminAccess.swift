// Who may speak to the admin port: the right Host (a web page must not reach it by a name that
// resolves to loopback), an allowed peer, and the token.

import Crypto
import Foundation
package import Traffic

/// The rules of one listener, decided once at start.
package struct AdminAccess: Sendable {
    let isLoopback: Bool
    let isEncrypted: Bool
    let allow: [AddressRange]
    private let tokenDigest: SHA256.Digest

    /// An empty `allow` lets every peer in.
    package init(isLoopback: Bool, isEncrypted: Bool, allow: [AddressRange], token: String) {
        self.isLoopback = isLoopback
        self.isEncrypted = isEncrypted
        self.allow = allow
        tokenDigest = SHA256.hash(data: Data(token.utf8))
    }

    func admit(_ request: AdminRequest) throws(Problem) {
        try checkHost(request)
        if allow.isEmpty { return }
        guard let peer = request.peer.flatMap(AddressBits.init(text:)),
            allow.contains(where: { $0.contains(peer) })
        else {
            throw Problem(
                status: 403, code: "PEER_NOT_ALLOWED",
                detail: "this address may not use the admin port",
                hint: "admin.allow in the configuration lists those that may")
        }
    }

    func authorize(_ request: AdminRequest, for route: AdminRoute?) throws(Problem) {
        switch route {
        case .live, .ready: return
        case .metrics where isLoopback: return
        default: break
        }
        guard let text = request.authorization, let space = text.firstIndex(of: " "),
            text[..<space].lowercased() == "bearer"
        else {
            throw Self.unauthorized(
                "a token is needed", challenge: "Bearer realm=\"penstock\"")
        }
        let offered = text[space...].trimmingCharacters(in: .whitespaces)
        // Digests compare in constant time, and have one length whatever was sent.
        guard SHA256.hash(data: Data(offered.utf8)) == tokenDigest else {
            throw Self.unauthorized(
                "the token is not valid",
                challenge: "Bearer realm=\"penstock\", error=\"invalid_token\"")
        }
    }

    private static func unauthorized(_ detail: String, challenge: String) -> Problem {
        Problem(
            status: 401, code: "UNAUTHORIZED", detail: detail,
            hint: "send 'Authorization: Bearer …' with the token in admin.token of the state "
                + "directory",
            headers: ["www-authenticate": challenge])
    }

    private func checkHost(_ request: AdminRequest) throws(Problem) {
        guard isLoopback, !isEncrypted, let host = request.host else { return }
        guard LoopbackName.matches(authority: host) else {
            throw Problem(
                status: 421, code: "MISDIRECTED_HOST",
                detail: "the admin port does not answer to the name '\(host)'",
                hint: "use localhost, 127.0.0.1 or [::1]")
        }
    }
}

/// Names and addresses that mean this machine, and nothing else can.
package enum LoopbackName {
    /// A host with or without brackets.
    package static func matches(host: String) -> Bool {
        let name = host.lowercased()
        if name == "localhost" || name == "localhost." { return true }
        guard let bits = AddressBits(text: name) else { return false }
        return bits == AddressBits(high: 0, low: 1)
            || (bits.high == 0 && bits.low >> 24 == 0xffff7f)
    }

    /// A host with an optional port, as in `Host`.
    static func matches(authority: String) -> Bool {
        var host = authority[...]
        if let end = host.lastIndex(of: "]") {
            host = host[...end]
        } else if let colon = host.firstIndex(of: ":") {
            host = host[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return matches(host: String(host))
    }
}

// Who may speak to the admin port: the right Host (a web page must not reach it by a name that
// resolves to loopback), an allowed peer, and a good token. What the token may do is asked later.

package import Foundation
package import State
package import Traffic

/// Where tokens are known.
package protocol TokenSource: Sendable {
    /// Nil when it is unknown, expired or revoked.
    func authenticate(_ text: String, now: Date) async throws -> Token?
}

extension Store: TokenSource {}

/// The rules of one listener, decided once at start.
package struct AdminAccess: Sendable {
    let isLoopback: Bool
    let isEncrypted: Bool
    let allow: [AddressRange]
    private let tokens: any TokenSource

    /// An empty `allow` lets every peer in.
    package init(
        isLoopback: Bool, isEncrypted: Bool, allow: [AddressRange], tokens: any TokenSource
    ) {
        self.isLoopback = isLoopback
        self.isEncrypted = isEncrypted
        self.allow = allow
        self.tokens = tokens
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

    /// The token of the request; nil where none is needed and none was sent.
    ///
    /// - Parameter access: of the rows that the path leads to; none means that it leads nowhere,
    ///   which only those who have a token are told.
    func authenticate(
        _ request: AdminRequest, for access: [AdminEndpoint.Access], now: Date
    ) async throws -> Token? {
        let isOpen =
            !access.isEmpty
            && access.allSatisfy { row in
                row == .open || (row == .openOnLoopback && isLoopback)
            }
        if isOpen { return nil }
        guard let text = request.headers["authorization"], let space = text.firstIndex(of: " "),
            text[..<space].lowercased() == "bearer"
        else {
            throw Self.unauthorized(
                "a token is needed", challenge: "Bearer realm=\"penstock\"")
        }
        let offered = text[space...].trimmingCharacters(in: .whitespaces)
        guard let token = try await tokens.authenticate(offered, now: now) else {
            throw Self.unauthorized(
                "the token is not valid",
                challenge: "Bearer realm=\"penstock\", error=\"invalid_token\"")
        }
        return token
    }

    private static func unauthorized(_ detail: String, challenge: String) -> Problem {
        Problem(
            status: 401, code: "UNAUTHORIZED", detail: detail,
            hint: "send 'Authorization: Bearer …' with a token: the first is in admin.token of the "
                + "state directory",
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

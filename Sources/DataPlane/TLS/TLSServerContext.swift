// How a listener does TLS: its certificates and which of them answers to which name, its protocols,
// whether clients need a certificate. Made once per configuration, off the loops; then immutable
// and shared by all of them. Sessions keep what they need of it alive.

internal import COpenSSL

/// Whether clients show a certificate, and who may have issued it.
package enum TLSClientAuthentication: Sendable {
    case none
    /// Without one they are served, with one it must hold.
    case optional(TLSAuthorities)
    case required(TLSAuthorities)

    fileprivate var authorities: TLSAuthorities? {
        switch self {
        case .none: nil
        case .optional(let authorities), .required(let authorities): authorities
        }
    }

    fileprivate var mode: Int32 {
        switch self {
        case .none: SSL_VERIFY_NONE
        case .optional: SSL_VERIFY_PEER
        case .required: SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
        }
    }
}

package struct TLSServerSettings: Sendable {
    /// The first answers when a client names no host, or an unknown one. Not empty.
    package var identities: [TLSIdentity]
    package var clients = TLSClientAuthentication.none
    package var offersHTTP2 = true
    package var algorithms = TLSAlgorithms.standard

    package init(identities: [TLSIdentity]) {
        self.identities = identities
    }
}

@safe
package final class TLSServerContext: @unchecked Sendable {
    /// The context of the first certificate, where every session begins.
    private let context: OpaquePointer

    /// - Parameters:
    ///   - now: seconds since 1970, by which certificates must be valid; nil does not ask.
    ///   - tickets: the keys of the process, shared by all its contexts.
    /// - Throws: what is wrong with which file.
    package init(
        _ settings: TLSServerSettings, tickets: TLSTicketKeys, now: Int64?
    ) throws(TLSSetupError) {
        precondition(!settings.identities.isEmpty, "a listener with TLS has a certificate")
        guard settings.identities.count <= TLSLimits.identities else {
            throw .tooMany(what: "certificates", allowed: TLSLimits.identities)
        }
        let rules = ServerRules(offersHTTP2: settings.offersHTTP2, tickets: tickets)
        var names: [ServerNameTable.Entry] = []
        for (place, identity) in settings.identities.enumerated() {
            let context = try unsafe Self.make(settings, rules)
            let found = try unsafe identity.install(in: context, now: now)
            if found.isEmpty, place > 0 { throw .nameless(path: identity.certificate.path) }
            names += found.map { .init(name: $0, certificate: place) }
        }
        unsafe context = rules.handOver(names)
    }

    deinit { unsafe SSL_CTX_free(context) }

    /// A session for a client just accepted. Nil when there is no memory for it.
    package func accept(on engine: borrowing TLSEngine) -> TLSSession? {
        unsafe TLSSession(context, on: engine, isServer: true)
    }

    /// The context of one certificate, still without it; the rules own it.
    private static func make(
        _ settings: TLSServerSettings, _ rules: ServerRules
    ) throws(TLSSetupError) -> OpaquePointer {
        let context = try unsafe ContextMaking.make(TLS_server_method(), settings.algorithms)
        unsafe rules.take(context)
        unsafe penstock_ssl_no_session_store(context)
        // One is enough to resume once, and each resumption brings the next: `sendTicket` sends it.
        unsafe SSL_CTX_set_num_tickets(context, 0)
        unsafe SSL_CTX_set_alpn_select_cb(context, ServerRules.selectProtocol, nil)
        unsafe SSL_CTX_set_verify(context, settings.clients.mode, nil)
        if let authorities = settings.clients.authorities {
            unsafe authorities.install(in: context)
            unsafe authorities.announce(in: context)
            unsafe SSL_CTX_set_session_ticket_cb(context, nil, ServerRules.judgeSession, nil)
        }
        // Whoever was let in under other rules has to come in anew.
        var origin = Array("penstock".utf8)
        origin.append(UInt8(truncatingIfNeeded: settings.clients.mode))
        origin += settings.clients.authorities?.digest ?? []
        let digest = TLSAuthorities.sha256(origin)
        unsafe SSL_CTX_set_session_id_context(context, digest, UInt32(digest.count))
        unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ServerRules.protectTicket)
        return unsafe context
    }
}

// The contexts that most tests want, in a line each.

import TLS

/// One authority for all tests that need just any; making keys takes time.
let authority = Result { try Authority() }

enum Contexts {
    static func server(
        _ identities: TLSIdentity..., clients: TLSClientAuthentication = .none,
        tickets: TLSTicketKeys = TLSTicketKeys(), offersHTTP2: Bool = true
    ) throws -> TLSServerContext {
        var settings = TLSServerSettings(identities: identities)
        if identities.isEmpty { settings.identities = [try plain()] }
        settings.clients = clients
        settings.offersHTTP2 = offersHTTP2
        return try TLSServerContext(settings, tickets: tickets, now: nil)
    }

    /// Trusts `authority` unless told otherwise.
    static func client(
        trusting other: Authority? = nil, identity: TLSIdentity? = nil, offersHTTP2: Bool = false,
        offersHTTP1: Bool = true
    ) throws -> TLSClientContext {
        var settings = TLSClientSettings(
            authorities: try TLSAuthorities(other?.file ?? authority.get().file))
        settings.identity = identity
        settings.offersHTTP2 = offersHTTP2
        settings.offersHTTP1 = offersHTTP1
        return try TLSClientContext(settings, loops: 1, now: nil)
    }

    static func plain() throws -> TLSIdentity {
        try authority.get().issue(
            Wish("DNS:model.example", "IP:127.0.0.1", subject: [("CN", "model.example")]))
    }

    static func identity(_ names: String...) throws -> TLSIdentity {
        var wish = Wish()
        wish.names = names.map { "DNS:\($0)" }
        wish.subject = [("CN", names[0])]
        return try authority.get().issue(wish, path: names[0])
    }
}

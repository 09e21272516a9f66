// What OpenSSL asks a server during a handshake: which certificate, which protocol, which ticket
// key. Owned by the context of the first certificate, and thereby by every session that began
// there, until its end.

internal import COpenSSL

@safe
final class ServerRules {
    private let offersHTTP2: Bool
    private let tickets: TLSTicketKeys
    /// One per certificate, in their order. The first is handed over when all are made.
    private var contexts: [OpaquePointer] = unsafe []
    private var isHandedOver = false
    private var names: ServerNameTable?

    init(offersHTTP2: Bool, tickets: TLSTicketKeys) {
        self.offersHTTP2 = offersHTTP2
        self.tickets = tickets
    }

    deinit {
        for place in unsafe contexts.indices.dropFirst(isHandedOver ? 1 : 0) {
            unsafe SSL_CTX_free(contexts[place])
        }
        names?.free()
    }

    func take(_ context: OpaquePointer) {
        unsafe contexts.append(context)
        unsafe ContextMaking.introduce(self, to: context)
    }

    /// Gives away the first context, which from now on owns these rules and with them the others.
    func handOver(_ entries: [ServerNameTable.Entry]) -> OpaquePointer {
        let first = unsafe contexts[0]
        if unsafe contexts.count > 1 {
            names = ServerNameTable(entries)
            unsafe penstock_ssl_on_server_name(first, Self.selectCertificate, nil)
        }
        isHandedOver = true
        unsafe ContextMaking.entrust(self, to: first)
        return unsafe first
    }

    private func context(for name: UnsafeRawBufferPointer) -> OpaquePointer? {
        guard let place = unsafe names?.certificate(for: name) else { return nil }
        return unsafe contexts[place]
    }
}

// MARK: Callbacks

extension ServerRules {
    /// Called with the name that a client asks for, if it does.
    private static let selectCertificate: penstock_server_name_callback = { session, _, _ in
        guard let rules = unsafe ContextMaking.known(to: session, as: ServerRules.self),
            let session = unsafe session, let text = unsafe penstock_ssl_server_name(session)
        else { return SSL_TLSEXT_ERR_NOACK }
        let name = unsafe UnsafeRawBufferPointer(start: text, count: strlen(text))
        // An unknown name is not refused: many clients have a wrong one or none.
        guard let context = unsafe rules.context(for: name) else { return SSL_TLSEXT_ERR_NOACK }
        unsafe SSL_set_SSL_CTX(session, context)
        return SSL_TLSEXT_ERR_OK
    }

    /// Called when a client offers protocols. One that speaks none of ours is refused, as what it
    /// says next would be misunderstood (RFC 7301 3.2).
    static let selectProtocol: SSL_CTX_alpn_select_cb_func = {
        session, out, count, offer, size, _ in
        guard let rules = unsafe ContextMaking.known(to: session, as: ServerRules.self) else {
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
        let ours = TLSProtocol.list(withHTTP2: rules.offersHTTP2, withHTTP1: true)
        var chosen: UnsafeMutablePointer<UInt8>?
        let answer = unsafe SSL_select_next_proto(
            &chosen, count, ours.utf8Start, UInt32(ours.utf8CodeUnitCount), offer, size)
        guard answer == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        unsafe out?.pointee = UnsafePointer(chosen)
        return SSL_TLSEXT_ERR_OK
    }

    /// Called to seal a ticket, or to open one that a client brings.
    static let protectTicket: TicketCallback = { session, name, vector, cipher, mac, seals in
        guard let rules = unsafe ContextMaking.known(to: session, as: ServerRules.self),
            let name = unsafe name, let vector = unsafe vector, let cipher = unsafe cipher,
            let mac = unsafe mac
        else { return -1 }
        let ticket = unsafe TicketKeyStore.Ticket(
            name: name, vector: vector, cipher: cipher, mac: mac)
        let store = rules.tickets.store
        if seals == 1 { return store.seal(ticket) }
        let answer = store.open(ticket)
        // TLS 1.3 clients use a ticket once (RFC 8446 C.4) and need the next.
        let isUsedUp = unsafe answer == 1 && SSL_version(session) == TLS1_3_VERSION
        return isUsedUp ? 2 : answer
    }

    /// Called for a session out of a ticket. It holds no longer than the client's certificate: each
    /// brings the next ticket, so that one visit would otherwise be good for ever.
    static let judgeSession: SSL_CTX_decrypt_session_ticket_fn = { _, session, _, _, status, _ in
        switch status {
        case SSL_TICKET_SUCCESS, SSL_TICKET_SUCCESS_RENEW:
            if unsafe CertificateNames.hasExpired(in: session) { return SSL_TICKET_RETURN_IGNORE }
            return status == SSL_TICKET_SUCCESS
                ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW
        default: return SSL_TICKET_RETURN_IGNORE_RENEW
        }
    }

    typealias TicketCallback =
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?,
            OpaquePointer?, OpaquePointer?, Int32
        ) -> Int32
}

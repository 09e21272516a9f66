// What contexts of both sides have in common, and how a context keeps what its callbacks need for
// as long as a session may call them.

internal import COpenSSL

enum ContextMaking {
    /// TLS 1.2, for 1.3 has a list of its own: ephemeral keys and authenticated ciphers only. The
    /// cheaper key comes first; clients without AES in hardware are given ChaCha20 all the same.
    private static let ciphers =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
        + "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
        + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
    private static let suites =
        "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    private static let groups = "X25519:P-256:P-384"
    /// 112 bits: RSA from 2048, no SHA-1 signatures.
    private static let securityLevel: Int32 = 2

    static func make(
        _ method: OpaquePointer, _ algorithms: TLSAlgorithms
    ) throws(TLSSetupError) -> OpaquePointer {
        guard let context = unsafe SSL_CTX_new_ex(nil, algorithms.query, method) else {
            throw failure()
        }
        unsafe SSL_CTX_set_security_level(context, securityLevel)
        unsafe penstock_ssl_set_peer_chain_limit(context, TLSLimits.peerChainBytes)
        unsafe SSL_CTX_set_timeout(context, TLSLimits.sessionSeconds)
        unsafe SSL_CTX_set_info_callback(context) { session, place, _ in
            // A step of the state machine, or an alert sent.
            guard place & SSL_CB_LOOP != 0 || place & SSL_CB_ALERT != 0 else { return }
            unsafe Transfer.of(session: session)?.pointee.step()
        }
        guard unsafe penstock_ssl_configure(context) == 1,
            unsafe SSL_CTX_set_cipher_list(context, ciphers) == 1,
            unsafe SSL_CTX_set_ciphersuites(context, suites) == 1,
            unsafe penstock_ssl_set_groups(context, groups) == 1
        else {
            unsafe SSL_CTX_free(context)
            throw failure()
        }
        return unsafe context
    }

    static func failure() -> TLSSetupError {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        return .refused(reason: PEM.reason(code))
    }

    /// Lets callbacks find `object`, which must live as long as the context.
    static func introduce(_ object: AnyObject, to context: OpaquePointer) {
        let place = unsafe Unmanaged.passUnretained(object).toOpaque()
        let stored = unsafe SSL_CTX_set_ex_data(context, 0, place)
        precondition(stored == 1, "a context has room for a pointer")
    }

    /// Lets the context own `object`, which thereby lives until its last session has ended.
    static func entrust(_ object: AnyObject, to context: OpaquePointer) {
        let owned = unsafe Unmanaged.passRetained(object).toOpaque()
        let stored = unsafe SSL_CTX_set_ex_data(context, ownerIndex, owned)
        precondition(stored == 1, "a context has room for its owner")
    }

    /// What was introduced to the context of a session.
    static func known<Object: AnyObject>(to session: OpaquePointer?, as: Object.Type) -> Object? {
        guard let context = unsafe SSL_get_SSL_CTX(session),
            let place = unsafe SSL_CTX_get_ex_data(context, 0)
        else { return nil }
        return unsafe Unmanaged<Object>.fromOpaque(place).takeUnretainedValue()
    }
}

/// Where in a context the pointer stands that is released with it.
private let ownerIndex: Int32 = {
    let index = unsafe penstock_ssl_new_context_index { _, owned, _, _, _, _ in
        guard let owned = unsafe owned else { return }
        unsafe Unmanaged<AnyObject>.fromOpaque(owned).release()
    }
    precondition(index > 0, "contexts have room for one more pointer")
    return index
}()

// How the gateway does TLS towards replicas: whom it trusts, what it shows, which protocols it
// offers. Made once per configuration, off the loops; immutable and shared by all of them, but for
// the sessions to resume, of which each loop has its own.

internal import COpenSSL
internal import Glibc
internal import Synchronization

package struct TLSClientSettings: Sendable {
    /// Who must have issued the replica's certificate. Nil switches verification off, so that
    /// anybody could answer in the replica's place.
    package var authorities: TLSAuthorities?
    /// Shown to replicas that ask for it.
    package var identity: TLSIdentity?
    package var offersHTTP2 = false
    package var offersHTTP1 = true
    package var algorithms = TLSAlgorithms.standard

    /// - Parameter authorities: nil does not verify.
    package init(authorities: TLSAuthorities?) {
        self.authorities = authorities
    }
}

@safe
package final class TLSClientContext: @unchecked Sendable {
    private let context: OpaquePointer
    private let resumptions: ResumptionCache
    private let verifies: Bool

    /// - Parameters:
    ///   - loops: how many loops make sessions.
    ///   - now: seconds since 1970, by which the identity must be valid; nil does not ask.
    /// - Throws: what is wrong with which file.
    package init(
        _ settings: TLSClientSettings, loops: Int, now: Int64?
    ) throws(TLSSetupError) {
        precondition(settings.offersHTTP2 || settings.offersHTTP1, "something is to be spoken")
        let context = try unsafe ContextMaking.make(TLS_client_method(), settings.algorithms)
        resumptions = ResumptionCache(loops: loops)
        verifies = settings.authorities != nil
        // Owned from here on: an initializer that throws later still runs `deinit`.
        unsafe self.context = context
        unsafe ContextMaking.introduce(resumptions, to: context)
        unsafe ContextMaking.entrust(resumptions, to: context)
        unsafe penstock_ssl_hand_sessions_out(context)
        unsafe SSL_CTX_sess_set_new_cb(context, ResumptionCache.keep)
        unsafe SSL_CTX_set_verify(context, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
        unsafe settings.authorities?.install(in: context)
        let offer = TLSProtocol.list(
            withHTTP2: settings.offersHTTP2, withHTTP1: settings.offersHTTP1)
        // Answers 0 for success, unlike its neighbours.
        let offered = unsafe SSL_CTX_set_alpn_protos(
            context, offer.utf8Start, UInt32(offer.utf8CodeUnitCount))
        precondition(offered == 0, "the list of protocols is well-formed")
        if let identity = settings.identity {
            _ = try unsafe identity.install(in: context, now: now)
        }
    }

    deinit { unsafe SSL_CTX_free(context) }

    /// A session towards a replica. Nil when there is no memory for it. Its first `receive`, with
    /// nothing, begins the handshake.
    package func connect(to name: TLSPeerName, on engine: borrowing TLSEngine) -> TLSSession? {
        guard let session = unsafe TLSSession(context, on: engine, isServer: false) else {
            return nil
        }
        guard session.expect(name, verified: verifies) else {
            session.free()
            return nil
        }
        if let known = unsafe resumptions.take(name.number, loop: engine.transfer.pointee.loop) {
            unsafe session.resume(known, verified: verifies)
        }
        return session
    }
}

/// The name that a replica must prove: a host name, which is also asked for by SNI, or an address.
/// Sessions are resumed only under the very same object; make one per endpoint.
@safe
package final class TLSPeerName: @unchecked Sendable {
    let text: UnsafePointer<CChar>
    let isAddress: Bool
    /// Tells names apart for as long as the process lives.
    let number: UInt64

    /// Nil for what is neither a host name nor an address.
    package init?(_ name: String) {
        guard (1...253).contains(name.utf8.count),
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), let copy = unsafe strdup(name)
        else { return nil }
        unsafe text = UnsafePointer(copy)
        let address = unsafe a2i_IPADDRESS(copy)
        isAddress = unsafe address != nil
        unsafe ASN1_OCTET_STRING_free(address)
        ERR_clear_error()
        number = Self.next.add(1, ordering: .relaxed).newValue
    }

    deinit { unsafe Glibc.free(UnsafeMutablePointer(mutating: text)) }

    private static let next = Atomic<UInt64>(0)
}

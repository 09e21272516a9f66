// A client that is not ours: OpenSSL by itself, with every freedom to be old, odd or hostile. It
// works on memory like ours, through BIOs of OpenSSL's own.

import COpenSSL
import Testing

@testable import TLS

@safe
final class ForeignClient: Endpoint {
    private let context: OpaquePointer
    let session: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    var outbox: [UInt8] = []
    private(set) var inbox: [UInt8] = []

    /// What kind of client it is to be.
    struct Kind {
        var version: Int32?
        var serverName: String?
        /// As ALPN goes over the wire.
        var protocols: [UInt8] = []
        /// What it shows of itself.
        var identity: TLSIdentity?
        /// Carries on from an earlier client's session.
        var resumes: ForeignClient?
        var ciphers: String?
        /// Asks for records of 512, 1024, 2048 or 4096 bytes (1 to 4).
        var smallRecords: UInt8 = 0
        /// Properties by which its algorithms are looked up.
        var query: String?
    }

    init(_ kind: Kind = Kind()) throws {
        unsafe context = try #require(unsafe SSL_CTX_new_ex(nil, kind.query, TLS_client_method()))
        unsafe SSL_CTX_set_security_level(context, 0)
        for limit in [SSL_CTRL_SET_MIN_PROTO_VERSION, SSL_CTRL_SET_MAX_PROTO_VERSION] {
            unsafe SSL_CTX_ctrl(context, limit, Int(kind.version ?? 0), nil)
        }
        if let ciphers = kind.ciphers { unsafe SSL_CTX_set_cipher_list(context, ciphers) }
        if let identity = kind.identity {
            _ = try unsafe identity.install(in: context, now: nil)
        }
        unsafe session = try #require(unsafe SSL_new(context))
        unsafe input = try #require(unsafe BIO_new(BIO_s_mem()))
        unsafe output = try #require(unsafe BIO_new(BIO_s_mem()))
        unsafe SSL_set_bio(session, input, output)
        unsafe SSL_set_connect_state(session)
        if let name = kind.serverName { unsafe penstock_ssl_set_server_name(session, name) }
        if !kind.protocols.isEmpty {
            unsafe SSL_set_alpn_protos(session, kind.protocols, UInt32(kind.protocols.count))
        }
        unsafe SSL_set_tlsext_max_fragment_length(session, kind.smallRecords)
        if let earlier = kind.resumes {
            unsafe SSL_set_session(session, SSL_get_session(earlier.session))
        }
    }

    deinit {
        unsafe SSL_set_shutdown(session, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(session)
        unsafe SSL_CTX_free(context)
        ERR_clear_error()
    }

    func take(_ bytes: [UInt8]) {
        unsafe BIO_write(input, bytes, Int32(bytes.count))
        var room = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe SSL_read(session, &room, Int32(room.count))
            guard count > 0 else { break }
            inbox += room[..<Int(count)]
        }
        ERR_clear_error()
        collect()
    }

    func say(_ bytes: [UInt8]) {
        unsafe SSL_write(session, bytes, Int32(bytes.count))
        collect()
    }

    /// Asks for new keys on both sides.
    func updateKeys() {
        unsafe SSL_key_update(session, SSL_KEY_UPDATE_REQUESTED)
        unsafe SSL_do_handshake(session)
        collect()
    }

    func renegotiate() {
        unsafe SSL_renegotiate(session)
        unsafe SSL_do_handshake(session)
        ERR_clear_error()
        collect()
    }

    private func collect() {
        var start: UnsafePointer<CChar>?
        let count = unsafe penstock_bio_bytes(output, &start)
        unsafe outbox += UnsafeRawBufferPointer(start: start, count: count)
        unsafe BIO_ctrl(output, BIO_CTRL_RESET, 0, nil)
    }

    var isEstablished: Bool { unsafe SSL_is_init_finished(session) == 1 }
    var isResumed: Bool { unsafe SSL_session_reused(session) == 1 }
    var version: Int32 { unsafe SSL_version(session) }

    /// The common name of the certificate that the server showed.
    var shownName: String {
        let subject = unsafe X509_get_subject_name(SSL_get0_peer_certificate(session))
        var room = [CChar](repeating: 0, count: 256)
        let count = unsafe X509_NAME_get_text_by_NID(subject, NID_commonName, &room, 256)
        return String(
            decoding: room.prefix(max(0, Int(count))).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    var protocolName: String {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(session, &name, &count)
        return unsafe String(
            decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }
}

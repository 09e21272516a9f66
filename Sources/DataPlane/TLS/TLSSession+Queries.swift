// What was agreed in the handshake, and who the peer is. Texts stay valid as long as the session;
// nothing here is known before the session is established, but for the name asked for.

internal import COpenSSL
internal import Glibc

extension TLSSession {
    package var version: TLSVersion {
        unsafe SSL_version(session) == TLS1_3_VERSION ? .tls13 : .tls12
    }

    /// The application protocol; HTTP/1.1 when nothing was negotiated.
    package var negotiated: TLSProtocol {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(session, &name, &count)
        guard count == 2, let name = unsafe name, unsafe name[0] == UInt8(ascii: "h"),
            unsafe name[1] == UInt8(ascii: "2")
        else { return .http1 }
        return .http2
    }

    /// OpenSSL's name, such as `TLS_AES_128_GCM_SHA256`.
    package var cipher: UnsafeRawBufferPointer {
        unsafe text(SSL_CIPHER_get_name(SSL_get_current_cipher(session)))
    }

    /// The host that the client asked for; empty if it did not.
    package var serverName: UnsafeRawBufferPointer {
        unsafe text(penstock_ssl_server_name(session))
    }

    package var isResumed: Bool { unsafe SSL_session_reused(session) == 1 }

    package var hasPeerCertificate: Bool { unsafe SSL_get0_peer_certificate(session) != nil }

    /// Writes the subject of the peer's certificate after RFC 4514, as printable ASCII.
    ///
    /// - Returns: the bytes written; nil without a certificate, and when it does not fit, as half a
    ///   name would be another one.
    package func peerSubject(into room: UnsafeMutableRawBufferPointer) -> Int? {
        guard let certificate = unsafe SSL_get0_peer_certificate(session) else { return nil }
        return unsafe CertificateNames.writeSubject(of: certificate, into: room)
    }

    /// Writes the SHA-256 of the peer's certificate as 64 lower-case hexadecimal digits.
    ///
    /// - Returns: whether there is a certificate.
    package func peerFingerprint(into room: UnsafeMutableRawBufferPointer) -> Bool {
        precondition(room.count >= 64, "64 digits")
        guard let certificate = unsafe SSL_get0_peer_certificate(session) else { return false }
        return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { digest in
            var count: UInt32 = 0
            guard
                unsafe X509_digest(certificate, EVP_sha256(), digest.baseAddress, &count) == 1,
                count == 32
            else {
                ERR_clear_error()
                return false
            }
            for index in 0..<32 {
                let byte = unsafe digest[index]
                unsafe room[2 * index] = Self.digit(byte >> 4)
                unsafe room[2 * index + 1] = Self.digit(byte & 15)
            }
            return true
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private func text(_ start: UnsafePointer<CChar>?) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: start, count: start.map { unsafe strlen($0) } ?? 0)
    }
}

// MARK: A client's session before its handshake

extension TLSSession {
    /// Asks for the name by SNI and lets only its certificate pass. False without memory.
    func expect(_ name: TLSPeerName, verified: Bool) -> Bool {
        let number = unsafe UnsafeMutableRawPointer(bitPattern: UInt(name.number))
        guard unsafe SSL_set_ex_data(session, 0, number) == 1 else { return false }
        let rules = unsafe SSL_get0_param(session)
        if name.isAddress {
            // Addresses are not asked for by SNI (RFC 6066 3).
            return unsafe !verified || X509_VERIFY_PARAM_set1_ip_asc(rules, name.text) == 1
        }
        guard unsafe penstock_ssl_set_server_name(session, name.text) == 1 else { return false }
        guard verified else { return true }
        // Names stand in the certificate's list of names, not in its subject (RFC 9525 2).
        unsafe X509_VERIFY_PARAM_set_hostflags(
            rules,
            UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        return unsafe X509_VERIFY_PARAM_set1_host(rules, name.text, 0) == 1
    }

    /// Tries to continue an earlier session, and takes it over. One whose certificate has run out
    /// since is left: where that matters, the replica has to show a better one.
    func resume(_ earlier: OpaquePointer, verified: Bool) {
        defer { unsafe SSL_SESSION_free(earlier) }
        if verified, unsafe CertificateNames.hasExpired(in: earlier) { return }
        // A session of no use is ignored; the handshake is then a whole one.
        if unsafe SSL_set_session(session, earlier) != 1 { ERR_clear_error() }
    }
}

// Why a session ended badly: a class to count by, and OpenSSL's own reason for the log. A plain
// value; its texts are constants of the library.

internal import COpenSSL

package struct TLSFault: Error, Equatable, Sendable {
    package enum Kind: UInt8, CaseIterable, Sendable {
        /// The client speaks HTTP without TLS; it can be told so in clear.
        case plainHTTP
        case notTLS
        /// The peer knows TLS 1.1 or older only.
        case unsupportedVersion
        /// No cipher, group or signature that both sides know.
        case nothingInCommon
        /// None of the protocols offered by ALPN is spoken here.
        case noProtocolInCommon
        /// The peer's certificate does not hold: its chain, time or name.
        case untrustedPeer
        /// A client without the certificate that is required.
        case missingCertificate
        /// The peer gave up, and said why with an alert.
        case refusedByPeer
        /// Bytes that are not what the protocol asks for, or that were tampered with.
        case malformed
        case tooLarge
        /// Key updates or renegotiations without end.
        case flood
        /// Used after its end, or OpenSSL is out of memory.
        case unusable
    }

    package let kind: Kind
    /// OpenSSL's packed error; 0 when the kind says all.
    let code: UInt
    /// Why the peer's certificate does not hold; 0 when that is not the fault.
    let verification: Int

    init(_ kind: Kind, code: UInt = 0, verification: Int = 0) {
        self.kind = kind
        self.code = code
        self.verification = verification
    }

    /// The constant text of the reason: lives for ever, is printable ASCII.
    package var reason: UnsafeRawBufferPointer {
        if verification != 0, let text = unsafe X509_verify_cert_error_string(verification) {
            return unsafe UnsafeRawBufferPointer(start: text, count: strlen(text))
        }
        if code != 0, let text = unsafe ERR_reason_error_string(code) {
            return unsafe UnsafeRawBufferPointer(start: text, count: strlen(text))
        }
        let text = kind.text
        return unsafe UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}

extension TLSFault: CustomStringConvertible {
    package var description: String {
        unsafe String(decoding: reason, as: UTF8.self)
    }
}

extension TLSFault.Kind {
    fileprivate var text: StaticString {
        switch self {
        case .plainHTTP: "http request"
        case .notTLS: "not TLS"
        case .unsupportedVersion: "unsupported protocol"
        case .nothingInCommon: "nothing in common"
        case .noProtocolInCommon: "no application protocol"
        case .untrustedPeer: "certificate verify failed"
        case .missingCertificate: "peer did not return a certificate"
        case .refusedByPeer: "alert"
        case .malformed: "malformed"
        case .tooLarge: "message too large"
        case .flood: "too many key updates or renegotiations"
        case .unusable: "session not usable"
        }
    }
}

extension TLSFault {
    /// The fault that OpenSSL has just noted on this thread. Empties its queue, so that the next
    /// call of any session starts without leftovers.
    static func take(_ session: OpaquePointer) -> TLSFault {
        // The oldest error of the library itself is the cause; others tell how it came about.
        var cause: UInt = 0
        while true {
            let code = ERR_get_error()
            if code == 0 { break }
            let isOurs = ERR_GET_LIB(code) == ERR_LIB_SSL
            if cause == 0 || (isOurs && ERR_GET_LIB(cause) != ERR_LIB_SSL) { cause = code }
        }
        let kind = ERR_GET_LIB(cause) == ERR_LIB_SSL ? kind(of: ERR_GET_REASON(cause)) : .unusable
        let verification = kind == .untrustedPeer ? unsafe SSL_get_verify_result(session) : 0
        return TLSFault(kind, code: cause, verification: verification)
    }

    private static func kind(of reason: Int32) -> Kind {
        // Alerts of the peer are numbered from here.
        if reason >= SSL_AD_REASON_OFFSET { return .refusedByPeer }
        switch reason {
        case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST: return .plainHTTP
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_WRONG_SSL_VERSION,
            SSL_R_UNKNOWN_SSL_VERSION, SSL_R_WRONG_VERSION_NUMBER:
            return .unsupportedVersion
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SHARED_GROUPS,
            SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
            return .nothingInCommon
        case SSL_R_NO_APPLICATION_PROTOCOL: return .noProtocolInCommon
        case SSL_R_CERTIFICATE_VERIFY_FAILED: return .untrustedPeer
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return .missingCertificate
        case SSL_R_EXCESSIVE_MESSAGE_SIZE: return .tooLarge
        default: return .malformed
        }
    }
}

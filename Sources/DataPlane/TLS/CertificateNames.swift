// What a certificate says of itself, as text: the host names it stands for, its times, its subject.

internal import COpenSSL

enum CertificateNames {
    /// The DNS names; the common name only if there are none (RFC 6125 6.4.4).
    static func names(of certificate: OpaquePointer) -> [String] {
        let found = unsafe alternativeNames(of: certificate)
        if !found.isEmpty { return found }
        return unsafe commonName(of: certificate).map { [$0] } ?? []
    }

    private static func alternativeNames(of certificate: OpaquePointer) -> [String] {
        guard let raw = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil)
        else { return [] }
        let names = OpaquePointer(raw)
        defer { unsafe penstock_x509_free_alternatives(names) }
        let count = min(
            Int(unsafe penstock_x509_alternative_count(names)), TLSLimits.namesPerCertificate)
        return (0..<count).compactMap { index in
            guard let text = unsafe penstock_x509_dns_name(names, Int32(index)) else { return nil }
            let start = unsafe ASN1_STRING_get0_data(text)
            let bytes = unsafe UnsafeBufferPointer(
                start: start, count: Int(ASN1_STRING_length(text)))
            return unsafe String(validating: bytes, as: UTF8.self)
        }
    }

    private static func commonName(of certificate: OpaquePointer) -> String? {
        let subject = unsafe X509_get_subject_name(certificate)
        let place = unsafe X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard place >= 0, let entry = unsafe X509_NAME_get_entry(subject, place) else { return nil }
        var text: UnsafeMutablePointer<UInt8>?
        let count = unsafe ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry))
        guard count >= 0, let start = unsafe text else {
            ERR_clear_error()
            return nil
        }
        defer { unsafe CRYPTO_free(start, #fileID, #line) }
        return unsafe String(
            validating: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
    }

    /// Whether the certificate that a session was let in with has run out since; OpenSSL looks at
    /// it in whole handshakes only. By OpenSSL's clock, as it does there.
    static func hasExpired(in session: OpaquePointer?) -> Bool {
        guard let session = unsafe session,
            let certificate = unsafe SSL_SESSION_get0_peer(session)
        else { return false }
        return unsafe X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0
    }

    /// A time as OpenSSL writes it.
    static func text(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        guard let memory = unsafe BIO_new(BIO_s_mem()) else { return "an unknown time" }
        defer { unsafe BIO_free(memory) }
        guard unsafe ASN1_TIME_print(memory, time) == 1 else {
            ERR_clear_error()
            return "an unknown time"
        }
        return unsafe String(decoding: content(of: memory), as: UTF8.self)
    }

    /// What was written to a memory BIO; valid while it lives.
    static func content(of memory: OpaquePointer) -> UnsafeRawBufferPointer {
        var start: UnsafePointer<CChar>?
        let count = unsafe penstock_bio_bytes(memory, &start)
        return unsafe UnsafeRawBufferPointer(start: start, count: unsafe start == nil ? 0 : count)
    }

    /// The subject on one line after RFC 4514: most specific first, everything that is not
    /// printable ASCII escaped, so that it may stand in a header field.
    ///
    /// - Returns: the bytes written; nil when the room is too small, as half a name is another one.
    static func writeSubject(
        of certificate: OpaquePointer, into target: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard let memory = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free(memory) }
        let name = unsafe X509_get_subject_name(certificate)
        guard unsafe X509_NAME_print_ex(memory, name, 0, penstock_x509_subject_style) >= 0 else {
            ERR_clear_error()
            return nil
        }
        let text = unsafe content(of: memory)
        guard text.count <= min(target.count, TLSLimits.subjectBytes) else { return nil }
        unsafe target.copyMemory(from: text)
        return text.count
    }
}

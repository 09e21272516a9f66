// Whom to trust: the authorities of a file, or of the system. Read and parsed once, then shared by
// any number of contexts; nothing is looked up on disk while a peer is being verified.

internal import COpenSSL
internal import Glibc

@safe
package final class TLSAuthorities: @unchecked Sendable {
    let store: OpaquePointer
    /// SHA-256 of the file: sessions made under other authorities are not resumed.
    let digest: [UInt8]
    private let names: OpaquePointer?

    /// - Parameter now: seconds since 1970; nil looks at no times.
    /// - Throws: when the file holds no certificate, a damaged one, or none but expired ones.
    package init(_ file: TLSFile, now: Int64? = nil) throws(TLSSetupError) {
        let chain = try CertificateChain(file)
        if let now { try Self.checkTime(of: chain, in: file, now: now) }
        guard let store = unsafe X509_STORE_new() else { throw .refused(reason: "out of memory") }
        for index in 0..<chain.count {
            // Fails for one that stands in the file twice, in some versions; it is in then.
            if unsafe X509_STORE_add_cert(store, chain[index]) != 1 { ERR_clear_error() }
        }
        unsafe self.store = store
        digest = Self.sha256(file.content)
        unsafe names = Self.names(of: chain)
    }

    /// Lists outlive some of their authorities, as the system's does; but one of expired ones alone
    /// lets nobody in.
    private static func checkTime(
        of chain: borrowing CertificateChain, in file: TLSFile, now: Int64
    ) throws(TLSSetupError) {
        var time = time_t(now)
        var last = unsafe X509_get0_notAfter(chain[0])
        for index in 1..<chain.count {
            let end = unsafe X509_get0_notAfter(chain[index])
            if unsafe ASN1_TIME_compare(end, last) > 0 { unsafe last = end }
        }
        if unsafe X509_cmp_time(last, &time) < 0 {
            throw .expired(path: file.path, since: unsafe CertificateNames.text(last))
        }
    }

    /// The list that the system keeps.
    package static func ofSystem() throws(TLSSetupError) -> TLSAuthorities {
        for path in systemPaths where unsafe access(path, R_OK) == 0 {
            return try TLSAuthorities(TLSFile(reading: path))
        }
        throw .noSystemAuthorities
    }

    deinit {
        unsafe X509_STORE_free(store)
        if let names = unsafe names { unsafe penstock_x509_free_names(names) }
    }

    /// Peers of the context are verified by these authorities.
    func install(in context: OpaquePointer) {
        unsafe X509_STORE_up_ref(store)
        unsafe SSL_CTX_set_cert_store(context, store)
    }

    /// Tells clients which authorities their certificate may be from.
    func announce(in context: OpaquePointer) {
        guard let names = unsafe names, let copy = unsafe SSL_dup_CA_list(names) else { return }
        unsafe SSL_CTX_set_client_CA_list(context, copy)
    }

    /// Nil when the names together are too long to be sent.
    private static func names(of chain: borrowing CertificateChain) -> OpaquePointer? {
        guard let names = unsafe penstock_x509_new_names() else { return nil }
        var bytes = 0
        for index in 0..<chain.count {
            bytes += Int(unsafe i2d_X509_NAME(X509_get_subject_name(chain[index]), nil)) + 2
            guard bytes <= TLSLimits.authorityNameBytes,
                unsafe penstock_x509_add_name(names, chain[index]) == 1
            else {
                unsafe penstock_x509_free_names(names)
                return nil
            }
        }
        return unsafe names
    }

    static func sha256(_ content: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let made = unsafe EVP_Digest(content, content.count, &digest, nil, EVP_sha256(), nil)
        precondition(made == 1, "SHA-256 of bytes in memory")
        return digest
    }

    /// The library's own place first; then where distributions put it.
    private static var systemPaths: [String] {
        let variable = unsafe getenv(X509_get_default_cert_file_env()).map {
            unsafe String(cString: $0)
        }
        let fixed = unsafe String(cString: X509_get_default_cert_file())
        return (variable.map { [$0] } ?? []) + [
            fixed, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
            "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
        ]
    }
}

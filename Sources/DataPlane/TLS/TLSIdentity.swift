// A certificate with its key, as files and as OpenSSL holds them once checked: readable, belonging
// together, valid at a given time, strong enough.

internal import COpenSSL

/// The certificate (leaf first, then the chain up to but without the root) and its key.
package struct TLSIdentity: Sendable, Equatable {
    package let certificate: TLSFile
    package let key: TLSFile

    package init(certificate: TLSFile, key: TLSFile) {
        self.certificate = certificate
        self.key = key
    }
}

extension TLSIdentity {
    /// Gives the context this identity. Answers with the names it stands for.
    ///
    /// - Parameter now: seconds since 1970, or nil to take any time for right.
    func install(in context: OpaquePointer, now: Int64?) throws(TLSSetupError) -> [String] {
        guard certificate.content.count <= TLSLimits.chainFileBytes else {
            throw .tooLarge(path: certificate.path, bytesMax: TLSLimits.chainFileBytes)
        }
        guard key.content.count <= TLSLimits.chainFileBytes else {
            throw .tooLarge(path: key.path, bytesMax: TLSLimits.chainFileBytes)
        }
        let chain = try CertificateChain(certificate)
        let privateKey = try PrivateKey(key)
        let leaf = unsafe chain[0]
        guard unsafe X509_check_private_key(leaf, privateKey.key) == 1 else {
            ERR_clear_error()
            throw .keyDoesNotFit(key: key.path, certificate: certificate.path)
        }
        if let now { try unsafe checkTime(of: leaf, now: now) }
        try unsafe require(SSL_CTX_use_certificate(context, leaf), of: certificate)
        for place in 1..<chain.count {
            unsafe X509_up_ref(chain[place])
            let added = unsafe penstock_ssl_add_chain(context, chain[place])
            if added != 1 { unsafe X509_free(chain[place]) }
            try require(added, of: certificate)
        }
        try unsafe require(SSL_CTX_use_PrivateKey(context, privateKey.key), of: key)
        return unsafe CertificateNames.names(of: leaf)
    }

    private func checkTime(of leaf: OpaquePointer, now: Int64) throws(TLSSetupError) {
        var time = time_t(now)
        if unsafe X509_cmp_time(X509_get0_notBefore(leaf), &time) > 0 {
            throw .notYetValid(
                path: certificate.path,
                until: unsafe CertificateNames.text(X509_get0_notBefore(leaf)))
        }
        if unsafe X509_cmp_time(X509_get0_notAfter(leaf), &time) < 0 {
            throw .expired(
                path: certificate.path,
                since: unsafe CertificateNames.text(X509_get0_notAfter(leaf)))
        }
    }

    private func require(_ answer: Int32, of file: TLSFile) throws(TLSSetupError) {
        if answer == 1 { return }
        let code = ERR_peek_last_error()
        ERR_clear_error()
        let weak = [
            SSL_R_EE_KEY_TOO_SMALL, SSL_R_CA_KEY_TOO_SMALL, SSL_R_CA_MD_TOO_WEAK,
        ]
        if ERR_GET_LIB(code) == ERR_LIB_SSL, weak.contains(ERR_GET_REASON(code)) {
            throw .tooWeak(path: file.path, reason: PEM.reason(code))
        }
        throw .refused(reason: "\(file.path): \(PEM.reason(code))")
    }
}

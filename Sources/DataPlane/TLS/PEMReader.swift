// Certificates and keys out of PEM text. Owns what it reads and frees it; says which file is at
// fault. Used when contexts are made, never during a handshake.

internal import COpenSSL

/// Certificates of one file, in its order.
@safe
struct CertificateChain: ~Copyable {
    private var certificates: [OpaquePointer] = unsafe []

    var count: Int { unsafe certificates.count }

    /// Valid as long as the chain.
    subscript(_ index: Int) -> OpaquePointer { unsafe certificates[index] }

    init(_ file: TLSFile) throws(TLSSetupError) {
        let memory = try unsafe PEM.open(file)
        defer { unsafe BIO_free(memory) }
        while let certificate = unsafe PEM_read_bio_X509(memory, nil, nil, nil) {
            unsafe certificates.append(certificate)
        }
        // Reading ends with an error in any case: there is no further beginning, or one is damaged.
        let code = ERR_peek_last_error()
        ERR_clear_error()
        let isAtEnd =
            ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE
        guard isAtEnd else { throw .malformed(path: file.path, reason: PEM.reason(code)) }
        guard count > 0 else { throw .noCertificate(path: file.path) }
    }

    deinit {
        for index in 0..<count { unsafe X509_free(certificates[index]) }
    }
}

/// The private key of one file.
@safe
struct PrivateKey: ~Copyable {
    let key: OpaquePointer

    init(_ file: TLSFile) throws(TLSSetupError) {
        let memory = try unsafe PEM.open(file)
        defer { unsafe BIO_free(memory) }
        var isEncrypted = false
        let found = unsafe withUnsafeMutablePointer(to: &isEncrypted) { flag in
            unsafe PEM_read_bio_PrivateKey(
                memory, nil,
                { _, _, _, flag in
                    // Asked for the passphrase: there is none.
                    unsafe flag?.assumingMemoryBound(to: Bool.self).pointee = true
                    return -1
                }, flag)
        }
        let code = ERR_peek_error()
        ERR_clear_error()
        guard let key = unsafe found else {
            if isEncrypted { throw .encryptedKey(path: file.path) }
            guard PEM.mentionsKey(file) else { throw .noKey(path: file.path) }
            throw .malformed(path: file.path, reason: PEM.reason(code))
        }
        unsafe self.key = key
    }

    deinit { unsafe EVP_PKEY_free(key) }
}

enum PEM {
    /// A view of the file's bytes for OpenSSL; the file must outlive it.
    static func open(_ file: TLSFile) throws(TLSSetupError) -> OpaquePointer {
        // Copied: an array's storage may be borrowed for the time of a call only.
        guard let memory = unsafe BIO_new(BIO_s_mem()) else {
            throw .refused(reason: "out of memory")
        }
        let count = file.content.count
        let written = unsafe BIO_write(memory, file.content, Int32(count))
        guard Int(written) == count || count == 0 else {
            unsafe BIO_free(memory)
            throw .refused(reason: "out of memory")
        }
        return unsafe memory
    }

    static func mentionsKey(_ file: TLSFile) -> Bool {
        let marker = Array("PRIVATE KEY-----".utf8)
        guard file.content.count >= marker.count else { return false }
        return (0...(file.content.count - marker.count)).contains { start in
            file.content[start..<(start + marker.count)].elementsEqual(marker)
        }
    }

    /// OpenSSL's words for an error, whatever library of its own it is from.
    static func reason(_ code: UInt) -> String {
        guard let text = unsafe ERR_reason_error_string(code) else { return "no reason is given" }
        return unsafe String(cString: text)
    }
}

// Certificates for tests, made in memory: an authority and what it issues. Valid from 2020 to 2120
// unless a test wants otherwise, so that no test depends on today.

import COpenSSL
import Synchronization
import TLS

/// What a certificate is to say.
struct Wish {
    /// As OpenSSL's configuration spells them: `DNS:a.example`, `IP:127.0.0.1`.
    var names: [String] = []
    /// Parts of the subject: `("CN", "a.example")`.
    var subject: [(String, String)] = []
    var key = Key.ec
    var usesSHA1 = false
    var from: Int64 = 1_577_836_800
    var until: Int64 = 4_733_510_400

    enum Key {
        case ec
        case rsa(Int)
    }

    init(_ names: String..., subject: [(String, String)] = []) {
        self.names = names
        self.subject = subject
    }
}

@safe
final class Authority: @unchecked Sendable {
    private let key: OpaquePointer
    private let certificate: OpaquePointer
    /// The authority's own certificate.
    let file: TLSFile

    init(_ name: String = "Test Authority") throws {
        var wish = Wish()
        wish.subject = [("CN", name)]
        unsafe key = Self.makeKey(.ec)
        unsafe certificate = try Self.make(wish, key: key, issuer: nil, signedBy: key)
        file = unsafe TLSFile(path: "\(name).pem", content: Self.pem(certificate: certificate))
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
    }

    func issue(_ wish: Wish, path: String = "server") throws -> TLSIdentity {
        let own = unsafe Self.makeKey(wish.key)
        defer { unsafe EVP_PKEY_free(own) }
        let made = try unsafe Self.make(wish, key: own, issuer: certificate, signedBy: key)
        defer { unsafe X509_free(made) }
        return unsafe TLSIdentity(
            certificate: TLSFile(path: "\(path).pem", content: Self.pem(certificate: made)),
            key: TLSFile(path: "\(path).key", content: Self.pem(key: own, passphrase: nil)))
    }

    /// A key of its own, encrypted.
    static func encryptedKey(path: String) -> TLSFile {
        let key = unsafe makeKey(.ec)
        defer { unsafe EVP_PKEY_free(key) }
        return unsafe TLSFile(path: path, content: pem(key: key, passphrase: "secret"))
    }

    private static func makeKey(_ kind: Wish.Key) -> OpaquePointer {
        let key =
            switch kind {
            case .ec: unsafe penstock_ec_key("P-256")
            case .rsa(let bits): unsafe penstock_rsa_key(bits)
            }
        guard let key = unsafe key else { preconditionFailure("a key can be made") }
        return unsafe key
    }

    private static func make(
        _ wish: Wish, key: OpaquePointer, issuer: OpaquePointer?, signedBy: OpaquePointer
    ) throws -> OpaquePointer {
        guard let made = unsafe X509_new() else { throw Failure.openSSL }
        unsafe X509_set_version(made, 2)
        unsafe ASN1_INTEGER_set(X509_get_serialNumber(made), serial.next())
        unsafe ASN1_TIME_set(X509_getm_notBefore(made), time_t(wish.from))
        unsafe ASN1_TIME_set(X509_getm_notAfter(made), time_t(wish.until))
        unsafe X509_set_pubkey(made, key)
        let subject = unsafe X509_get_subject_name(made)
        for (field, value) in wish.subject {
            let added = unsafe X509_NAME_add_entry_by_txt(
                subject, field, MBSTRING_FLAG, Array(value.utf8), Int32(value.utf8.count),
                -1, 0)
            guard added == 1 else { throw Failure.openSSL }
        }
        unsafe X509_set_issuer_name(made, X509_get_subject_name(issuer ?? made))
        if !wish.names.isEmpty {
            try unsafe extend(made, NID_subject_alt_name, wish.names.joined(separator: ","))
        }
        try unsafe extend(
            made, NID_basic_constraints, issuer == nil ? "critical,CA:TRUE" : "CA:FALSE")
        let digest = unsafe wish.usesSHA1 ? EVP_sha1() : EVP_sha256()
        guard unsafe X509_sign(made, signedBy, digest) > 0 else { throw Failure.openSSL }
        return unsafe made
    }

    private static func extend(_ made: OpaquePointer, _ kind: Int32, _ value: String) throws {
        guard let extra = unsafe X509V3_EXT_conf_nid(nil, nil, kind, value) else {
            throw Failure.openSSL
        }
        defer { unsafe X509_EXTENSION_free(extra) }
        guard unsafe X509_add_ext(made, extra, -1) == 1 else { throw Failure.openSSL }
    }

    private static func pem(certificate: OpaquePointer) -> [UInt8] {
        unsafe text { unsafe PEM_write_bio_X509($0, certificate) }
    }

    private static func pem(key: OpaquePointer, passphrase: String?) -> [UInt8] {
        unsafe text { memory in
            guard let passphrase else {
                return unsafe PEM_write_bio_PrivateKey(memory, key, nil, nil, 0, nil, nil)
            }
            return unsafe PEM_write_bio_PrivateKey(
                memory, key, EVP_aes_128_cbc(), Array(passphrase.utf8),
                Int32(passphrase.utf8.count), nil, nil)
        }
    }

    private static func text(_ write: (OpaquePointer?) -> Int32) -> [UInt8] {
        let memory = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(memory) }
        let written = unsafe write(memory)
        precondition(written == 1, "PEM can be written to memory")
        var start: UnsafePointer<CChar>?
        let count = unsafe penstock_bio_bytes(memory, &start)
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    enum Failure: Error {
        case openSSL
    }

    private static let serial = Serial()
}

/// Each certificate has its own number.
private final class Serial: Sendable {
    private let last = Atomic<Int>(0)

    func next() -> Int { last.add(1, ordering: .relaxed).newValue }
}

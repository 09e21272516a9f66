// Why certificates, keys and authorities cannot be used. Each names the file and what is wrong with
// it; the texts are written for whoever edits the configuration.

package enum TLSSetupError: Error, Sendable, Equatable {
    /// The system call that failed, in words.
    case unreadable(path: String, reason: String)
    case tooLarge(path: String, bytesMax: Int)
    /// Not PEM, or PEM of something else.
    case noCertificate(path: String)
    case noKey(path: String)
    case malformed(path: String, reason: String)
    case encryptedKey(path: String)
    case keyDoesNotFit(key: String, certificate: String)
    /// Times as OpenSSL writes them: `Jan  1 00:00:00 2030 GMT`.
    case expired(path: String, since: String)
    case notYetValid(path: String, until: String)
    /// Too short a key, or a signature by a broken hash.
    case tooWeak(path: String, reason: String)
    /// The certificate has no name at all that a client could ask for, though it must be told from
    /// others by name.
    case nameless(path: String)
    case tooMany(what: String, allowed: Int)
    /// None of the places where systems keep their list of authorities has one.
    case noSystemAuthorities
    /// OpenSSL would not, for a reason of its own.
    case refused(reason: String)
}

extension TLSSetupError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .tooLarge(let path, let bytesMax):
            "\(path) is too large; at most \(bytesMax / 1024) KiB are allowed"
        case .noCertificate(let path):
            "\(path) holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
        case .noKey(let path):
            "\(path) holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)"
        case .malformed(let path, let reason): "\(path) is damaged: \(reason)"
        case .encryptedKey(let path):
            "\(path) is encrypted; store the key without a passphrase, readable to its user only"
        case .keyDoesNotFit(let key, let certificate):
            "the key in \(key) is not that of the first certificate in \(certificate)"
        case .expired(let path, let since): "the certificate in \(path) expired on \(since)"
        case .notYetValid(let path, let until):
            "the certificate in \(path) is not valid before \(until)"
        case .tooWeak(let path, let reason): "\(path) is too weak to be used: \(reason)"
        case .nameless(let path):
            "the certificate in \(path) has no DNS name, so that no client can ask for it"
        case .tooMany(let what, let allowed): "too many \(what); at most \(allowed) are allowed"
        case .noSystemAuthorities:
            "this system has no list of trusted authorities; name one with ca"
        case .refused(let reason): "OpenSSL refuses: \(reason)"
        }
    }
}

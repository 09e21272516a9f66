// X25519 of BoringSSL, by way of swift-crypto, for OpenSSL's handshakes: a third of the time for a
// key pair. Loaded once, for the whole process, before the contexts that prefer it are made. What
// is secret stays in swift-crypto's memory, and is wiped when OpenSSL lets a key go.

internal import CProvider
internal import Crypto
internal import FoundationEssentials

package enum HandshakeProvider {
    /// The name by which contexts prefer it; nil when OpenSSL would not take it, and its own
    /// algorithms serve. Loaded by whoever asks first.
    package static let name: String? = {
        let curve = unsafe penstock_curve(generate: generate, agree: agree, forget: forget)
        return penstock_provider_load(curve) == 1 ? PENSTOCK_PROVIDER_NAME : nil
    }()
}

/// What OpenSSL holds while a handshake is under way.
private final class Secret {
    let key = Curve25519.KeyAgreement.PrivateKey()
}

private let bytes = Int(PENSTOCK_X25519_BYTES)

private let generate: @convention(c) (UnsafeMutablePointer<UInt8>?) -> UnsafeMutableRawPointer? = {
    target in
    let secret = Secret()
    let room = unsafe UnsafeMutableRawBufferPointer(start: target, count: bytes)
    unsafe secret.key.publicKey.rawRepresentation.withUnsafeBytes {
        unsafe room.copyMemory(from: $0)
    }
    return unsafe Unmanaged.passRetained(secret).toOpaque()
}

private let agree:
    @convention(c) (
        UnsafeMutableRawPointer?, UnsafePointer<UInt8>?, UnsafeMutablePointer<UInt8>?
    ) -> Int32 = { secret, peer, target in
        guard let secret = unsafe secret else { return 0 }
        let own = unsafe Unmanaged<Secret>.fromOpaque(secret).takeUnretainedValue()
        let room = unsafe UnsafeMutableRawBufferPointer(start: target, count: bytes)
        let share = unsafe UnsafeRawBufferPointer(start: peer, count: bytes)
        do {
            let theirs = try unsafe Curve25519.KeyAgreement.PublicKey(rawRepresentation: share)
            let shared = try own.key.sharedSecretFromKeyAgreement(with: theirs)
            unsafe shared.withUnsafeBytes { unsafe room.copyMemory(from: $0) }
            return 1
        } catch {
            return 0
        }
    }

private let forget: @convention(c) (UnsafeMutableRawPointer?) -> Void = { secret in
    guard let secret = unsafe secret else { return }
    unsafe Unmanaged<Secret>.fromOpaque(secret).release()
}

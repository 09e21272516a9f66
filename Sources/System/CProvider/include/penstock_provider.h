// A provider of algorithms for OpenSSL: X25519 by whoever computes it faster. Loaded once, for the
// whole process; whoever wants it prefers it by name ("?provider=penstock"), and everything else
// keeps to OpenSSL's own.
#ifndef PENSTOCK_PROVIDER_H
#define PENSTOCK_PROVIDER_H

#define PENSTOCK_PROVIDER_NAME "penstock"
#define PENSTOCK_X25519_BYTES 32

/// Who computes. Called by any thread; lives as long as the process.
struct penstock_curve {
    /// Makes a key pair: writes the public half, answers with the secret one, or NULL.
    void *(*generate)(unsigned char *public_key);
    /// Writes what both sides know: 1, or 0 when it could not. Zeros are the caller's to refuse.
    int (*agree)(void *secret, const unsigned char *peer_key, unsigned char *shared);
    /// Wipes the secret and lets it go.
    void (*forget)(void *secret);
};

/// Loads the provider beside OpenSSL's own: 1, or 0 when OpenSSL would not. To be called once.
int penstock_provider_load(struct penstock_curve curve);

#endif

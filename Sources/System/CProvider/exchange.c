// X25519 (RFC 7748) as OpenSSL wants it: keys, and what two of them agree on. A key belongs to
// OpenSSL, and operations under way hold it; its secret never leaves the curve. No more is here
// than handshakes need.
#include "provider.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/proverr.h>
#include <stdatomic.h>
#include <string.h>

enum { BYTES = PENSTOCK_X25519_BYTES, BITS = 253, SECURITY_BITS = 128 };

struct key {
    const struct penstock_curve *curve;
    atomic_int holders;
    int has_public;
    /// NULL in a peer's key.
    void *secret;
    unsigned char public_key[BYTES];
};

// Keys.

static struct key *blank(const struct penstock_curve *curve) {
    struct key *key = OPENSSL_zalloc(sizeof *key);
    if (!key) return NULL;
    key->curve = curve;
    atomic_init(&key->holders, 1);
    return key;
}

static void *key_new(void *context) { return blank(&((struct provider *)context)->curve); }

static void key_free(void *data) {
    struct key *key = data;
    if (!key || atomic_fetch_sub(&key->holders, 1) > 1) return;
    if (key->secret) key->curve->forget(key->secret);
    OPENSSL_free(key);
}

static struct key *held(struct key *key) {
    atomic_fetch_add(&key->holders, 1);
    return key;
}

/// Also asked of no key at all, which has not even parameters.
static int key_has(const void *data, int selection) {
    const struct key *key = data;
    if (!key) return 0;
    if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) && !key->has_public) return 0;
    return !(selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) || key->secret != NULL;
}

/// TLS 1.2 copies what a key has beside its halves, which is nothing.
static void *key_copy(const void *key, int selection) {
    if (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) return NULL;
    return blank(((const struct key *)key)->curve);
}

static int key_get(void *data, OSSL_PARAM parameters[]) {
    struct key *key = data;
    OSSL_PARAM *bits = OSSL_PARAM_locate(parameters, OSSL_PKEY_PARAM_BITS);
    OSSL_PARAM *strength = OSSL_PARAM_locate(parameters, OSSL_PKEY_PARAM_SECURITY_BITS);
    OSSL_PARAM *size = OSSL_PARAM_locate(parameters, OSSL_PKEY_PARAM_MAX_SIZE);
    OSSL_PARAM *share = OSSL_PARAM_locate(parameters, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
    return (!bits || OSSL_PARAM_set_int(bits, BITS)) &&
           (!strength || OSSL_PARAM_set_int(strength, SECURITY_BITS)) &&
           (!size || OSSL_PARAM_set_int(size, BYTES)) &&
           (!share || (key->has_public &&
                       OSSL_PARAM_set_octet_string(share, key->public_key, BYTES)));
}

static const OSSL_PARAM *key_gettable(void *context) {
    static const OSSL_PARAM known[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)context;
    return known;
}

/// Takes the peer's half as it came: any 32 bytes are a public key (RFC 7748 5), and what is bad
/// shows when secrets are agreed on.
static int key_set(void *data, const OSSL_PARAM parameters[]) {
    struct key *key = data;
    const OSSL_PARAM *share =
        OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
    if (!share) return 1;
    if (share->data_type != OSSL_PARAM_OCTET_STRING || !share->data ||
        share->data_size != BYTES || key->secret) {
        ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_KEY);
        return 0;
    }
    memcpy(key->public_key, share->data, BYTES);
    key->has_public = 1;
    return 1;
}

static const OSSL_PARAM *key_settable(void *context) {
    static const OSSL_PARAM known[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)context;
    return known;
}

// Making keys.

struct making {
    struct provider *provider;
    int is_blank;
};

static void *making_new(void *context, int selection, const OSSL_PARAM parameters[]) {
    (void)parameters;
    struct making *making = OPENSSL_zalloc(sizeof *making);
    if (!making) return NULL;
    making->provider = context;
    making->is_blank = (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0;
    return making;
}

static void making_free(void *making) { OPENSSL_free(making); }

/// libssl names the group although the algorithm has just one.
static int making_set(void *making, const OSSL_PARAM parameters[]) {
    (void)making;
    const OSSL_PARAM *group = OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_GROUP_NAME);
    if (!group) return 1;
    if (group->data_type == OSSL_PARAM_UTF8_STRING && group->data &&
        OPENSSL_strcasecmp(group->data, "x25519") == 0)
        return 1;
    ERR_raise(ERR_LIB_PROV, ERR_R_PASSED_INVALID_ARGUMENT);
    return 0;
}

static const OSSL_PARAM *making_settable(void *making, void *context) {
    static const OSSL_PARAM known[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)making;
    (void)context;
    return known;
}

static void *make(void *data, OSSL_CALLBACK *progress, void *argument) {
    (void)progress;
    (void)argument;
    const struct making *making = data;
    struct key *key = key_new(making->provider);
    if (!key || making->is_blank) return key;
    key->secret = key->curve->generate(key->public_key);
    key->has_public = key->secret != NULL;
    if (key->secret) return key;
    ERR_raise(ERR_LIB_PROV, PROV_R_FAILED_TO_GENERATE_KEY);
    key_free(key);
    return NULL;
}

const OSSL_DISPATCH penstock_x25519_keys[] = {
    ROW(OSSL_FUNC_KEYMGMT_NEW, key_new),
    ROW(OSSL_FUNC_KEYMGMT_FREE, key_free),
    ROW(OSSL_FUNC_KEYMGMT_HAS, key_has),
    ROW(OSSL_FUNC_KEYMGMT_DUP, key_copy),
    ROW(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get),
    ROW(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable),
    ROW(OSSL_FUNC_KEYMGMT_SET_PARAMS, key_set),
    ROW(OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, key_settable),
    ROW(OSSL_FUNC_KEYMGMT_GEN_INIT, making_new),
    ROW(OSSL_FUNC_KEYMGMT_GEN_CLEANUP, making_free),
    ROW(OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, making_set),
    ROW(OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, making_settable),
    ROW(OSSL_FUNC_KEYMGMT_GEN, make),
    END,
};

// Agreeing.

struct exchange {
    struct key *own, *peer;
};

static void *exchange_new(void *context) {
    (void)context;
    return OPENSSL_zalloc(sizeof(struct exchange));
}

static void exchange_free(void *data) {
    struct exchange *exchange = data;
    if (!exchange) return;
    key_free(exchange->own);
    key_free(exchange->peer);
    OPENSSL_free(exchange);
}

static int exchange_begin(void *data, void *own, const OSSL_PARAM parameters[]) {
    (void)parameters;
    struct exchange *exchange = data;
    key_free(exchange->own);
    exchange->own = held(own);
    return 1;
}

static int exchange_meet(void *data, void *peer) {
    struct exchange *exchange = data;
    key_free(exchange->peer);
    exchange->peer = held(peer);
    return 1;
}

/// Without room it answers with the size. Zeros are what everybody agrees on with a peer whose key
/// is a point of small order: refused (RFC 7748 6.1, RFC 8446 7.4.2).
static int exchange_agree(void *data, unsigned char *shared, size_t *count, size_t room) {
    static const unsigned char zeros[BYTES];
    const struct exchange *exchange = data;
    const struct key *own = exchange->own, *peer = exchange->peer;
    if (!own || !own->secret || !peer || !peer->has_public) {
        ERR_raise(ERR_LIB_PROV, PROV_R_MISSING_KEY);
        return 0;
    }
    *count = BYTES;
    if (!shared) return 1;
    if (room < BYTES) {
        ERR_raise(ERR_LIB_PROV, PROV_R_OUTPUT_BUFFER_TOO_SMALL);
        return 0;
    }
    if (own->curve->agree(own->secret, peer->public_key, shared) == 1 &&
        CRYPTO_memcmp(shared, zeros, BYTES) != 0)
        return 1;
    ERR_raise(ERR_LIB_PROV, PROV_R_FAILED_DURING_DERIVATION);
    return 0;
}

const OSSL_DISPATCH penstock_x25519_exchange[] = {
    ROW(OSSL_FUNC_KEYEXCH_NEWCTX, exchange_new),
    ROW(OSSL_FUNC_KEYEXCH_FREECTX, exchange_free),
    ROW(OSSL_FUNC_KEYEXCH_INIT, exchange_begin),
    ROW(OSSL_FUNC_KEYEXCH_SET_PEER, exchange_meet),
    ROW(OSSL_FUNC_KEYEXCH_DERIVE, exchange_agree),
    END,
};

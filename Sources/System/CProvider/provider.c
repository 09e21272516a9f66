// The provider itself: what it has, and how OpenSSL comes to know it. It adds to what is loaded;
// all else stays in place, also on a system that demands validated modules: a query for these does
// not find what stands here.
#include "provider.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <string.h>

static struct provider provider;
/// Held for the life of the process.
static OSSL_PROVIDER *loaded;

static const char properties[] = "provider=" PENSTOCK_PROVIDER_NAME;

static const OSSL_ALGORITHM keys[] = {
    { "X25519:1.3.101.110", properties, penstock_x25519_keys, NULL },
    { NULL, NULL, NULL, NULL },
};
static const OSSL_ALGORITHM exchanges[] = {
    { "X25519:1.3.101.110", properties, penstock_x25519_exchange, NULL },
    { NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM *query(void *context, int operation, int *is_volatile) {
    (void)context;
    *is_volatile = 0;
    switch (operation) {
    case OSSL_OP_KEYMGMT: return keys;
    case OSSL_OP_KEYEXCH: return exchanges;
    default: return NULL;
    }
}

// libssl takes a group from the provider that has its keys.
static unsigned int group_number = 0x001d, group_bits = 128;
static int tls_from = TLS1_2_VERSION, dtls_from = DTLS1_2_VERSION, no_end = 0;

static const OSSL_PARAM group[] = {
    OSSL_PARAM_utf8_string(OSSL_CAPABILITY_TLS_GROUP_NAME, "x25519", sizeof("x25519")),
    OSSL_PARAM_utf8_string(OSSL_CAPABILITY_TLS_GROUP_NAME_INTERNAL, "X25519", sizeof("X25519")),
    OSSL_PARAM_utf8_string(OSSL_CAPABILITY_TLS_GROUP_ALG, "X25519", sizeof("X25519")),
    OSSL_PARAM_uint(OSSL_CAPABILITY_TLS_GROUP_ID, &group_number),
    OSSL_PARAM_uint(OSSL_CAPABILITY_TLS_GROUP_SECURITY_BITS, &group_bits),
    OSSL_PARAM_int(OSSL_CAPABILITY_TLS_GROUP_MIN_TLS, &tls_from),
    OSSL_PARAM_int(OSSL_CAPABILITY_TLS_GROUP_MAX_TLS, &no_end),
    OSSL_PARAM_int(OSSL_CAPABILITY_TLS_GROUP_MIN_DTLS, &dtls_from),
    OSSL_PARAM_int(OSSL_CAPABILITY_TLS_GROUP_MAX_DTLS, &no_end),
    OSSL_PARAM_END,
};

static int capabilities(void *context, const char *kind, OSSL_CALLBACK *take, void *argument) {
    (void)context;
    return strcmp(kind, "TLS-GROUP") == 0 ? take(group, argument) : 1;
}

static const OSSL_DISPATCH table[] = {
    ROW(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
    ROW(OSSL_FUNC_PROVIDER_GET_CAPABILITIES, capabilities),
    END,
};

static int start(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                 const OSSL_DISPATCH **functions, void **context) {
    (void)handle;
    (void)core;
    *functions = table;
    *context = &provider;
    return 1;
}

int penstock_provider_load(struct penstock_curve curve) {
    provider.curve = curve;
    // Asking has OpenSSL's own loaded first, which are then found by whoever prefers nothing.
    (void)OSSL_PROVIDER_available(NULL, "default");
    if (OSSL_PROVIDER_add_builtin(NULL, PENSTOCK_PROVIDER_NAME, start) == 1)
        // OpenSSL's own are loaded in any case: that is what the 1 says.
        loaded = OSSL_PROVIDER_try_load(NULL, PENSTOCK_PROVIDER_NAME, 1);
    if (loaded) return 1;
    ERR_clear_error();
    return 0;
}

// libssl and libcrypto for Swift, with an inline function for each macro that Swift cannot see.
// Owned by TLS, which alone calls it. Nothing here keeps state or decides anything: names, choices
// and lifetimes are in the Swift files.
#ifndef PENSTOCK_COPENSSL_H
#define PENSTOCK_COPENSSL_H

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// Contexts.

/// TLS 1.2 and 1.3 only, nothing negotiable that is known to be harmful, tickets instead of a
/// session store, buffers given back between records.
static inline int penstock_ssl_configure(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_read_ahead(context, 0);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1;
}

static inline int penstock_ssl_set_groups(SSL_CTX *context, const char *names) {
    return (int)SSL_CTX_set1_groups_list(context, names);
}

static inline void penstock_ssl_no_session_store(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

/// Sessions of a client are handed to the callback of `SSL_CTX_sess_set_new_cb`, kept nowhere else.
static inline void penstock_ssl_hand_sessions_out(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
}

/// How many bytes of certificates a peer may send.
static inline void penstock_ssl_set_peer_chain_limit(SSL_CTX *context, long bytes) {
    SSL_CTX_set_max_cert_list(context, bytes);
}

/// Takes the certificate over if it answers 1.
static inline int penstock_ssl_add_chain(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add0_chain_cert(context, certificate);
}

typedef int (*penstock_server_name_callback)(SSL *session, int *alert, void *argument);

static inline void penstock_ssl_on_server_name(SSL_CTX *context,
                                               penstock_server_name_callback callback,
                                               void *argument) {
    SSL_CTX_set_tlsext_servername_callback(context, callback);
    SSL_CTX_set_tlsext_servername_arg(context, argument);
}

/// A place for one pointer in every SSL_CTX; `free` is called for it when the context ends.
static inline int penstock_ssl_new_context_index(CRYPTO_EX_free *free) {
    return SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free);
}

// Tickets.

/// Prepares both halves of a ticket's protection: AES-256-CBC and HMAC-SHA-256.
static inline int penstock_ssl_arm_ticket(EVP_CIPHER_CTX *cipher_context, EVP_MAC_CTX *mac_context,
                                          const EVP_CIPHER *cipher,
                                          const unsigned char *cipher_key,
                                          unsigned char *mac_key, size_t mac_key_count,
                                          const unsigned char *vector, int seals) {
    OSSL_PARAM parameters[3] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key, mac_key_count),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"sha256", 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_CipherInit_ex(cipher_context, cipher, NULL, cipher_key, vector, seals) == 1 &&
           EVP_MAC_CTX_set_params(mac_context, parameters) == 1;
}

// Sessions.

static inline int penstock_ssl_set_server_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}

static inline const char *penstock_ssl_server_name(const SSL *session) {
    return SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
}

// Certificates.

static inline int penstock_x509_alternative_count(const GENERAL_NAMES *names) {
    return sk_GENERAL_NAME_num(names);
}

/// The text of the DNS name at `index`, or NULL when it is a name of another kind.
static inline const ASN1_STRING *penstock_x509_dns_name(const GENERAL_NAMES *names, int index) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    return name && name->type == GEN_DNS ? name->d.dNSName : NULL;
}

static inline void penstock_x509_free_alternatives(GENERAL_NAMES *names) {
    GENERAL_NAMES_free(names);
}

/// An empty list of names of authorities, and one more for it, which is copied: 1 if it worked.
static inline STACK_OF(X509_NAME) *penstock_x509_new_names(void) { return sk_X509_NAME_new_null(); }

static inline int penstock_x509_add_name(STACK_OF(X509_NAME) *names, X509 *certificate) {
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(certificate));
    if (name && sk_X509_NAME_push(names, name) > 0) return 1;
    X509_NAME_free(name);
    return 0;
}

static inline void penstock_x509_free_names(STACK_OF(X509_NAME) *names) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
}

/// One line after RFC 4514, with all but printable ASCII escaped.
static const unsigned long penstock_x509_subject_style = XN_FLAG_RFC2253;

// Memory.

static inline void penstock_bio_begin(BIO *bio) { BIO_clear_retry_flags(bio); }

static inline void penstock_bio_wants_input(BIO *bio) { BIO_set_retry_read(bio); }

static inline size_t penstock_bio_bytes(BIO *memory, const char **bytes) {
    char *start = NULL;
    long count = BIO_get_mem_data(memory, &start);
    *bytes = start;
    return count > 0 ? (size_t)count : 0;
}

// For tests: making keys, and whose they are.

static inline EVP_PKEY *penstock_ec_key(const char *curve) { return EVP_EC_gen(curve); }
static inline EVP_PKEY *penstock_rsa_key(size_t bits) { return EVP_RSA_gen(bits); }

/// Who holds the key that the peer sent for this handshake; NULL before it did.
static inline const char *penstock_ssl_peer_share_provider(SSL *session) {
    EVP_PKEY *share = NULL;
    if (SSL_get_peer_tmp_key(session, &share) != 1) return NULL;
    const OSSL_PROVIDER *provider = EVP_PKEY_get0_provider(share);
    const char *name = provider ? OSSL_PROVIDER_get0_name(provider) : NULL;
    EVP_PKEY_free(share);
    return name;
}

#endif

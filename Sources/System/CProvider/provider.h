// What the files of the provider share: its state, made when it is loaded and never changed after,
// and the tables of functions that OpenSSL calls. Every function may be called by any thread.
#ifndef PENSTOCK_PROVIDER_INTERNAL_H
#define PENSTOCK_PROVIDER_INTERNAL_H

#include "penstock_provider.h"

#include <openssl/core_dispatch.h>

struct provider {
    struct penstock_curve curve;
};

/// A row of a table of functions.
#define ROW(number, function) { number, (void (*)(void))function }
#define END { 0, NULL }

extern const OSSL_DISPATCH penstock_x25519_keys[];
extern const OSSL_DISPATCH penstock_x25519_exchange[];

#endif

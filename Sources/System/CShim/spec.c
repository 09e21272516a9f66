// Reads what to run: `key=value` entries, each ended by NUL, from a descriptor that only Penstock
// and the shim have. Nothing of it, secrets above all, is ever on disk or in an argument list.
#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int number(const char *text, uint64_t *value) {
    char *end;
    errno = 0;
    unsigned long long read = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != 0) return EINVAL;
    *value = read;
    return 0;
}

static int append(char **list, size_t *count, const char *value) {
    if (*count >= SHIM_LIST_MAX) return E2BIG;
    list[(*count)++] = (char *)value;
    list[*count] = NULL;
    return 0;
}

/// `limit=4:0`: the kernel's number of the resource, then the soft and hard value.
static int limit(struct shim_spec *spec, char *value) {
    char *colon = strchr(value, ':');
    uint64_t resource;
    if (!colon || spec->limit_count == SHIM_LIMITS_MAX) return EINVAL;
    *colon = 0;
    struct shim_limit *limit = &spec->limits[spec->limit_count++];
    if (number(value, &resource) != 0) return EINVAL;
    limit->resource = (int)resource;
    return number(colon + 1, &limit->value);
}

static int entry(struct shim_spec *spec, const char *key, char *value) {
    const struct { const char *key; const char **place; } texts[] = {
        {"folder", &spec->folder}, {"nonce", &spec->nonce},     {"boot", &spec->boot},
        {"logs", &spec->logs},     {"program", &spec->program}, {"directory", &spec->directory},
    };
    const struct { const char *key; uint64_t *place; } numbers[] = {
        {"run", &spec->run}, {"segment", &spec->segment_bytes},
        {"segments", &spec->segments}, {"grace", &spec->grace},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(key, texts[i].key) == 0) return *texts[i].place = value, 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(key, numbers[i].key) == 0) return number(value, numbers[i].place);
    if (strcmp(key, "argument") == 0)
        return append(spec->arguments, &spec->argument_count, value);
    if (strcmp(key, "variable") == 0)
        return append(spec->variables, &spec->variable_count, value);
    if (strcmp(key, "limit") == 0) return limit(spec, value);
    if (strcmp(key, "group") == 0) {
        if (spec->group_count == SHIM_GROUPS_MAX) return E2BIG;
        return spec->groups[spec->group_count++] = value, 0;
    }
    // Of another version of Penstock: rather nothing than half of what was meant.
    return EINVAL;
}

static int is_complete(const struct shim_spec *spec) {
    return spec->folder && spec->nonce && spec->boot && spec->logs && spec->program &&
           spec->argument_count > 0 && spec->segment_bytes > 0 && spec->segments > 0 &&
           strlen(spec->nonce) < 128 && strlen(spec->boot) < 64 && strlen(spec->logs) < 4000;
}

static int load(struct shim_spec *spec, int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) < 0) return errno;
    if (status.st_size <= 0 || status.st_size > SHIM_SPEC_BYTES_MAX) return EFBIG;
    spec->size = (size_t)status.st_size;
    // Private, because entries are cut in place.
    void *bytes = mmap(NULL, spec->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED) return errno;
    spec->bytes = bytes;
    return spec->bytes[spec->size - 1] == 0 ? 0 : EINVAL;
}

static size_t entries(const struct shim_spec *spec) {
    size_t count = 0;
    for (size_t i = 0; i < spec->size; i++) count += spec->bytes[i] == 0;
    return count;
}

int shim_spec_read(struct shim_spec *spec, int descriptor) {
    int error = load(spec, descriptor);
    if (error != 0) return error;
    size_t count = entries(spec);
    if (count > SHIM_LIST_MAX) return E2BIG;
    spec->arguments = calloc(count + 1, sizeof(char *));
    spec->variables = calloc(count + 1, sizeof(char *));
    if (!spec->arguments || !spec->variables) return ENOMEM;
    for (char *at = spec->bytes; at < spec->bytes + spec->size;) {
        char *next = at + strlen(at) + 1;
        char *equals = strchr(at, '=');
        if (!equals) return EINVAL;
        *equals = 0;
        error = entry(spec, at, equals + 1);
        if (error != 0) return error;
        at = next;
    }
    return is_complete(spec) ? 0 : EINVAL;
}

void shim_spec_forget(struct shim_spec *spec) {
    if (spec->bytes) munmap(spec->bytes, spec->size);
    free(spec->arguments);
    free(spec->variables);
    *spec = (struct shim_spec){.grace = spec->grace};
}

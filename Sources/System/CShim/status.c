// How the replica is, for any later Penstock: text in two slots of one file, written in turn, each
// with a number and a checksum. A reader takes the newer whole one, so no write can tear what is
// known, and none needs space that a full disk would refuse.
#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const state_names[] = {"starting", "running", "ending", "exited", "failed"};

static uint64_t checksum(const char *text, size_t length) {
    // FNV-1a: it has to catch torn writes, not enemies.
    uint64_t sum = 14695981039346656037ull;
    for (size_t i = 0; i < length; i++) sum = (sum ^ (unsigned char)text[i]) * 1099511628211ull;
    return sum;
}

static void exit_text(const struct shim *shim, char *text, size_t size) {
    int status = shim->wait_status;
    if (shim->state != SHIM_ENDING && shim->state != SHIM_EXITED) {
        text[0] = 0;
    } else if (WIFSIGNALED(status)) {
        snprintf(text, size, "exit signal %d %s\n", WTERMSIG(status),
                 WCOREDUMP(status) ? "dumped" : "-");
    } else {
        snprintf(text, size, "exit code %d\n", WEXITSTATUS(status));
    }
}

size_t shim_status_text(const struct shim *shim, char *text, size_t capacity) {
    char ending[64], failure[256] = "";
    exit_text(shim, ending, sizeof ending);
    if (shim->state == SHIM_FAILED)
        snprintf(failure, sizeof failure, "failed %d %s\n", shim->failed_error,
                 shim->failed_step);
    int length = snprintf(
        text, capacity,
        "penstock-replica 1\nsequence %llu\nnonce %s\nboot %s\nstate %s\nshim %d %llu\n"
        "child %d %llu\nstarted %lld\nended %lld\nrequested %s\nresident_kib %ld\n"
        "cpu_milliseconds %lld\ndropped_lines %llu\nunkillable %zu\n%s%s",
        (unsigned long long)shim->sequence, shim->nonce, shim->boot, state_names[shim->state],
        shim->shim, (unsigned long long)shim->shim_ticks, shim->child,
        (unsigned long long)shim->child_ticks, (long long)shim->started, (long long)shim->ended,
        shim->requested, shim->resident_kib, (long long)shim->cpu_milliseconds,
        (unsigned long long)shim->log.dropped_lines, shim->unkillable, ending, failure);
    return length > 0 && (size_t)length < capacity ? (size_t)length : 0;
}

int shim_status_open(struct shim *shim) {
    char nothing[2 * SHIM_SLOT_BYTES] = {0};
    shim->status_file = open("status", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (shim->status_file < 0) return errno;
    // The space is taken now: a disk that is full later cannot refuse it.
    ssize_t wrote = pwrite(shim->status_file, nothing, sizeof nothing, 0);
    if (wrote == sizeof nothing) return 0;
    return wrote < 0 ? errno : ENOSPC;
}

void shim_status_write(struct shim *shim) {
    char slot[SHIM_SLOT_BYTES] = {0};
    shim->sequence += 1;
    size_t length = shim_status_text(shim, slot, sizeof slot - 32);
    snprintf(slot + length, sizeof slot - length, "sum %016llx\n",
             (unsigned long long)checksum(slot, length));
    off_t place = (off_t)(shim->sequence % 2) * SHIM_SLOT_BYTES;
    // Nobody is left to be told of a failure; the control socket still knows.
    if (pwrite(shim->status_file, slot, sizeof slot, place) < 0) return;
}

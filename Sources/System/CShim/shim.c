// The life of a shim: read the spec, say hello and wait for the word to go, start the replica, then
// serve its output, its end and the control socket until nothing of it is left. Whoever started
// the shim may die at any moment: before the word nothing was run, after it the status file knows.
#define _GNU_SOURCE
#include "CShim.h"
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct shim the_shim;

static int64_t milliseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t shim_now(void) { return milliseconds(CLOCK_MONOTONIC); }

int64_t shim_wall(void) { return milliseconds(CLOCK_REALTIME); }

static void tell(struct shim *shim, const char *text) {
    // Penstock may be gone; then nobody needs to know.
    send(shim->channel, text, strlen(text), MSG_NOSIGNAL);
}

/// Waits for "go"; the end of the channel means that Penstock died before it wanted a replica.
static int is_told_to_go(struct shim *shim) {
    char word[8];
    ssize_t got;
    do got = recv(shim->channel, word, sizeof word, 0);
    while (got < 0 && errno == EINTR);
    return got >= 2 && memcmp(word, "go", 2) == 0;
}

/// Everything goes through one descriptor; nothing interrupts anything.
static int watch_signals(void) {
    sigset_t all;
    sigfillset(&all);
    const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&all, faults[i]);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigset_t heard;
    sigemptyset(&heard);
    sigaddset(&heard, SIGCHLD);
    sigaddset(&heard, SIGTERM);
    return signalfd(-1, &heard, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int fail(struct shim *shim, const char *step, int error) {
    char text[256];
    if (step) shim->failed_step = step;
    shim->failed_error = error;
    shim->state = SHIM_FAILED;
    shim->ended = shim_wall();
    if (shim->status_file >= 0) shim_status_write(shim);
    snprintf(text, sizeof text, "failed %d %s\n", error, shim->failed_step);
    tell(shim, text);
    return 1;
}

static void copy_what_stays(struct shim *shim) {
    const struct shim_spec *spec = &shim->spec;
    snprintf(shim->nonce, sizeof shim->nonce, "%s", spec->nonce);
    snprintf(shim->boot, sizeof shim->boot, "%s", spec->boot);
    shim->group_count = spec->group_count;
    for (size_t i = 0; i < spec->group_count; i++)
        snprintf(shim->groups[i], sizeof shim->groups[i], "%s", spec->groups[i]);
}

static int prepare(struct shim *shim) {
    int error = shim_spec_read(&shim->spec, PENSTOCK_SHIM_SPEC);
    if (error != 0) return fail(shim, "read the spec", error);
    copy_what_stays(shim);
    if (chdir(shim->spec.folder) < 0) return fail(shim, "enter the replica's folder", errno);
    error = shim_status_open(shim);
    if (error != 0) return fail(shim, "write the status", error);
    shim->listener = shim_control_open();
    if (shim->listener < 0) return fail(shim, "open the control socket", -shim->listener);
    shim->signals = watch_signals();
    if (shim->signals < 0) return fail(shim, "watch signals", errno);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    shim->shim_ticks = shim_start_ticks(shim->shim);
    shim_log_open(&shim->log, &shim->spec);
    return 0;
}

/// Penstock hears "hello" once the status can be found, and says "go" once it has noted so.
static int start(struct shim *shim) {
    shim_status_write(shim);
    tell(shim, "hello\n");
    if (!is_told_to_go(shim)) return fail(shim, "wait for the word to go", ECANCELED);
    shim->started = shim_wall();
    int error = shim_child_start(shim);
    if (error != 0) return fail(shim, NULL, error);
    shim->state = SHIM_RUNNING;
    shim_status_write(shim);
    char text[64];
    snprintf(text, sizeof text, "running %d %llu\n", shim->child,
             (unsigned long long)shim->child_ticks);
    tell(shim, text);
    close(shim->channel);
    close(PENSTOCK_SHIM_SPEC);
    shim_spec_forget(&shim->spec);
    return 0;
}

void shim_stop(struct shim *shim, const char *requested, int64_t grace) {
    if (shim->state != SHIM_RUNNING) return;
    int64_t kill_at = shim_now() + (grace > 0 ? grace : 0);
    if (strcmp(shim->requested, "kill") != 0) shim->requested = requested;
    if (shim->kill_at == 0 || kill_at < shim->kill_at) shim->kill_at = kill_at;
    shim_status_write(shim);
    if (grace > 0) shim_group_signal(shim, SIGTERM);
}

static void hear_signals(struct shim *shim) {
    struct signalfd_siginfo signal;
    while (read(shim->signals, &signal, sizeof signal) == sizeof signal)
        if (signal.ssi_signo == SIGTERM) shim_stop(shim, "stop", (int64_t)shim->spec.grace);
    enum shim_state before = shim->state;
    shim_group_reap(shim);
    if (before == SHIM_RUNNING && shim->state == SHIM_ENDING) shim_status_write(shim);
}

static void hear_stream(struct shim *shim, struct shim_stream *stream, short events) {
    if (events == 0 || stream->descriptor < 0) return;
    if (shim_stream_read(stream, &shim->log) < 0) shim_stream_finish(stream, &shim->log);
}

static int until(int64_t deadline, int timeout) {
    int64_t left = deadline - shim_now();
    if (left < 0) left = 0;
    return timeout < 0 || left < timeout ? (int)left : timeout;
}

static int timeout(const struct shim *shim) {
    int timeout = shim->state == SHIM_ENDING ? 20 : -1;
    if (shim->state == SHIM_RUNNING && shim->kill_at != 0) timeout = until(shim->kill_at, timeout);
    for (int i = 0; i < SHIM_CLIENTS; i++)
        if (shim->clients[i].descriptor >= 0) timeout = until(shim->clients[i].deadline, timeout);
    return timeout;
}

static void keep_deadlines(struct shim *shim) {
    int64_t now = shim_now();
    for (int i = 0; i < SHIM_CLIENTS; i++) {
        struct shim_client *client = &shim->clients[i];
        if (client->descriptor >= 0 && now >= client->deadline) shim_client_close(client);
    }
    int is_late = shim->state == SHIM_RUNNING && shim->kill_at != 0 && now >= shim->kill_at;
    if (is_late) shim->kill_at = now + 1000;
    if (is_late || shim->state == SHIM_ENDING) shim_group_kill(shim);
}

static void turn(struct shim *shim) {
    struct pollfd polled[4 + SHIM_CLIENTS] = {
        {shim->signals, POLLIN, 0},
        {shim->listener, POLLIN, 0},
        {shim->out.descriptor, POLLIN, 0},
        {shim->error.descriptor, POLLIN, 0},
    };
    int free_places = 0;
    for (int i = 0; i < SHIM_CLIENTS; i++) {
        polled[4 + i] = (struct pollfd){shim->clients[i].descriptor, POLLIN, 0};
        free_places += shim->clients[i].descriptor < 0;
    }
    if (free_places == 0) polled[1].fd = -1;
    if (poll(polled, 4 + SHIM_CLIENTS, timeout(shim)) < 0) return;
    hear_stream(shim, &shim->out, polled[2].revents);
    hear_stream(shim, &shim->error, polled[3].revents);
    shim_log_flush(&shim->log);
    if (polled[0].revents) hear_signals(shim);
    for (int i = 0; i < SHIM_CLIENTS; i++)
        if (polled[4 + i].revents) shim_control_serve(shim, &shim->clients[i]);
    if (polled[1].revents) shim_control_accept(shim);
    keep_deadlines(shim);
}

/// What is still in the pipes; their writers are gone, so it ends.
static void drain(struct shim *shim, struct shim_stream *stream) {
    // 1 MiB is the largest pipe an ordinary user may have.
    for (int i = 0; i < 17 && stream->descriptor >= 0; i++)
        if (shim_stream_read(stream, &shim->log) < 0) break;
    shim_stream_finish(stream, &shim->log);
}

static void run(struct shim *shim) {
    while (shim->state == SHIM_RUNNING) turn(shim);
    while (shim_group_remains() && shim_now() - shim->ending_since < SHIM_ENDING_MILLISECONDS)
        turn(shim);
    shim->unkillable = shim_group_remains() ? 1 : 0;
    drain(shim, &shim->out);
    drain(shim, &shim->error);
    shim_log_flush(&shim->log);
    shim->state = SHIM_EXITED;
    shim_status_write(shim);
    unlink("control");
}

int penstock_shim(void) {
    struct shim *shim = &the_shim;
    shim->status_file = shim->listener = shim->signals = shim->log.file = -1;
    shim->out = (struct shim_stream){.descriptor = -1, .name = "stdout"};
    shim->error = (struct shim_stream){.descriptor = -1, .name = "stderr"};
    shim->channel = PENSTOCK_SHIM_CHANNEL;
    shim->shim = getpid();
    shim->requested = "no";
    for (int i = 0; i < SHIM_CLIENTS; i++) shim->clients[i].descriptor = -1;
    fcntl(PENSTOCK_SHIM_SPEC, F_SETFD, FD_CLOEXEC);
    fcntl(PENSTOCK_SHIM_CHANNEL, F_SETFD, FD_CLOEXEC);
    if (prepare(shim) != 0 || start(shim) != 0) return 1;
    run(shim);
    return 0;
}

// What the files of the shim share: one struct, made once, and the few verbs on it. Everything has
// a fixed size and is made at the start, so a replica's output cannot make its shim grow.
#ifndef PENSTOCK_SHIM_INTERNAL_H
#define PENSTOCK_SHIM_INTERNAL_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    /// Arguments and environment: the kernel itself takes at most 6 MiB of both together.
    SHIM_SPEC_BYTES_MAX = 8 * 1024 * 1024,
    SHIM_LIST_MAX = 65536,
    SHIM_GROUPS_MAX = 16,
    SHIM_LIMITS_MAX = 16,
    /// One line of a log; a longer one is told in parts.
    SHIM_LINE_BYTES = 16 * 1024,
    /// A pipe holds as much, so one read empties it.
    SHIM_READ_BYTES = 64 * 1024,
    SHIM_SEGMENTS_MAX = 64,
    SHIM_SLOT_BYTES = 2048,
    SHIM_CLIENTS = 4,
    SHIM_REQUEST_BYTES = 256,
    SHIM_CLIENT_MILLISECONDS = 1000,
    /// Processes that SIGKILL does not end hang in the kernel; nobody can wait for them.
    SHIM_ENDING_MILLISECONDS = 5000,
};

struct shim_limit {
    int resource;
    uint64_t value;
};

/// The spec as it came: pointers into `bytes`.
struct shim_spec {
    char *bytes;
    size_t size;
    const char *folder, *nonce, *boot, *logs, *program, *directory;
    uint64_t run, segment_bytes, segments, grace;
    char **arguments, **variables;
    size_t argument_count, variable_count;
    const char *groups[SHIM_GROUPS_MAX];
    size_t group_count;
    struct shim_limit limits[SHIM_LIMITS_MAX];
    size_t limit_count;
};

/// One of the replica's two outputs, with the line that has not ended yet.
struct shim_stream {
    int descriptor;
    const char *name;
    size_t length;
    char line[SHIM_LINE_BYTES];
};

struct shim_log {
    char directory[4096];
    uint64_t run, segment_bytes, segments;
    int file;
    /// Bytes of the whole run, and of the segment being written.
    uint64_t offset, size;
    uint64_t firsts[SHIM_SEGMENTS_MAX];
    size_t count;
    uint64_t dropped_lines, untold_lines;
    int error;
    size_t buffered, buffered_lines;
    char buffer[SHIM_READ_BYTES];
};

struct shim_client {
    int descriptor;
    int64_t deadline;
    size_t length;
    char request[SHIM_REQUEST_BYTES];
};

enum shim_state { SHIM_STARTING, SHIM_RUNNING, SHIM_ENDING, SHIM_EXITED, SHIM_FAILED };

struct shim {
    struct shim_spec spec;
    char nonce[128], boot[64];
    char groups[SHIM_GROUPS_MAX][512];
    size_t group_count;
    enum shim_state state;
    int status_file;
    uint64_t sequence;
    int channel, signals, listener;
    pid_t shim, child;
    uint64_t shim_ticks, child_ticks;
    int64_t started, ended;
    /// As waitpid gave it; valid from SHIM_ENDING on.
    int wait_status;
    const char *requested;
    int64_t kill_at, ending_since;
    long resident_kib;
    int64_t cpu_milliseconds;
    size_t unkillable;
    const char *failed_step;
    int failed_error;
    struct shim_log log;
    struct shim_stream out, error;
    struct shim_client clients[SHIM_CLIENTS];
};

// spec.c: 0, or an errno.
int shim_spec_read(struct shim_spec *spec, int descriptor);
/// The arguments and variables, secrets among them, are not kept once the replica has them.
void shim_spec_forget(struct shim_spec *spec);

// child.c: starts the program; 0, or sets `failed_step` and returns an errno.
int shim_child_start(struct shim *shim);

// output.c
void shim_log_open(struct shim_log *log, const struct shim_spec *spec);
/// Takes what is there; -1 once the stream has ended.
int shim_stream_read(struct shim_stream *stream, struct shim_log *log);
/// The last line, even if it never ended.
void shim_stream_finish(struct shim_stream *stream, struct shim_log *log);
void shim_log_flush(struct shim_log *log);

// status.c
int shim_status_open(struct shim *shim);
void shim_status_write(struct shim *shim);
/// Without its checksum and padding, for the control socket; the length.
size_t shim_status_text(const struct shim *shim, char *text, size_t capacity);

// control.c
int shim_control_open(void);
void shim_control_accept(struct shim *shim);
void shim_control_serve(struct shim *shim, struct shim_client *client);
void shim_client_close(struct shim_client *client);

// group.c
void shim_group_signal(struct shim *shim, int signal);
/// Kills what is left of the replica: its group, its control groups, orphans adopted by the shim.
void shim_group_kill(struct shim *shim);
/// Reaps whatever has ended; remembers how the child did.
void shim_group_reap(struct shim *shim);
/// Whether any process is still there to be reaped.
int shim_group_remains(void);
uint64_t shim_start_ticks(pid_t process);

// shim.c
int64_t shim_now(void);
int64_t shim_wall(void);
void shim_stop(struct shim *shim, const char *requested, int64_t grace);

#endif

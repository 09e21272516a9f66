// What Linux offers and Swift's Glibc module does not show: epoll, eventfd, accept4, pidfds, prctl.
// Owned by Reactor and Replicas. Functions that need _GNU_SOURCE live in shims.c, because defining
// it in a header would change what every importer of Glibc sees. Nothing here keeps state.
// A function that answers "or -errno" saves its caller a trip through thread-local storage.
#ifndef PENSTOCK_CLINUX_H
#define PENSTOCK_CLINUX_H

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// Flags combined here, because Swift imports each of them with another type.
enum {
    PENSTOCK_EVENTS_EDGE = EPOLLIN | EPOLLOUT | EPOLLRDHUP,
    PENSTOCK_EVENTS_LEVEL = EPOLLIN,
    PENSTOCK_READABLE = EPOLLIN,
    PENSTOCK_WRITABLE = EPOLLOUT,
    PENSTOCK_PEER_CLOSED = EPOLLRDHUP,
    PENSTOCK_HUNG_UP = EPOLLHUP,
    PENSTOCK_FAILED = EPOLLERR,
};

/// POSIX_SPAWN_SETSID, which glibc shows to _GNU_SOURCE only.
extern const short penstock_spawn_setsid;

// Polling.

static inline int penstock_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int penstock_epoll_add_edge(int poller, int descriptor, uint64_t token) {
    struct epoll_event event = {.events = (uint32_t)PENSTOCK_EVENTS_EDGE | EPOLLET,
                                .data.u64 = token};
    return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

/// `exclusive` wakes one of the loops that share the descriptor instead of all of them.
static inline int penstock_epoll_add_level(int poller, int descriptor, uint64_t token,
                                           int exclusive) {
    struct epoll_event event = {
        .events = (uint32_t)PENSTOCK_EVENTS_LEVEL | (exclusive ? EPOLLEXCLUSIVE : 0u),
        .data.u64 = token};
    return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

static inline int penstock_epoll_remove(int poller, int descriptor) {
    struct epoll_event event = {0};
    return epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, &event);
}

static inline uint64_t penstock_event_token(const struct epoll_event *events, long index) {
    return events[index].data.u64;
}

static inline uint32_t penstock_event_flags(const struct epoll_event *events, long index) {
    return events[index].events;
}

static inline int penstock_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

/// Adds one to an eventfd. It can only fail when 2^64 - 2 rings are pending: then it rings anyway.
static inline void penstock_eventfd_ring(int descriptor) { (void)eventfd_write(descriptor, 1); }

static inline void penstock_eventfd_silence(int descriptor) {
    eventfd_t count;
    (void)eventfd_read(descriptor, &count);
}

// Sockets.

/// A peer in one form for all families: IPv4 is ::ffff:a.b.c.d, `high` and `low` in host order.
struct penstock_peer {
    uint64_t high;
    uint64_t low;
    uint16_t port;
    uint8_t is_unix;
};

/// A connection without blocking and closed on exec, or -errno.
int penstock_accept(int listener, struct penstock_peer *peer);

/// The peer of a connected socket: 0 or -errno.
int penstock_peer_of(int descriptor, struct penstock_peer *peer);

int penstock_accept4(int listener, struct sockaddr *address, socklen_t *length, int flags);

/// A stream socket without blocking and closed on exec, or -errno.
int penstock_stream_socket(int family);

// The C library's recv and send are points where a thread may be cancelled, and prepare for that
// with two atomic operations each: 2 % of a small request's CPU. Nobody cancels threads here.

/// Bytes received (0 at the end) or -errno.
static inline ssize_t penstock_receive(int descriptor, void *bytes, size_t count) {
    ssize_t received =
        syscall(SYS_recvfrom, descriptor, bytes, count, 0, (void *)0, (void *)0);
    return received >= 0 ? received : -(ssize_t)errno;
}

/// Bytes sent or -errno. Never raises SIGPIPE.
static inline ssize_t penstock_send(int descriptor, const void *bytes, size_t count) {
    ssize_t sent =
        syscall(SYS_sendto, descriptor, bytes, count, MSG_NOSIGNAL, (void *)0, (socklen_t)0);
    return sent >= 0 ? sent : -(ssize_t)errno;
}

/// The same for bytes that more will follow at once, if only the end of the stream: the kernel
/// keeps them back until it has come, and sends both in one segment.
static inline ssize_t penstock_send_more(int descriptor, const void *bytes, size_t count) {
    ssize_t sent = syscall(SYS_sendto, descriptor, bytes, count, MSG_NOSIGNAL | MSG_MORE,
                           (void *)0, (socklen_t)0);
    return sent >= 0 ? sent : -(ssize_t)errno;
}

/// Sends both pieces with one call: bytes sent or -errno. Never raises SIGPIPE.
static inline ssize_t penstock_send_two(int descriptor, const void *first, size_t first_count,
                                        const void *second, size_t second_count) {
    struct iovec pieces[2] = {{(void *)first, first_count}, {(void *)second, second_count}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    ssize_t sent = syscall(SYS_sendmsg, descriptor, &message, MSG_NOSIGNAL);
    return sent >= 0 ? sent : -(ssize_t)errno;
}

/// Bytes that the peer has not acknowledged yet (SIOCOUTQ), or -errno.
int penstock_unsent_bytes(int descriptor);

/// Bytes that the send buffer has room for, as the kernel counts them, or -errno.
int penstock_send_room(int descriptor);

/// Whether a socket file answers: 0 nobody does (or no such file), 1 somebody does, or -errno.
int penstock_unix_answers(const struct sockaddr *address, socklen_t length);

/// Whether the path names a socket file.
int penstock_is_socket_file(const char *path);

// Clocks.

static inline int64_t penstock_monotonic_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static inline int64_t penstock_wall_milliseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// Threads and processes.

/// The untranslated text of an errno, valid for ever.
const char *penstock_error_text(int code);

pid_t penstock_gettid(void);

/// Names the calling thread; longer names are cut to 15 bytes.
void penstock_set_thread_name(const char *name);

/// Lets the calling thread run at the priority (nice value) of the process, as far as that is
/// allowed: threads inherit the priority of their maker, which need not be the process's.
void penstock_take_process_priority(void);

/// Blocks every signal that is not a fault of this thread, so that another thread takes them.
void penstock_block_signals(void);

int penstock_pipe2(int descriptors[2], int flags);

/// A pipe closed on exec: 0 or -1 with errno.
int penstock_pipe_close_on_exec(int descriptors[2]);

void penstock_closefrom(int lowest);

/// Makes the spawned process start without any descriptor from `lowest` up: 0 or an errno.
int penstock_spawn_actions_close_from(posix_spawn_file_actions_t *actions, int lowest);

/// Where the spawned process starts: 0 or an errno.
int penstock_spawn_actions_change_directory(posix_spawn_file_actions_t *actions,
                                            const char *path);

/// A descriptor for the process, closed on exec, or -1 with errno.
int penstock_pidfd_open(pid_t process);

int penstock_pidfd_send_signal(int descriptor, int signal);

/// Reaps the child behind a pidfd. 1: it ended, with `code` (CLD_EXITED, CLD_KILLED, CLD_DUMPED)
/// and `status`; 0: it has not (only when `nohang`); -1 with errno.
int penstock_waitid_pidfd(int descriptor, int *code, int *status, int nohang);

/// Orphans of this process become its children: 0 or -1 with errno.
int penstock_become_subreaper(void);

/// The calling process gets `signal` when its parent's thread ends: 0 or -1 with errno.
int penstock_die_with_parent(int signal);

/// 0, or -1 with errno: EWOULDBLOCK when another process holds the lock.
int penstock_flock_exclusive_nonblocking(int descriptor);

// Supervising processes (processes.c).

/// A file without a name that holds the bytes, closed on exec, or -errno.
int penstock_memory_file(const void *bytes, size_t count);

/// Two ends of a channel that keeps messages apart; the first does not block. 0 or -errno.
int penstock_channel(int ends[2]);

/// The same open file at `lowest` or above, closed on exec, or -errno.
int penstock_duplicate_above(int descriptor, int lowest);

/// A connection, without blocking, to the socket `name` in a folder however deep; `peer` is the
/// process that listens there. Or -errno.
int penstock_connect_in_folder(const char *folder, const char *name, pid_t *peer);

/// Bytes read, at most `capacity`, or -errno.
ssize_t penstock_read_file(const char *path, void *bytes, size_t capacity);

/// One write to a file that exists, as the kernel's own files want it: 0 or -errno.
int penstock_write_file(const char *path, const char *text);

/// The numbers of all processes, at most `capacity`: how many, or -errno.
long penstock_list_processes(pid_t *processes, long capacity);

/// Whether the service manager gave this control group to who runs in it.
int penstock_is_delegated(const char *directory);

/// What a tool prints, at most `capacity` bytes, if it ends well in time; else -errno. Blocks.
long penstock_tool_output(const char *program, char *const *arguments, char *bytes,
                          long capacity, int milliseconds);

/// Whether nobody listens at 127.0.0.1 on the port.
int penstock_is_port_free(int port);

// The program as a service of the system (service.c).

/// Raises the soft limit of descriptors to the hard one: the limit then in force, or -errno.
int64_t penstock_raise_descriptor_limit(void);

/// Columns of the terminal that a descriptor is; 0 when it is none, or does not know.
int penstock_terminal_columns(int descriptor);

/// Returns when nobody can read any more what is written to a pipe or socket; never for others.
void penstock_wait_for_last_reader(int descriptor);

/// From now on SIGINT and SIGTERM come out of the descriptor returned, a byte each, unless they are
/// ignored; -errno when no pipe could be made. Until the release, after which the descriptor ends.
int penstock_hear_ends(void);
void penstock_release_ends(void);

/// Ends this process by a signal, as if nothing had caught it.
void penstock_end_by_signal(int number);

/// From now on SIGTERM, SIGINT, SIGHUP and SIGUSR2 come out of the descriptor returned, a byte
/// each, and SIGPIPE does nothing; -errno when no pipe could be made. To be called once.
int penstock_watch_signals(void);

/// Waits for the next watched signal; 0 when the descriptor is closed.
int penstock_next_signal(int descriptor);

/// One datagram to $NOTIFY_SOCKET: 1 sent, 0 nobody listens, or -errno.
int penstock_notify_ready(void);
int penstock_notify_reloading(void);
int penstock_notify_stopping(void);

// Memory.

/// Gives what is free in all of the allocator's arenas back to the system.
void penstock_give_back_memory(void);

/// Bytes of this process that are in memory; 0 when the system does not tell.
size_t penstock_resident_bytes(void);

/// The service manager looks after that process from now on.
int penstock_notify_main_process(pid_t process);

// One process takes over from another (handover.c).

enum { PENSTOCK_DESCRIPTORS_MAX = 253 };

/// Two ends of a channel that keeps messages apart: 0 or -errno.
int penstock_handover_pair(int ends[2]);

/// The end of the channel to the process that this one takes over from, closed on exec; -1 when
/// there is none. Says so only once.
int penstock_take_handover(void);

/// Starts the program with the arguments, environment and place of this process, and with no
/// descriptor but 0 to 2 and the channel: its number, or -errno.
pid_t penstock_spawn_successor(const char *program, int channel);

/// How a child ended, which is then reaped: its exit code, or 256 and the signal; -ETIMEDOUT while
/// it runs, or another -errno.
int penstock_end_of_child(pid_t process, int milliseconds);

/// Children that end from now on are nobody's business here.
void penstock_leave_children(void);

/// 0 or -errno.
int penstock_send_message(int channel, const void *bytes, size_t count, const int *descriptors,
                          size_t descriptor_count);

/// Bytes of the next message, 0 when the other side is gone, or -errno: ETIMEDOUT when none came in
/// time. Descriptors that came with it are closed on exec.
ssize_t penstock_receive_message(int channel, void *bytes, size_t capacity,
                                 int descriptors[PENSTOCK_DESCRIPTORS_MAX],
                                 size_t *descriptor_count, int milliseconds);

#endif

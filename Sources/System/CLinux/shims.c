// The other half of CLinux.h: what needs _GNU_SOURCE, an ioctl or a kernel structure. Nothing here
// keeps state: it translates calls into values that Swift can hold.
#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

const short penstock_spawn_setsid = POSIX_SPAWN_SETSID;

static uint64_t big_endian(const unsigned char *bytes, int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; i++) value = value << 8 | bytes[i];
    return value;
}

static void describe_peer(const struct sockaddr_storage *address, struct penstock_peer *peer) {
    *peer = (struct penstock_peer){0};
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        peer->low = 0xffff00000000ull | ntohl(four->sin_addr.s_addr);
        peer->port = ntohs(four->sin_port);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        peer->high = big_endian(six->sin6_addr.s6_addr, 8);
        peer->low = big_endian(six->sin6_addr.s6_addr + 8, 8);
        peer->port = ntohs(six->sin6_port);
    } else {
        peer->is_unix = 1;
    }
}

int penstock_accept(int listener, struct penstock_peer *peer) {
    struct sockaddr_storage address;
    for (;;) {
        socklen_t length = sizeof address;
        address.ss_family = AF_UNIX;
        int descriptor =
            accept4(listener, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            describe_peer(&address, peer);
            return descriptor;
        }
        // Each of these took one dead connection off the queue: look at the next.
        if (errno != EINTR && errno != ECONNABORTED) return -errno;
    }
}

int penstock_peer_of(int descriptor, struct penstock_peer *peer) {
    struct sockaddr_storage address = {.ss_family = AF_UNIX};
    socklen_t length = sizeof address;
    if (getpeername(descriptor, (struct sockaddr *)&address, &length) < 0) return -errno;
    describe_peer(&address, peer);
    return 0;
}

int penstock_accept4(int listener, struct sockaddr *address, socklen_t *length, int flags) {
    return accept4(listener, address, length, flags);
}

int penstock_stream_socket(int family) {
    int descriptor = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return descriptor >= 0 ? descriptor : -errno;
}

int penstock_unsent_bytes(int descriptor) {
    int count = 0;
    return ioctl(descriptor, SIOCOUTQ, &count) < 0 ? -errno : count;
}

int penstock_send_room(int descriptor) {
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof memory;
    if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, memory, &length) < 0) return -errno;
    // TCP counts what it has queued, unix sockets what is allocated.
    uint32_t held = memory[SK_MEMINFO_WMEM_QUEUED];
    if (held < memory[SK_MEMINFO_WMEM_ALLOC]) held = memory[SK_MEMINFO_WMEM_ALLOC];
    return memory[SK_MEMINFO_SNDBUF] > held ? (int)(memory[SK_MEMINFO_SNDBUF] - held) : 0;
}

int penstock_unix_answers(const struct sockaddr *address, socklen_t length) {
    int descriptor = penstock_stream_socket(AF_UNIX);
    if (descriptor < 0) return descriptor;
    int code = connect(descriptor, address, length) < 0 ? errno : 0;
    close(descriptor);
    // EAGAIN: its queue is full, so somebody listens.
    if (code == 0 || code == EAGAIN) return 1;
    return code == ECONNREFUSED || code == ENOENT ? 0 : -code;
}

int penstock_is_socket_file(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

const char *penstock_error_text(int code) {
    const char *text = strerrordesc_np(code);
    return text ? text : "Unknown error";
}

pid_t penstock_gettid(void) { return gettid(); }

void penstock_set_thread_name(const char *name) {
    char cut[16];
    strncpy(cut, name, sizeof cut - 1);
    cut[sizeof cut - 1] = 0;
    pthread_setname_np(pthread_self(), cut);
}

void penstock_take_process_priority(void) {
    // On Linux a process id names its first thread here, and zero the calling one.
    errno = 0;
    int wanted = getpriority(PRIO_PROCESS, (id_t)getpid());
    if (errno == 0) setpriority(PRIO_PROCESS, 0, wanted);
}

void penstock_block_signals(void) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL,
                                 SIGTRAP, SIGABRT, SIGSYS, SIGPROF};
    sigset_t blocked;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
}

int penstock_pipe2(int descriptors[2], int flags) { return pipe2(descriptors, flags); }

int penstock_pipe_close_on_exec(int descriptors[2]) { return pipe2(descriptors, O_CLOEXEC); }

void penstock_closefrom(int lowest) { closefrom(lowest); }

int penstock_spawn_actions_close_from(posix_spawn_file_actions_t *actions, int lowest) {
    return posix_spawn_file_actions_addclosefrom_np(actions, lowest);
}

int penstock_spawn_actions_change_directory(posix_spawn_file_actions_t *actions,
                                            const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}

int penstock_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int penstock_pidfd_send_signal(int descriptor, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, descriptor, signal, NULL, 0);
}

int penstock_waitid_pidfd(int descriptor, int *code, int *status, int nohang) {
    siginfo_t result = {0};
    int flags = WEXITED | (nohang ? WNOHANG : 0);
    int answer;
    do answer = waitid((idtype_t)P_PIDFD, (id_t)descriptor, &result, flags);
    while (answer < 0 && errno == EINTR);
    if (answer < 0) return -1;
    if (result.si_pid == 0) return 0;
    *code = result.si_code;
    *status = result.si_status;
    return 1;
}

int penstock_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int penstock_die_with_parent(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }

int penstock_flock_exclusive_nonblocking(int descriptor) {
    return flock(descriptor, LOCK_EX | LOCK_NB);
}

void penstock_give_back_memory(void) { malloc_trim(0); }

size_t penstock_resident_bytes(void) {
    char text[128];
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 0;
    text[count] = 0;
    unsigned long all = 0, resident = 0;
    if (sscanf(text, "%lu %lu", &all, &resident) != 2) return 0;
    return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

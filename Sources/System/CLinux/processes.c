// What supervising processes needs of the system: descriptors to start one with, its control socket
// at any depth, marks on control groups, small files read whole. Keeps no state.
#define _GNU_SOURCE
#include "CLinux.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

int penstock_memory_file(const void *bytes, size_t count) {
    int file = memfd_create("penstock", MFD_CLOEXEC);
    if (file < 0) return -errno;
    size_t done = 0;
    while (done < count) {
        ssize_t wrote = write(file, (const char *)bytes + done, count - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) {
            int error = wrote < 0 ? errno : EIO;
            close(file);
            return -error;
        }
        done += (size_t)wrote;
    }
    return file;
}

int penstock_channel(int ends[2]) {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return 0;
}

int penstock_duplicate_above(int descriptor, int lowest) {
    int duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, lowest);
    return duplicate < 0 ? -errno : duplicate;
}

static int peer_process(int descriptor, pid_t *process) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return errno;
    *process = peer.pid;
    return 0;
}

int penstock_connect_in_folder(const char *folder, const char *name, pid_t *peer) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int place = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place < 0) return -errno;
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", place, name);
    int error, descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        error = errno;
    } else if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        error = errno;
    } else {
        error = peer_process(descriptor, peer);
    }
    close(place);
    if (error == 0) return descriptor;
    if (descriptor >= 0) close(descriptor);
    return -error;
}

ssize_t penstock_read_file(const char *path, void *bytes, size_t capacity) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    size_t done = 0;
    while (done < capacity) {
        ssize_t got = read(file, (char *)bytes + done, capacity - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            int error = errno;
            close(file);
            return -error;
        }
        if (got == 0) break;
        done += (size_t)got;
    }
    close(file);
    return (ssize_t)done;
}

int penstock_write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    int error = write(file, text, strlen(text)) < 0 ? errno : 0;
    close(file);
    return -error;
}

long penstock_list_processes(pid_t *processes, long capacity) {
    DIR *folder = opendir("/proc");
    if (!folder) return -errno;
    long count = 0;
    for (struct dirent *entry; count < capacity && (entry = readdir(folder));)
        if (isdigit((unsigned char)entry->d_name[0])) processes[count++] = atoi(entry->d_name);
    closedir(folder);
    return count;
}

int penstock_is_delegated(const char *directory) {
    char value[8] = {0};
    if (getxattr(directory, "user.delegate", value, sizeof value - 1) > 0 && value[0] == '1')
        return 1;
    return getxattr(directory, "trusted.delegate", value, sizeof value - 1) > 0 &&
           value[0] == '1';
}

int penstock_is_port_free(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return 0;
    int reuse = 1;
    // As a server would: connections that linger do not count, another listener does.
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    int bound = bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0 &&
                listen(descriptor, 1) == 0;
    close(descriptor);
    return bound;
}

static int start_tool(const char *program, char *const *arguments, int output, pid_t *process) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawn(process, program, &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/// What comes until the end or the deadline; what does not fit is read and dropped.
static long read_until(int descriptor, char *bytes, long capacity, int64_t deadline) {
    char rest[512];
    long count = 0;
    for (;;) {
        int64_t left = (deadline - penstock_monotonic_nanoseconds()) / 1000000;
        struct pollfd polled = {descriptor, POLLIN, 0};
        if (left <= 0 || poll(&polled, 1, (int)left) == 0) return -ETIMEDOUT;
        int fits = count < capacity;
        ssize_t got = read(descriptor, fits ? bytes + count : rest,
                           fits ? (size_t)(capacity - count) : sizeof rest);
        if (got == 0) return count;
        if (got < 0 && errno != EINTR) return -errno;
        if (got > 0 && fits) count += got;
    }
}

/// The exit status; a tool that hangs in the kernel cannot be waited for, and is given up.
static int status_of(pid_t process) {
    for (int tries = 0; tries < 100; tries++) {
        int status;
        pid_t ended = waitpid(process, &status, WNOHANG);
        if (ended == process) return status;
        if (ended < 0) return -1;
        poll(NULL, 0, 10);
    }
    return -1;
}

long penstock_tool_output(const char *program, char *const *arguments, char *bytes,
                          long capacity, int milliseconds) {
    int64_t deadline = penstock_monotonic_nanoseconds() + milliseconds * 1000000ll;
    int ends[2];
    pid_t process;
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    int error = start_tool(program, arguments, ends[1], &process);
    close(ends[1]);
    long count = error == 0 ? read_until(ends[0], bytes, capacity, deadline) : -error;
    close(ends[0]);
    if (error != 0) return count;
    if (count < 0) kill(process, SIGKILL);
    int status = status_of(process);
    if (count >= 0 && status != 0) return -ECHILD;
    return count;
}

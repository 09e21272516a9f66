// One process takes over from another: starting it, and the channel between the two, whose messages
// carry descriptors. Owned by Reactor. Nothing here keeps state.
#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>

static const char variable[] = "PENSTOCK_HANDOVER";
enum {
    // Where the successor finds its end of the channel.
    PLACE = 3,
    // Where descriptors are put first, so that none is overwritten.
    ABOVE = 10,
    // As many as the kernel takes with one message.
    DESCRIPTORS_MAX = PENSTOCK_DESCRIPTORS_MAX,
    // Arguments of a program together: what Linux allows by default.
    ARGUMENTS_BYTES_MAX = 2 * 1024 * 1024,
};

int penstock_handover_pair(int ends[2]) {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    // A peer that reads nothing holds nobody up for longer.
    struct timeval patience = {.tv_sec = 5};
    for (int end = 0; end < 2; end++)
        setsockopt(ends[end], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return 0;
}

int penstock_take_handover(void) {
    const char *text = getenv(variable);
    if (!text) return -1;
    int channel = atoi(text);
    unsetenv(variable);
    if (channel < PLACE || fcntl(channel, F_SETFD, FD_CLOEXEC) < 0) return -1;
    return channel;
}

/// The arguments of this process in one piece, each with its NUL; its size in `count`.
static char *own_arguments(size_t *count) {
    char *bytes = malloc(ARGUMENTS_BYTES_MAX);
    if (!bytes) return NULL;
    ssize_t got = penstock_read_file("/proc/self/cmdline", bytes, ARGUMENTS_BYTES_MAX - 1);
    if (got <= 0) {
        free(bytes);
        return NULL;
    }
    bytes[got] = 0;
    *count = (size_t)got;
    return bytes;
}

/// Pointers to the arguments within `bytes`, NULL at the end.
static char **split(char *bytes, size_t count) {
    size_t number = 0;
    for (size_t index = 0; index < count; index++) number += bytes[index] == 0;
    char **pointers = calloc(number + 2, sizeof *pointers);
    if (!pointers) return NULL;
    size_t next = 0;
    for (size_t start = 0; start < count; start += strlen(bytes + start) + 1)
        pointers[next++] = bytes + start;
    return pointers;
}

/// The environment with the variable last; `text` must outlive it.
static char **with_variable(char *text) {
    size_t number = 0;
    while (environ[number]) number++;
    char **pointers = calloc(number + 2, sizeof *pointers);
    if (!pointers) return NULL;
    size_t next = 0;
    for (size_t index = 0; index < number; index++) {
        size_t length = sizeof variable - 1;
        int is_ours = strncmp(environ[index], variable, length) == 0
                      && environ[index][length] == '=';
        if (!is_ours) pointers[next++] = environ[index];
    }
    pointers[next] = text;
    return pointers;
}

static int spawn(const char *program, char **arguments, char **variables, int channel) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_adddup2(&actions, channel, PLACE);
    posix_spawn_file_actions_addclosefrom_np(&actions, PLACE + 1);
    pid_t process = 0;
    int error = posix_spawn(&process, program, &actions, &attributes, arguments, variables);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error ? -error : process;
}

pid_t penstock_spawn_successor(const char *program, int channel) {
    char text[64];
    snprintf(text, sizeof text, "%s=%d", variable, PLACE);
    size_t count = 0;
    char *bytes = own_arguments(&count);
    char **arguments = bytes ? split(bytes, count) : NULL;
    char **variables = with_variable(text);
    int high = fcntl(channel, F_DUPFD_CLOEXEC, ABOVE);
    pid_t process = high < 0 ? -errno : -ENOMEM;
    if (high >= 0 && arguments && variables)
        process = spawn(program, arguments, variables, high);
    if (high >= 0) close(high);
    free(variables);
    free(arguments);
    free(bytes);
    return process;
}

int penstock_end_of_child(pid_t process, int milliseconds) {
    int descriptor = penstock_pidfd_open(process);
    if (descriptor < 0) return -errno;
    struct pollfd polled = {.fd = descriptor, .events = POLLIN};
    int ready = poll(&polled, 1, milliseconds);
    int code = 0, status = 0, answer = -1;
    if (ready > 0) answer = penstock_waitid_pidfd(descriptor, &code, &status, 1);
    close(descriptor);
    if (ready <= 0) return -ETIMEDOUT;
    if (answer != 1) return -ECHILD;
    return code == CLD_EXITED ? status : 256 + status;
}

void penstock_leave_children(void) {
    // The kernel then reaps them by itself.
    signal(SIGCHLD, SIG_IGN);
}

int penstock_send_message(int channel, const void *bytes, size_t count, const int *descriptors,
                          size_t descriptor_count) {
    if (descriptor_count > DESCRIPTORS_MAX) return -EINVAL;
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    } beside;
    struct iovec piece = {(void *)bytes, count};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (descriptor_count > 0) {
        size_t size = descriptor_count * sizeof(int);
        message.msg_control = beside.room;
        message.msg_controllen = CMSG_SPACE(size);
        memset(beside.room, 0, CMSG_SPACE(size));
        beside.header.cmsg_level = SOL_SOCKET;
        beside.header.cmsg_type = SCM_RIGHTS;
        beside.header.cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(&beside.header), descriptors, size);
    }
    ssize_t sent;
    do sent = sendmsg(channel, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

static size_t take_descriptors(struct msghdr *message, int *descriptors) {
    size_t found = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < count && found < DESCRIPTORS_MAX; index++)
            memcpy(&descriptors[found++], CMSG_DATA(part) + index * sizeof(int), sizeof(int));
    }
    return found;
}

ssize_t penstock_receive_message(int channel, void *bytes, size_t capacity,
                                 int descriptors[PENSTOCK_DESCRIPTORS_MAX],
                                 size_t *descriptor_count, int milliseconds) {
    *descriptor_count = 0;
    struct pollfd polled = {.fd = channel, .events = POLLIN};
    int ready;
    do ready = poll(&polled, 1, milliseconds);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0) return ready < 0 ? -errno : -ETIMEDOUT;
    char room[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    struct iovec piece = {bytes, capacity};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = room,
                             .msg_controllen = sizeof room};
    ssize_t got;
    do got = recvmsg(channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0) return errno == ECONNRESET ? 0 : -errno;
    *descriptor_count = take_descriptors(&message, descriptors);
    if (!(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) return got;
    for (size_t index = 0; index < *descriptor_count; index++) close(descriptors[index]);
    *descriptor_count = 0;
    return -EMSGSIZE;
}

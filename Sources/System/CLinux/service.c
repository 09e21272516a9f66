// What a service of the system does besides serving: descriptor limits, signals, and a word to the
// service manager. Without pointers in the signatures, so that callers in Swift stay safe.
#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

int64_t penstock_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    if (limit.rlim_cur < limit.rlim_max) {
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return (int64_t)before;
    }
    return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

static int signal_writer = -1;

static void pass_on(int signal) {
    int saved = errno;
    unsigned char byte = (unsigned char)signal;
    // A full pipe holds 65,536 signals nobody has read yet: one more would change nothing.
    if (write(signal_writer, &byte, 1) < 0) errno = saved;
    errno = saved;
}

static void do_nothing(int signal) { (void)signal; }

int penstock_watch_signals(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    signal_writer = ends[1];
    // Handlers, unlike SIG_IGN and masks, do not pass to the programs this one starts.
    struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    const int watched[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2};
    for (size_t index = 0; index < sizeof watched / sizeof *watched; index++)
        sigaction(watched[index], &action, NULL);
    action.sa_handler = do_nothing;
    sigaction(SIGPIPE, &action, NULL);
    return ends[0];
}

int penstock_next_signal(int descriptor) {
    unsigned char byte;
    ssize_t got;
    do got = read(descriptor, &byte, 1);
    while (got < 0 && errno == EINTR);
    return got == 1 ? byte : 0;
}

static int notify(const char *message) {
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path || !*path) return 0;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path || (*path != '/' && *path != '@')) return -EINVAL;
    memcpy(address.sun_path, path, length);
    // '@' stands for the NUL of an abstract address.
    if (*path == '@') address.sun_path[0] = 0;
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    ssize_t sent = sendto(descriptor, message, strlen(message), MSG_NOSIGNAL,
                          (struct sockaddr *)&address, size);
    int result = sent < 0 ? -errno : 1;
    close(descriptor);
    return result;
}

int penstock_notify_ready(void) { return notify("READY=1"); }

int penstock_notify_reloading(void) {
    char message[64];
    snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)(penstock_monotonic_nanoseconds() / 1000));
    return notify(message);
}

int penstock_notify_stopping(void) { return notify("STOPPING=1"); }

int penstock_terminal_columns(int descriptor) {
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return 0;
    return size.ws_col;
}

void penstock_wait_for_last_reader(int descriptor) {
    struct stat file;
    bool has_readers = fstat(descriptor, &file) == 0
                       && (S_ISFIFO(file.st_mode) || S_ISSOCK(file.st_mode));
    // Asked for nothing, poll still tells of an error: a pipe has one when its last reader is gone.
    struct pollfd end = {.fd = has_readers ? descriptor : -1};
    while (poll(&end, 1, -1) < 1 || !(end.revents & (POLLERR | POLLHUP))) continue;
}

static int end_writer = -1;

static void pass_end_on(int signal) {
    int saved = errno;
    unsigned char byte = (unsigned char)signal;
    ssize_t sent = write(end_writer, &byte, 1);
    (void)sent;
    errno = saved;
}

static const int ends[] = {SIGINT, SIGTERM};

int penstock_hear_ends(void) {
    int pipe_ends[2];
    if (pipe2(pipe_ends, O_CLOEXEC) < 0) return -errno;
    end_writer = pipe_ends[1];
    struct sigaction action = {.sa_handler = pass_end_on, .sa_flags = SA_RESTART}, before;
    for (size_t index = 0; index < sizeof ends / sizeof *ends; index++) {
        // Whoever started this one with the signal ignored, as shells do for jobs, has meant it.
        sigaction(ends[index], NULL, &before);
        if (before.sa_handler == SIG_DFL) sigaction(ends[index], &action, NULL);
    }
    return pipe_ends[0];
}

void penstock_release_ends(void) {
    struct sigaction action = {.sa_handler = SIG_DFL}, before;
    for (size_t index = 0; index < sizeof ends / sizeof *ends; index++) {
        sigaction(ends[index], NULL, &before);
        if (before.sa_handler == pass_end_on) sigaction(ends[index], &action, NULL);
    }
    if (end_writer >= 0) close(end_writer);
    end_writer = -1;
}

void penstock_end_by_signal(int number) {
    signal(number, SIG_DFL);
    kill(getpid(), number);
}

int penstock_notify_main_process(pid_t process) {
    char message[32];
    snprintf(message, sizeof message, "MAINPID=%d", (int)process);
    return notify(message);
}

// All processes of the replica, and that none is left: its process group, its control groups, and
// whatever left both but, its parent gone, became a child of the shim.
#define _GNU_SOURCE
#include "shim.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/// Parent and start time of a process, from /proc/PID/stat: 0, or -1 when it is gone.
static int look(pid_t process, pid_t *parent, uint64_t *ticks) {
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    if (got <= 0) return -1;
    text[got] = 0;
    // The name in parentheses may hold anything: count from its end.
    const char *end = strrchr(text, ')');
    unsigned long long start;
    if (!end || sscanf(end + 1,
                       " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d"
                       " %*d %llu",
                       parent, &start) != 2)
        return -1;
    *ticks = start;
    return 0;
}

uint64_t shim_start_ticks(pid_t process) {
    pid_t parent;
    uint64_t ticks;
    return look(process, &parent, &ticks) == 0 ? ticks : 0;
}

void shim_group_signal(struct shim *shim, int signal) {
    // Once the leader is reaped, the number may be another's.
    if (shim->child <= 0 || shim->state != SHIM_RUNNING) return;
    kill(-shim->child, signal);
    // One that was stopped would never see it.
    if (signal == SIGTERM) kill(-shim->child, SIGCONT);
}

static void kill_orphans(const struct shim *shim) {
    DIR *processes = opendir("/proc");
    if (!processes) return;
    for (struct dirent *entry; (entry = readdir(processes));) {
        pid_t parent, process = isdigit(entry->d_name[0]) ? atoi(entry->d_name) : 0;
        uint64_t ticks;
        if (process > 0 && look(process, &parent, &ticks) == 0 && parent == shim->shim)
            kill(process, SIGKILL);
    }
    closedir(processes);
}

static int kill_all_of_version_2(const char *group) {
    char path[600];
    snprintf(path, sizeof path, "%s/cgroup.kill", group);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t wrote = write(file, "1", 1);
    close(file);
    return wrote == 1 ? 0 : -1;
}

static void kill_members(const char *group) {
    char path[600], line[32];
    if (kill_all_of_version_2(group) == 0) return;
    snprintf(path, sizeof path, "%s/cgroup.procs", group);
    FILE *file = fopen(path, "re");
    if (!file) return;
    while (fgets(line, sizeof line, file)) {
        pid_t process = atoi(line);
        if (process > 1) kill(process, SIGKILL);
    }
    fclose(file);
}

void shim_group_kill(struct shim *shim) {
    shim_group_signal(shim, SIGKILL);
    for (size_t i = 0; i < shim->group_count; i++) kill_members(shim->groups[i]);
    if (shim->state != SHIM_RUNNING) kill_orphans(shim);
}

static void count_usage(struct shim *shim, const struct rusage *usage) {
    if (usage->ru_maxrss > shim->resident_kib) shim->resident_kib = usage->ru_maxrss;
    shim->cpu_milliseconds += (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000ll +
                              (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;
}

/// The next one that ended and is not reaped yet; 0 when there is none.
static pid_t next_ended(void) {
    siginfo_t ended = {0};
    int failed = waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) < 0;
    return failed ? 0 : ended.si_pid;
}

static void child_ended(struct shim *shim, int status) {
    shim->wait_status = status;
    shim->ended = shim_wall();
    shim->ending_since = shim_now();
    shim->state = SHIM_ENDING;
}

void shim_group_reap(struct shim *shim) {
    struct rusage usage;
    int status;
    for (pid_t process; (process = next_ended()) > 0;) {
        int is_child = process == shim->child && shim->state == SHIM_RUNNING;
        // The group goes first, while its number is still ours.
        if (is_child) shim_group_signal(shim, SIGKILL);
        if (wait4(process, &status, 0, &usage) != process) return;
        count_usage(shim, &usage);
        if (is_child) child_ended(shim, status);
    }
}

int shim_group_remains(void) {
    siginfo_t ended = {0};
    return waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

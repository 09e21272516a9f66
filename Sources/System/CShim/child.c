// Starts the replica: the only code between fork and exec. The child joins its control groups and
// takes its limits before it becomes the model server, and dies with the shim.
#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/// What went wrong in the child, told through a pipe that exec closes.
struct failure {
    int step;
    int error;
};

enum { REPORT = 3 };
enum { STEP_GROUP, STEP_LIMIT, STEP_DIRECTORY, STEP_OUTPUT, STEP_PARENT, STEP_PROGRAM };
static const char *const step_names[] = {"join the control group", "set the limits",
                                         "enter the working directory", "redirect the output",
                                         "follow the shim", "run the program"};

static int write_text(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return errno;
    int error = write(file, text, strlen(text)) < 0 ? errno : 0;
    close(file);
    return error;
}

static int join_groups(const struct shim *shim) {
    for (size_t i = 0; i < shim->group_count; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/cgroup.procs", shim->groups[i]);
        int error = write_text(path, "0");
        if (error != 0) return error;
    }
    return 0;
}

static int set_limits(const struct shim_spec *spec) {
    for (size_t i = 0; i < spec->limit_count; i++) {
        struct rlimit limit = {spec->limits[i].value, spec->limits[i].value};
        if (setrlimit((__rlimit_resource_t)spec->limits[i].resource, &limit) < 0) return errno;
    }
    return 0;
}

/// 0 is /dev/null already; 3 stays open for a failure of exec, and is closed by its success.
static int set_output(int out, int error, int report) {
    if (dup2(out, 1) < 0 || dup2(error, 2) < 0) return errno;
    if (report != REPORT && dup3(report, REPORT, O_CLOEXEC) < 0) return errno;
    closefrom(REPORT + 1);
    return 0;
}

static void reset_signals(void) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int follow_parent(pid_t parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) return errno;
    // It may have died before that was in force.
    return getppid() == parent ? 0 : ESRCH;
}

static int enter_directory(const struct shim_spec *spec) {
    return chdir(spec->directory ? spec->directory : "/") < 0 ? errno : 0;
}

static int run(const struct shim_spec *spec) {
    reset_signals();
    execve(spec->program, spec->arguments, spec->variables);
    return errno;
}

/// In the order in which they can still be told.
static struct failure become(const struct shim *shim, int out, int error, int report) {
    int failed;
    setpgid(0, 0);
    if ((failed = follow_parent(shim->shim)) != 0) return (struct failure){STEP_PARENT, failed};
    if ((failed = join_groups(shim)) != 0) return (struct failure){STEP_GROUP, failed};
    // When memory is gone, a replica goes before the gateway. Best effort.
    write_text("/proc/self/oom_score_adj", "300");
    if ((failed = set_limits(&shim->spec)) != 0) return (struct failure){STEP_LIMIT, failed};
    if ((failed = enter_directory(&shim->spec)) != 0)
        return (struct failure){STEP_DIRECTORY, failed};
    if ((failed = set_output(out, error, report)) != 0)
        return (struct failure){STEP_OUTPUT, failed};
    return (struct failure){STEP_PROGRAM, run(&shim->spec)};
}

static _Noreturn void child(const struct shim *shim, int out, int error, int report) {
    struct failure failure = become(shim, out, error, report);
    // Past set_output the report is at its own number; before, at both or only the old one.
    int place = failure.step == STEP_PROGRAM ? REPORT : report;
    ssize_t told = write(place, &failure, sizeof failure);
    _exit(told == sizeof failure ? 127 : 126);
}

static int await_report(struct shim *shim, int report) {
    struct failure failure;
    ssize_t got;
    do got = read(report, &failure, sizeof failure);
    while (got < 0 && errno == EINTR);
    if (got == 0) return 0;
    if (got != sizeof failure) return EIO;
    shim->failed_step = step_names[failure.step];
    waitpid(shim->child, NULL, 0);
    return failure.error;
}

int shim_child_start(struct shim *shim) {
    int out[2], error[2], report[2];
    shim->failed_step = "make pipes";
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0)
        return errno;
    shim->failed_step = "fork";
    shim->child = fork();
    if (shim->child < 0) return errno;
    if (shim->child == 0) child(shim, out[1], error[1], report[1]);
    // Both sides set it, so that neither finds it unset.
    setpgid(shim->child, shim->child);
    close(out[1]);
    close(error[1]);
    close(report[1]);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(error[0], F_SETFL, O_NONBLOCK);
    shim->out.descriptor = out[0];
    shim->error.descriptor = error[0];
    int failure = await_report(shim, report[0]);
    close(report[0]);
    if (failure == 0) shim->child_ticks = shim_start_ticks(shim->child);
    return failure;
}

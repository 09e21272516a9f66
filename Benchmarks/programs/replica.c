// A model server's shape without a model: a few slots, a queue in arrival order before them, and
// work that takes the time the request names. GET /serve/N takes N microseconds of a slot, times
// the replica's slowness; anything else is answered at once. It computes nothing, so that many
// fit on one machine. Usage: replica PORT SLOTS SLOWNESS
#define _GNU_SOURCE
#include "loopback.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { head_bytes = 4096, jobs_max = 4096 };

struct client {
    int descriptor;
    int has_job;  // its request is served or queued: it is freed when that ends
    int is_gone;
    size_t count;
    char head[head_bytes];
};

struct job {
    long long ends;
    struct client *client;
};

struct waiting {
    long long takes;
    struct client *client;
};

static int slots, busy;
static double slowness;
static struct job jobs[jobs_max];  // those in a slot, in no order: there are few
static struct waiting queue[jobs_max];
static int queue_first, queue_count;

static const char answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n"
    "{\"outputs\": []}";
static const char overloaded[] =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

static void say(struct client *c, const char *text, size_t count) {
    if (!c->is_gone) send(c->descriptor, text, count, MSG_NOSIGNAL);
}

static void begin(struct client *c, long long takes) {
    jobs[busy++] = (struct job){nanoseconds() + takes, c};
}

static void let_go(struct client *c) {
    if (!c->is_gone) close(c->descriptor);
    c->is_gone = 1;
    if (!c->has_job) free(c);
}

static void take_request(struct client *c) {
    int work = 0;
    if (sscanf(c->head, "GET /serve/%d ", &work) != 1) return say(c, answer, sizeof answer - 1);
    long long takes = (long long)(work * slowness * 1000);
    if (busy < slots) {
        begin(c, takes);
    } else if (queue_count < jobs_max) {
        queue[(queue_first + queue_count++) % jobs_max] = (struct waiting){takes, c};
    } else {
        return say(c, overloaded, sizeof overloaded - 1);
    }
    c->has_job = 1;
}

static void hear(struct client *c) {
    ssize_t got = recv(c->descriptor, c->head + c->count, head_bytes - 1 - c->count, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return let_go(c);
    c->count += (size_t)got;
    c->head[c->count] = 0;
    if (!strstr(c->head, "\r\n\r\n")) return;
    c->count = 0;
    take_request(c);
}

static void end_job(int index) {
    struct client *c = jobs[index].client;
    jobs[index] = jobs[--busy];
    c->has_job = 0;
    say(c, answer, sizeof answer - 1);
    if (c->is_gone) free(c);
    while (busy < slots && queue_count > 0) {
        struct waiting next = queue[queue_first];
        queue_first = (queue_first + 1) % jobs_max;
        queue_count--;
        if (next.client->is_gone) {
            free(next.client);
        } else {
            begin(next.client, next.takes);
        }
    }
}

// Ends what is due; the time until the next is.
static long long end_due(void) {
    long long now = nanoseconds(), next = 1000000000;
    for (int i = 0; i < busy;) {
        if (jobs[i].ends <= now) {
            end_job(i);
            continue;
        }
        if (jobs[i].ends - now < next) next = jobs[i].ends - now;
        i++;
    }
    return next;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int listener = listen_on(atoi(argv[1]));
    slots = atoi(argv[2]);
    slowness = atof(argv[3]);
    if (slots < 1 || slots > jobs_max || slowness <= 0) return 2;
    int poller = checked(epoll_create1(0), "epoll_create1");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
    checked(epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
    for (;;) {
        long long nap = end_due();
        struct timespec rest = {nap / 1000000000, nap % 1000000000};
        int count = epoll_pwait2(poller, events, 256, &rest, NULL);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr) {
                hear(events[i].data.ptr);
                continue;
            }
            int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            if (descriptor < 0) continue;
            struct client *c = calloc(1, sizeof *c);
            c->descriptor = descriptor;
            event.events = EPOLLIN;
            event.data.ptr = c;
            checked(epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
        }
    }
}

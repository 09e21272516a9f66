// A load generator whose requests begin when their time has come, whatever the answers do: latency
// is measured from the scheduled time, so that waiting behind a slow answer counts. One thread; it
// prints one line of JSON, times in microseconds.
// Usage: openloop PORT RATE SECONDS WARM-UP CONNECTIONS [--poisson SEED] [--work MEAN SIGMA]
//        [--real-time]
// --work asks for /serve/N with N drawn from a log-normal distribution.
#define _GNU_SOURCE
#include "loopback.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { buffer_bytes = 8192, patience_seconds = 10 };

// How a generator waits for the next request's time. One that spins is never late of itself, but
// must not have real-time priority, which the kernel takes from a program that uses a whole core.
enum waiting {
    spinning,
    sleeping,           // late by tens of microseconds: for answers that take milliseconds
    sleeping_spinning,  // sleeps, but spins for the last microseconds
};
enum { spun_nanoseconds = 30000 };

struct request {
    long long due;
    int work;  // microseconds asked of the replica; 0: none
};

struct connection {
    int descriptor;
    long current;  // index of its request, -1 when idle
    size_t count;
    char bytes[buffer_bytes];
};

static struct request *requests;
static long request_count, next_request, ended, failed;
static double *latencies, *lateness;
static long latency_count, lateness_count;
static long long measured_from;
static long long blocked_until;  // no connection was free until then: lateness is not ours
static struct connection **idle;
static long idle_first, idle_count, connection_count;
static int poller, port;

static uint64_t random_state;

// SplitMix64, to (0, 1].
static double draw(void) {
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return ((double)((z ^ (z >> 31)) >> 11) + 1) / 9007199254740992.0;
}

static double draw_normal(void) {
    return sqrt(-2 * log(draw())) * cos(2 * M_PI * draw());
}

static void plan(double rate, double seconds, int is_poisson, double mean, double sigma) {
    long room = (long)(rate * seconds * 1.5) + 1000;
    requests = calloc((size_t)room, sizeof *requests);
    latencies = calloc((size_t)room, sizeof *latencies);
    lateness = calloc((size_t)room, sizeof *lateness);
    double at = 0;
    while (request_count < room && at < seconds) {
        struct request *r = &requests[request_count++];
        r->due = (long long)(at * 1e9);
        // The mean of exp(sigma * z) is exp(sigma^2 / 2).
        if (mean > 0) r->work = (int)(mean * exp(sigma * draw_normal() - sigma * sigma / 2)) + 1;
        at += is_poisson ? -log(draw()) / rate : 1 / rate;
    }
}

static void open_connection(struct connection *c) {
    struct sockaddr_in address = loopback(port);
    c->descriptor = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    checked(connect(c->descriptor, (struct sockaddr *)&address, sizeof address), "connect");
    send_at_once(c->descriptor);
    c->current = -1;
    c->count = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    checked(epoll_ctl(poller, EPOLL_CTL_ADD, c->descriptor, &event), "epoll_ctl");
    idle[(idle_first + idle_count++) % connection_count] = c;
}

static void end_request(struct connection *c, int is_good) {
    struct request *r = &requests[c->current];
    ended++;
    if (!is_good) failed++;
    else if (r->due >= measured_from)
        latencies[latency_count++] = (double)(nanoseconds() - r->due) / 1000;
    c->current = -1;
}

// A connection that fails takes its request with it, and is replaced.
static void renew(struct connection *c) {
    if (c->current >= 0) {
        end_request(c, 0);
    } else {
        // Idle: it stands somewhere in the ring. Its place is taken by the replacement.
        for (long i = 0; i < idle_count; i++) {
            struct connection **place = &idle[(idle_first + i) % connection_count];
            if (*place != c) continue;
            *place = idle[idle_first];
            idle_first = (idle_first + 1) % connection_count;
            idle_count--;
            break;
        }
    }
    close(c->descriptor);
    open_connection(c);
}

static void send_due(long long now) {
    while (next_request < request_count && requests[next_request].due <= now && idle_count > 0) {
        struct request *r = &requests[next_request];
        struct connection *c = idle[idle_first];
        idle_first = (idle_first + 1) % connection_count;
        idle_count--;
        c->current = next_request++;
        char text[160];
        int count = r->work > 0
            ? snprintf(text, sizeof text, "GET /serve/%d HTTP/1.1\r\nHost: bench\r\n\r\n", r->work)
            : snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: bench\r\n\r\n");
        if (r->due > blocked_until)
            lateness[lateness_count++] = (double)(nanoseconds() - r->due) / 1000;
        if (send(c->descriptor, text, (size_t)count, MSG_NOSIGNAL) != count) renew(c);
    }
    if (idle_count == 0) blocked_until = now;
}

// True when the whole answer is here.
static int is_complete(struct connection *c) {
    c->bytes[c->count] = 0;
    char *end = memmem(c->bytes, c->count, "\r\n\r\n", 4);
    if (!end) return 0;
    char *length = strcasestr(c->bytes, "content-length:");
    size_t body = length && length < end ? strtoull(length + 15, NULL, 10) : 0;
    return c->count >= (size_t)(end - c->bytes) + 4 + body;
}

static void take_answer(struct connection *c) {
    ssize_t got = recv(c->descriptor, c->bytes + c->count, buffer_bytes - 1 - c->count,
                       MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0 || c->current < 0) return renew(c);
    c->count += (size_t)got;
    if (!is_complete(c)) return;
    end_request(c, memcmp(c->bytes, "HTTP/1.1 200", 12) == 0);
    int closes = strcasestr(c->bytes, "connection: close") != NULL;
    c->count = 0;
    idle[(idle_first + idle_count++) % connection_count] = c;
    if (closes) renew(c);
}

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double quantile(double *sorted, long count, double q) {
    if (count == 0) return 0;
    long place = (long)ceil(q * (double)count) - 1;
    return sorted[place < 0 ? 0 : place];
}

static void report(void) {
    qsort(latencies, (size_t)latency_count, sizeof *latencies, ascending);
    qsort(lateness, (size_t)lateness_count, sizeof *lateness, ascending);
    double sum = 0;
    for (long i = 0; i < latency_count; i++) sum += latencies[i];
    printf("{\"requests\": %ld, \"failed\": %ld, \"measured\": %ld, \"mean\": %.1f, ",
           request_count, failed + request_count - ended, latency_count,
           latency_count ? sum / (double)latency_count : 0.0);
    printf("\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"late_p99\": %.1f}\n",
           quantile(latencies, latency_count, 0.5), quantile(latencies, latency_count, 0.9),
           quantile(latencies, latency_count, 0.99), quantile(latencies, latency_count, 0.999),
           quantile(lateness, lateness_count, 0.99));
}

// How long to sleep at most.
static struct timespec rest_before(enum waiting waiting, long long last) {
    struct timespec rest = {0};
    if (waiting == spinning) return rest;
    long long until = next_request < request_count ? requests[next_request].due : last;
    long long nap = idle_count > 0 ? until - nanoseconds() : 1000000;
    if (waiting == sleeping_spinning) nap -= spun_nanoseconds;
    rest.tv_nsec = nap < 0 ? 0 : nap > 100000000 ? 100000000 : nap;
    return rest;
}

static void run(enum waiting waiting) {
    long long start = nanoseconds() + 20000000;
    for (long i = 0; i < request_count; i++) requests[i].due += start;
    measured_from += start;
    long long last = requests[request_count - 1].due + patience_seconds * 1000000000LL;
    struct epoll_event events[256];
    for (long long now = nanoseconds(); ended < request_count && now < last; now = nanoseconds()) {
        send_due(now);
        struct timespec rest = rest_before(waiting, last);
        int count = epoll_pwait2(poller, events, 256, &rest, NULL);
        for (int i = 0; i < count; i++) take_answer(events[i].data.ptr);
    }
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    port = atoi(argv[1]);
    double rate = atof(argv[2]), seconds = atof(argv[3]), mean = 0, sigma = 0;
    measured_from = (long long)(atof(argv[4]) * 1e9);
    connection_count = atol(argv[5]);
    int is_poisson = 0, is_real_time = 0;
    for (int i = 6; i < argc; i++) {
        if (strcmp(argv[i], "--poisson") == 0 && i + 1 < argc) {
            is_poisson = 1;
            random_state = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--work") == 0 && i + 2 < argc) {
            mean = atof(argv[++i]);
            sigma = atof(argv[++i]);
        } else if (strcmp(argv[i], "--real-time") == 0) {
            struct sched_param priority = {.sched_priority = 1};
            is_real_time = sched_setscheduler(0, SCHED_FIFO, &priority) == 0;
        } else {
            return 2;
        }
    }
    plan(rate, seconds, is_poisson, mean, sigma);
    poller = checked(epoll_create1(0), "epoll_create1");
    idle = calloc((size_t)connection_count, sizeof *idle);
    struct connection *connections = calloc((size_t)connection_count, sizeof *connections);
    for (long i = 0; i < connection_count; i++) open_connection(&connections[i]);
    run(mean > 0 ? sleeping : is_real_time ? sleeping_spinning : spinning);
    report();
    return 0;
}

// The replica of every comparison: one epoll loop that answers fixed bytes, so that the proxies are
// what differs. GET / is 100 bytes, GET /large 1 MiB, GET /events 50 server-sent events, one each
// 5 ms; POST reads its counted body first, and POST /check answers its length and checksum.
// Requests are taken at their word: only proxies under test speak to it. Usage: backend PORT
#define _GNU_SOURCE
#include "loopback.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { large_bytes = 1 << 20, head_bytes = 16384, events_each = 50, tick_milliseconds = 5 };

struct connection {
    int descriptor;
    size_t count;      // bytes of the head so far
    size_t body;       // bytes of the request body still to come
    const char *out;   // answer under way
    size_t out_count;
    int events;        // still to be sent, one a tick
    int is_checked;    // the answer tells what the body was
    size_t length;     // of the body, so far
    uint64_t sum;
    char answer[160];
    struct connection *next, **place;
    char head[head_bytes];
};

static char *large_answer;
static size_t large_count;
static char small_answer[512];
static size_t small_count;

static void make_answers(void) {
    char body[101];
    memset(body, 'x', 100);
    body[100] = 0;
    small_count = (size_t)snprintf(small_answer, sizeof small_answer,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n%s", body);
    large_answer = malloc(large_bytes + 256);
    int head = sprintf(large_answer,
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n",
        large_bytes);
    // No two neighbouring blocks are alike: one lost, doubled or moved would be seen.
    for (int i = 0; i < large_bytes; i++) large_answer[head + i] = (char)(i * 31 + (i >> 8) * 7);
    large_count = (size_t)head + large_bytes;
}

// FNV-1a of 64 bits.
static void check(struct connection *c, const char *bytes, size_t count) {
    if (!c->is_checked) return;
    c->length += count;
    for (size_t i = 0; i < count; i++)
        c->sum = (c->sum ^ (unsigned char)bytes[i]) * 0x100000001b3u;
}

static void answer_check(struct connection *c) {
    char body[64];
    int count = snprintf(body, sizeof body, "%zu %016" PRIx64 "\n", c->length, c->sum);
    c->out = c->answer;
    c->out_count = (size_t)snprintf(c->answer, sizeof c->answer,
        "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", count, body);
    c->is_checked = 0;
}

static const char event_head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char event_chunk[] =
    "41\r\ndata: {\"token\":\"abcdefghijklmnopqrstuvwxyz0123456789abcdefghi\"}\n\n\r\n";
static struct connection *streams;

static void stop_stream(struct connection *c) {
    if (!c->place) return;
    *c->place = c->next;
    if (c->next) c->next->place = c->place;
    c->place = NULL;
    c->next = NULL;
}

static void start_stream(struct connection *c) {
    c->events = events_each;
    c->next = streams;
    if (streams) streams->place = &c->next;
    c->place = &streams;
    streams = c;
}

// A stream that cannot take an event whole has fallen behind and is of no use here.
static void tick(void) {
    for (struct connection *c = streams, *next; c; c = next) {
        next = c->next;
        send(c->descriptor, event_chunk, sizeof event_chunk - 1, MSG_NOSIGNAL);
        if (--c->events > 0) continue;
        send(c->descriptor, "0\r\n\r\n", 5, MSG_NOSIGNAL);
        stop_stream(c);
    }
}

static int flush(struct connection *c) {
    while (c->out_count > 0) {
        ssize_t sent = send(c->descriptor, c->out, c->out_count, MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN ? 0 : -1;
        c->out += sent;
        c->out_count -= (size_t)sent;
    }
    return 0;
}

// Takes one request off the head's bytes; 0 when it is not complete.
static int take(struct connection *c) {
    char *end = memmem(c->head, c->count, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t used = (size_t)(end - c->head) + 4;
    int is_large = memcmp(c->head, "GET /large", 10) == 0;
    *end = 0;
    char *length = strcasestr(c->head, "content-length:");
    c->body = length ? strtoull(length + 15, NULL, 10) : 0;
    c->out = is_large ? large_answer : small_answer;
    c->out_count = is_large ? large_count : small_count;
    if (memcmp(c->head, "GET /events", 11) == 0) {
        c->out = event_head;
        c->out_count = sizeof event_head - 1;
        start_stream(c);
    }
    if (memcmp(c->head, "POST /check", 11) == 0) {
        c->is_checked = 1;
        c->length = 0;
        c->sum = 0xcbf29ce484222325u;
    }
    memmove(c->head, c->head + used, c->count - used);
    c->count -= used;
    return 1;
}

static int serve(struct connection *c) {
    static char dropped[262144];
    for (;;) {
        if (c->body == 0 && c->is_checked) answer_check(c);
        if (c->body == 0 && flush(c) < 0) return -1;
        if (c->body == 0 && c->out_count > 0) return 0;
        size_t held = c->count < c->body ? c->count : c->body;
        check(c, c->head, held);
        memmove(c->head, c->head + held, c->count - held);
        c->count -= held;
        c->body -= held;
        if (c->body == 0 && c->out_count > 0) continue;
        if (c->body == 0 && c->events == 0 && take(c)) continue;
        char *room = c->body > 0 ? dropped : c->head + c->count;
        size_t size = c->body > 0 ? sizeof dropped : head_bytes - c->count;
        if (c->body > 0 && size > c->body) size = c->body;
        ssize_t got = recv(c->descriptor, room, size, 0);
        if (got == 0) return -1;
        if (got < 0) return errno == EAGAIN ? 0 : -1;
        if (c->body > 0) {
            check(c, dropped, (size_t)got);
            c->body -= (size_t)got;
        } else {
            c->count += (size_t)got;
        }
    }
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    make_answers();
    int listener = listen_on(atoi(argv[1]));
    long long ticked = 0;
    int poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(poller, events, 256, streams ? 1 : -1);
        long long milliseconds = nanoseconds() / 1000000;
        if (milliseconds - ticked >= tick_milliseconds) {
            ticked = milliseconds;
            tick();
        }
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (c) {
                if (serve(c) < 0) {
                    stop_stream(c);
                    close(c->descriptor);
                    free(c);
                }
                continue;
            }
            int fresh = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            if (fresh < 0) continue;
            c = calloc(1, sizeof *c);
            c->descriptor = fresh;
            event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
            event.data.ptr = c;
            epoll_ctl(poller, EPOLL_CTL_ADD, fresh, &event);
        }
    }
}

// The least a proxy can do, as a floor for what one costs: finds where messages end (the empty line
// and Content-Length), passes bytes on as they came, and keeps connections to the replica. Nothing
// is checked, rewritten, counted or timed. Like the gateway it polls each connection once, edge by
// edge, and sends at the end of a batch. Usage: forwarder PORT REPLICA-PORT
#define _GNU_SOURCE
#include "loopback.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { buffer_bytes = 65536, batch_events = 512 };

struct end {
    int descriptor;
    int is_upstream, is_dead, is_readable, is_pending;
    int is_stuck;       // its peer's socket took less than there was
    int has_head;
    size_t left;        // of the message, not yet read
    size_t count;       // bytes that wait in the buffer
    struct end *peer;   // while a request is under way
    struct end *next;   // idle, or dead
    char bytes[buffer_bytes];
};

static int poller, replica_port;
static struct end *idle, *dead;
static struct end *pending[batch_events * 4];
static int pending_count;

static struct end *adopt(int descriptor, int is_upstream) {
    struct end *e = malloc(sizeof *e);
    memset(e, 0, offsetof(struct end, bytes));
    e->descriptor = descriptor;
    e->is_upstream = is_upstream;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = e};
    checked(epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
    return e;
}

static void drop(struct end *e) {
    if (e->is_dead) return;
    e->is_dead = 1;
    close(e->descriptor);
    for (struct end **place = &idle; e->is_upstream && *place; place = &(*place)->next) {
        if (*place != e) continue;
        *place = e->next;
        break;
    }
    e->next = dead;
    dead = e;
    if (e->peer) {
        e->peer->peer = NULL;
        drop(e->peer);
    }
}

static struct end *reach(void) {
    if (idle) {
        struct end *e = idle;
        idle = e->next;
        return e;
    }
    struct sockaddr_in address = loopback(replica_port);
    // Blocking: a handshake on loopback, once for each connection that is then kept.
    int descriptor = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    checked(connect(descriptor, (struct sockaddr *)&address, sizeof address), "connect");
    send_at_once(descriptor);
    return adopt(descriptor, 1);
}

// True when the head is whole; `left` is then what the message still lacks.
static int find_end(struct end *e) {
    char *end = memmem(e->bytes, e->count, "\r\n\r\n", 4);
    if (!end) return 0;
    *end = 0;
    char *length = strcasestr(e->bytes, "\r\ncontent-length:");
    *end = '\r';
    size_t whole = (size_t)(end - e->bytes) + 4 + (length ? strtoull(length + 17, NULL, 10) : 0);
    if (whole < e->count) return -1;  // pipelining: not here
    e->left = whole - e->count;
    e->has_head = 1;
    return 1;
}

// The answer is out: the connection to the replica is free again.
static void release(struct end *upstream) {
    if (upstream->peer) {
        upstream->peer->has_head = 0;
        upstream->peer->peer = NULL;
    }
    upstream->peer = NULL;
    upstream->has_head = 0;
    upstream->next = idle;
    idle = upstream;
}

static void flush(struct end *e) {
    if (e->is_dead || !e->peer || e->count == 0) return;
    ssize_t sent = send(e->peer->descriptor, e->bytes, e->count,
                        MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) return drop(e);
    if (sent > 0) {
        e->count -= (size_t)sent;
        memmove(e->bytes, e->bytes + sent, e->count);
    }
    e->is_stuck = e->count > 0;
    if (e->is_upstream && e->count == 0 && e->has_head && e->left == 0) release(e);
}

static void send_later(struct end *e) {
    if (e->is_pending) return;
    if (pending_count == batch_events * 4) return flush(e);
    e->is_pending = 1;
    pending[pending_count++] = e;
}

static void pass_on(struct end *e) {
    while (e->is_readable && !e->is_dead) {
        if (e->count == buffer_bytes) flush(e);
        size_t room = buffer_bytes - e->count;
        if (room == 0 || e->is_dead) return;
        ssize_t got = recv(e->descriptor, e->bytes + e->count, room, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) {
            e->is_readable = 0;
            return;
        }
        if (got <= 0) return drop(e);
        if ((size_t)got < room) e->is_readable = 0;
        if (e->is_upstream && !e->peer) return drop(e);
        e->count += (size_t)got;
        if (e->has_head) {
            if ((size_t)got > e->left) return drop(e);
            e->left -= (size_t)got;
        } else {
            int found = find_end(e);
            if (found < 0) return drop(e);
            if (found == 0) continue;
        }
        if (!e->peer) {
            e->peer = reach();
            e->peer->peer = e;
        }
        send_later(e);
    }
}

static void heard(struct end *e, unsigned events) {
    if (e->is_dead) return;
    if (events & (EPOLLERR | EPOLLHUP)) return drop(e);
    if ((events & EPOLLOUT) && e->peer && e->peer->is_stuck) {
        flush(e->peer);
        if (!e->is_dead && e->peer && e->peer->is_readable) pass_on(e->peer);
    }
    if (events & (EPOLLIN | EPOLLRDHUP)) e->is_readable = 1;
    if (e->is_readable) pass_on(e);
}

static void end_batch(void) {
    for (int i = 0; i < pending_count; i++) {
        pending[i]->is_pending = 0;
        flush(pending[i]);
    }
    pending_count = 0;
    while (dead) {
        struct end *e = dead;
        dead = e->next;
        free(e);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    replica_port = atoi(argv[2]);
    poller = checked(epoll_create1(0), "epoll_create1");
    int listener = listen_on(atoi(argv[1]));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[batch_events];
    checked(epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
    for (;;) {
        int count = epoll_wait(poller, events, batch_events, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr) {
                heard(events[i].data.ptr, events[i].events);
                continue;
            }
            int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            if (descriptor >= 0) adopt(descriptor, 0);
        }
        end_batch();
    }
}

// The replica that speaks HTTP/2: one epoll loop over libnghttp2. GET / is 100 bytes; POST
// /bench.Model/Infer is a gRPC call whose message must fit its length, answered with one of 100
// bytes; POST /bench.Model/Stream is answered with 50 messages, one each 5 ms. Requests are taken
// at their word otherwise: only proxies under test speak to it. Usage: multiplexed PORT
#define _GNU_SOURCE
#include "loopback.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    body_bytes = 100, message_bytes = 64, messages_each = 50, tick_milliseconds = 5,
    out_bytes = 1 << 17
};
enum kind { plain, unary, streaming };

struct connection {
    int descriptor;
    nghttp2_session *session;
    size_t out_count, out_sent;
    int is_dirty;
    struct connection *next_dirty;
    char out[out_bytes];
};

struct stream {
    int32_t id;
    enum kind kind;
    size_t received, promised;  // bytes of the request, and what its message's prefix says
    int due, sent;              // messages
    struct connection *connection;
    struct stream *next, **place;
};

static char body[body_bytes];
static uint8_t reply[5 + body_bytes], message[5 + message_bytes];
static struct stream *streams;
static struct connection *dirty;

static void mark(struct connection *c) {
    if (c->is_dirty) return;
    c->is_dirty = 1;
    c->next_dirty = dirty;
    dirty = c;
}

static void make_messages(void) {
    memset(body, 'x', sizeof body);
    memset(reply, 'x', sizeof reply);
    memset(message, 'y', sizeof message);
    memset(reply, 0, 5);
    memset(message, 0, 5);
    reply[4] = body_bytes;
    message[4] = message_bytes;
}

static nghttp2_nv field(const char *name, const char *value) {
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value),
                        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

static int is_intact(const struct stream *s) {
    return s->received >= 5 && s->received - 5 == s->promised;
}

static void end_call(nghttp2_session *session, const struct stream *s, uint32_t *flags) {
    nghttp2_nv status = field("grpc-status", is_intact(s) ? "0" : "13");
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    nghttp2_submit_trailer(session, s->id, &status, 1);
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *room, size_t size,
                         uint32_t *flags, nghttp2_data_source *source, void *user) {
    (void)id, (void)user;
    struct stream *s = source->ptr;
    size_t count = 0;
    if (s->kind == plain) {
        memcpy(room, body, sizeof body);
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        return sizeof body;
    }
    if (s->kind == unary) {
        memcpy(room, reply, sizeof reply);
        end_call(session, s, flags);
        return sizeof reply;
    }
    for (; s->due > 0 && count + sizeof message <= size; s->due--, s->sent++) {
        memcpy(room + count, message, sizeof message);
        count += sizeof message;
    }
    if (s->sent == messages_each) end_call(session, s, flags);
    else if (count == 0) return NGHTTP2_ERR_DEFERRED;
    return (ssize_t)count;
}

static void answer(nghttp2_session *session, struct stream *s) {
    nghttp2_nv fields[] = {
        field(":status", "200"),
        field("content-type", s->kind == plain ? "text/plain" : "application/grpc"),
        field("content-length", "100"),
    };
    nghttp2_data_provider provider = {.source.ptr = s, .read_callback = read_body};
    nghttp2_submit_response(session, s->id, fields, s->kind == plain ? 3 : 2, &provider);
    if (s->kind != streaming) return;
    s->next = streams;
    if (streams) streams->place = &s->next;
    s->place = &streams;
    streams = s;
}

static void tick(void) {
    for (struct stream *s = streams; s; s = s->next) {
        if (s->sent + s->due >= messages_each) continue;
        s->due++;
        nghttp2_session_resume_data(s->connection->session, s->id);
        mark(s->connection);
    }
}

// --- what the library calls ----------------------------------------------------------------

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    struct stream *s = calloc(1, sizeof *s);
    s->id = frame->hd.stream_id;
    s->connection = user;
    return nghttp2_session_set_stream_user_data(session, s->id, s);
}

static int on_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                    size_t name_count, const uint8_t *value, size_t count, uint8_t flags,
                    void *user) {
    (void)flags, (void)user;
    struct stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (s && name_count == 5 && memcmp(name, ":path", 5) == 0) {
        if (count == 18 && memcmp(value, "/bench.Model/Infer", 18) == 0) s->kind = unary;
        if (count == 19 && memcmp(value, "/bench.Model/Stream", 19) == 0) s->kind = streaming;
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t count, void *user) {
    (void)flags, (void)user;
    struct stream *s = nghttp2_session_get_stream_user_data(session, id);
    for (size_t i = 0; s && i < count && s->received + i < 5; i++)
        if (s->received + i > 0) s->promised = s->promised << 8 | data[i];
    if (s) s->received += count;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    (void)user;
    int is_message = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (!is_message || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) return 0;
    struct stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (s) answer(session, s);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user) {
    (void)code, (void)user;
    struct stream *s = nghttp2_session_get_stream_user_data(session, id);
    if (!s) return 0;
    if (s->place) {
        *s->place = s->next;
        if (s->next) s->next->place = s->place;
    }
    free(s);
    return 0;
}

static nghttp2_session_callbacks *make_callbacks(void) {
    nghttp2_session_callbacks *set;
    nghttp2_session_callbacks_new(&set);
    nghttp2_session_callbacks_set_on_begin_headers_callback(set, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(set, on_field);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(set, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(set, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(set, on_close);
    return set;
}

// --- connections ---------------------------------------------------------------------------

// Everything there is to say leaves with as few calls as the buffer allows.
static int flush(struct connection *c) {
    for (;;) {
        const uint8_t *frame;
        ssize_t count = 0;
        while (c->out_count + 20000 <= sizeof c->out
               && (count = nghttp2_session_mem_send(c->session, &frame)) > 0) {
            memcpy(c->out + c->out_count, frame, (size_t)count);
            c->out_count += (size_t)count;
        }
        if (count < 0) return -1;
        if (c->out_count == 0) return 0;
        ssize_t sent = send(c->descriptor, c->out + c->out_sent, c->out_count - c->out_sent,
                            MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN ? 0 : -1;
        c->out_sent += (size_t)sent;
        if (c->out_sent < c->out_count) return 0;
        c->out_sent = c->out_count = 0;
    }
}

static int serve(struct connection *c) {
    static uint8_t input[65536];
    for (;;) {
        ssize_t got = recv(c->descriptor, input, sizeof input, 0);
        if (got == 0) return -1;
        if (got < 0 && errno != EAGAIN) return -1;
        if (got > 0 && nghttp2_session_mem_recv(c->session, input, (size_t)got) < 0) return -1;
        if (got < (ssize_t)sizeof input) break;
    }
    if (!nghttp2_session_want_read(c->session) && !nghttp2_session_want_write(c->session))
        return -1;
    return flush(c);
}

static void drop(struct connection *c) {
    for (struct connection **place = &dirty; *place; place = &(*place)->next_dirty) {
        if (*place != c) continue;
        *place = c->next_dirty;
        break;
    }
    // The library closes no stream by itself.
    for (struct stream *s = streams, *next; s; s = next) {
        next = s->next;
        if (s->connection != c) continue;
        *s->place = s->next;
        if (s->next) s->next->place = s->place;
        free(s);
    }
    nghttp2_session_del(c->session);
    close(c->descriptor);
    free(c);
}

static void flush_dirty(void) {
    while (dirty) {
        struct connection *c = dirty;
        dirty = c->next_dirty;
        c->is_dirty = 0;
        if (flush(c) < 0) drop(c);
    }
}

static void welcome(int poller, int fresh, const nghttp2_session_callbacks *callbacks) {
    struct connection *c = calloc(1, sizeof *c);
    c->descriptor = fresh;
    nghttp2_session_server_new(&c->session, callbacks, c);
    nghttp2_settings_entry entry = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 256};
    nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, &entry, 1);
    nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0, 1 << 24);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = c};
    checked(epoll_ctl(poller, EPOLL_CTL_ADD, fresh, &event), "epoll_ctl");
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    make_messages();
    nghttp2_session_callbacks *callbacks = make_callbacks();
    int listener = listen_on(atoi(argv[1])), poller = checked(epoll_create1(0), "epoll");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
    checked(epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
    for (long long ticked = 0;;) {
        int count = epoll_wait(poller, events, 256, streams ? 1 : -1);
        long long milliseconds = nanoseconds() / 1000000;
        if (milliseconds - ticked >= tick_milliseconds) {
            ticked = milliseconds;
            tick();
        }
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c) {
                int fresh = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (fresh >= 0) welcome(poller, fresh, callbacks);
            } else if (serve(c) < 0) {
                drop(c);
            }
        }
        flush_dirty();
    }
}

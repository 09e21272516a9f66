// libnghttp2 as the HTTP/2 half of HTTPWire sees it, with the few things that Swift would only
// reach through unions or enumerations of odd widths. Owned by HTTPWire; nothing here keeps state.
#ifndef PENSTOCK_CNGHTTP2_H
#define PENSTOCK_CNGHTTP2_H

#include <nghttp2/nghttp2.h>

// Types and flags of frames, of one width.
enum {
    PENSTOCK_H2_DATA = NGHTTP2_DATA,
    PENSTOCK_H2_HEADERS = NGHTTP2_HEADERS,
    PENSTOCK_H2_PRIORITY = NGHTTP2_PRIORITY,
    PENSTOCK_H2_RST_STREAM = NGHTTP2_RST_STREAM,
    PENSTOCK_H2_SETTINGS = NGHTTP2_SETTINGS,
    PENSTOCK_H2_PUSH_PROMISE = NGHTTP2_PUSH_PROMISE,
    PENSTOCK_H2_PING = NGHTTP2_PING,
    PENSTOCK_H2_GOAWAY = NGHTTP2_GOAWAY,
    PENSTOCK_H2_WINDOW_UPDATE = NGHTTP2_WINDOW_UPDATE,
    PENSTOCK_H2_CONTINUATION = NGHTTP2_CONTINUATION,
    PENSTOCK_H2_PRIORITY_UPDATE = NGHTTP2_PRIORITY_UPDATE,
};

static inline int penstock_h2_type(const nghttp2_frame *frame) { return frame->hd.type; }

static inline int32_t penstock_h2_stream(const nghttp2_frame *frame) {
    return frame->hd.stream_id;
}

static inline int penstock_h2_ends_stream(const nghttp2_frame *frame) {
    return (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

static inline int penstock_h2_is_ack(const nghttp2_frame *frame) {
    return (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
}

static inline uint32_t penstock_h2_reset_code(const nghttp2_frame *frame) {
    return frame->rst_stream.error_code;
}

static inline uint32_t penstock_h2_goaway_code(const nghttp2_frame *frame) {
    return frame->goaway.error_code;
}

static inline int32_t penstock_h2_goaway_last(const nghttp2_frame *frame) {
    return frame->goaway.last_stream_id;
}

// Of HEADERS that were sent: an answer with a status of 1xx, which others follow.
static inline int penstock_h2_is_interim(const nghttp2_frame *frame) {
    const nghttp2_nv *first = frame->headers.nva;
    return frame->headers.nvlen > 0 && first->namelen == 7 && first->name[1] == 's' &&
           first->name[2] == 't' && first->valuelen == 3 && first->value[0] == '1';
}

static inline size_t penstock_h2_settings_count(const nghttp2_frame *frame) {
    return frame->settings.niv;
}

static inline nghttp2_settings_entry penstock_h2_setting(const nghttp2_frame *frame,
                                                         size_t index) {
    return frame->settings.iv[index];
}

// One field to be sent. Without flags the library copies both parts and makes the name lower case.
// NO_INDEX forbids the receiver to index it, and keeps one-off values out of our own table.
static inline nghttp2_nv penstock_h2_field(
    const void *name, size_t name_count, const void *value, size_t value_count, uint8_t flags) {
    nghttp2_nv field = {
        (uint8_t *)name, (uint8_t *)value, name_count, value_count, flags,
    };
    return field;
}

// A body, if there is one, is asked for with `read` whenever the library can send some of it.
static inline int32_t penstock_h2_submit_request(
    nghttp2_session *session, const nghttp2_nv *fields, size_t count, void *stream,
    nghttp2_data_source_read_callback read, int has_body) {
    nghttp2_data_provider body = {{.ptr = stream}, read};
    return nghttp2_submit_request(
        session, NULL, fields, count, has_body ? &body : NULL, stream);
}

static inline int penstock_h2_submit_response(
    nghttp2_session *session, int32_t id, const nghttp2_nv *fields, size_t count, void *stream,
    nghttp2_data_source_read_callback read, int has_body) {
    nghttp2_data_provider body = {{.ptr = stream}, read};
    return nghttp2_submit_response(session, id, fields, count, has_body ? &body : NULL);
}

#endif

// The replica's output on disk: one line a line, `2026-01-31T12:00:00.000000000Z stdout F text`,
// the form that log collectors know from containers. Segments are named by run and byte offset, so
// an offset stays true while old segments go. A full disk loses lines, counts them and says so; the
// replica never waits for space.
#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void segment_path(const struct shim_log *log, uint64_t first, char *path, size_t size) {
    snprintf(path, size, "%s/%06llu-%020llu.log", log->directory, (unsigned long long)log->run,
             (unsigned long long)first);
}

static void remove_oldest(struct shim_log *log) {
    char path[4200];
    segment_path(log, log->firsts[0], path, sizeof path);
    unlink(path);
    log->count -= 1;
    memmove(log->firsts, log->firsts + 1, log->count * sizeof *log->firsts);
}

static void open_segment(struct shim_log *log) {
    char path[4200];
    if (log->file >= 0) close(log->file);
    segment_path(log, log->offset, path, sizeof path);
    log->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    log->size = 0;
    if (log->file < 0) {
        log->error = errno;
        return;
    }
    while (log->count >= log->segments) remove_oldest(log);
    log->firsts[log->count++] = log->offset;
}

void shim_log_open(struct shim_log *log, const struct shim_spec *spec) {
    snprintf(log->directory, sizeof log->directory, "%s", spec->logs);
    log->run = spec->run;
    log->segment_bytes = spec->segment_bytes;
    log->segments = spec->segments < SHIM_SEGMENTS_MAX ? spec->segments : SHIM_SEGMENTS_MAX;
    log->file = -1;
    open_segment(log);
}

/// All of it or nothing: a torn line would be worse than a missing one.
static int write_whole(struct shim_log *log, const char *bytes, size_t count) {
    if (log->file >= 0 && log->size > 0 && log->size + count > log->segment_bytes)
        open_segment(log);
    if (log->file < 0) open_segment(log);
    if (log->file < 0) return -1;
    size_t done = 0;
    while (done < count) {
        ssize_t wrote = write(log->file, bytes + done, count - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) {
            log->error = wrote < 0 ? errno : EIO;
            // If even this fails, the next line begins in the middle of one.
            if (done > 0 && ftruncate(log->file, (off_t)log->size) < 0) log->error = errno;
            return -1;
        }
        done += (size_t)wrote;
    }
    log->size += count;
    log->offset += count;
    return 0;
}

/// `2026-01-31T12:00:00.000000000Z stdout F `; the length.
static size_t prefix(char *text, size_t size, const char *stream, int is_whole) {
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    return (size_t)snprintf(text, size, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ %s %c ",
                            parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                            parts.tm_min, parts.tm_sec, now.tv_nsec, stream,
                            is_whole ? 'F' : 'P');
}

static void tell_dropped(struct shim_log *log) {
    char line[256];
    size_t length = prefix(line, sizeof line, "penstock", 1);
    length += (size_t)snprintf(line + length, sizeof line - length,
                               "%llu lines of output were lost: %s\n",
                               (unsigned long long)log->untold_lines, strerror(log->error));
    if (write_whole(log, line, length) == 0) log->untold_lines = 0;
}

void shim_log_flush(struct shim_log *log) {
    if (log->buffered == 0) return;
    if (log->untold_lines > 0) tell_dropped(log);
    if (log->untold_lines > 0 || write_whole(log, log->buffer, log->buffered) < 0) {
        log->dropped_lines += log->buffered_lines;
        log->untold_lines += log->buffered_lines;
    }
    log->buffered = 0;
    log->buffered_lines = 0;
}

static void put(struct shim_log *log, const char *stream, const char *text, size_t length,
                int is_whole) {
    char start[64];
    size_t prefixed = prefix(start, sizeof start, stream, is_whole);
    size_t needed = log->buffered + prefixed + length + 1;
    // What is written at once fits into a segment, unless a single line does not.
    if (needed > sizeof log->buffer || needed > log->segment_bytes) shim_log_flush(log);
    char *end = log->buffer + log->buffered;
    memcpy(end, start, prefixed);
    memcpy(end + prefixed, text, length);
    end[prefixed + length] = '\n';
    log->buffered += prefixed + length + 1;
    log->buffered_lines += 1;
}

/// What does not fit is told as a part of its line.
static void gather(struct shim_stream *stream, struct shim_log *log, const char *bytes,
                   size_t count) {
    while (count > 0) {
        size_t space = sizeof stream->line - stream->length;
        size_t taken = count < space ? count : space;
        memcpy(stream->line + stream->length, bytes, taken);
        stream->length += taken;
        bytes += taken;
        count -= taken;
        if (stream->length < sizeof stream->line) continue;
        put(log, stream->name, stream->line, stream->length, 0);
        stream->length = 0;
    }
}

static void split(struct shim_stream *stream, struct shim_log *log, const char *bytes,
                  size_t count) {
    while (count > 0) {
        const char *newline = memchr(bytes, '\n', count);
        size_t length = newline ? (size_t)(newline - bytes) : count;
        gather(stream, log, bytes, length);
        if (!newline) return;
        put(log, stream->name, stream->line, stream->length, 1);
        stream->length = 0;
        bytes += length + 1;
        count -= length + 1;
    }
}

int shim_stream_read(struct shim_stream *stream, struct shim_log *log) {
    static char bytes[SHIM_READ_BYTES];
    ssize_t got = read(stream->descriptor, bytes, sizeof bytes);
    if (got < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (got == 0) return -1;
    split(stream, log, bytes, (size_t)got);
    return 0;
}

void shim_stream_finish(struct shim_stream *stream, struct shim_log *log) {
    if (stream->length > 0) put(log, stream->name, stream->line, stream->length, 1);
    stream->length = 0;
    if (stream->descriptor >= 0) close(stream->descriptor);
    stream->descriptor = -1;
}

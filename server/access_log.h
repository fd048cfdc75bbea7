/* access_log: combined format, through the ring, batched. A stalled disk drops lines and counts
 * them; it never delays a response. One a worker, each with its own descriptor (O_APPEND). */
#ifndef GYRE_SERVER_ACCESS_LOG_H
#define GYRE_SERVER_ACCESS_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "http/http_parse.h"
#include "uring/uring.h"

struct access_log {
    struct uring *uring;
    const char *path; /* "off", "stdout", or a file's; borrowed */
    int file;         /* -1: off */
    int file_next;    /* reopened: takes over when the write in flight is done; -1: none */
    bool is_terminal; /* every batch is written at once */
    bool is_short; /* for development: one short line a response, see access_log_format_short() */
    bool in_colour;
    bool stalled;   /* the target takes nothing now: tried again at each tick */
    bool given_up;  /* lines are dropped and counted from now on */
    bool writing;   /* buffers[active ^ 1] is the kernel's */
    uint8_t active; /* the buffer that lines go to */
    uint32_t size[2];
    uint32_t written_size; /* of the buffer in flight */
    uint64_t dropped_count;
    uint64_t dropped_told_count;
    int error; /* -errno of the last write that failed; 0: none did */
    char *buffers[2];
};

/* One answered request. Slices may be SLICE_NONE. */
struct access_record {
    const struct sockaddr *peer; /* NULL: unknown */
    struct slice line;
    struct slice referer;
    struct slice user_agent;
    unsigned status;
    uint64_t body_bytes;
};

/* Opens the log that `path` names. Returns 0 or -errno. is_short: for somebody who watches. */
int access_log_open(struct access_log *log, struct uring *uring, const char *path, bool is_short);
/* Nothing may be in flight. */
void access_log_close(struct access_log *log);

bool access_log_is_on(const struct access_log *log);

/* Formats one line into the buffer; drops and counts it when both buffers are taken. now_s: UTC. */
void access_log_add(struct access_log *log, const struct access_record *record, int64_t now_s);

/* Once a tick: writes what has gathered, or tries a stalled write again. */
void access_log_tick(struct access_log *log);

/* Writes what has gathered: when it is enough, or `now` says so. */
void access_log_flush(struct access_log *log, bool now);

/* Whether lines are buffered or in flight. */
bool access_log_is_pending(const struct access_log *log);

/* Stops waiting for a target that takes nothing: cancels the write in flight, drops what is left.
 */
void access_log_give_up(struct access_log *log);

/* Opens the path anew (logrotate). Returns 0 or -errno; then the old file stays in use. */
int access_log_reopen(struct access_log *log);

void access_log_handle_write(struct access_log *log, const struct uring_event *event);

/* Formats a record into at most size bytes: the line with its newline, cut values marked by "...".
 * Pure; for access_log_add() and the tests. Control bytes, quotes and backslashes are escaped. */
size_t access_log_format(const struct access_record *record, int64_t now_s, char *buffer,
                         size_t size);

/* The same for somebody who watches: local time, status (in colour, if asked for), request line,
 * bytes. now_s: UTC. */
size_t access_log_format_short(const struct access_record *record, int64_t now_s, bool in_colour,
                               char *buffer, size_t size);

#endif

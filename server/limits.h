/* limits: every bound of the server in one place, and how they relate. What a user may set is in
 * conf.h; these are the rest. */
#ifndef GYRE_SERVER_LIMITS_H
#define GYRE_SERVER_LIMITS_H

#include "http/http_cors.h"
#include "http/http_head.h"
#include "http/http_parse.h"
#include "http/http_target.h"
#include "uring/uring.h"

enum {
    WORKERS_MAX = 256,
    EVENTS_MAX = 512,        /* taken from the engine at once */
    TICK_MS = 1000,          /* deadlines are looked at this often */
    FIRST_REQUEST_MS = 1000, /* a new connection is not evicted before */

    /* A request whose head does not lie in one receive buffer, or that has to wait for the disk, is
     * gathered here; also what follows it, so that receive buffers go home at once. */
    INBOX_SIZE = 64 * 1024,

    OUTBUF_SIZE = 32 * 1024,      /* heads and small bodies on their way out, one a connection */
    OUTBUF_HEAD_ROOM = 8 * 1024,  /* room that must be left to answer one more request */
    COALESCE_BODY_MAX = 4 * 1024, /* a body up to this is copied behind its head */
    OUTBOX_SEGMENTS_MAX = 8,      /* power of two */
    OUTBOX_SEGMENTS_A_RESPONSE = 2,

    MAGIC_BYTES_MAX = 4096, /* of a file, looked at by libmagic */
    WATCHES_MAX = 4096,     /* directories watched by one worker; a power of two */
    FILL_ATTEMPTS_MAX = 3,  /* a file that changes while it is read is read again */
    OPEN_ATTEMPTS_MAX = 4,  /* openat2 gives EAGAIN when a rename races with it */

    LOG_LINE_SIZE_MAX = 4 * 1024,
    LOG_BUFFER_SIZE = 256 * 1024, /* two of them; what does not fit is dropped and counted */
    LOG_FLUSH_SIZE = 64 * 1024,   /* written when this much has gathered, or at the next tick */

    /* Each has a piece in memory and a directory open for each level of its depth, for as long as
     * its reader takes; more at once, of one worker, are 503. */
    ARCHIVES_MAX = 16,
    /* Each is the work of a moment that somebody waits for, before passwords and listings that come
     * later; more at once, of one worker, are 503. */
    CODINGS_AWAITED_MAX = 16,
    PASSWORDS_CHECKED_MAX = 32, /* at once: who guesses must not take the helpers from all others */

    RETRY_AFTER_S = 2,
    BOUNDARY_SIZE = 32,      /* hexadecimal digits of 128 bits */
    SHUTDOWN_JOIN_MS = 2000, /* after shutdown_timeout: how long notices may still lag */
};

_Static_assert((int)INBOX_SIZE >= (int)HTTP_HEAD_SIZE_MAX, "an inbox holds the largest head");
_Static_assert(OUTBUF_SIZE >= OUTBUF_HEAD_ROOM + COALESCE_BODY_MAX, "a small response fits");
_Static_assert(OUTBUF_SIZE >= HTTP_HEAD_LOCATION_SIZE_MAX + OUTBUF_HEAD_ROOM,
               "a redirect with the longest Location fits an empty outbuf");
_Static_assert(OUTBUF_HEAD_ROOM >=
                   HTTP_HEAD_FIXED_SIZE_MAX + HTTP_CORS_SIZE_MAX + HTTP_HEAD_TAIL_SIZE_MAX + 1024,
               "a head fits the room kept for it, and a small page of a status");
_Static_assert((OUTBOX_SEGMENTS_MAX & (OUTBOX_SEGMENTS_MAX - 1)) == 0, "indexed by masking");
_Static_assert((int)OUTBOX_SEGMENTS_MAX <= (int)URING_IOVECS_MAX, "an outbox goes out in one send");
_Static_assert(LOG_FLUSH_SIZE + LOG_LINE_SIZE_MAX <= LOG_BUFFER_SIZE, "a line fits after a flush");

#endif

/* http_head: the only writer of response heads. Pure, no printf: it is on the hot path.
 *
 * A head is written in two halves. The fixed half (status line and all that depends on the
 * resource) is rendered once when a file enters the cache; the tail (Date, Connection, the blank
 * line) closes it for each response. RFC 9112 section 4; RFC 9110 sections 6.6.1, 7.8, 8, 10.2. */
#ifndef GYRE_HTTP_HEAD_H
#define GYRE_HTTP_HEAD_H

#include <stdint.h>

#include "http/http_date.h"
#include "http/slice.h"

enum {
    HTTP_HEAD_LOCATION_SIZE_MAX =
        12 * 1024 + 8 * 1024,        /* a path encoded, and a query: past it, 404 */
    HTTP_HEAD_LINES_SIZE_MAX = 2048, /* further lines, of the configuration */
    HTTP_HEAD_VALUE_SIZE_MAX = 512,  /* Cache-Control, WWW-Authenticate */
    /* of a head without Location */
    HTTP_HEAD_FIXED_SIZE_MAX = 1024 + HTTP_HEAD_LINES_SIZE_MAX + HTTP_HEAD_VALUE_SIZE_MAX,
    HTTP_HEAD_TAIL_SIZE_MAX = 6 + HTTP_DATE_SIZE + 2 + 24 + 2,
};

/* Absent slices write nothing. */
struct http_head {
    uint16_t status;
    uint16_t retry_after_s;  /* 0: no Retry-After */
    bool has_content_length; /* never for 1xx, 204, 304 */
    bool accept_ranges;
    bool no_store;   /* Cache-Control: no-store, on errors */
    bool is_chunked; /* Transfer-Encoding: chunked, instead of a length */
    uint64_t content_length;
    struct slice content_range; /* 206 with one part, 416 */
    struct slice content_type;  /* brings X-Content-Type-Options: nosniff with it */
    struct slice content_encoding;
    struct slice content_disposition;
    struct slice cache_control; /* no_store goes before it */
    struct slice authenticate;  /* WWW-Authenticate: 401 */
    struct slice vary;
    struct slice etag;
    struct slice last_modified; /* HTTP_DATE_SIZE bytes */
    struct slice location;
    struct slice allow;
    struct slice lines; /* whole lines with their CRLF, at most HTTP_HEAD_LINES_SIZE_MAX */
};

enum http_connection {
    HTTP_CONNECTION_UNSAID,     /* 1.1 that goes on */
    HTTP_CONNECTION_KEEP_ALIVE, /* 1.0 that goes on: echoed, for `ab -k` */
    HTTP_CONNECTION_CLOSE,
};

/* Writes status line and fields, each line with its CRLF, no blank line. Returns the bytes written,
 * or 0 when they do not fit size (nothing useful is in buffer then). */
size_t http_head_write_fixed(const struct http_head *head, char *buffer, size_t size);

/* Writes Date, Connection and the blank line. date: as http_date_write() leaves it. Returns the
 * bytes written, at most HTTP_HEAD_TAIL_SIZE_MAX. */
size_t http_head_write_tail(const char date[HTTP_DATE_SIZE], enum http_connection connection,
                            char *buffer);

/* The interim answer to Expect: 100-continue, whole. */
struct slice http_head_continue(void);

/* Writes an unsigned decimal, returns its size (1 to 20). */
size_t http_decimal_write(uint64_t value, char *buffer);

#endif

/* http_parse: bytes from a client -> one validated request head, then its body's framing.
 *
 * Two readers see every byte of a head. A strict scanner of our own (http_scan) checks the grammar
 * of RFC 9112 and the limits, resumes at any byte, and finds the end of the head; llhttp (strict)
 * then parses the complete head and gives the fields (http_fields). Both must agree: what one
 * refuses is refused. The scanner exists because llhttp 8.1 alone lets cases through that gyre must
 * refuse (bare LF, repeated Host, ...), and because it needs no memory for a half-sent head. Bodies
 * are read by http_chunked alone; its essay says why.
 *
 * Pure: no I/O, no clock, no allocation. The caller keeps the bytes; slices point into them. */
#ifndef GYRE_HTTP_PARSE_H
#define GYRE_HTTP_PARSE_H

#include <stdint.h>

#include "http/http_chunked.h"
#include "http/http_scan.h"
#include "http/slice.h"

enum {
    HTTP_METHOD_SIZE_MAX = 32,
    HTTP_REQUEST_LINE_SIZE_MAX = 8 * 1024,     /* method to version, without CRLF: 414 past it */
    HTTP_FIELDS_SIZE_MAX = 32 * 1024,          /* all field lines with their CRLF: 431 past it */
    HTTP_FIELDS_COUNT_MAX = 100,               /* 431 past it */
    HTTP_LEADING_CRLF_COUNT_MAX = 2,           /* RFC 9112 2.2: ignored before a request line */
    HTTP_CHUNK_EXTENSIONS_SIZE_MAX = 4 * 1024, /* of one body, summed: 400 past it */
    HTTP_TRAILERS_SIZE_MAX = 4 * 1024,         /* trailer section of a chunked body: 431 past it */
    /* The largest head that can be accepted: what an inbox must be able to hold. */
    HTTP_HEAD_SIZE_MAX =
        HTTP_LEADING_CRLF_COUNT_MAX * 2 + HTTP_REQUEST_LINE_SIZE_MAX + 2 + HTTP_FIELDS_SIZE_MAX + 2,
};

enum http_method {
    HTTP_METHOD_GET,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_OPTIONS,
    HTTP_METHOD_OTHER,   /* known (IANA), not served here: 405 */
    HTTP_METHOD_UNKNOWN, /* a valid token nobody registered: 501 */
};

enum http_body_kind {
    HTTP_BODY_NONE,
    HTTP_BODY_LENGTH,
    HTTP_BODY_CHUNKED,
};

/* The fields whose value is a list, so that several lines of them count as one; http_field_list
 * walks them. RFC 9110 5.3. */
enum http_list_field {
    HTTP_LIST_ACCEPT,
    HTTP_LIST_ACCEPT_ENCODING,
    HTTP_LIST_IF_MATCH,
    HTTP_LIST_IF_NONE_MATCH,
    HTTP_LIST_REQUEST_HEADERS, /* Access-Control-Request-Headers */
    HTTP_LIST_FIELDS_COUNT,
};

/* A complete, valid head. Every slice borrows from the bytes given to http_parse_head() and dies
 * with them. Absent fields are SLICE_NONE; a field that is present but empty has size 0 and a
 * non-NULL pointer. Field values are trimmed of optional whitespace.
 *
 * Of a field that occurs several times:
 * - enum http_list_field: the first line is given, and its bit is set in `repeated`;
 * - Connection, Expect: all lines are read;
 * - Host, Content-Length, Transfer-Encoding: refused, 400;
 * - If-Range: absent, and Range with it: the whole is sent, whichever line was meant;
 * - Range, If-Modified-Since, If-Unmodified-Since, Authorization, Origin,
 *   Access-Control-Request-Method: absent. No line of them counts more than another, and without
 *   them nothing is promised that one of the lines denies;
 * - Referer, User-Agent: the first line is given. */
struct http_request {
    enum http_method method;
    enum http_body_kind body_kind;
    uint8_t version_minor;   /* 0 or 1: HTTP/1.x with x > 1 is served as 1.1 */
    bool keep_alive;         /* what the client asks for: version default, then Connection */
    bool expects_continue;   /* Expect: 100-continue in a 1.1 request that announces a body */
    uint8_t repeated;        /* 1u << enum http_list_field: there are more lines than the first */
    uint64_t content_length; /* with HTTP_BODY_LENGTH, then > 0; 0 otherwise */

    struct slice line; /* the whole request line, without CRLF: for the access log */
    struct slice method_token;
    struct slice target; /* as sent: origin-form, absolute-form or "*" */
    struct slice path;   /* raw, still escaped path of the target, begins with '/';
                            "/" for an absolute-form without path; SLICE_NONE for "*" */
    struct slice query;  /* without '?'; SLICE_NONE when there is no '?' */
    struct slice host;   /* the authority in force: absolute-form's, else Host's */
    struct slice fields; /* all field lines as sent, each with its CRLF */

    struct slice accept;
    struct slice accept_encoding;
    struct slice authorization;
    struct slice if_match;
    struct slice if_none_match;
    struct slice if_modified_since;
    struct slice if_unmodified_since;
    struct slice if_range;
    struct slice range;
    struct slice origin;
    struct slice access_control_request_method;
    struct slice access_control_request_headers;
    struct slice referer;
    struct slice user_agent;
};

_Static_assert(HTTP_LIST_FIELDS_COUNT <= 8, "`repeated` has a bit for each");

enum http_parse_result {
    HTTP_PARSE_MORE,  /* valid so far, not complete */
    HTTP_PARSE_DONE,  /* complete: the head (http_parse_head) or the body (http_parse_body) */
    HTTP_PARSE_ERROR, /* parser->error_status says how to answer; then close: framing is in doubt */
};

/* One per connection. Opaque to callers but for the fields marked [out]. */
struct http_parser {
    uint32_t head_size;    /* [out] after DONE of a head: bytes of it, leading CRLFs included */
    uint16_t error_status; /* [out] after ERROR: 400, 405, 414, 417, 431, 501, 505 */
    uint8_t phase;
    uint8_t body_kind;
    const char *error;  /* [out] after ERROR: static text, why, for the log and the error body */
    uint64_t body_size; /* [out] payload bytes of the body seen so far: the caller bounds it */
    uint64_t body_left; /* of a body with Content-Length */
    struct http_line_scan line;
    struct http_field_scan fields;
    struct http_chunked chunked;
};

_Static_assert(sizeof(struct http_parser) <= 128, "there is one in every idle connection");

/* Makes the parser ready for the first request of a connection. */
void http_parser_init(struct http_parser *parser);

/* Makes the parser ready for the next request of the same connection, after DONE. */
void http_parser_reset(struct http_parser *parser);

/* Reads a head. data: every byte of the current head received so far, contiguous, from its first
 * byte; size > 0 may exceed the head (pipelining, body). Call again with the same bytes and more
 * after MORE: bytes already scanned are not scanned again, and may have moved in memory.
 * DONE fills *request, sets parser->head_size, and arms http_parse_body() when body_kind is not
 * NONE. ERROR is final; *request then holds line (or SLICE_NONE), method when it was
 * read (else HTTP_METHOD_UNKNOWN), no more.
 * RFC 9112 sections 2-7 and 9.3; RFC 9110 sections 5, 7.2, 8.6, 9, 10.1.1. */
enum http_parse_result http_parse_head(struct http_parser *parser, const char *data, size_t size,
                                       struct http_request *request);

/* Reads and checks body framing, discarding the payload. Only after DONE of a head whose body_kind
 * is not NONE, until DONE. data: the next bytes, any cut. Sets *consumed to the bytes that belong
 * to this body (== size after MORE; after ERROR, those before the bad byte). The parser does not
 * bound the payload: look at parser->body_size. RFC 9112 sections 6 and 7. */
enum http_parse_result http_parse_body(struct http_parser *parser, const char *data, size_t size,
                                       size_t *consumed);

#endif

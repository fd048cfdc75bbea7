/* http_respond: what to answer, as ordered pure stages. RFC 9110 sections 9, 13.2.2, 14, 15.
 *
 * http_respond_early() decides what needs no file: methods and expectations. http_respond() decides
 * once the representation is known; http_respond_conditional() does, too, and asks the
 * preconditions and Range first, in the order of RFC 9110 13.2.2. */
#ifndef GYRE_HTTP_RESPOND_H
#define GYRE_HTTP_RESPOND_H

#include "http/http_condition.h"
#include "http/http_head.h"
#include "http/http_multipart.h"
#include "http/http_parse.h"

/* What the path leads to, as far as HTTP cares. */
struct http_representation {
    uint64_t size;
};

enum http_content {
    HTTP_CONTENT_NONE,           /* no body bytes follow the head */
    HTTP_CONTENT_REPRESENTATION, /* bytes [offset, offset + length) of the representation */
    HTTP_CONTENT_MULTIPART,      /* several ranges of it, framed by http_multipart */
    HTTP_CONTENT_STATUS,         /* the body of this status: http_status_body() or [errors] */
};

struct http_response {
    uint16_t status;
    enum http_content content; /* what is sent: NONE for HEAD, and where length is 0 */
    uint64_t offset;
    uint64_t length; /* of that content; also where HEAD leaves it out */
};

/* Returns true and fills *response when no file is needed: OPTIONS (204), other methods (405, 501).
 */
bool http_respond_early(const struct http_request *request, struct http_response *response);

/* The answer for a representation that was found. */
void http_respond(const struct http_request *request,
                  const struct http_representation *representation, struct http_response *response);

/* A representation with all that preconditions and ranges need to know of it. */
struct http_selection {
    uint64_t size;
    struct slice type;     /* Content-Type, for the parts of a multipart body */
    struct slice boundary; /* of such a body, should there be one: see struct http_multipart */
    struct http_validators validators;
};

/* What to send of it, by status:
 * 200  REPRESENTATION, the whole
 * 206  REPRESENTATION, ranges.items[0], or MULTIPART, all ranges; length is the whole body's
 * 304  NONE: no content, so neither Content-Length, Content-Type nor Content-Range
 * 412  STATUS
 * 416  STATUS; its head says http_content_range_write_unsatisfied() */
struct http_conditional {
    struct http_response response;
    struct http_ranges ranges; /* none but for 206 */
};

/* The answer for a representation that was found, to GET or HEAD. HEAD ignores Range. */
void http_respond_conditional(const struct http_request *request,
                              const struct http_selection *selection,
                              struct http_conditional *conditional);

/* The answer for a lookup that ended in `status` (301, 4xx, 5xx), or for a request that could not
 * be parsed: then request is NULL. length is that of http_status_body(); a page of [errors] has its
 * own. */
void http_respond_status(const struct http_request *request, unsigned status,
                         struct http_response *response);

/* The status for error, a -errno, of opening or reading a file in the docroot: EACCES, EPERM, ENXIO
 * 403; ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EXDEV 404; EMFILE, ENFILE, ENOMEM, EAGAIN 503; others
 * 500. */
unsigned http_status_from_errno(int error);

/* The value of Allow in 204 and 405. */
struct slice http_allow(void);

/* What the Connection field of the answer says. closing: the server will close after it. */
enum http_connection http_respond_connection(const struct http_request *request, bool closing);

#endif

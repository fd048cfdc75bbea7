/* http_status: reason phrases and the small static bodies of error answers. Pure. RFC 9110 15. */
#ifndef GYRE_HTTP_STATUS_H
#define GYRE_HTTP_STATUS_H

#include "http/slice.h"

/* The reason phrase of a status that gyre can send; asserts that it is one of them. */
struct slice http_status_reason(unsigned status);

/* A complete, self-contained UTF-8 HTML page for an error or redirect status: nothing of the
 * request is in it. Static memory. type: http_status_body_type. */
struct slice http_status_body(unsigned status);

/* The Content-Type of every http_status_body(). */
struct slice http_status_body_type(void);

/* Whether a response with this status has no content by definition (1xx, 204, 304). RFC 9110 6.4.1.
 */
bool http_status_is_bodiless(unsigned status);

#endif

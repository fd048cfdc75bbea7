/* http_cors: what a response says so that scripts of other origins may read it. Pure. Nothing of a
 * request is sent back but an origin that equals one of the policy, and names that are tokens.
 * Fetch standard, "CORS protocol"; RFC 6454 7. */
#ifndef GYRE_HTTP_CORS_H
#define GYRE_HTTP_CORS_H

#include "http/http_parse.h"

enum {
    HTTP_CORS_ORIGIN_SIZE_MAX = 512,   /* longer ones match nothing */
    HTTP_CORS_HEADERS_SIZE_MAX = 1024, /* of Access-Control-Allow-Headers; past it: not sent */
    HTTP_CORS_SIZE_MAX = HTTP_CORS_ORIGIN_SIZE_MAX + HTTP_CORS_HEADERS_SIZE_MAX + 512,
};

enum http_cors_result {
    HTTP_CORS_NONE,   /* not for this origin */
    HTTP_CORS_ANY,    /* for everybody: "*" */
    HTTP_CORS_ORIGIN, /* for this origin */
};

/* policy: "*", or origins with one space between them; absent or empty: for nobody. Origins are
 * equal when they differ at most in case; a port that is the default one is not left out. "*" holds
 * without an origin, too; nothing else does. */
enum http_cors_result http_cors_evaluate(struct slice policy, struct slice origin);

/* Whether a browser asks what it may ask: OPTIONS with Origin and Access-Control-Request-Method. */
bool http_cors_is_preflight(const struct http_request *request);

/* Writes the field lines of an answer, each with its CRLF; they belong on every status:
 *   Access-Control-Allow-Origin     "*", or the origin where it is one of the policy; with it
 *     Access-Control-Expose-Headers   on what is no answer to a preflight
 *     Access-Control-Allow-Methods, Access-Control-Max-Age and Access-Control-Allow-Headers on what
 *                                     is: the last repeats the names that were asked for, unless
 *                                     one is no token, or they are too many
 *   Vary                            Origin with a list of origins, whether one matches or not;
 *                                   Access-Control-Request-Headers to a preflight that is answered
 * Other lines of Vary may stand beside these. Returns the bytes written, 0 where the policy is
 * absent; or 0 when they do not fit size, and HTTP_CORS_SIZE_MAX bytes are always enough. */
size_t http_cors_write(struct slice policy, const struct http_request *request, bool is_preflight,
                       char *buffer, size_t size);

#endif

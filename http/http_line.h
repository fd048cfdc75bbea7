/* http_line: what a request line means: method, version, form of the target. Pure; the grammar has
 * been checked by http_scan. RFC 9112 3; RFC 9110 9. */
#ifndef GYRE_HTTP_LINE_H
#define GYRE_HTTP_LINE_H

#include "http/http_error.h"
#include "http/http_parse.h"

/* data: the bytes that scan has read to its end. Fills line, method, version, target, path, query,
 * and host for an absolute-form target. */
struct http_error http_line_read(const struct http_line_scan *scan, const char *data,
                                 struct http_request *request);

/* The port that is meant when the target's scheme is `https`, 443; otherwise 80. */
int http_line_port_default(const struct http_request *request);

#endif

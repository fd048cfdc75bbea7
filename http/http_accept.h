/* http_accept: what kind of answer a client would rather have. Pure. RFC 9110 12.5.1. */
#ifndef GYRE_HTTP_ACCEPT_H
#define GYRE_HTTP_ACCEPT_H

#include "http/http_parse.h"

/* Whether Accept ranks application/json above text/html: by weight, and of equal weights by how
 * closely each is named. So a client that names JSON, and then any type, prefers it; one that takes
 * any type and names none does not. False without the field; a malformed range is passed over. */
bool http_accept_prefers_json(const struct http_request *request);

/* Whether the request is a navigation: Accept names text/html itself with a weight above 0, and
 * last_segment, of the path, has no '.'. What a single-page application answers with its page. */
bool http_accept_is_navigation(const struct http_request *request, struct slice last_segment);

#endif

/* http_authority: what stands in Host and in an absolute-form target. Pure. RFC 3986 3.2;
 * RFC 9110 4.2 and 7.2. */
#ifndef GYRE_HTTP_AUTHORITY_H
#define GYRE_HTTP_AUTHORITY_H

#include <stdint.h>

#include "http/slice.h"

enum {
    HTTP_AUTHORITY_PORT_NONE = -1
};

struct http_authority {
    struct slice host; /* never empty; an IPv6 literal with its brackets */
    int32_t port;      /* 0 to 65535, or HTTP_AUTHORITY_PORT_NONE when absent or empty */
};

/* Reads `host[:port]`. Refuses user information, paths, commas, blanks, an empty host, IPvFuture
 * and zone identifiers: nobody sends them for good. */
bool http_authority_parse(struct slice text, struct http_authority *authority);

/* Whether both name the same server; an absent port counts as port_default. */
bool http_authority_equal(const struct http_authority *a, const struct http_authority *b,
                          int32_t port_default);

#endif

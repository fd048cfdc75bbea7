/* http_range: the Range field -> which bytes to send, as offset and length. Pure. RFC 9110 14. */
#ifndef GYRE_HTTP_RANGE_H
#define GYRE_HTTP_RANGE_H

#include <stdint.h>

#include "http/slice.h"

enum {
    HTTP_RANGES_MAX = 16,
    HTTP_RANGE_GAP_MAX = 80, /* bytes between two ranges: a part of its own would cost more */
    HTTP_CONTENT_RANGE_SIZE_MAX = 6 + 20 + 1 + 20 + 1 + 20, /* "bytes FIRST-LAST/SIZE" */
};

struct http_range {
    uint64_t offset;
    uint64_t length; /* never 0 */
};

/* Each within the size, each more than HTTP_RANGE_GAP_MAX bytes from any other. In the order of the
 * request; what was coalesced stands where its earliest member stood. */
struct http_ranges {
    size_t count;
    struct http_range items[HTTP_RANGES_MAX];
};

enum http_range_result {
    HTTP_RANGE_IGNORED,       /* as if the field were absent: 200; no ranges */
    HTTP_RANGE_SATISFIABLE,   /* 206: at least one range */
    HTTP_RANGE_UNSATISFIABLE, /* 416: no ranges */
};

/* Reads a Range field for a representation of `size` bytes, at most INT64_MAX. Ranges that lie past
 * the end are left out, those that reach past it are cut; a number too large for 64 bits counts as
 * the largest. Blanks may stand around elements, and elements may be empty.
 * Ignored: an empty representation, units other than bytes (in any case), whatever is malformed, a
 * last position before its first, more than HTTP_RANGES_MAX ranges left apart at any point of
 * reading, and ranges that sum to more than the size before they are coalesced: the whole is
 * cheaper. */
enum http_range_result http_range_parse(struct slice field, uint64_t size,
                                        struct http_ranges *ranges);

/* Writes the value of Content-Range of a part, returns its size. */
size_t http_content_range_write(struct http_range range, uint64_t size,
                                char buffer[HTTP_CONTENT_RANGE_SIZE_MAX]);

/* The same for 416: an asterisk for the range. */
size_t http_content_range_write_unsatisfied(uint64_t size,
                                            char buffer[HTTP_CONTENT_RANGE_SIZE_MAX]);

#endif

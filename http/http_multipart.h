/* http_multipart: the framing of multipart/byteranges, to the byte. Pure. RFC 9110 14.6; RFC 2046
 * 5.1.1.
 *
 * The body is, for each range in turn, a part's head and the bytes of the range; then the end:
 *
 *     --BOUNDARY CRLF Content-Type: ... CRLF Content-Range: ... CRLF CRLF bytes
 *     CRLF --BOUNDARY CRLF ... bytes
 *     CRLF --BOUNDARY-- CRLF
 */
#ifndef GYRE_HTTP_MULTIPART_H
#define GYRE_HTTP_MULTIPART_H

#include "http/http_range.h"
#include "http/http_type.h"

enum {
    HTTP_BOUNDARY_SIZE_MAX = 70,
    HTTP_MULTIPART_TYPE_SIZE_MAX = 31 + HTTP_BOUNDARY_SIZE_MAX,
    HTTP_PART_HEAD_SIZE_MAX = 4 + HTTP_BOUNDARY_SIZE_MAX + 2 + 14 + HTTP_TYPE_SIZE_MAX + 2 + 15 +
                              HTTP_CONTENT_RANGE_SIZE_MAX + 2 + 2,
    HTTP_MULTIPART_END_SIZE_MAX = 4 + HTTP_BOUNDARY_SIZE_MAX + 4,
};

/* Describes one body; borrows all of it. */
struct http_multipart {
    /* A token of 1 to HTTP_BOUNDARY_SIZE_MAX bytes. It must not occur in the content: 128 random
     * bits in hexadecimal cannot be foreseen by who wrote the files. */
    struct slice boundary;
    struct slice type; /* of the representation; absent: parts have no Content-Type */
    uint64_t size;     /* of the representation */
    const struct http_ranges *ranges;
};

/* The value of Content-Type for the whole: "multipart/byteranges; boundary=...". Returns its size.
 */
size_t http_multipart_write_type(struct slice boundary, char buffer[HTTP_MULTIPART_TYPE_SIZE_MAX]);

/* Writes what stands before the bytes of the range `index`: its delimiter, with the line end of the
 * part before, and its head. Returns the bytes written, or 0 when they do not fit size: they always
 * fit HTTP_PART_HEAD_SIZE_MAX. */
size_t http_multipart_write_part_head(const struct http_multipart *multipart, size_t index,
                                      char *buffer, size_t size);

/* Writes what stands behind the last range; as above, with HTTP_MULTIPART_END_SIZE_MAX. */
size_t http_multipart_write_end(const struct http_multipart *multipart, char *buffer, size_t size);

/* The Content-Length of the whole body. */
uint64_t http_multipart_length(const struct http_multipart *multipart);

#endif

/* http_chunked: the framing of a chunked body, trailers included; the payload is passed over. */
#ifndef GYRE_HTTP_CHUNKED_H
#define GYRE_HTTP_CHUNKED_H

#include <stdint.h>

#include "http/http_scan.h"

struct http_chunked {
    uint64_t left;         /* bytes left of the current chunk */
    uint64_t payload_size; /* payload bytes seen so far, of all chunks */
    struct http_field_scan trailers;
    uint16_t extensions_size; /* bytes of all extensions so far */
    uint8_t size_digits;
    uint8_t state;
};

void http_chunked_init(struct http_chunked *chunked);

/* data: the bytes that follow those of the last call, any cut. *consumed is the bytes that belong
 * to this body: size after MORE. RFC 9112 7.1. */
enum http_scan_result http_chunked_read(struct http_chunked *chunked, const char *data, size_t size,
                                        size_t *consumed, struct http_error *error);

#endif

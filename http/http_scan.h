/* http_scan: the strict grammar of a request line and of a section of fields, byte by byte.
 *
 * Both scanners stream: they keep offsets and a state, never bytes, so a head may arrive in any cut
 * and move in memory between two calls. What they answer depends only on the bytes seen so far,
 * never on the cut: the first byte that no valid request could have is refused when it arrives. */
#ifndef GYRE_HTTP_SCAN_H
#define GYRE_HTTP_SCAN_H

#include <stdint.h>

#include "http/http_error.h"

enum http_scan_result {
    HTTP_SCAN_MORE,
    HTTP_SCAN_DONE,
    HTTP_SCAN_ERROR,
};

/* A request line, blank lines before it included. Offsets count from the first byte scanned. */
struct http_line_scan {
    uint32_t size; /* bytes accepted */
    uint32_t line_start;
    uint32_t target_start;
    uint32_t target_end;
    uint8_t blank_lines;
    uint8_t state;
};

void http_line_scan_init(struct http_line_scan *scan);

/* data: every byte since http_line_scan_init(), scanned from offset scan->size on. After DONE
 * scan->size is past the line's LF. RFC 9112 2.2 and 3. */
enum http_scan_result http_line_scan_read(struct http_line_scan *scan, const char *data,
                                          size_t size, struct http_error *error);

/* The field lines of a head or of a trailer section, and the blank line that ends them. */
struct http_field_scan {
    uint32_t size;     /* bytes of the field lines accepted so far, CRLFs included */
    uint32_t size_max; /* 431 past it */
    uint16_t count;
    uint8_t state;
};

void http_field_scan_init(struct http_field_scan *scan, uint32_t size_max);

/* data: the bytes that follow those of the last call. *consumed is the bytes accepted: size after
 * MORE, up to and with the blank line after DONE. RFC 9112 5. */
enum http_scan_result http_field_scan_read(struct http_field_scan *scan, const char *data,
                                           size_t size, size_t *consumed, struct http_error *error);

#endif

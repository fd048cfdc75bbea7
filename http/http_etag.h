/* http_etag: entity tags from what stat(2) says. Pure. RFC 9110 section 8.8.3. */
#ifndef GYRE_HTTP_ETAG_H
#define GYRE_HTTP_ETAG_H

#include <stdint.h>

#include "http/slice.h"

enum {
    HTTP_ETAG_SIZE_MAX = 64
};

struct http_etag_source {
    uint64_t size;
    int64_t mtime_s;
    uint32_t mtime_ns;
    uint64_t inode;
};

/* A file changed less than this long ago could change again within one step of the clock of the
 * file system without its tag changing: until then its tag is weak. */
enum {
    HTTP_ETAG_YOUNG_S = 2
};

/* Writes `"..."` or `W/"..."` into buffer, returns its size. now_s decides strong or weak; an mtime
 * that may not be sent (below) vouches for nothing and makes a weak tag, too. */
size_t http_etag_write(const struct http_etag_source *source, int64_t now_s,
                       char buffer[HTTP_ETAG_SIZE_MAX]);

/* Whether Last-Modified may be sent: not for an mtime of 0 or 1 (reproducible images, Nix), nor for
 * one in the future. RFC 9110 8.8.2.1. */
bool http_mtime_is_sendable(int64_t mtime_s, int64_t now_s);

#endif

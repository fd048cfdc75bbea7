/* http_etag: entity tags, from what stat(2) says or from a hash of the content. Pure. RFC 9110
 * 8.8.3. */
#ifndef GYRE_HTTP_ETAG_H
#define GYRE_HTTP_ETAG_H

#include <stdint.h>

#include "http/http_coding.h"
#include "http/slice.h"

enum {
    HTTP_ETAG_HASH_SIZE = 16,
    /* `W/"`, four numbers of 64 bits in hexadecimal with '-' between, "-CODING", `"`. */
    HTTP_ETAG_SIZE_MAX = 3 + 4 * 16 + 3 + 1 + HTTP_CODING_NAME_SIZE_MAX + 1,
};

struct http_etag_source {
    uint64_t size;
    int64_t mtime_s;
    int64_t changed_s; /* the ctime: it moves when a writer puts size and mtime back */
    uint32_t mtime_ns;
    uint32_t changed_ns;
    uint64_t inode;
    const uint8_t *hash; /* HTTP_ETAG_HASH_SIZE bytes of a digest of the content, borrowed; or NULL:
                            then all of the above counts, and with it nothing of it */
    enum http_coding coding; /* which the content is sent in */
};

/* A file changed less than this long ago could change again within one step of the clock of the
 * file system without its tag changing: until then its tag is weak. */
enum {
    HTTP_ETAG_YOUNG_S = 2
};

/* Writes `"..."` or `W/"..."` into buffer, returns its size. A coding other than identity appends
 * its name: "...-br". With a hash the tag is strong. Without, now_s decides: an mtime or a ctime
 * that is young or in the future, or an mtime that may not be sent (below), vouches for nothing and
 * makes a weak tag. */
size_t http_etag_write(const struct http_etag_source *source, int64_t now_s,
                       char buffer[HTTP_ETAG_SIZE_MAX]);

/* Whether stat(2) will not come to vouch for the bytes however long the file rests, so that a tag
 * should be made of a hash: an mtime of 0 or 1, or in the future. */
bool http_etag_needs_hash(int64_t mtime_s, int64_t now_s);

/* Whether Last-Modified may be sent: not for an mtime of 0 or 1 (reproducible images, Nix), nor for
 * one in the future. RFC 9110 8.8.2.1. */
bool http_mtime_is_sendable(int64_t mtime_s, int64_t now_s);

#endif

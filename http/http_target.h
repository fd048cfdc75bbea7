/* http_target: the raw path of a request -> a relative file path that cannot climb.
 * Pure. RFC 3986 sections 2.1, 5.2.4 and 6.2.2; RFC 9110 section 4.2.3. */
#ifndef GYRE_HTTP_TARGET_H
#define GYRE_HTTP_TARGET_H

#include <stdint.h>

#include "http/slice.h"

enum {
    HTTP_PATH_SIZE_MAX = 4095, /* decoded bytes, without the NUL: longer is 404, as ENAMETOOLONG */
    HTTP_SEGMENT_SIZE_MAX = 255, /* one name; longer is 404 */
    HTTP_TARGET_ROOM = 8,        /* bytes behind the path's NUL, for the caller's use */
};

enum http_target_result {
    HTTP_TARGET_OK,
    HTTP_TARGET_BAD,     /* NUL, bad escape, climbs above the root: 400 */
    HTTP_TARGET_MISSING, /* cannot name a file (a name or the path too long): 404 */
};

struct http_target {
    uint16_t path_size;
    bool is_directory; /* the path ended in '/', or in a dot segment */
    bool has_dot_name; /* a segment begins with '.', except a first segment ".well-known" */
    /* Relative to the root, NUL-terminated, no leading or trailing '/', no empty, "." or ".."
     * segment; "" for the root itself. May hold any byte but NUL; '\\' is a byte like any other.
     * An encoded slash (%2f) separates like a plain one, so that no later reader can climb. */
    char path[HTTP_PATH_SIZE_MAX + 1 + HTTP_TARGET_ROOM];
};

/* Decodes once, collapses "//", resolves dot segments. raw: http_request.path, begins with '/'.
 * *target is complete only after OK. */
enum http_target_result http_target_decode(struct slice raw, struct http_target *target);

/* Writes the path-absolute form of `path` (as in struct http_target) percent-encoded for a Location
 * or href: every byte but unreserved, and "/" between segments. Writes at most size bytes, returns
 * the bytes needed. No leading '/' is written. RFC 3986 section 2.1. */
size_t http_target_encode(struct slice path, char *buffer, size_t size);

/* Writes the Location of the slash redirect for a directory: a relative-path reference (no scheme,
 * no authority, no leading '/', never starting with two slashes or a backslash), made from the
 * decoded, re-encoded path, so that it stays right behind a proxy that strips a prefix and cannot
 * be steered to another host. raw: http_request.path; target: its decoding; query:
 * http_request.query, kept as sent. "./NAME/" when raw is plain; when raw has empty, dot or %2f
 * segments, "../" up to the top and the whole path. Writes at most size bytes, returns the bytes
 * needed. RFC 3986 section 4.2; RFC 9110 section 10.2.2. */
size_t http_target_write_slash_redirect(struct slice raw, const struct http_target *target,
                                        struct slice query, char *buffer, size_t size);

#endif

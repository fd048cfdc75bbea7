/* http_name: what the name of a file says about it. Pure. */
#ifndef GYRE_HTTP_NAME_H
#define GYRE_HTTP_NAME_H

#include "http/slice.h"

enum {
    HTTP_NAME_HEX_SIZE_MIN = 8,
    HTTP_NAME_HEX_SIZE_MAX = 64,   /* SHA-256 */
    HTTP_NAME_HASH_SIZE = 8,       /* of Vite, Rollup, esbuild */
    HTTP_NAME_OBJECT_ID_SIZE = 24, /* hexadecimal, but a database's identifier: no hash */
};

/* Whether the last segment of a path is content-hashed, as bundlers name their output: such a file
 * may be cached for good, for its bytes never change under this name. Of two mistakes the one that
 * costs a few 304s is made: a file is not recognized rather than kept for a year by clients.
 *
 * Recognized is a hash between '.', '-' or '_' and '.', with something before and behind, in no
 * HTML page:
 * - HTTP_NAME_HEX_SIZE_MIN to HTTP_NAME_HEX_SIZE_MAX digits of lower-case hexadecimal, both digits
 *   and letters twice at least, with two changes between them; no part of a UUID, no date;
 * - not behind '_', HTTP_NAME_HASH_SIZE letters and digits of both cases, or of upper-case base32,
 *   with two changes between letters and digits, and no run of letters that could be a word.
 * Of random hashes that is nearly all with 16 digits and more, 4 of 5 with 8 digits, 1 of 3 of
 * base64url and of base32. */
bool http_name_is_hashed(struct slice name);

#endif

/* http_utf8: text taken apart into characters, whatever its bytes are. Pure. RFC 3629. */
#ifndef GYRE_HTTP_UTF8_H
#define GYRE_HTTP_UTF8_H

#include <stdint.h>

#include "http/slice.h"

enum {
    HTTP_UTF8_REPLACEMENT = 0xfffd
};

/* U+FFFD, encoded: what stands for a byte that is no part of a character. */
#define HTTP_UTF8_REPLACEMENT_BYTES SLICE("\xef\xbf\xbd")

/* Reads the character at *at, which is less than text.size, and moves *at behind it. A byte that
 * begins no well-formed sequence (cut short, overlong, a surrogate, past U+10FFFF) is a
 * HTTP_UTF8_REPLACEMENT of its own. RFC 3629 sections 3 and 4. */
uint32_t http_utf8_next(struct slice text, size_t *at);

#endif

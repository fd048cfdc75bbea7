/* UTF-8, strictly: what is not the one form of a character is none. */
#include "http/http_utf8.h"

#include <assert.h>

/* Of a lead byte: how many bytes follow, the bits that it brings, and the least character that
 * needs that many bytes. */
struct lead {
    unsigned char following_count;
    unsigned char mask;
    uint32_t least;
};

static struct lead lead_of(unsigned char byte)
{
    if (byte < 0x80) {
        return (struct lead){ 0, 0x7f, 0 };
    }
    if (byte >= 0xc2 && byte <= 0xdf) {
        return (struct lead){ 1, 0x1f, 0x80 };
    }
    if (byte >= 0xe0 && byte <= 0xef) {
        return (struct lead){ 2, 0x0f, 0x800 };
    }
    if (byte >= 0xf0 && byte <= 0xf4) {
        return (struct lead){ 3, 0x07, 0x10000 };
    }
    return (struct lead){ 0, 0, HTTP_UTF8_REPLACEMENT };
}

uint32_t http_utf8_next(struct slice text, size_t *at)
{
    assert(*at < text.size);
    size_t start = (*at)++;
    unsigned char first = (unsigned char)text.data[start];
    struct lead lead = lead_of(first);
    uint32_t character = first & lead.mask;
    if (lead.following_count > text.size - start - 1) {
        return HTTP_UTF8_REPLACEMENT;
    }
    for (size_t i = 1; i <= lead.following_count; i++) {
        unsigned char byte = (unsigned char)text.data[start + i];
        if ((byte & 0xc0) != 0x80) {
            return HTTP_UTF8_REPLACEMENT;
        }
        character = character << 6 | (byte & 0x3f);
    }
    bool is_surrogate = character >= 0xd800 && character <= 0xdfff;
    if (character < lead.least || is_surrogate || character > 0x10ffff) {
        return HTTP_UTF8_REPLACEMENT;
    }
    *at = start + 1 + lead.following_count;
    return character;
}

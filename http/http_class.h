/* http_class: which bytes may stand where. One table, one lookup a byte. RFC 9110 5.5 and 5.6;
 * RFC 3986 2 and 3.2.2. */
#ifndef GYRE_HTTP_CLASS_H
#define GYRE_HTTP_CLASS_H

#include <stdbool.h>
#include <stddef.h>

enum {
    HTTP_CLASS_TOKEN = 1,   /* tchar */
    HTTP_CLASS_TARGET = 2,  /* printable ASCII but '#': what a request target may hold */
    HTTP_CLASS_VALUE = 4,   /* a field value: printable ASCII, blank, tab, obs-text */
    HTTP_CLASS_HOST = 8,    /* reg-name without '%' and without ',' */
    HTTP_CLASS_QUOTED = 16, /* qdtext without tab */
    HTTP_CLASS_DIGIT = 32,
    HTTP_CLASS_HEX = 64,
};

extern const unsigned char http_class_table[256];

static inline bool http_class_has(char byte, unsigned class)
{
    return (http_class_table[(unsigned char)byte] & class) != 0;
}

/* The offset of the first byte in [at, end) that is not of the class, or end. */
static inline size_t http_class_skip(const char *data, size_t at, size_t end, unsigned class)
{
    while (at < end && http_class_has(data[at], class)) {
        at++;
    }
    return at;
}

#endif

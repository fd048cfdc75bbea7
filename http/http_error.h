/* http_error: why a request is refused, and with which status. By value; text is static. */
#ifndef GYRE_HTTP_ERROR_H
#define GYRE_HTTP_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_error {
    const char *text; /* NULL: no error */
    uint16_t status;
};

static inline struct http_error http_error_none(void)
{
    return (struct http_error){ NULL, 0 };
}

static inline struct http_error http_error_of(uint16_t status, const char *text)
{
    return (struct http_error){ text, status };
}

static inline bool http_error_is(struct http_error error)
{
    return error.text != NULL;
}

#endif

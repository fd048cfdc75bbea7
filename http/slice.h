/* slice: borrowed bytes, by value. The only string type of gyre's HTTP code.
 *
 * A slice never owns, is never NUL-terminated by contract, and may be empty with any pointer.
 * `data == NULL` means "absent" where a field may be absent (then size is 0). */
#ifndef GYRE_HTTP_SLICE_H
#define GYRE_HTTP_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *data;
    size_t size;
};

#define SLICE(literal) ((struct slice){ "" literal, sizeof(literal) - 1 })
#define SLICE_NONE     ((struct slice){ NULL, 0 })
/* For printf("%.*s"): the caller knows that the size fits an int. */
#define SLICE_ARG(s) (int)(s).size, (s).data

static inline struct slice slice_of(const char *data, size_t size)
{
    return (struct slice){ data, size };
}

static inline struct slice slice_from_string(const char *string)
{
    return (struct slice){ string, strlen(string) };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* ASCII only, as RFC 9110 field names and codings want it; never the locale's idea. */
static inline char slice_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool slice_equal_ignoring_case(struct slice a, struct slice b)
{
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (slice_lower(a.data[i]) != slice_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

#endif

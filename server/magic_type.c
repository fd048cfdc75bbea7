/* magic_type: see the header. libmagic's own limits keep hostile files cheap. */
#include "server/magic_type.h"

#include <magic.h>

struct magic_type *magic_type_create(void)
{
    magic_t cookie = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR |
                                MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_JSON);
    if (cookie != NULL && magic_load(cookie, NULL) != 0) {
        magic_close(cookie);
        cookie = NULL;
    }
    return (struct magic_type *)cookie;
}

void magic_type_destroy(struct magic_type *magic)
{
    if (magic != NULL) {
        magic_close((magic_t)magic);
    }
}

size_t magic_type_guess(struct magic_type *magic, const void *data, size_t size,
                        char buffer[HTTP_TYPE_SIZE_MAX])
{
    const char *guess = NULL;
    if (magic != NULL && size > 0) {
        guess = magic_buffer((magic_t)magic, data, size);
    }
    return http_type_from_guess(guess != NULL ? slice_from_string(guess) : SLICE_NONE, buffer);
}

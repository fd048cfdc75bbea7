/* magic_type: libmagic's guess of a media type from the first bytes of a file. One a worker: a
 * libmagic cookie is not for two threads. libmagic(3). */
#ifndef GYRE_SERVER_MAGIC_TYPE_H
#define GYRE_SERVER_MAGIC_TYPE_H

#include <stddef.h>

#include "http/http_type.h"

struct magic_type;

/* Loads the system's database. Returns NULL when there is none: types are then by extension only.
 */
struct magic_type *magic_type_create(void);
void magic_type_destroy(struct magic_type *magic);

/* Writes a type that is safe to send for bytes of unknown type; application/octet-stream when magic
 * is NULL or has no idea. Returns its size. */
size_t magic_type_guess(struct magic_type *magic, const void *data, size_t size,
                        char buffer[HTTP_TYPE_SIZE_MAX]);

#endif

/* exchange_key: what the cache knows a target by. No path holds a NUL, so what stands behind one
 * cannot be part of another's. */
#include <string.h>

#include "server/exchange.h"

size_t exchange_write_key(struct slice path, uint16_t site, enum http_coding coding,
                          char buffer[EXCHANGE_KEY_SIZE_MAX])
{
    assert(path.size <= HTTP_PATH_SIZE_MAX + 1);
    memmove(buffer, path.data, path.size);
    if (site == 0 && coding == HTTP_CODING_IDENTITY) {
        return path.size;
    }
    buffer[path.size] = '\0';
    buffer[path.size + 1] = (char)(site >> 8);
    buffer[path.size + 2] = (char)(site & 0xff);
    buffer[path.size + 3] = (char)coding;
    return path.size + 4;
}

struct slice exchange_path(struct exchange *exchange)
{
    struct http_target *target = &exchange->target;
    target->path[target->path_size] = target->is_directory ? '/' : '\0';
    return slice_of(target->path, (size_t)target->path_size + target->is_directory);
}

_Static_assert(sizeof(((struct http_target *)NULL)->path) >= EXCHANGE_KEY_SIZE_MAX,
               "a key fits where the target's path lies");

struct slice exchange_key(struct exchange *exchange, enum http_coding coding)
{
    struct slice path = exchange_path(exchange);
    char *buffer = exchange->target.path;
    return slice_of(buffer, exchange_write_key(path, exchange->site, coding, buffer));
}

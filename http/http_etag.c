/* A tag is three numbers in hexadecimal: size, mtime in nanoseconds, inode. Fast to make, and a
 * change of the file changes one of them once the file system's clock has ticked. */
#include "http/http_etag.h"

#include <assert.h>

#include "http/http_writer.h"

static void hex_append(struct http_writer *writer, uint64_t value)
{
    char digits[16];
    size_t start = sizeof(digits);
    do {
        digits[--start] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value > 0);
    http_writer_append(writer, slice_of(digits + start, sizeof(digits) - start));
}

/* An mtime that says nothing (0, 1, the future) cannot vouch for the bytes: such a tag is weak,
 * too. */
static bool mtime_is_settled(int64_t mtime_s, int64_t now_s)
{
    return http_mtime_is_sendable(mtime_s, now_s) && now_s - mtime_s >= HTTP_ETAG_YOUNG_S;
}

size_t http_etag_write(const struct http_etag_source *source, int64_t now_s,
                       char buffer[HTTP_ETAG_SIZE_MAX])
{
    assert(source->mtime_ns < 1000000000);
    struct http_writer writer = { .data = buffer, .size = HTTP_ETAG_SIZE_MAX };
    if (!mtime_is_settled(source->mtime_s, now_s)) {
        http_writer_append(&writer, SLICE("W/"));
    }
    http_writer_append_byte(&writer, '"');
    hex_append(&writer, source->size);
    http_writer_append_byte(&writer, '-');
    hex_append(&writer, (uint64_t)source->mtime_s * 1000000000 + source->mtime_ns);
    http_writer_append_byte(&writer, '-');
    hex_append(&writer, source->inode);
    http_writer_append_byte(&writer, '"');
    assert(writer.needed <= HTTP_ETAG_SIZE_MAX);
    return writer.needed;
}

bool http_mtime_is_sendable(int64_t mtime_s, int64_t now_s)
{
    return mtime_s > 1 && mtime_s <= now_s;
}

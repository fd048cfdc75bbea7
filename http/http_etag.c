/* A tag is four numbers in hexadecimal: size, mtime in nanoseconds, how much later the ctime is,
 * and inode. Fast to make, and a change of the file changes one of them once the file system's
 * clock has ticked. The ctime is not left out, for nobody can set it: `rsync --inplace --times`
 * changes the bytes and puts the mtime back. As a difference it is nothing but "0" for most files.
 *
 * Or it is a hash of the content: the same on every replica, and after every copy. */
#include "http/http_etag.h"

#include <assert.h>

#include "http/http_writer.h"

static const char hex_digits[] = "0123456789abcdef";

static void hex_append(struct http_writer *writer, uint64_t value)
{
    char digits[16];
    size_t start = sizeof(digits);
    do {
        digits[--start] = hex_digits[value & 15];
        value >>= 4;
    } while (value > 0);
    http_writer_append(writer, slice_of(digits + start, sizeof(digits) - start));
}

static uint64_t nanoseconds_of(int64_t seconds, uint32_t nanoseconds)
{
    return (uint64_t)seconds * 1000000000 + nanoseconds;
}

static void stat_append(struct http_writer *writer, const struct http_etag_source *source)
{
    uint64_t modified = nanoseconds_of(source->mtime_s, source->mtime_ns);
    uint64_t changed = nanoseconds_of(source->changed_s, source->changed_ns);
    hex_append(writer, source->size);
    http_writer_append_byte(writer, '-');
    hex_append(writer, modified);
    http_writer_append_byte(writer, '-');
    hex_append(writer, changed - modified);
    http_writer_append_byte(writer, '-');
    hex_append(writer, source->inode);
}

static void hash_append(struct http_writer *writer, const uint8_t hash[HTTP_ETAG_HASH_SIZE])
{
    for (size_t i = 0; i < HTTP_ETAG_HASH_SIZE; i++) {
        http_writer_append_byte(writer, hex_digits[hash[i] >> 4]);
        http_writer_append_byte(writer, hex_digits[hash[i] & 15]);
    }
}

/* An mtime that says nothing (0, 1, the future) cannot vouch for the bytes, nor can a ctime in the
 * future, which says that the clock was set back. */
static bool stat_is_settled(const struct http_etag_source *source, int64_t now_s)
{
    return http_mtime_is_sendable(source->mtime_s, now_s) &&
           now_s - source->mtime_s >= HTTP_ETAG_YOUNG_S &&
           source->changed_s <= now_s - HTTP_ETAG_YOUNG_S;
}

size_t http_etag_write(const struct http_etag_source *source, int64_t now_s,
                       char buffer[HTTP_ETAG_SIZE_MAX])
{
    assert(source->mtime_ns < 1000000000);
    assert(source->changed_ns < 1000000000);
    struct http_writer writer = { .data = buffer, .size = HTTP_ETAG_SIZE_MAX };
    if (source->hash == NULL && !stat_is_settled(source, now_s)) {
        http_writer_append(&writer, SLICE("W/"));
    }
    http_writer_append_byte(&writer, '"');
    if (source->hash != NULL) {
        hash_append(&writer, source->hash);
    } else {
        stat_append(&writer, source);
    }
    if (source->coding != HTTP_CODING_IDENTITY) {
        http_writer_append_byte(&writer, '-');
        http_writer_append(&writer, http_coding_name(source->coding));
    }
    http_writer_append_byte(&writer, '"');
    assert(writer.needed <= HTTP_ETAG_SIZE_MAX);
    return writer.needed;
}

bool http_etag_needs_hash(int64_t mtime_s, int64_t now_s)
{
    return !http_mtime_is_sendable(mtime_s, now_s);
}

bool http_mtime_is_sendable(int64_t mtime_s, int64_t now_s)
{
    return mtime_s > 1 && mtime_s <= now_s;
}

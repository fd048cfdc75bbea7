/* The length is what the writers would write, counted by these very writers: they cannot differ. */
#include "http/http_multipart.h"

#include <assert.h>

#include "http/http_class.h"
#include "http/http_writer.h"

static void boundary_append(struct http_writer *writer, struct slice boundary)
{
    assert(boundary.size > 0);
    assert(boundary.size <= HTTP_BOUNDARY_SIZE_MAX);
    assert(http_class_skip(boundary.data, 0, boundary.size, HTTP_CLASS_TOKEN) == boundary.size);
    http_writer_append(writer, boundary);
}

size_t http_multipart_write_type(struct slice boundary, char buffer[HTTP_MULTIPART_TYPE_SIZE_MAX])
{
    struct http_writer writer = { .data = buffer, .size = HTTP_MULTIPART_TYPE_SIZE_MAX };
    http_writer_append(&writer, SLICE("multipart/byteranges; boundary="));
    boundary_append(&writer, boundary);
    assert(writer.needed <= writer.size);
    return writer.needed;
}

static void part_head_append(struct http_writer *writer, const struct http_multipart *multipart,
                             size_t index)
{
    assert(index < multipart->ranges->count);
    assert(multipart->type.size <= HTTP_TYPE_SIZE_MAX);
    http_writer_append(writer, index == 0 ? SLICE("--") : SLICE("\r\n--"));
    boundary_append(writer, multipart->boundary);
    http_writer_append(writer, SLICE("\r\n"));
    if (multipart->type.data != NULL) {
        http_writer_append(writer, SLICE("Content-Type: "));
        http_writer_append(writer, multipart->type);
        http_writer_append(writer, SLICE("\r\n"));
    }
    char content_range[HTTP_CONTENT_RANGE_SIZE_MAX];
    size_t content_range_size =
        http_content_range_write(multipart->ranges->items[index], multipart->size, content_range);
    http_writer_append(writer, SLICE("Content-Range: "));
    http_writer_append(writer, slice_of(content_range, content_range_size));
    http_writer_append(writer, SLICE("\r\n\r\n"));
}

static void end_append(struct http_writer *writer, const struct http_multipart *multipart)
{
    http_writer_append(writer, SLICE("\r\n--"));
    boundary_append(writer, multipart->boundary);
    http_writer_append(writer, SLICE("--\r\n"));
}

size_t http_multipart_write_part_head(const struct http_multipart *multipart, size_t index,
                                      char *buffer, size_t size)
{
    struct http_writer writer = { .data = buffer, .size = size };
    part_head_append(&writer, multipart, index);
    assert(writer.needed <= HTTP_PART_HEAD_SIZE_MAX);
    return writer.needed <= size ? writer.needed : 0;
}

size_t http_multipart_write_end(const struct http_multipart *multipart, char *buffer, size_t size)
{
    struct http_writer writer = { .data = buffer, .size = size };
    end_append(&writer, multipart);
    assert(writer.needed <= HTTP_MULTIPART_END_SIZE_MAX);
    return writer.needed <= size ? writer.needed : 0;
}

uint64_t http_multipart_length(const struct http_multipart *multipart)
{
    assert(multipart->ranges->count > 0);
    struct http_writer framing = { .data = NULL, .size = 0 };
    uint64_t content = 0;
    for (size_t i = 0; i < multipart->ranges->count; i++) {
        part_head_append(&framing, multipart, i);
        content += multipart->ranges->items[i].length;
    }
    end_append(&framing, multipart);
    assert(content <= multipart->size);
    return content + framing.needed;
}

/* The JSON of a directory: one object, no blanks, nothing but ASCII outside of names. */
#include "http/http_listing.h"

#include <assert.h>

#include "http/http_listing_parts.h"
#include "http/http_utf8.h"

static void character_append(struct http_writer *writer, struct slice bytes, uint32_t character)
{
    if (character == '"' || character == '\\') {
        http_writer_append_byte(writer, '\\');
        http_writer_append(writer, bytes);
    } else if (character < 0x20 || character == 0x7f) {
        char escape[6] = {
            '\\', 'u', '0', '0', "01234567"[character >> 4], "0123456789abcdef"[character & 15]
        };
        http_writer_append(writer, slice_of(escape, sizeof(escape)));
    } else if (character == HTTP_UTF8_REPLACEMENT) {
        http_writer_append(writer, HTTP_UTF8_REPLACEMENT_BYTES);
    } else {
        http_writer_append(writer, bytes);
    }
}

/* The inside of a string. */
static void text_append(struct http_writer *writer, struct slice text)
{
    for (size_t at = 0; at < text.size;) {
        size_t start = at;
        uint32_t character = http_utf8_next(text, &at);
        character_append(writer, slice_of(text.data + start, at - start), character);
    }
}

static void item_append(struct http_writer *writer, const struct http_listing_item *item)
{
    bool is_directory = item->kind == HTTP_LISTING_DIRECTORY;
    http_writer_append(writer, SLICE("{\"name\":\""));
    text_append(writer, item->name);
    http_writer_append(writer, SLICE("\",\"href\":\""));
    http_listing_append_href(writer, item);
    http_writer_append(writer, is_directory ? SLICE("\",\"type\":\"directory\"")
                                            : SLICE("\",\"type\":\"file\",\"size\":"));
    if (!is_directory) {
        http_listing_append_number(writer, item->size);
    }
    http_writer_append(writer, SLICE(",\"mtime\":\""));
    http_listing_append_time(writer, item->mtime_s);
    http_writer_append(writer, item->is_link ? SLICE("\",\"link\":true}") : SLICE("\"}"));
}

void http_listing_write_json(const struct http_listing *listing, struct http_writer *writer)
{
    http_writer_append(writer, SLICE("{\"path\":\"/"));
    text_append(writer, listing->path);
    http_writer_append(writer, listing->path.size > 0 ? SLICE("/\",\"entries\":[")
                                                      : SLICE("\",\"entries\":["));
    for (size_t i = 0; i < listing->items_count; i++) {
        if (i > 0) {
            http_writer_append_byte(writer, ',');
        }
        item_append(writer, &listing->items[i]);
    }
    http_writer_append(writer, SLICE("],\"left_out\":"));
    http_listing_append_number(writer, listing->left_out_count);
    http_writer_append(writer, listing->left_out_count > 0 ? SLICE(",\"truncated\":true}\n")
                                                           : SLICE(",\"truncated\":false}\n"));
}

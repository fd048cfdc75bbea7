/* Pieces of a listing that have the same form everywhere. */
#include "http/http_listing_parts.h"

#include <assert.h>

#include "http/http_date.h"
#include "http/http_head.h"
#include "http/http_target.h"

void http_listing_append_href(struct http_writer *writer, const struct http_listing_item *item)
{
    assert(item->name.size > 0);
    http_writer_append(writer, SLICE("./"));
    size_t room = writer->needed < writer->size ? writer->size - writer->needed : 0;
    char *end = room > 0 ? writer->data + writer->needed : NULL;
    writer->needed += http_target_encode(item->name, end, room);
    if (item->kind == HTTP_LISTING_DIRECTORY) {
        http_writer_append_byte(writer, '/');
    }
}

void http_listing_append_number(struct http_writer *writer, uint64_t number)
{
    char digits[20];
    http_writer_append(writer, slice_of(digits, http_decimal_write(number, digits)));
}

void http_listing_append_time(struct http_writer *writer, int64_t seconds)
{
    char date[HTTP_ISO_DATE_SIZE];
    http_iso_date_write(seconds, date);
    http_writer_append(writer, slice_of(date, sizeof(date)));
}

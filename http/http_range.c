/* Ranges are resolved one by one as they are read, and merged into those before: sixteen slots do,
 * however long the field. */
#include "http/http_range.h"

#include <assert.h>

#include "http/http_head.h"
#include "http/http_list.h"
#include "http/http_writer.h"

enum spec_result {
    SPEC_MALFORMED,
    SPEC_UNSATISFIABLE,
    SPEC_GOOD,
};

static bool prefix_take(struct slice *text, struct slice prefix)
{
    if (text->size < prefix.size ||
        !slice_equal_ignoring_case(slice_of(text->data, prefix.size), prefix)) {
        return false;
    }
    *text = slice_of(text->data + prefix.size, text->size - prefix.size);
    return true;
}

/* False, with *value untouched, where no digit stands. Stops growing at the largest value. */
static bool position_take(struct slice *text, uint64_t *value)
{
    uint64_t position = 0;
    size_t size = 0;
    for (; size < text->size && text->data[size] >= '0' && text->data[size] <= '9'; size++) {
        uint64_t digit = (uint64_t)(text->data[size] - '0');
        bool fits = position <= (UINT64_MAX - digit) / 10;
        position = fits ? position * 10 + digit : UINT64_MAX;
    }
    if (size == 0) {
        return false;
    }
    *text = slice_of(text->data + size, text->size - size);
    *value = position;
    return true;
}

static enum spec_result suffix_resolve(uint64_t length, uint64_t size, struct http_range *range)
{
    if (length == 0) {
        return SPEC_UNSATISFIABLE;
    }
    if (length > size) {
        length = size;
    }
    *range = (struct http_range){ .offset = size - length, .length = length };
    return SPEC_GOOD;
}

/* Cuts "FIRST-LAST", "FIRST-" or "-LENGTH" off the front of text. */
static enum spec_result spec_take(struct slice *text, uint64_t size, struct http_range *range)
{
    uint64_t first = 0;
    uint64_t last = UINT64_MAX;
    bool has_first = position_take(text, &first);
    if (!prefix_take(text, SLICE("-"))) {
        return SPEC_MALFORMED;
    }
    bool has_last = position_take(text, &last);
    if (!has_first) {
        return has_last ? suffix_resolve(last, size, range) : SPEC_MALFORMED;
    }
    if (first > last) {
        return SPEC_MALFORMED;
    }
    if (first >= size) {
        return SPEC_UNSATISFIABLE;
    }
    if (last >= size) {
        last = size - 1;
    }
    *range = (struct http_range){ .offset = first, .length = last - first + 1 };
    return SPEC_GOOD;
}

static bool ranges_are_near(struct http_range a, struct http_range b)
{
    return a.offset <= b.offset ? b.offset - a.offset <= a.length + HTTP_RANGE_GAP_MAX
                                : a.offset - b.offset <= b.length + HTTP_RANGE_GAP_MAX;
}

static struct http_range range_hull(struct http_range a, struct http_range b)
{
    uint64_t offset = a.offset < b.offset ? a.offset : b.offset;
    uint64_t a_end = a.offset + a.length;
    uint64_t b_end = b.offset + b.length;
    return (struct http_range){ .offset = offset,
                                .length = (a_end > b_end ? a_end : b_end) - offset };
}

/* One pass is enough: those that are there are not near each other, so growing by one of them does
 * not bring the range near another. Returns false when there is no room. */
static bool ranges_add(struct http_ranges *ranges, struct http_range range)
{
    size_t kept = 0;
    size_t place = HTTP_RANGES_MAX;
    for (size_t i = 0; i < ranges->count; i++) {
        if (!ranges_are_near(ranges->items[i], range)) {
            ranges->items[kept++] = ranges->items[i];
            continue;
        }
        range = range_hull(ranges->items[i], range);
        if (place == HTTP_RANGES_MAX) {
            place = kept++;
        }
    }
    if (place == HTTP_RANGES_MAX) {
        if (kept == HTTP_RANGES_MAX) {
            return false;
        }
        place = kept++;
    }
    ranges->items[place] = range;
    ranges->count = kept;
    return true;
}

static enum http_range_result set_read(struct slice set, uint64_t size, struct http_ranges *ranges)
{
    bool is_first = true;
    uint64_t sum = 0;
    while (http_list_advance(&set, is_first) && set.size > 0) {
        struct http_range range;
        enum spec_result result = spec_take(&set, size, &range);
        if (result == SPEC_MALFORMED) {
            return HTTP_RANGE_IGNORED;
        }
        if (result == SPEC_GOOD) {
            sum += range.length;
            if (sum > size || !ranges_add(ranges, range)) {
                return HTTP_RANGE_IGNORED;
            }
        }
        is_first = false;
    }
    if (set.size > 0 || is_first) {
        return HTTP_RANGE_IGNORED;
    }
    return ranges->count > 0 ? HTTP_RANGE_SATISFIABLE : HTTP_RANGE_UNSATISFIABLE;
}

enum http_range_result http_range_parse(struct slice field, uint64_t size,
                                        struct http_ranges *ranges)
{
    assert(size <= INT64_MAX);
    ranges->count = 0;
    if (size == 0 || !prefix_take(&field, SLICE("bytes="))) {
        return HTTP_RANGE_IGNORED;
    }
    enum http_range_result result = set_read(field, size, ranges);
    if (result != HTTP_RANGE_SATISFIABLE) {
        ranges->count = 0;
    }
    return result;
}

static void decimal_append(struct http_writer *writer, uint64_t value)
{
    char digits[20];
    http_writer_append(writer, slice_of(digits, http_decimal_write(value, digits)));
}

size_t http_content_range_write(struct http_range range, uint64_t size,
                                char buffer[HTTP_CONTENT_RANGE_SIZE_MAX])
{
    assert(range.length > 0);
    assert(range.offset < size);
    assert(range.length <= size - range.offset);
    struct http_writer writer = { .data = buffer, .size = HTTP_CONTENT_RANGE_SIZE_MAX };
    http_writer_append(&writer, SLICE("bytes "));
    decimal_append(&writer, range.offset);
    http_writer_append_byte(&writer, '-');
    decimal_append(&writer, range.offset + (range.length - 1));
    http_writer_append_byte(&writer, '/');
    decimal_append(&writer, size);
    assert(writer.needed <= writer.size);
    return writer.needed;
}

size_t http_content_range_write_unsatisfied(uint64_t size, char buffer[HTTP_CONTENT_RANGE_SIZE_MAX])
{
    struct http_writer writer = { .data = buffer, .size = HTTP_CONTENT_RANGE_SIZE_MAX };
    http_writer_append(&writer, SLICE("bytes */"));
    decimal_append(&writer, size);
    assert(writer.needed <= writer.size);
    return writer.needed;
}

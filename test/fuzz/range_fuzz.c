/* Fuzzes what a conditional request carries. Input lines: the size of the file in decimal, Range, a
 * date, a list of tags, If-Range; missing ones are absent.
 *
 * Range is compared with a slow model that cuts at commas, counts in 128 bits and joins ranges pair
 * by pair until none are near; a multipart body must have the length that was foretold; a date that
 * is read must be written, and read back, as the same second; and the decision over all of it must
 * be one that the bytes at hand can keep. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_date.h"
#include "http/http_respond.h"
#include "test/fuzz/fuzz.h"

enum {
    INPUT_SIZE_MAX = 4 * 1024,
    SPECS_MAX = INPUT_SIZE_MAX,
};

static const char own_etag[] = "\"a\"";
static const int64_t now_s = INT64_C(1795203972);
static const int64_t modified_s = 784111777;

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static struct slice line_take(struct slice *input)
{
    if (input->data == NULL) {
        return SLICE_NONE;
    }
    const char *end = input->size > 0 ? memchr(input->data, '\n', input->size) : NULL;
    if (end == NULL) {
        struct slice last = *input;
        *input = SLICE_NONE;
        return last;
    }
    struct slice line = slice_of(input->data, (size_t)(end - input->data));
    *input = slice_of(end + 1, input->size - line.size - 1);
    return line;
}

static uint64_t size_read(struct slice line)
{
    uint64_t size = 0;
    for (size_t i = 0; i < line.size; i++) {
        size = size * 10 + (unsigned char)line.data[i] % 16 % 10;
    }
    return size & INT64_MAX;
}

/* --- the model of Range ------------------------------------------------------------------------
 */

static const __int128 wide_limit = (__int128)UINT64_MAX * 2;

struct model_range {
    __int128 first;
    __int128 last;
};

struct model {
    enum http_range_result result;
    size_t count;
    struct model_range ranges[SPECS_MAX];
};

static struct slice trimmed(struct slice text)
{
    while (text.size > 0 && memchr(" \t", text.data[0], 2) != NULL) {
        text = slice_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && memchr(" \t", text.data[text.size - 1], 2) != NULL) {
        text.size--;
    }
    return text;
}

/* -1: empty; -2: no number. */
static __int128 model_number(struct slice text)
{
    __int128 number = text.size == 0 ? -1 : 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return -2;
        }
        number = number * 10 + (text.data[i] - '0');
        number = number > wide_limit ? wide_limit : number;
    }
    return number > UINT64_MAX ? (__int128)UINT64_MAX : number;
}

/* Returns false for what is malformed; an unsatisfiable range has last < first. */
static bool model_spec(struct slice text, __int128 size, struct model_range *range)
{
    const char *dash = text.size > 0 ? memchr(text.data, '-', text.size) : NULL;
    if (dash == NULL) {
        return false;
    }
    size_t before = (size_t)(dash - text.data);
    __int128 first = model_number(slice_of(text.data, before));
    __int128 last = model_number(slice_of(dash + 1, text.size - before - 1));
    if (first == -2 || last == -2 || (first == -1 && last == -1)) {
        return false;
    }
    if (first == -1) {
        first = last > size ? 0 : size - last;
        last = size - 1;
    } else if (last != -1 && first > last) {
        return false;
    } else if (last == -1 || last >= size) {
        last = size - 1;
    }
    *range = (struct model_range){ first, last };
    return true;
}

static bool model_are_near(struct model_range a, struct model_range b)
{
    __int128 between = a.first > b.last ? a.first - b.last - 1 : b.first - a.last - 1;
    return between <= HTTP_RANGE_GAP_MAX;
}

static bool model_join_one_pair(struct model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        for (size_t j = i + 1; j < model->count; j++) {
            struct model_range *a = &model->ranges[i];
            struct model_range *b = &model->ranges[j];
            if (!model_are_near(*a, *b)) {
                continue;
            }
            a->first = a->first < b->first ? a->first : b->first;
            a->last = a->last > b->last ? a->last : b->last;
            memmove(b, b + 1, (model->count - j - 1) * sizeof(*b));
            model->count--;
            return true;
        }
    }
    return false;
}

/* The set without "bytes=". */
static enum http_range_result model_set(struct model *model, struct slice set, __int128 size)
{
    __int128 sum = 0;
    size_t specs = 0;
    for (size_t start = 0; start <= set.size;) {
        size_t end = start;
        while (end < set.size && set.data[end] != ',') {
            end++;
        }
        struct slice text = trimmed(slice_of(set.data + start, end - start));
        start = end + 1;
        if (text.size == 0) {
            continue;
        }
        specs++;
        struct model_range range;
        if (!model_spec(text, size, &range)) {
            return HTTP_RANGE_IGNORED;
        }
        if (range.last < range.first) {
            continue;
        }
        sum += range.last - range.first + 1;
        model->ranges[model->count++] = range;
        while (model_join_one_pair(model)) {
        }
        if (sum > size || model->count > HTTP_RANGES_MAX) {
            return HTTP_RANGE_IGNORED;
        }
    }
    if (specs == 0) {
        return HTTP_RANGE_IGNORED;
    }
    return model->count > 0 ? HTTP_RANGE_SATISFIABLE : HTTP_RANGE_UNSATISFIABLE;
}

static void model_read(struct model *model, struct slice field, uint64_t size)
{
    model->count = 0;
    model->result = HTTP_RANGE_IGNORED;
    if (size > 0 && field.size >= 6 &&
        slice_equal_ignoring_case(slice_of(field.data, 6), SLICE("bytes="))) {
        model->result = model_set(model, slice_of(field.data + 6, field.size - 6), (__int128)size);
    }
    if (model->result != HTTP_RANGE_SATISFIABLE) {
        model->count = 0;
    }
}

static void check_range(struct slice field, uint64_t size)
{
    struct model model;
    struct http_ranges ranges;
    model_read(&model, field, size);
    check(http_range_parse(field, size, &ranges) == model.result);
    check(ranges.count == model.count);
    check(ranges.count <= HTTP_RANGES_MAX);
    uint64_t sum = 0;
    for (size_t i = 0; i < ranges.count; i++) {
        struct http_range range = ranges.items[i];
        check(range.length > 0);
        check(range.offset < size);
        check(range.length <= size - range.offset);
        check((__int128)range.offset == model.ranges[i].first);
        check((__int128)range.offset + range.length - 1 == model.ranges[i].last);
        sum += range.length;
        check(sum <= size);
    }
}

/* --- the other fields --------------------------------------------------------------------------
 */

static void check_multipart(const struct http_multipart *multipart, uint64_t length)
{
    uint64_t total = 0;
    for (size_t i = 0; i < multipart->ranges->count; i++) {
        char head[HTTP_PART_HEAD_SIZE_MAX];
        size_t size = http_multipart_write_part_head(multipart, i, head, sizeof(head));
        check(size > 0);
        check(memcmp(head + size - 4, "\r\n\r\n", 4) == 0);
        total += size + multipart->ranges->items[i].length;
    }
    char end[HTTP_MULTIPART_END_SIZE_MAX];
    size_t size = http_multipart_write_end(multipart, end, sizeof(end));
    check(size > 0);
    check(total + size == length);
}

static void check_date(struct slice text)
{
    int64_t seconds;
    if (!http_date_parse(text, now_s, &seconds) || seconds < 0 || seconds > INT64_C(253402300799)) {
        return;
    }
    char date[HTTP_DATE_SIZE];
    http_date_write(seconds, date);
    int64_t again;
    check(http_date_parse(slice_of(date, sizeof(date)), now_s, &again));
    check(again == seconds);
}

static void check_tags(struct slice list)
{
    struct slice etag = slice_from_string(own_etag);
    bool is_strong = http_tags_match(list, etag, HTTP_TAG_STRONG);
    bool is_weak = http_tags_match(list, etag, HTTP_TAG_WEAK);
    check(is_weak || !is_strong);
    bool is_named =
        list.size > 0 && memmem(list.data, list.size, own_etag, sizeof(own_etag) - 1) != NULL;
    check(!is_weak || is_named || slice_equal(list, SLICE("*")));
    check(!http_tags_match(list, SLICE("W/\"a\""), HTTP_TAG_STRONG) ||
          slice_equal(list, SLICE("*")));
}

static void check_decision(const struct http_request *request, uint64_t size)
{
    const struct http_selection selection = {
        .size = size,
        .type = SLICE("text/plain"),
        .boundary = SLICE("0123456789abcdef"),
        .validators = { slice_from_string(own_etag), true, modified_s, now_s },
    };
    struct http_conditional got;
    http_respond_conditional(request, &selection, &got);
    check((got.response.status == 206) == (got.ranges.count > 0));
    switch (got.response.content) {
    case HTTP_CONTENT_NONE:
        check(got.response.status == 304 || request->method == HTTP_METHOD_HEAD || size == 0);
        break;
    case HTTP_CONTENT_REPRESENTATION:
        check(got.response.status == (got.ranges.count == 1 ? 206 : 200));
        check(got.response.offset <= size);
        check(got.response.length <= size - got.response.offset);
        break;
    case HTTP_CONTENT_MULTIPART:
        check(got.response.status == 206 && got.ranges.count > 1);
        check_multipart(
            &(struct http_multipart){ selection.boundary, selection.type, size, &got.ranges },
            got.response.length);
        break;
    case HTTP_CONTENT_STATUS:
        check(got.response.status == 412 || got.response.status == 416);
        break;
    }
    check(request->method != HTTP_METHOD_HEAD || got.response.content == HTTP_CONTENT_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_SIZE_MAX) {
        return 0;
    }
    struct slice input = slice_of((const char *)data, size);
    uint64_t file_size = size_read(line_take(&input));
    struct slice range = line_take(&input);
    struct slice date = line_take(&input);
    struct slice tags = line_take(&input);
    struct slice if_range = line_take(&input);
    check_range(range, file_size);
    check_date(date);
    check_tags(tags);
    struct http_request request = { .range = range, .if_range = if_range };
    check_decision(&request, file_size);
    request.if_modified_since = date;
    request.if_none_match = tags;
    check_decision(&request, file_size);
    request = (struct http_request){
        .range = range,
        .if_range = date,
        .if_match = tags,
        .if_unmodified_since = date,
        .method = HTTP_METHOD_HEAD,
    };
    check_decision(&request, file_size);
    request.method = HTTP_METHOD_GET;
    check_decision(&request, file_size);
    return 0;
}

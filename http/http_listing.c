/* What a listing is asked for, and its order. A heap sort: it needs no memory and no recursion, and
 * no order of names makes it slow. */
#include "http/http_listing.h"

#include <assert.h>

struct choice {
    struct slice value;
    unsigned number;
};

/* The number of the choice that the value names, or `otherwise`. */
static unsigned choose(struct slice value, const struct choice *choices, size_t count,
                       unsigned otherwise)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(value, choices[i].value)) {
            return choices[i].number;
        }
    }
    return otherwise;
}

#define CHOOSE(value, choices, otherwise) \
    choose(value, choices, sizeof(choices) / sizeof((choices)[0]), otherwise)

static void parameter_read(struct slice key, struct slice value, struct http_listing_query *parsed)
{
    if (slice_equal(key, SLICE("sort"))) {
        const struct choice sorts[] = {
            { SLICE("name"), HTTP_LISTING_SORT_NAME },
            { SLICE("size"), HTTP_LISTING_SORT_SIZE },
            { SLICE("time"), HTTP_LISTING_SORT_TIME },
        };
        parsed->sort = CHOOSE(value, sorts, parsed->sort);
    } else if (slice_equal(key, SLICE("order"))) {
        const struct choice orders[] = { { SLICE("asc"), false }, { SLICE("desc"), true } };
        parsed->is_descending = CHOOSE(value, orders, parsed->is_descending) != 0;
    } else if (slice_equal(key, SLICE("format"))) {
        const struct choice formats[] = {
            { SLICE("html"), HTTP_LISTING_FORMAT_HTML },
            { SLICE("json"), HTTP_LISTING_FORMAT_JSON },
            { SLICE("tar"), HTTP_LISTING_FORMAT_TAR },
        };
        parsed->format = CHOOSE(value, formats, parsed->format);
    }
}

/* The offset of the byte within [at, end), or end. */
static size_t find_byte(struct slice text, size_t at, size_t end, char byte)
{
    while (at < end && text.data[at] != byte) {
        at++;
    }
    return at;
}

void http_listing_query_parse(struct slice query, struct http_listing_query *parsed)
{
    *parsed = (struct http_listing_query){ .sort = HTTP_LISTING_SORT_NAME };
    for (size_t start = 0; start < query.size;) {
        size_t end = find_byte(query, start, query.size, '&');
        size_t equals = find_byte(query, start, end, '=');
        if (equals < end) {
            struct slice key = slice_of(query.data + start, equals - start);
            struct slice value = slice_of(query.data + equals + 1, end - equals - 1);
            parameter_read(key, value, parsed);
        }
        start = end + 1;
    }
}

static int compare_sizes(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_names(struct slice a, struct slice b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    for (size_t i = 0; i < shorter; i++) {
        unsigned char byte_a = (unsigned char)slice_lower(a.data[i]);
        unsigned char byte_b = (unsigned char)slice_lower(b.data[i]);
        if (byte_a != byte_b) {
            return byte_a < byte_b ? -1 : 1;
        }
    }
    return a.size != b.size ? compare_sizes(a.size, b.size) : memcmp(a.data, b.data, shorter);
}

static int compare_keys(const struct http_listing_item *a, const struct http_listing_item *b,
                        enum http_listing_sort sort)
{
    switch (sort) {
    case HTTP_LISTING_SORT_SIZE:
        return a->kind == HTTP_LISTING_DIRECTORY ? 0 : compare_sizes(a->size, b->size);
    case HTTP_LISTING_SORT_TIME:
        return a->mtime_s < b->mtime_s ? -1 : a->mtime_s > b->mtime_s;
    case HTTP_LISTING_SORT_NAME:
        break;
    }
    return compare_names(a->name, b->name);
}

/* Whether a stands before b. */
static bool goes_before(const struct http_listing_item *a, const struct http_listing_item *b,
                        struct http_listing_query query)
{
    if (a->kind != b->kind) {
        return a->kind == HTTP_LISTING_DIRECTORY;
    }
    int order = compare_keys(a, b, query.sort);
    if (order == 0) {
        return compare_names(a->name, b->name) < 0;
    }
    return query.is_descending ? order > 0 : order < 0;
}

/* Lets items[at] sink until no child of it in the heap of `count` stands behind it. */
static void sink(struct http_listing_item *items, size_t at, size_t count,
                 struct http_listing_query query)
{
    struct http_listing_item sinking = items[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count) {
            break;
        }
        if (child + 1 < count && goes_before(&items[child], &items[child + 1], query)) {
            child++;
        }
        if (!goes_before(&sinking, &items[child], query)) {
            break;
        }
        items[at] = items[child];
        at = child;
    }
    items[at] = sinking;
}

void http_listing_sort(struct http_listing_item *items, size_t count,
                       struct http_listing_query query)
{
    for (size_t i = count / 2; i > 0; i--) {
        sink(items, i - 1, count, query);
    }
    for (size_t last = count; last > 1; last--) {
        struct http_listing_item behind_all = items[0];
        items[0] = items[last - 1];
        items[last - 1] = behind_all;
        sink(items, 0, last - 1, query);
    }
}

struct slice http_listing_type(enum http_listing_format format)
{
    assert(format == HTTP_LISTING_FORMAT_HTML || format == HTTP_LISTING_FORMAT_JSON);
    return format == HTTP_LISTING_FORMAT_JSON ? SLICE("application/json")
                                              : SLICE("text/html; charset=utf-8");
}

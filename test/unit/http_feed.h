/* http_feed: gives bytes to the parser in every cut, and insists that the cut makes no difference.
 *
 * Every piece is an exact copy on the heap, freed after the next: a read past the end, or a pointer
 * kept from one call to the next, is an error under AddressSanitizer. */
#ifndef GYRE_TEST_HTTP_FEED_H
#define GYRE_TEST_HTTP_FEED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/http_parse.h"

/* Longer texts are cut at some places instead of all. */
enum {
    FEED_ALL_CUTS_SIZE_MAX = 1024
};

struct feed {
    char *bytes; /* what the slices of request point into */
    struct http_parser parser;
    struct http_request request;
};

static inline char *feed_copy(const char *text, size_t size)
{
    char *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, text, size);
    return copy;
}

static inline void feed_free(struct feed *feed)
{
    free(feed->bytes);
    *feed = (struct feed){ .bytes = NULL };
}

/* Calls the parser with one exact copy of text; the copy of the call before is gone by then. */
static inline enum http_parse_result feed_step(struct feed *feed, const char *text, size_t size)
{
    char *copy = feed_copy(text, size);
    free(feed->bytes);
    feed->bytes = copy;
    return http_parse_head(&feed->parser, copy, size, &feed->request);
}

/* A whole head in one call. The caller frees feed. */
static inline enum http_parse_result feed_whole(struct feed *feed, const char *text, size_t size)
{
    feed->bytes = NULL;
    http_parser_init(&feed->parser);
    return feed_step(feed, text, size);
}

static inline size_t feed_next_cut(size_t cut, size_t size)
{
    return size <= FEED_ALL_CUTS_SIZE_MAX || size - cut < 8 || cut < 8 ? cut + 1
                                                                       : cut + (size - cut) / 2;
}

static inline void feed_expect(struct feed *feed, enum http_parse_result result,
                               enum http_parse_result expected, unsigned status, size_t head_size)
{
    assert_int_equal(result, expected);
    if (expected == HTTP_PARSE_ERROR) {
        assert_int_equal(feed->parser.error_status, status);
        assert_non_null(feed->parser.error);
        assert_null(feed->request.path.data);
    } else {
        assert_int_equal(feed->parser.head_size, head_size);
    }
}

/* text must be decided at its last byte, in every cut, and whatever follows it. */
static inline void feed_check(const char *text, size_t size, enum http_parse_result expected,
                              unsigned status)
{
    static const char next[] = "GET \x16\r\n";
    struct feed feed;
    for (size_t cut = 1; cut < size; cut = feed_next_cut(cut, size)) {
        assert_int_equal(feed_whole(&feed, text, cut), HTTP_PARSE_MORE);
        feed_expect(&feed, feed_step(&feed, text, size), expected, status, size);
        feed_free(&feed);
    }

    feed.bytes = NULL;
    http_parser_init(&feed.parser);
    for (size_t end = 1; end < size; end++) {
        assert_int_equal(http_parse_head(&feed.parser, text, end, &feed.request), HTTP_PARSE_MORE);
    }
    feed_expect(&feed, feed_step(&feed, text, size), expected, status, size);
    feed_free(&feed);

    char *longer = malloc(size + sizeof(next));
    assert_non_null(longer);
    memcpy(longer, text, size);
    memcpy(longer + size, next, sizeof(next));
    feed_expect(&feed, feed_whole(&feed, longer, size + sizeof(next)), expected, status, size);
    feed_free(&feed);
    free(longer);
}

/* One row of a table is one test: its name is the behaviour. */
struct feed_row {
    const char *name;
    const char *text;
    size_t size;
    unsigned status; /* 0: accepted */
};

#define FEED_ROW(name, status, text)         \
    {                                        \
        name, text, sizeof(text) - 1, status \
    }
#define FEED_COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline void feed_rows_to_tests(const struct feed_row *rows, size_t count,
                                      CMUnitTestFunction function, struct CMUnitTest *tests)
{
    for (size_t i = 0; i < count; i++) {
        tests[i] = (struct CMUnitTest){ .name = rows[i].name,
                                        .test_func = function,
                                        .initial_state = (void *)(uintptr_t)&rows[i] };
    }
}

#endif

/* Fields that occur several times: which line counts, if any does. */
#include "http_feed.h"

#include <stdio.h>

#define GET_LINE "GET / HTTP/1.1\r\n"
#define HOST     "Host: a\r\n"

/* Accepts text in every cut, and leaves it parsed in feed. */
#define ACCEPT(feed, text) accept(feed, text, sizeof(text) - 1)

static void accept(struct feed *feed, const char *text, size_t size)
{
    feed_check(text, size, HTTP_PARSE_DONE, 0);
    assert_int_equal(feed_whole(feed, text, size), HTTP_PARSE_DONE);
}

static void assert_slice(struct slice slice, const char *expected)
{
    assert_non_null(slice.data);
    assert_int_equal(slice.size, strlen(expected));
    assert_memory_equal(slice.data, expected, slice.size);
}

static void the_lines_of_the_fields_are_given_as_sent(void **state)
{
    (void)state;
    struct feed feed;
    ACCEPT(&feed, "\r\n" GET_LINE "host:\ta \r\nX:\r\nY: \t\r\n\r\n");
    assert_slice(feed.request.fields, "host:\ta \r\nX:\r\nY: \t\r\n");
    feed_free(&feed);
    ACCEPT(&feed, "GET / HTTP/1.0\r\n\r\n");
    assert_slice(feed.request.fields, "");
    feed_free(&feed);
    ACCEPT(&feed, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_slice(feed.request.fields, "Host: a\r\n");
    feed_free(&feed);
}

static void the_first_line_of_a_repeated_list_is_kept_and_the_rest_is_told(void **state)
{
    (void)state;
    struct feed feed;
    ACCEPT(&feed, GET_LINE HOST "Accept: a\r\nIf-Match: b\r\naccept: c\r\nIf-None-Match:\r\n"
                                "If-None-Match: \"d\"\r\nReferer: e\r\nReferer: f\r\n\r\n");
    assert_slice(feed.request.accept, "a");
    assert_slice(feed.request.if_match, "b");
    assert_slice(feed.request.if_none_match, "");
    assert_slice(feed.request.referer, "e");
    assert_int_equal(feed.request.repeated, 1u << HTTP_LIST_ACCEPT | 1u << HTTP_LIST_IF_NONE_MATCH);
    feed_free(&feed);
}

#define ONCE_ROW(name, member)                      \
    {                                               \
        name, offsetof(struct http_request, member) \
    }

static void what_must_occur_once_is_absent_when_it_is_repeated(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t offset;
    } rows[] = {
        ONCE_ROW("Range", range),
        ONCE_ROW("If-Range", if_range),
        ONCE_ROW("If-Modified-Since", if_modified_since),
        ONCE_ROW("If-Unmodified-Since", if_unmodified_since),
        ONCE_ROW("Authorization", authorization),
        ONCE_ROW("Origin", origin),
        ONCE_ROW("Access-Control-Request-Method", access_control_request_method),
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (unsigned lines = 1; lines <= 3; lines++) {
            char text[256];
            int size = snprintf(text, sizeof(text), GET_LINE HOST "%s: a\r\n", rows[i].name);
            for (unsigned line = 1; line < lines; line++) {
                size += snprintf(text + size, sizeof(text) - (size_t)size, "%s: %s\r\n",
                                 rows[i].name, line == 1 ? "a" : "b");
            }
            size += snprintf(text + size, sizeof(text) - (size_t)size, "\r\n");
            struct feed feed;
            accept(&feed, text, (size_t)size);
            const char *request = (const char *)&feed.request;
            struct slice value = *(const struct slice *)(const void *)(request + rows[i].offset);
            if ((value.data != NULL) != (lines == 1)) {
                fail_msg("%s in %u lines", rows[i].name, lines);
            }
            feed_free(&feed);
        }
    }
}

static void an_empty_line_is_an_occurrence_too(void **state)
{
    (void)state;
    struct feed feed;
    ACCEPT(&feed, GET_LINE HOST "Range:\r\nRange: bytes=0-\r\n\r\n");
    assert_null(feed.request.range.data);
    feed_free(&feed);
}

/* Whichever line was meant: a range of the wrong bytes must not be sent. */
static void a_repeated_if_range_takes_the_range_with_it(void **state)
{
    (void)state;
    struct feed feed;
    ACCEPT(&feed, GET_LINE HOST
           "If-Range: \"a\"\r\nRange: bytes=0-\r\nIf-Range: \"a\"\r\nOrigin: o\r\n\r\n");
    assert_null(feed.request.if_range.data);
    assert_null(feed.request.range.data);
    assert_slice(feed.request.origin, "o");
    feed_free(&feed);
    ACCEPT(&feed, GET_LINE HOST "If-Range: \"a\"\r\nRange: bytes=0-\r\nOrigin: o\r\n"
                                "Origin: o\r\n\r\n");
    assert_slice(feed.request.if_range, "\"a\"");
    assert_slice(feed.request.range, "bytes=0-");
    assert_null(feed.request.origin.data);
    feed_free(&feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lines_of_the_fields_are_given_as_sent),
        cmocka_unit_test(the_first_line_of_a_repeated_list_is_kept_and_the_rest_is_told),
        cmocka_unit_test(what_must_occur_once_is_absent_when_it_is_repeated),
        cmocka_unit_test(an_empty_line_is_an_occurrence_too),
        cmocka_unit_test(a_repeated_if_range_takes_the_range_with_it),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_repeated", tests, NULL, NULL) == 0 ? 0 : 1;
}

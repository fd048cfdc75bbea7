/* The limits of a head: at them, one below and one above. */
#include "http_feed.h"

#define GET_LINE "GET / HTTP/1.1\r\n"
#define HOST     "Host: a\r\n"

static char *put(char *end, const char *text)
{
    size_t size = strlen(text);
    memcpy(end, text, size);
    return end + size;
}

/* A head whose request line has line_size bytes. */
static size_t build_line(char *text, size_t line_size)
{
    size_t fixed = sizeof("GET / HTTP/1.1") - 1;
    char *end = put(text, "GET /");
    for (size_t i = 0; i < line_size - fixed; i++) {
        *end++ = (char)('a' + i % 26);
    }
    return (size_t)(put(end, " HTTP/1.1\r\nHost: a\r\n\r\n") - text);
}

static void a_request_line_of_8_kib_is_accepted_and_no_more(void **state)
{
    char text[HTTP_HEAD_SIZE_MAX];
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        size_t size = build_line(text, HTTP_REQUEST_LINE_SIZE_MAX - over);
        feed_check(text, size, HTTP_PARSE_DONE, 0);
    }
    /* The first byte too many is the last of the version, or of the target. */
    (void)build_line(text, HTTP_REQUEST_LINE_SIZE_MAX + 1);
    feed_check(text, HTTP_REQUEST_LINE_SIZE_MAX + 1, HTTP_PARSE_ERROR, 414);
    (void)build_line(text, HTTP_REQUEST_LINE_SIZE_MAX + 100);
    feed_check(text, HTTP_REQUEST_LINE_SIZE_MAX, HTTP_PARSE_ERROR, 414);
}

/* A head whose field lines have fields_size bytes, CRLFs included. */
static size_t build_fields(char *text, size_t fields_size)
{
    size_t fixed = sizeof("Host: a\r\nX: \r\n") - 1;
    char *end = put(text, "\r\n\r\n" GET_LINE HOST "X: ");
    for (size_t i = 0; i < fields_size - fixed; i++) {
        *end++ = (char)('a' + i % 26);
    }
    return (size_t)(put(end, "\r\n\r\n") - text);
}

static void fields_of_32_kib_are_accepted_and_no_more(void **state)
{
    char text[HTTP_HEAD_SIZE_MAX];
    size_t start = sizeof("\r\n\r\n" GET_LINE) - 1;
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        size_t size = build_fields(text, HTTP_FIELDS_SIZE_MAX - over);
        feed_check(text, size, HTTP_PARSE_DONE, 0);
    }
    (void)build_fields(text, HTTP_FIELDS_SIZE_MAX + 1);
    feed_check(text, start + HTTP_FIELDS_SIZE_MAX + 1, HTTP_PARSE_ERROR, 431);
    (void)build_fields(text, HTTP_FIELDS_SIZE_MAX + 100);
    feed_check(text, start + HTTP_FIELDS_SIZE_MAX + 1, HTTP_PARSE_ERROR, 431);
}

static size_t build_count(char *text, unsigned count)
{
    char *end = put(text, GET_LINE HOST);
    for (unsigned i = 1; i < count; i++) {
        end = put(end, "X: y\r\n");
    }
    return (size_t)(put(end, "\r\n") - text);
}

static void a_hundred_fields_are_accepted_and_no_more(void **state)
{
    char text[HTTP_HEAD_SIZE_MAX];
    (void)state;
    for (unsigned count = HTTP_FIELDS_COUNT_MAX - 1; count <= HTTP_FIELDS_COUNT_MAX; count++) {
        size_t size = build_count(text, count);
        feed_check(text, size, HTTP_PARSE_DONE, 0);
    }
    size_t size = build_count(text, HTTP_FIELDS_COUNT_MAX + 1);
    feed_check(text, size - sizeof(": y\r\n\r\n") + 1, HTTP_PARSE_ERROR, 431);
}

static void the_largest_head_fits_the_promised_size(void **state)
{
    char text[HTTP_HEAD_SIZE_MAX + 1];
    char fields[HTTP_HEAD_SIZE_MAX];
    (void)state;
    char *end = put(text, "\r\n\r\n");
    size_t line_size = build_line(end, HTTP_REQUEST_LINE_SIZE_MAX) - sizeof(HOST "\r\n") + 1;
    size_t fields_start = sizeof("\r\n\r\n" GET_LINE) - 1;
    size_t size = build_fields(fields, HTTP_FIELDS_SIZE_MAX) - fields_start;
    memcpy(end + line_size, fields + fields_start, size);
    feed_check(text, 4 + line_size + size, HTTP_PARSE_DONE, 0);
    assert_int_equal(4 + line_size + size, HTTP_HEAD_SIZE_MAX);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_line_of_8_kib_is_accepted_and_no_more),
        cmocka_unit_test(fields_of_32_kib_are_accepted_and_no_more),
        cmocka_unit_test(a_hundred_fields_are_accepted_and_no_more),
        cmocka_unit_test(the_largest_head_fits_the_promised_size),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_limits", tests, NULL, NULL) == 0 ? 0 : 1;
}

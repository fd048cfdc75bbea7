/* Lists in several lines: which lines are found, in which order, and that nothing else is. */
#include <stdio.h>

#include "http/http_field_list.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void head_read(struct http_request *request, const char *text)
{
    struct http_parser parser;
    http_parser_init(&parser);
    assert_int_equal(http_parse_head(&parser, text, strlen(text), request), HTTP_PARSE_DONE);
}

/* values: what is expected, with a '|' behind each. */
static void values_expect(const struct http_request *request, enum http_list_field field,
                          const char *values)
{
    char got[256];
    int size = 0;
    struct http_field_list list = http_field_list_of(request, field);
    struct slice line;
    got[0] = '\0';
    while (http_field_list_next(&list, &line)) {
        assert_non_null(line.data);
        size += snprintf(got + size, sizeof(got) - (size_t)size, "%.*s|", SLICE_ARG(line));
    }
    assert_string_equal(got, values);
    assert_false(http_field_list_next(&list, &line));
}

static void an_absent_field_has_no_lines(void **state)
{
    (void)state;
    struct http_request request;
    head_read(&request, "GET / HTTP/1.0\r\nAccept-: a\r\nX-Accept: b\r\n\r\n");
    for (unsigned i = 0; i < HTTP_LIST_FIELDS_COUNT; i++) {
        values_expect(&request, (enum http_list_field)i, "");
    }
}

static void one_line_is_given_without_a_look_at_the_others(void **state)
{
    (void)state;
    struct http_request request = { .accept = SLICE("a"), .if_match = SLICE("") };
    values_expect(&request, HTTP_LIST_ACCEPT, "a|");
    values_expect(&request, HTTP_LIST_IF_MATCH, "|");
    values_expect(&request, HTTP_LIST_ACCEPT_ENCODING, "");
}

static void every_list_field_is_found_in_all_its_lines(void **state)
{
    (void)state;
    static const char *const names[HTTP_LIST_FIELDS_COUNT] = {
        "Accept", "Accept-Encoding", "If-Match", "If-None-Match", "Access-Control-Request-Headers",
    };
    for (unsigned i = 0; i < HTTP_LIST_FIELDS_COUNT; i++) {
        char text[512];
        struct http_request request;
        (void)snprintf(text, sizeof(text),
                       "GET / HTTP/1.0\r\n%s: a\r\n%sX: b\r\n%s: c, d\r\nX%s: e\r\n%s:f\r\n\r\n",
                       names[i], names[i], names[i], names[i], names[i]);
        head_read(&request, text);
        assert_true(http_field_is_repeated(&request, (enum http_list_field)i));
        values_expect(&request, (enum http_list_field)i, "a|c, d|f|");
    }
}

static void lines_are_found_wherever_they_are_and_however_they_look(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        const char *values;
    } rows[] = {
        { "Accept: a\r\nAccept: b\r\n", "a|b|" },
        { "ACCEPT:a\r\naccept:b\r\n", "a|b|" },
        { "Accept: \ta \t\r\nAccept:\t b\t \r\n", "a|b|" },
        { "Accept:\r\nAccept: b\r\n", "|b|" },
        { "Accept: \t \r\nAccept: b\r\n", "|b|" },
        { "Accept: a\r\nAccept:\r\n", "a||" },
        { "Accept: a\r\nAccept: \t\r\n", "a||" },
        { "Accept:\r\nAccept:\r\nAccept:\r\n", "|||" },
        { "X: y\r\nAccept: a\r\nX: y\r\nAccept: b\r\nX: y\r\n", "a|b|" },
        { "Accept: Accept: a\r\nX: Accept: b\r\nAccept: c\r\n", "Accept: a|c|" },
        { "Accept: a\r\nAcceptX: b\r\nAccep: c\r\nAccept-Encoding: d\r\nAccept: e\r\n", "a|e|" },
        { "Accept: a\r\nA:\r\nAccept: b\r\n", "a|b|" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[512];
        struct http_request request;
        (void)snprintf(text, sizeof(text), "GET / HTTP/1.0\r\n%s\r\n", rows[i].fields);
        head_read(&request, text);
        values_expect(&request, HTTP_LIST_ACCEPT, rows[i].values);
    }
}

static void as_many_lines_as_a_head_may_have_are_found(void **state)
{
    (void)state;
    char text[2048];
    int size = snprintf(text, sizeof(text), "GET / HTTP/1.0\r\n");
    for (unsigned i = 0; i < HTTP_FIELDS_COUNT_MAX; i++) {
        size += snprintf(text + size, sizeof(text) - (size_t)size, "Accept:%u\r\n", i);
    }
    (void)snprintf(text + size, sizeof(text) - (size_t)size, "\r\n");
    struct http_request request;
    head_read(&request, text);
    struct http_field_list list = http_field_list_of(&request, HTTP_LIST_ACCEPT);
    struct slice line = SLICE_NONE;
    for (unsigned i = 0; i < HTTP_FIELDS_COUNT_MAX; i++) {
        char expected[8];
        (void)snprintf(expected, sizeof(expected), "%u", i);
        assert_true(http_field_list_next(&list, &line));
        assert_slice_equal(expected, line, slice_from_string(expected));
    }
    assert_false(http_field_list_next(&list, &line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_absent_field_has_no_lines),
        cmocka_unit_test(one_line_is_given_without_a_look_at_the_others),
        cmocka_unit_test(every_list_field_is_found_in_all_its_lines),
        cmocka_unit_test(lines_are_found_wherever_they_are_and_however_they_look),
        cmocka_unit_test(as_many_lines_as_a_head_may_have_are_found),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_field_list", tests, NULL, NULL) == 0 ? 0 : 1;
}

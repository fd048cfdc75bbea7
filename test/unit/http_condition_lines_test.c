/* Preconditions whose list of tags comes in several lines. */
#include <stdio.h>

#include "http/http_condition.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct lines_row {
    const char *lines; /* values, with a '|' between two lines */
    const char *etag;
    bool strong;
    bool weak;
};

/* A request whose field of that name has these lines, others between them. */
static bool lines_pass(const char *name, const struct lines_row *row)
{
    char text[512];
    int size = snprintf(text, sizeof(text), "GET / HTTP/1.0\r\n%s:", name);
    for (const char *at = row->lines; *at != '\0'; at++) {
        if (*at == '|') {
            size += snprintf(text + size, sizeof(text) - (size_t)size, " \r\nX-%s: \"x\"\r\n%s:\t",
                             name, name);
        } else {
            text[size++] = *at;
        }
    }
    size += snprintf(text + size, sizeof(text) - (size_t)size, "\r\n\r\n");
    struct http_parser parser;
    struct http_request request;
    http_parser_init(&parser);
    assert_int_equal(http_parse_head(&parser, text, (size_t)size, &request), HTTP_PARSE_DONE);
    struct http_validators validators = {
        .etag = row->etag != NULL ? slice_from_string(row->etag) : SLICE_NONE,
    };
    return http_condition_evaluate(&request, &validators) == HTTP_CONDITION_PASS;
}

static void rows_expect(const struct lines_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_number_equal(rows[i].lines, lines_pass("If-Match", &rows[i]), rows[i].strong);
        assert_number_equal(rows[i].lines, lines_pass("If-None-Match", &rows[i]), !rows[i].weak);
    }
}

static void the_lines_of_a_list_count_as_one(void **state)
{
    (void)state;
    static const struct lines_row rows[] = {
        { "\"a\"|\"b\"", "\"a\"", true, true },
        { "\"a\"|\"b\"", "\"b\"", true, true },
        { "\"a\"|\"b\"|\"c\"", "\"c\"", true, true },
        { "\"a\"|\"b\"", "\"c\"", false, false },
        { "\"a\"|W/\"b\"", "\"b\"", false, true },
        { "\"a\", \"b\"|\"c\", \"d\"", "\"d\"", true, true },
        { "|\"a\"", "\"a\"", true, true },
        { "\"a\"|", "\"a\"", true, true },
        { "\"a\",|,\"b\"", "\"b\"", true, true },
        { "|", "\"a\"", false, false },
        { "\"a\"|\"b\"", NULL, false, false },
    };
    rows_expect(rows, COUNT(rows));
}

static void a_malformed_line_makes_the_whole_list_malformed(void **state)
{
    (void)state;
    static const struct lines_row rows[] = {
        { "\"a\"|b", "\"a\"", false, false },   { "b|\"a\"", "\"a\"", false, false },
        { "\"a\"|\"b", "\"a\"", false, false }, { "\"a|b\"", "\"a\"", false, false },
        { "W/|\"a\"", "\"a\"", false, false },
    };
    rows_expect(rows, COUNT(rows));
}

static void an_asterisk_stands_alone_and_in_one_line(void **state)
{
    (void)state;
    static const struct lines_row rows[] = {
        { "*", "\"a\"", true, true },         { "*|\"a\"", "\"a\"", false, false },
        { "\"a\"|*", "\"a\"", false, false }, { "*|*", "\"a\"", false, false },
        { "*|", "\"a\"", false, false },      { "|*", "\"a\"", false, false },
        { "*|*", NULL, false, false },
    };
    rows_expect(rows, COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lines_of_a_list_count_as_one),
        cmocka_unit_test(a_malformed_line_makes_the_whole_list_malformed),
        cmocka_unit_test(an_asterisk_stands_alone_and_in_one_line),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_condition_lines", tests, NULL, NULL) == 0 ? 0 : 1;
}

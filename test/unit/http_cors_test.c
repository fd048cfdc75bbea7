/* CORS: who is let in, what is said to whom, and that nothing unchecked is said back. */
#include <stdio.h>

#include "http/http_cors.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define EXPOSED                                                                         \
    "Access-Control-Expose-Headers: ETag, Content-Length, Content-Range, Accept-Ranges" \
    "\r\n"
#define METHODS "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"
#define LASTS   "Access-Control-Max-Age: 86400\r\nVary: Access-Control-Request-Headers\r\n"
#define ANYBODY "Access-Control-Allow-Origin: *\r\n"
#define ONE     "Access-Control-Allow-Origin: https://a.example\r\n"
#define PER_ONE "Vary: Origin\r\n"
#define POLICY  "https://a.example https://b.example:8443"

static struct slice text_of(const char *text)
{
    return text != NULL ? slice_from_string(text) : SLICE_NONE;
}

static void origins_are_compared_whole_and_ignoring_case(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        const char *origin;
        enum http_cors_result expected;
    } rows[] = {
        { POLICY, "https://a.example", HTTP_CORS_ORIGIN },
        { POLICY, "https://b.example:8443", HTTP_CORS_ORIGIN },
        { POLICY, "HTTPS://A.Example", HTTP_CORS_ORIGIN },
        { "HTTPS://A.EXAMPLE", "https://a.example", HTTP_CORS_ORIGIN },
        { POLICY, "https://b.example", HTTP_CORS_NONE },
        { POLICY, "https://a.example:443", HTTP_CORS_NONE },
        { POLICY, "http://a.example", HTTP_CORS_NONE },
        { POLICY, "https://a.example.evil", HTTP_CORS_NONE },
        { POLICY, "https://a.exampl", HTTP_CORS_NONE },
        { POLICY, "https://evil.a.example", HTTP_CORS_NONE },
        { POLICY, "https://a.example/", HTTP_CORS_NONE },
        { POLICY, POLICY, HTTP_CORS_NONE },
        { POLICY, "null", HTTP_CORS_NONE },
        { POLICY, "*", HTTP_CORS_NONE },
        { POLICY, "", HTTP_CORS_NONE },
        { POLICY, NULL, HTTP_CORS_NONE },
        { "*", "https://a.example", HTTP_CORS_ANY },
        { "*", "null", HTTP_CORS_ANY },
        { "*", NULL, HTTP_CORS_ANY },
        { "", "https://a.example", HTTP_CORS_NONE },
        { NULL, "https://a.example", HTTP_CORS_NONE },
        { NULL, NULL, HTTP_CORS_NONE },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_number_equal(rows[i].origin != NULL ? rows[i].origin : "no origin",
                            http_cors_evaluate(text_of(rows[i].policy), text_of(rows[i].origin)),
                            rows[i].expected);
    }
}

static void an_origin_matches_up_to_its_largest_size(void **state)
{
    (void)state;
    char policy[HTTP_CORS_ORIGIN_SIZE_MAX + 1];
    memset(policy, 'a', sizeof(policy));
    for (size_t size = HTTP_CORS_ORIGIN_SIZE_MAX - 1; size <= sizeof(policy); size++) {
        struct slice origin = slice_of(policy, size);
        assert_int_equal(http_cors_evaluate(origin, origin),
                         size <= HTTP_CORS_ORIGIN_SIZE_MAX ? HTTP_CORS_ORIGIN : HTTP_CORS_NONE);
    }
}

static void a_preflight_is_options_with_origin_and_method(void **state)
{
    (void)state;
    static const struct {
        enum http_method method;
        const char *origin;
        const char *asked;
        bool expected;
    } rows[] = {
        { HTTP_METHOD_OPTIONS, "o", "GET", true },   { HTTP_METHOD_OPTIONS, "o", "PUT", true },
        { HTTP_METHOD_GET, "o", "GET", false },      { HTTP_METHOD_HEAD, "o", "GET", false },
        { HTTP_METHOD_OPTIONS, NULL, "GET", false }, { HTTP_METHOD_OPTIONS, "o", NULL, false },
        { HTTP_METHOD_OPTIONS, "", "GET", false },   { HTTP_METHOD_OPTIONS, "o", "", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request request = {
            .method = rows[i].method,
            .origin = text_of(rows[i].origin),
            .access_control_request_method = text_of(rows[i].asked),
        };
        assert_int_equal(http_cors_is_preflight(&request), rows[i].expected);
    }
}

static void lines_expect(const char *policy, const char *origin, const char *headers,
                         bool is_preflight, const char *expected)
{
    struct http_request request = {
        .origin = text_of(origin),
        .access_control_request_headers = text_of(headers),
    };
    char buffer[HTTP_CORS_SIZE_MAX];
    size_t size = http_cors_write(text_of(policy), &request, is_preflight, buffer, sizeof(buffer));
    assert_slice_equal(headers != NULL ? headers : "no headers", slice_of(buffer, size),
                       slice_from_string(expected));
}

static void each_answer_says_who_may_read_it(void **state)
{
    (void)state;
    lines_expect("*", NULL, NULL, false, ANYBODY EXPOSED);
    lines_expect("*", "https://x.example", NULL, false, ANYBODY EXPOSED);
    lines_expect(POLICY, "https://a.example", NULL, false, ONE PER_ONE EXPOSED);
    lines_expect(POLICY, "HTTPS://a.example", NULL, false,
                 "Access-Control-Allow-Origin: HTTPS://a.example\r\n" PER_ONE EXPOSED);
    lines_expect(NULL, "https://a.example", NULL, false, "");
    lines_expect("", "https://a.example", NULL, true, "");
}

static void answers_that_differ_by_origin_say_so_to_everybody(void **state)
{
    (void)state;
    lines_expect(POLICY, NULL, NULL, false, PER_ONE);
    lines_expect(POLICY, "https://x.example", NULL, false, PER_ONE);
    lines_expect(POLICY, "https://x.example", "x-a", true, PER_ONE);
}

static void a_preflight_is_told_methods_names_and_for_how_long(void **state)
{
    (void)state;
    lines_expect("*", "https://x.example", NULL, true, ANYBODY METHODS LASTS);
    lines_expect(POLICY, "https://a.example", NULL, true, ONE PER_ONE METHODS LASTS);
    lines_expect("*", "https://x.example", "x-a,range", true,
                 ANYBODY METHODS "Access-Control-Allow-Headers: x-a, range\r\n" LASTS);
    lines_expect("*", "https://x.example", "\t,x-a ,, If-Range,", true,
                 ANYBODY METHODS "Access-Control-Allow-Headers: x-a, If-Range\r\n" LASTS);
}

static void names_that_are_no_tokens_are_not_repeated(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "",         ",",          " , ",       "x a",
        "x-a, b:c", "x-a, \"b\"", "x-a; q=1",  "x-a\r\nSet-Cookie: b",
        "x-a\rb",   "x-a\nb",     "x-a, <b>",  "x-\xc3\xa4",
        "x/y",      "x=y",        "x-a, \x7f", "x-a, \x01",
        "(x)",      "x@y",
    };
    for (size_t i = 0; i < COUNT(lists); i++) {
        lines_expect("*", "https://x.example", lists[i], true, ANYBODY METHODS LASTS);
    }
}

static void names_are_repeated_up_to_their_largest_size(void **state)
{
    (void)state;
    char names[HTTP_CORS_HEADERS_SIZE_MAX + 2];
    char buffer[HTTP_CORS_SIZE_MAX];
    memset(names, 'x', sizeof(names));
    memcpy(names + 500, ", ", 2);
    for (size_t size = HTTP_CORS_HEADERS_SIZE_MAX - 1; size <= HTTP_CORS_HEADERS_SIZE_MAX + 1;
         size++) {
        struct http_request request = {
            .access_control_request_headers = slice_of(names, size),
        };
        size_t written = http_cors_write(SLICE("*"), &request, true, buffer, sizeof(buffer));
        assert_int_equal(slice_contains(slice_of(buffer, written), slice_of(names, size)),
                         size <= HTTP_CORS_HEADERS_SIZE_MAX);
        assert_int_equal(written, strlen(ANYBODY METHODS LASTS) +
                                      (size <= HTTP_CORS_HEADERS_SIZE_MAX
                                           ? strlen("Access-Control-Allow-Headers: \r\n") + size
                                           : 0));
    }
}

static void names_in_several_lines_are_one_list(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        const char *allowed;
    } rows[] = {
        { "x-a\r\nAccess-Control-Request-Headers: x-b", "x-a, x-b" },
        { "x-a\r\nAccess-Control-Request-Headers:", "x-a" },
        { "\r\nAccess-Control-Request-Headers: x-b,x-c", "x-b, x-c" },
        { "x-a\r\nAccess-Control-Request-Headers: b:c", NULL },
        { "b:c\r\nAccess-Control-Request-Headers: x-a", NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[256];
        char expected[512];
        char buffer[HTTP_CORS_SIZE_MAX];
        (void)snprintf(text, sizeof(text),
                       "OPTIONS / HTTP/1.0\r\nAccess-Control-Request-Headers: %s\r\n\r\n",
                       rows[i].fields);
        (void)snprintf(expected, sizeof(expected), ANYBODY METHODS "%s%s%s" LASTS,
                       rows[i].allowed != NULL ? "Access-Control-Allow-Headers: " : "",
                       rows[i].allowed != NULL ? rows[i].allowed : "",
                       rows[i].allowed != NULL ? "\r\n" : "");
        struct http_parser parser;
        struct http_request request;
        http_parser_init(&parser);
        assert_int_equal(http_parse_head(&parser, text, strlen(text), &request), HTTP_PARSE_DONE);
        size_t size = http_cors_write(SLICE("*"), &request, true, buffer, sizeof(buffer));
        assert_slice_equal(rows[i].fields, slice_of(buffer, size), slice_from_string(expected));
    }
}

static void lines_that_do_not_fit_are_not_sent(void **state)
{
    (void)state;
    struct http_request request = {
        .origin = SLICE("https://a.example"),
        .access_control_request_headers = SLICE("x-a, x-b"),
    };
    char whole[HTTP_CORS_SIZE_MAX];
    size_t needed = http_cors_write(SLICE(POLICY), &request, true, whole, sizeof(whole));
    assert_true(needed > 0);
    for (size_t size = 0; size <= needed + 1; size++) {
        char buffer[HTTP_CORS_SIZE_MAX];
        memset(buffer, '#', sizeof(buffer));
        size_t written = http_cors_write(SLICE(POLICY), &request, true, buffer, size);
        assert_int_equal(written, size < needed ? 0 : needed);
        assert_int_equal(buffer[size], '#');
    }
}

static void the_longest_lines_fit(void **state)
{
    (void)state;
    char origin[HTTP_CORS_ORIGIN_SIZE_MAX];
    char names[HTTP_CORS_HEADERS_SIZE_MAX];
    char buffer[HTTP_CORS_SIZE_MAX];
    memset(origin, 'o', sizeof(origin));
    memset(names, 'x', sizeof(names));
    struct http_request request = {
        .origin = slice_of(origin, sizeof(origin)),
        .access_control_request_headers = slice_of(names, sizeof(names)),
    };
    size_t size = http_cors_write(request.origin, &request, true, buffer, sizeof(buffer));
    assert_true(size > sizeof(origin) + sizeof(names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origins_are_compared_whole_and_ignoring_case),
        cmocka_unit_test(an_origin_matches_up_to_its_largest_size),
        cmocka_unit_test(a_preflight_is_options_with_origin_and_method),
        cmocka_unit_test(each_answer_says_who_may_read_it),
        cmocka_unit_test(answers_that_differ_by_origin_say_so_to_everybody),
        cmocka_unit_test(a_preflight_is_told_methods_names_and_for_how_long),
        cmocka_unit_test(names_that_are_no_tokens_are_not_repeated),
        cmocka_unit_test(names_are_repeated_up_to_their_largest_size),
        cmocka_unit_test(names_in_several_lines_are_one_list),
        cmocka_unit_test(lines_that_do_not_fit_are_not_sent),
        cmocka_unit_test(the_longest_lines_fit),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_cors", tests, NULL, NULL) == 0 ? 0 : 1;
}

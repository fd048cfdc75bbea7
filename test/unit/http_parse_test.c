/* What gyre accepts while it reads a head, what it makes of it, and a parser's life. */
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
    assert_int_equal(feed->parser.head_size, size);
}

static void assert_slice(struct slice slice, const char *expected)
{
    assert_non_null(slice.data);
    assert_int_equal(slice.size, strlen(expected));
    assert_memory_equal(slice.data, expected, slice.size);
}

/* --- tables: accepted hosts, lines and lengths ----------------------------------------------- */

/* clang-format off */
static const struct feed_row accepted_rows[] = {
    FEED_ROW("an_empty_host_is_accepted", 0, GET_LINE "Host:\r\n\r\n"),
    FEED_ROW("a_blank_host_is_accepted", 0, GET_LINE "Host: \t \r\n\r\n"),
    FEED_ROW("a_host_with_a_port_is_accepted", 0, GET_LINE "Host: example.com:65535\r\n\r\n"),
    FEED_ROW("a_host_with_an_empty_port_is_accepted", 0, GET_LINE "Host: example.com:\r\n\r\n"),
    FEED_ROW("a_host_with_an_escape_is_accepted", 0, GET_LINE "Host: a%2Db\r\n\r\n"),
    FEED_ROW("an_ipv4_host_is_accepted", 0, GET_LINE "Host: 127.0.0.1:8080\r\n\r\n"),
    FEED_ROW("an_ipv6_host_is_accepted", 0, GET_LINE "Host: [::1]:8080\r\n\r\n"),
    FEED_ROW("an_unspecified_ipv6_host_is_accepted", 0, GET_LINE "Host: [::]\r\n\r\n"),
    FEED_ROW("a_full_ipv6_host_is_accepted", 0, GET_LINE "Host: [1:2:3:4:5:6:7:8]\r\n\r\n"),
    FEED_ROW("an_ipv6_host_elided_inside_is_accepted", 0, GET_LINE "Host: [1:2::7:8]\r\n\r\n"),
    FEED_ROW("an_ipv6_host_elided_at_its_end_is_accepted", 0, GET_LINE "Host: [fe80::]\r\n\r\n"),
    FEED_ROW("an_ipv6_host_with_one_group_elided_is_accepted", 0,
             GET_LINE "Host: [::1:2:3:4:5:6:7]\r\n\r\n"),
    FEED_ROW("an_ipv6_host_with_ipv4_is_accepted", 0, GET_LINE "Host: [::ffff:1.2.3.4]\r\n\r\n"),
    FEED_ROW("http_1_0_without_host_is_accepted", 0, "GET / HTTP/1.0\r\n\r\n"),
    FEED_ROW("two_blank_lines_before_the_request_are_skipped", 0,
             "\r\n\r\n" GET_LINE HOST "\r\n"),
    FEED_ROW("a_value_with_obs_text_is_accepted", 0, GET_LINE HOST "X: \xc3\xa9\xff\r\n\r\n"),
    FEED_ROW("a_value_with_tabs_inside_is_accepted", 0, GET_LINE HOST "X: a\tb\r\n\r\n"),
    FEED_ROW("an_empty_value_is_accepted", 0, GET_LINE HOST "X:\r\n\r\n"),
    FEED_ROW("every_token_byte_is_accepted_in_a_name", 0,
             GET_LINE HOST "!#$%&'*+-.^_`|~09azAZ: a\r\n\r\n"),
    FEED_ROW("every_printable_byte_is_accepted_in_a_target", 0,
             "GET /!\"$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~ HTTP/1.1\r\n" HOST "\r\n"),
    FEED_ROW("a_method_of_32_bytes_is_accepted", 0,
             "ABCDEFGHIJKLMNOPQRSTUVWXYZ-12345 / HTTP/1.1\r\n" HOST "\r\n"),
    FEED_ROW("an_upgrade_is_read_like_any_request", 0,
             GET_LINE HOST "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
    FEED_ROW("an_expectation_in_other_case_is_accepted", 0,
             GET_LINE HOST "Expect: 100-Continue\r\n\r\n"),
    FEED_ROW("an_empty_expectation_is_accepted", 0, GET_LINE HOST "Expect:\r\n\r\n"),
    FEED_ROW("a_content_length_of_20_digits_is_accepted", 0,
             GET_LINE HOST "Content-Length: 00000000000000000005\r\n\r\n"),
    FEED_ROW("a_content_length_of_63_bits_is_accepted", 0,
             GET_LINE HOST "Content-Length: 9223372036854775807\r\n\r\n"),
    FEED_ROW("chunked_in_other_case_is_accepted", 0,
             GET_LINE HOST "Transfer-Encoding:\t Chunked \r\n\r\n"),
    FEED_ROW("an_absolute_form_that_agrees_with_host_is_accepted", 0,
             "GET http://a/ HTTP/1.1\r\n" HOST "\r\n"),
    FEED_ROW("an_absolute_form_agrees_in_any_case", 0,
             "GET HTTP://EXAMPLE.com/ HTTP/1.1\r\nHost: example.COM\r\n\r\n"),
    FEED_ROW("an_absolute_form_agrees_over_the_default_port", 0,
             "GET http://a:80/ HTTP/1.1\r\n" HOST "\r\n"),
    FEED_ROW("an_absolute_https_form_agrees_over_its_default_port", 0,
             "GET https://a/ HTTP/1.1\r\nHost: a:443\r\n\r\n"),
    FEED_ROW("an_absolute_form_in_http_1_0_needs_no_host", 0,
             "GET http://a/ HTTP/1.0\r\n\r\n"),
};
/* clang-format on */

static void is_accepted(void **state)
{
    const struct feed_row *row = *state;
    struct feed feed;
    accept(&feed, row->text, row->size);
    assert_non_null(feed.request.line.data);
    feed_free(&feed);
}

/* --- what a request means ----------------------------------------------------------------------
 */

static void a_target_is_split_into_path_and_query(void **state)
{
    (void)state;
    struct feed feed;
    ACCEPT(&feed, "GET /a%20b/c?d=e?f HTTP/1.1\r\nHost: a:80\r\n\r\n");
    assert_int_equal(feed.request.method, HTTP_METHOD_GET);
    assert_slice(feed.request.line, "GET /a%20b/c?d=e?f HTTP/1.1");
    assert_slice(feed.request.method_token, "GET");
    assert_slice(feed.request.target, "/a%20b/c?d=e?f");
    assert_slice(feed.request.path, "/a%20b/c");
    assert_slice(feed.request.query, "d=e?f");
    assert_slice(feed.request.host, "a:80");
    feed_free(&feed);
}

static void a_target_without_a_mark_has_no_query(void **state)
{
    (void)state;
    struct feed feed;
    ACCEPT(&feed, "\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(feed.request.method, HTTP_METHOD_HEAD);
    assert_slice(feed.request.line, "HEAD / HTTP/1.1");
    assert_slice(feed.request.path, "/");
    assert_null(feed.request.query.data);
    feed_free(&feed);
}

static void a_target_that_ends_in_a_mark_has_an_empty_query(void **state)
{
    (void)state;
    struct feed feed;
    ACCEPT(&feed, "GET /a? HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_slice(feed.request.path, "/a");
    assert_slice(feed.request.query, "");
    feed_free(&feed);
}

static void an_asterisk_has_no_path(void **state)
{
    (void)state;
    struct feed feed;
    ACCEPT(&feed, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(feed.request.method, HTTP_METHOD_OPTIONS);
    assert_slice(feed.request.target, "*");
    assert_null(feed.request.path.data);
    feed_free(&feed);
}

static void an_absolute_form_gives_authority_path_and_query(void **state)
{
    (void)state;
    struct feed feed;
    ACCEPT(&feed, "GET http://A:80/b/?c HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_slice(feed.request.host, "A:80");
    assert_slice(feed.request.path, "/b/");
    assert_slice(feed.request.query, "c");
    assert_slice(feed.request.target, "http://A:80/b/?c");
    feed_free(&feed);
}

static void an_absolute_form_without_a_path_means_the_root(void **state)
{
    (void)state;
    struct feed feed;
    ACCEPT(&feed, "GET http://a?b HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_slice(feed.request.path, "/");
    assert_slice(feed.request.query, "b");
    feed_free(&feed);
}

/* The request line is "METHOD / HTTP/1.1", as sent. */
static enum http_method method_of(const char *method)
{
    char text[128];
    struct feed feed;
    int size = snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\n\r\n", method);
    accept(&feed, text, (size_t)size);
    assert_slice(feed.request.method_token, method);
    enum http_method result = feed.request.method;
    feed_free(&feed);
    return result;
}

static void registered_methods_are_told_from_unknown_ones(void **state)
{
    static const char *const registered[] = {
        "POST",   "PUT",    "DELETE", "PATCH", "TRACE",      "PROPFIND", "PROPPATCH",
        "MKCOL",  "COPY",   "MOVE",   "LOCK",  "UNLOCK",     "REPORT",   "SEARCH",
        "ACL",    "BIND",   "LINK",   "LABEL", "MKCALENDAR", "UPDATE",   "VERSION-CONTROL",
        "UNLINK", "REBIND", "UNBIND", "MERGE", "CHECKIN",    "CHECKOUT", "BASELINE-CONTROL",
    };
    static const char *const unknown[] = { "BREW", "get", "GETX", "GE", "POSTS", "SOURCE", "PLAY" };
    (void)state;
    for (size_t i = 0; i < FEED_COUNT(registered); i++) {
        assert_int_equal(method_of(registered[i]), HTTP_METHOD_OTHER);
    }
    for (size_t i = 0; i < FEED_COUNT(unknown); i++) {
        assert_int_equal(method_of(unknown[i]), HTTP_METHOD_UNKNOWN);
    }
}

static void later_minor_versions_are_read_as_1_1(void **state)
{
    (void)state;
    for (char minor = '0'; minor <= '9'; minor++) {
        char text[] = "GET / HTTP/1.x\r\nHost: a\r\nTE: trailers\r\n\r\n";
        struct feed feed;
        text[sizeof("GET / HTTP/1.") - 1] = minor;
        accept(&feed, text, sizeof(text) - 1);
        assert_int_equal(feed.request.version_minor, minor == '0' ? 0 : 1);
        assert_int_equal(feed.request.keep_alive, minor != '0');
        feed_free(&feed);
    }
}

static bool keeps_alive(const char *version, const char *fields)
{
    char text[256];
    struct feed feed;
    int size = snprintf(text, sizeof(text), "GET / %s\r\nHost: a\r\n%s\r\n", version, fields);
    accept(&feed, text, (size_t)size);
    bool result = feed.request.keep_alive;
    feed_free(&feed);
    return result;
}

static void connection_tokens_decide_persistence(void **state)
{
    (void)state;
    assert_true(keeps_alive("HTTP/1.1", ""));
    assert_false(keeps_alive("HTTP/1.0", ""));
    assert_true(keeps_alive("HTTP/1.0", "Connection: Keep-Alive\r\n"));
    assert_false(keeps_alive("HTTP/1.1", "Connection: CLOSE\r\n"));
    assert_false(keeps_alive("HTTP/1.1", "Connection: foo ,\t close , bar\r\n"));
    assert_false(keeps_alive("HTTP/1.1", "Connection: foo\r\nX: y\r\nconnection: close\r\n"));
    assert_false(keeps_alive("HTTP/1.0", "Connection: close, keep-alive\r\n"));
    assert_false(keeps_alive("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
    assert_true(keeps_alive("HTTP/1.1", "Connection: closed, \"close\", clo se\r\n"));
    assert_true(keeps_alive("HTTP/1.1", "Connection: ,,\r\nX: close\r\n"));
}

static void known_fields_are_collected_trimmed(void **state)
{
    (void)state;
    struct feed feed;
    ACCEPT(&feed, GET_LINE HOST
           "ACCEPT: \t a/b \t\r\naccept-encoding:br\r\nAuthorization: Basic eA==\r\n"
           "If-Match: \"m\"\r\nIf-None-Match: \"n\"\r\nIf-Modified-Since: ms\r\n"
           "If-Unmodified-Since: us\r\nIf-Range: ir\r\nRange: bytes=0-\r\nOrigin: null\r\n"
           "Referer: r\r\nUser-Agent: u a\r\naccess-control-request-method: GET\r\n"
           "Access-Control-Request-Headers: x-a, x-b\r\n\r\n");
    assert_slice(feed.request.accept, "a/b");
    assert_slice(feed.request.accept_encoding, "br");
    assert_slice(feed.request.authorization, "Basic eA==");
    assert_slice(feed.request.if_match, "\"m\"");
    assert_slice(feed.request.if_none_match, "\"n\"");
    assert_slice(feed.request.if_modified_since, "ms");
    assert_slice(feed.request.if_unmodified_since, "us");
    assert_slice(feed.request.if_range, "ir");
    assert_slice(feed.request.range, "bytes=0-");
    assert_slice(feed.request.origin, "null");
    assert_slice(feed.request.referer, "r");
    assert_slice(feed.request.user_agent, "u a");
    assert_slice(feed.request.access_control_request_method, "GET");
    assert_slice(feed.request.access_control_request_headers, "x-a, x-b");
    assert_int_equal(feed.request.repeated, 0);
    feed_free(&feed);
}

static void fields_with_like_names_are_not_taken_for_known_ones(void **state)
{
    (void)state;
    struct feed feed;
    ACCEPT(&feed,
           GET_LINE HOST "Hos: b\r\nHosts: b\r\nHos.: b\r\nX-Range: a\r\nRangf: a\r\nRanfe: a\r\n"
                         "Content_Length: 5\r\nIf^Match: a\r\n\r\n");
    assert_slice(feed.request.host, "a");
    assert_null(feed.request.range.data);
    assert_null(feed.request.if_match.data);
    assert_int_equal(feed.request.body_kind, HTTP_BODY_NONE);
    feed_free(&feed);
}

static void only_1_1_requests_with_a_body_expect_continue(void **state)
{
    (void)state;
    struct feed feed;
    ACCEPT(&feed, GET_LINE HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_true(feed.request.expects_continue);
    feed_free(&feed);
    ACCEPT(&feed, GET_LINE HOST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n");
    assert_false(feed.request.expects_continue);
    feed_free(&feed);
    ACCEPT(&feed, "GET / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_false(feed.request.expects_continue);
    feed_free(&feed);
}

static void after_an_error_only_a_complete_line_is_left_for_the_log(void **state)
{
    static const char bad[] = "GET /a?b HTTP/1.1\r\nHost: a\r\nAccept: c\r\nHost: b\r\n\r\n";
    struct feed feed;
    (void)state;
    assert_int_equal(feed_whole(&feed, bad, sizeof(bad) - 1), HTTP_PARSE_ERROR);
    assert_slice(feed.request.line, "GET /a?b HTTP/1.1");
    assert_null(feed.request.query.data);
    assert_null(feed.request.host.data);
    assert_null(feed.request.accept.data);
    feed_free(&feed);
    assert_int_equal(feed_whole(&feed, "GET /\r\n", 7), HTTP_PARSE_ERROR);
    assert_null(feed.request.line.data);
    feed_free(&feed);
}

/* --- a parser's life ---------------------------------------------------------------------------
 */

static void pipelined_heads_are_read_one_after_the_other(void **state)
{
    static const char text[] =
        "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\n";
    struct http_parser parser;
    struct http_request request;
    (void)state;
    http_parser_init(&parser);
    assert_int_equal(http_parse_head(&parser, text, sizeof(text) - 1, &request), HTTP_PARSE_DONE);
    assert_slice(request.path, "/a");
    size_t first = parser.head_size;
    http_parser_reset(&parser);
    assert_int_equal(http_parse_head(&parser, text + first, sizeof(text) - 1 - first, &request),
                     HTTP_PARSE_DONE);
    assert_slice(request.path, "/b");
    assert_slice(request.host, "b");
    assert_int_equal(first + parser.head_size, sizeof(text) - 1);
}

int main(void)
{
    static const struct CMUnitTest single[] = {
        cmocka_unit_test(a_target_is_split_into_path_and_query),
        cmocka_unit_test(a_target_without_a_mark_has_no_query),
        cmocka_unit_test(a_target_that_ends_in_a_mark_has_an_empty_query),
        cmocka_unit_test(an_asterisk_has_no_path),
        cmocka_unit_test(an_absolute_form_gives_authority_path_and_query),
        cmocka_unit_test(an_absolute_form_without_a_path_means_the_root),
        cmocka_unit_test(registered_methods_are_told_from_unknown_ones),
        cmocka_unit_test(later_minor_versions_are_read_as_1_1),
        cmocka_unit_test(connection_tokens_decide_persistence),
        cmocka_unit_test(known_fields_are_collected_trimmed),
        cmocka_unit_test(fields_with_like_names_are_not_taken_for_known_ones),
        cmocka_unit_test(only_1_1_requests_with_a_body_expect_continue),
        cmocka_unit_test(after_an_error_only_a_complete_line_is_left_for_the_log),
        cmocka_unit_test(pipelined_heads_are_read_one_after_the_other),
    };
    struct CMUnitTest tests[FEED_COUNT(single) + FEED_COUNT(accepted_rows)];
    cmocka_set_message_output(CM_OUTPUT_TAP);
    memcpy(tests, single, sizeof(single));
    feed_rows_to_tests(accepted_rows, FEED_COUNT(accepted_rows), is_accepted,
                       tests + FEED_COUNT(single));
    return cmocka_run_group_tests_name("http_parse", tests, NULL, NULL) == 0 ? 0 : 1;
}

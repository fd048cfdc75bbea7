/* Bodies: their framing, in every cut. Each text is decided at its last byte, and what follows it
 * is not touched. */
#include "http_feed.h"

#include <stdio.h>

#define CHUNKED_HEAD "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

/* A parser that has read the head and waits for the body. */
static void read_head(struct http_parser *parser, const char *head)
{
    struct http_request request;
    http_parser_init(parser);
    assert_int_equal(http_parse_head(parser, head, strlen(head), &request), HTTP_PARSE_DONE);
    assert_int_not_equal(request.body_kind, HTTP_BODY_NONE);
}

/* One call with an exact copy. Returns the result; *total grows by what was consumed. */
static enum http_parse_result read_piece(struct http_parser *parser, const char *text, size_t size,
                                         size_t *total)
{
    char *copy = feed_copy(text, size);
    size_t consumed = SIZE_MAX;
    enum http_parse_result result = http_parse_body(parser, copy, size, &consumed);
    assert_true(consumed <= size);
    if (result == HTTP_PARSE_MORE) {
        assert_int_equal(consumed, size);
    }
    *total += consumed;
    free(copy);
    return result;
}

static void expect_end(const struct http_parser *parser, size_t total, size_t size,
                       uint64_t payload_size, unsigned status)
{
    if (status != 0) {
        assert_int_equal(parser->error_status, status);
        assert_non_null(parser->error);
        assert_int_equal(total, size - 1);
    } else {
        assert_int_equal(total, size);
        assert_int_equal(parser->body_size, payload_size);
    }
}

static void body_check(const char *head, const char *text, size_t size, uint64_t payload_size,
                       unsigned status)
{
    enum http_parse_result expected = status != 0 ? HTTP_PARSE_ERROR : HTTP_PARSE_DONE;
    struct http_parser parser;
    for (size_t cut = 1; cut < size; cut = feed_next_cut(cut, size)) {
        size_t total = 0;
        read_head(&parser, head);
        assert_int_equal(read_piece(&parser, text, cut, &total), HTTP_PARSE_MORE);
        assert_int_equal(read_piece(&parser, text + cut, size - cut, &total), expected);
        expect_end(&parser, total, size, payload_size, status);
    }

    size_t total = 0;
    read_head(&parser, head);
    for (size_t at = 0; at + 1 < size; at++) {
        assert_int_equal(read_piece(&parser, text + at, 1, &total), HTTP_PARSE_MORE);
    }
    assert_int_equal(read_piece(&parser, text + size - 1, 1, &total), expected);
    expect_end(&parser, total, size, payload_size, status);

    char *longer = malloc(size + 4);
    assert_non_null(longer);
    memcpy(longer, text, size);
    memcpy(longer + size, "GET ", 4);
    total = 0;
    read_head(&parser, head);
    assert_int_equal(read_piece(&parser, longer, size + 4, &total), expected);
    expect_end(&parser, total, size, payload_size, status);
    free(longer);
}

/* clang-format off */
static const struct feed_row refused_rows[] = {
    FEED_ROW("a_chunk_size_with_0x_is_refused", 400, "0x"),
    FEED_ROW("a_chunk_size_with_a_plus_is_refused", 400, "+"),
    FEED_ROW("a_chunk_size_with_a_minus_is_refused", 400, "-"),
    FEED_ROW("a_chunk_size_with_an_underscore_is_refused", 400, "1_"),
    FEED_ROW("a_blank_before_a_chunk_size_is_refused", 400, " "),
    FEED_ROW("a_tab_before_a_chunk_size_is_refused", 400, "\t"),
    FEED_ROW("a_blank_after_a_chunk_size_is_refused", 400, "5 "),
    FEED_ROW("a_tab_after_a_chunk_size_is_refused", 400, "5\t"),
    FEED_ROW("an_empty_chunk_size_is_refused", 400, "\r"),
    FEED_ROW("an_extension_without_a_chunk_size_is_refused", 400, ";"),
    FEED_ROW("a_chunk_size_that_is_no_number_is_refused", 400, "g"),
    FEED_ROW("a_nul_in_a_chunk_size_is_refused", 400, "5\0"),
    FEED_ROW("a_decimal_point_in_a_chunk_size_is_refused", 400, "5."),
    FEED_ROW("a_chunk_size_of_64_bits_is_refused", 400, "8000000000000000"),
    FEED_ROW("a_chunk_size_past_64_bits_is_refused", 400, "1234567890abcdef0"),
    FEED_ROW("a_chunk_size_of_17_digits_is_refused", 400, "00000000000000001"),
    FEED_ROW("a_sum_of_chunks_past_63_bits_is_refused", 400, "1\r\na\r\n7fffffffffffffff"),
    FEED_ROW("a_bare_lf_after_a_chunk_size_is_refused", 400, "5\n"),
    FEED_ROW("a_bare_cr_after_a_chunk_size_is_refused", 400, "5\rh"),
    FEED_ROW("a_bare_semicolon_is_refused", 400, "5;\r"),
    FEED_ROW("two_semicolons_are_refused", 400, "5;;"),
    FEED_ROW("a_blank_after_a_semicolon_is_refused", 400, "5; "),
    FEED_ROW("a_blank_after_an_extension_name_is_refused", 400, "5;a "),
    FEED_ROW("an_extension_without_a_name_is_refused", 400, "5;="),
    FEED_ROW("an_extension_with_an_empty_value_is_refused", 400, "5;a=\r"),
    FEED_ROW("an_extension_name_that_is_no_token_is_refused", 400, "5;a("),
    FEED_ROW("an_extension_value_that_is_no_token_is_refused", 400, "5;a=b/"),
    FEED_ROW("an_extension_with_two_equals_signs_is_refused", 400, "5;a=b="),
    FEED_ROW("a_control_byte_in_an_extension_is_refused", 400, "5;a\x01"),
    FEED_ROW("a_nul_in_an_extension_is_refused", 400, "5;a=\0"),
    FEED_ROW("a_bare_lf_in_an_extension_is_refused", 400, "5;a\n"),
    FEED_ROW("a_bare_cr_in_an_extension_is_refused", 400, "5;a\rb"),
    FEED_ROW("a_byte_above_ascii_in_an_extension_name_is_refused", 400, "5;\xc3"),
    FEED_ROW("a_control_byte_in_a_quoted_extension_is_refused", 400, "5;a=\"b\x01"),
    FEED_ROW("a_tab_in_a_quoted_extension_is_refused", 400, "5;a=\"b\t"),
    FEED_ROW("a_cr_in_a_quoted_extension_is_refused", 400, "5;a=\"b\r"),
    FEED_ROW("a_lf_in_a_quoted_extension_is_refused", 400, "5;a=\"b\n"),
    FEED_ROW("an_escaped_cr_in_a_quoted_extension_is_refused", 400, "5;a=\"b\\\r"),
    FEED_ROW("an_escaped_tab_in_a_quoted_extension_is_refused", 400, "5;a=\"b\\\t"),
    FEED_ROW("junk_after_a_quoted_extension_is_refused", 400, "5;a=\"b\"c"),
    FEED_ROW("data_longer_than_its_chunk_is_refused", 400, "5\r\nhellox"),
    FEED_ROW("a_bare_lf_after_data_is_refused", 400, "5\r\nhello\n"),
    FEED_ROW("a_bare_cr_after_data_is_refused", 400, "5\r\nhello\r0"),
    FEED_ROW("an_extension_of_the_last_chunk_is_checked_too", 400, "0;\r"),
    FEED_ROW("a_folded_trailer_is_refused", 400, "0\r\nX: a\r\n "),
    FEED_ROW("a_trailer_without_a_colon_is_refused", 400, "0\r\nX\r"),
    FEED_ROW("a_space_before_a_trailers_colon_is_refused", 400, "0\r\nX "),
    FEED_ROW("a_nul_in_a_trailer_is_refused", 400, "0\r\nX: \0"),
    FEED_ROW("a_trailer_that_ends_in_a_bare_lf_is_refused", 400, "0\r\nX: a\n"),
    FEED_ROW("a_chunked_body_that_ends_in_a_bare_lf_is_refused", 400, "0\r\n\n"),
    FEED_ROW("a_chunked_body_that_ends_in_a_bare_cr_is_refused", 400, "0\r\n\rG"),
};

/* status stands for the size of the payload here. */
static const struct feed_row accepted_rows[] = {
    FEED_ROW("an_empty_chunked_body_is_accepted", 0, "0\r\n\r\n"),
    FEED_ROW("a_last_chunk_of_many_zeros_is_accepted", 0, "0000000000000000\r\n\r\n"),
    FEED_ROW("one_chunk_is_accepted", 5, "5\r\nhello\r\n0\r\n\r\n"),
    FEED_ROW("data_that_looks_like_framing_is_passed_over", 7, "7\r\n0\r\n\r\n\0\n\r\n0\r\n\r\n"),
    FEED_ROW("several_chunks_are_summed", 29,
             "3\r\nabc\r\n00A\r\n0123456789\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"),
    FEED_ROW("a_chunk_size_in_both_cases_is_accepted", 21, "a\r\n0123456789\r\nB\r\n"
             "0123456789a\r\n0\r\n\r\n"),
    FEED_ROW("each_chunk_size_has_its_own_16_digits", 3,
             "0000000000000001\r\na\r\n0000000000000002\r\nbc\r\n0\r\n\r\n"),
    FEED_ROW("extensions_are_passed_over", 1,
             "1;a;b=c;d=\"e f;\\\"\\\\\xc3\";g\r\nx\r\n0;z=\"\"\r\n\r\n"),
    FEED_ROW("trailers_are_passed_over", 1, "1\r\nx\r\n0\r\nA: b\r\nContent-Length: 5\r\n\r\n"),
};
/* clang-format on */

static void is_refused(void **state)
{
    const struct feed_row *row = *state;
    assert_true(row->status >= 400);
    body_check(CHUNKED_HEAD, row->text, row->size, 0, row->status);
}

static void is_accepted(void **state)
{
    const struct feed_row *row = *state;
    assert_true(row->size > 0);
    body_check(CHUNKED_HEAD, row->text, row->size, row->status, 0);
}

static void a_body_with_a_length_is_read_to_its_end(void **state)
{
    (void)state;
    body_check("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", "GET / \r\n\r", 9, 9, 0);
}

static void a_body_of_one_byte_is_read(void **state)
{
    (void)state;
    body_check("GET / HTTP/1.0\r\nContent-Length: 1\r\n\r\n", "x", 1, 1, 0);
}

static void a_content_length_of_zero_announces_no_body(void **state)
{
    static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    struct http_parser parser;
    struct http_request request;
    (void)state;
    http_parser_init(&parser);
    assert_int_equal(http_parse_head(&parser, head, sizeof(head) - 1, &request), HTTP_PARSE_DONE);
    assert_int_equal(request.body_kind, HTTP_BODY_NONE);
    assert_int_equal(request.content_length, 0);
    http_parser_reset(&parser);
    assert_int_equal(http_parse_head(&parser, head, sizeof(head) - 1, &request), HTTP_PARSE_DONE);
}

static void a_length_near_63_bits_is_counted_down_without_overflow(void **state)
{
    struct http_parser parser;
    size_t total = 0;
    (void)state;
    read_head(&parser, "GET / HTTP/1.0\r\nContent-Length: 9223372036854775807\r\n\r\n");
    assert_int_equal(read_piece(&parser, "abc", 3, &total), HTTP_PARSE_MORE);
    assert_int_equal(parser.body_size, 3);
    assert_true(parser.body_left == (uint64_t)INT64_MAX - 3);
}

static void the_next_request_follows_a_body(void **state)
{
    struct http_parser parser;
    struct http_request request;
    size_t total = 0;
    static const char text[] = "1\r\nx\r\n0\r\n\r\nGET /b HTTP/1.0\r\n\r\n";
    (void)state;
    read_head(&parser, CHUNKED_HEAD);
    assert_int_equal(read_piece(&parser, text, sizeof(text) - 1, &total), HTTP_PARSE_DONE);
    http_parser_reset(&parser);
    assert_int_equal(parser.body_size, 0);
    assert_int_equal(http_parse_head(&parser, text + total, sizeof(text) - 1 - total, &request),
                     HTTP_PARSE_DONE);
    assert_int_equal(request.path.size, 2);
    assert_memory_equal(request.path.data, "/b", 2);
}

/* Two chunks whose extensions have `size` bytes together, and the end of the body. */
static size_t build_extensions(char *text, size_t size)
{
    size_t at = (size_t)snprintf(text, 32, "1;a=\"b\"\r\nx\r\n1;");
    for (size_t i = 0; i < size - 7; i++) {
        text[at++] = (char)('a' + i % 26);
    }
    memcpy(text + at, "\r\nx\r\n0\r\n\r\n", 10);
    return at + 10;
}

static void extensions_of_4_kib_are_accepted_and_no_more(void **state)
{
    char text[HTTP_CHUNK_EXTENSIONS_SIZE_MAX + 64];
    (void)state;
    for (size_t under = 0; under < 2; under++) {
        size_t size = build_extensions(text, HTTP_CHUNK_EXTENSIONS_SIZE_MAX - under);
        body_check(CHUNKED_HEAD, text, size, 2, 0);
    }
    size_t size = build_extensions(text, HTTP_CHUNK_EXTENSIONS_SIZE_MAX + 1);
    body_check(CHUNKED_HEAD, text, size - 10, 0, 400);
}

/* A body whose trailer lines have `size` bytes, CRLFs included. */
static size_t build_trailers(char *text, size_t size)
{
    size_t at = (size_t)snprintf(text, 32, "0\r\nX: ");
    for (size_t i = 0; i < size - 5; i++) {
        text[at++] = (char)('a' + i % 26);
    }
    memcpy(text + at, "\r\n\r\n", 4);
    return at + 4;
}

static void trailers_of_4_kib_are_accepted_and_no_more(void **state)
{
    char text[HTTP_TRAILERS_SIZE_MAX + 64];
    (void)state;
    for (size_t under = 0; under < 2; under++) {
        size_t size = build_trailers(text, HTTP_TRAILERS_SIZE_MAX - under);
        body_check(CHUNKED_HEAD, text, size, 0, 0);
    }
    size_t size = build_trailers(text, HTTP_TRAILERS_SIZE_MAX + 1);
    body_check(CHUNKED_HEAD, text, size - 2, 0, 431);
}

int main(void)
{
    static const struct CMUnitTest single[] = {
        cmocka_unit_test(a_body_with_a_length_is_read_to_its_end),
        cmocka_unit_test(a_body_of_one_byte_is_read),
        cmocka_unit_test(a_content_length_of_zero_announces_no_body),
        cmocka_unit_test(a_length_near_63_bits_is_counted_down_without_overflow),
        cmocka_unit_test(the_next_request_follows_a_body),
        cmocka_unit_test(extensions_of_4_kib_are_accepted_and_no_more),
        cmocka_unit_test(trailers_of_4_kib_are_accepted_and_no_more),
    };
    enum {
        ROWS = FEED_COUNT(refused_rows) + FEED_COUNT(accepted_rows)
    };
    struct CMUnitTest tests[FEED_COUNT(single) + ROWS];
    cmocka_set_message_output(CM_OUTPUT_TAP);
    memcpy(tests, single, sizeof(single));
    feed_rows_to_tests(refused_rows, FEED_COUNT(refused_rows), is_refused,
                       tests + FEED_COUNT(single));
    feed_rows_to_tests(accepted_rows, FEED_COUNT(accepted_rows), is_accepted,
                       tests + FEED_COUNT(single) + FEED_COUNT(refused_rows));
    return cmocka_run_group_tests_name("http_body", tests, NULL, NULL) == 0 ? 0 : 1;
}

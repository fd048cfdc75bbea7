/* Heads: every field, exactly; sizes; nothing past the buffer. */
#include "http/http_head.h"
#include "slice_assert.h"

static const char sample_date[] = "Sun, 06 Nov 1994 08:49:37 GMT";

static void head_expect(const char *row, struct http_head head, const char *expected)
{
    char buffer[HTTP_HEAD_FIXED_SIZE_MAX];
    size_t size = http_head_write_fixed(&head, buffer, sizeof(buffer));
    assert_slice_equal(row, slice_of(buffer, size), slice_from_string(expected));
}

static struct http_head full_head(void)
{
    return (struct http_head){
        .status = 200,
        .has_content_length = true,
        .accept_ranges = true,
        .content_length = 4096,
        .content_type = SLICE("text/css; charset=utf-8"),
        .etag = SLICE("\"1000-abc-1\""),
        .last_modified = SLICE("Sun, 06 Nov 1994 08:49:37 GMT"),
    };
}

static void a_file_has_all_its_fields(void **state)
{
    (void)state;
    head_expect("200", full_head(),
                "HTTP/1.1 200 OK\r\n"
                "Server: gyre\r\n"
                "Content-Type: text/css; charset=utf-8\r\n"
                "X-Content-Type-Options: nosniff\r\n"
                "Content-Length: 4096\r\n"
                "Accept-Ranges: bytes\r\n"
                "ETag: \"1000-abc-1\"\r\n"
                "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
}

static void absent_fields_write_nothing(void **state)
{
    (void)state;
    head_expect("204", (struct http_head){ .status = 204 },
                "HTTP/1.1 204 No Content\r\nServer: gyre\r\n");
}

static void a_redirect_has_its_location(void **state)
{
    (void)state;
    head_expect("301",
                (struct http_head){
                    .status = 301, .has_content_length = true, .location = SLICE("./a/?q") },
                "HTTP/1.1 301 Moved Permanently\r\nServer: gyre\r\n"
                "Content-Length: 0\r\nLocation: ./a/?q\r\n");
}

static void an_error_says_allow_retry_after_and_no_store(void **state)
{
    (void)state;
    head_expect("405",
                (struct http_head){ .status = 405, .allow = SLICE("GET, HEAD"), .no_store = true },
                "HTTP/1.1 405 Method Not Allowed\r\nServer: gyre\r\n"
                "Allow: GET, HEAD\r\nCache-Control: no-store\r\n");
    head_expect("503", (struct http_head){ .status = 503, .retry_after_s = 65535 },
                "HTTP/1.1 503 Service Unavailable\r\nServer: gyre\r\nRetry-After: 65535\r\n");
}

static void a_part_says_which_bytes_it_is(void **state)
{
    (void)state;
    struct http_head head = full_head();
    head.status = 206;
    head.content_length = 100;
    head.content_range = SLICE("bytes 0-99/4096");
    head_expect("206", head,
                "HTTP/1.1 206 Partial Content\r\n"
                "Server: gyre\r\n"
                "Content-Type: text/css; charset=utf-8\r\n"
                "X-Content-Type-Options: nosniff\r\n"
                "Content-Length: 100\r\n"
                "Content-Range: bytes 0-99/4096\r\n"
                "Accept-Ranges: bytes\r\n"
                "ETag: \"1000-abc-1\"\r\n"
                "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
}

static void a_range_past_the_end_is_told_the_size(void **state)
{
    (void)state;
    head_expect("416",
                (struct http_head){ .status = 416,
                                    .has_content_length = true,
                                    .content_length = 7,
                                    .content_range = SLICE("bytes */4096"),
                                    .no_store = true },
                "HTTP/1.1 416 Range Not Satisfiable\r\n"
                "Server: gyre\r\n"
                "Content-Length: 7\r\n"
                "Content-Range: bytes */4096\r\n"
                "Cache-Control: no-store\r\n");
}

static void what_is_not_modified_has_validators_and_no_length(void **state)
{
    (void)state;
    struct http_head head = full_head();
    head.status = 304;
    head.has_content_length = false;
    head.content_type = SLICE_NONE;
    head.accept_ranges = false;
    head_expect("304", head,
                "HTTP/1.1 304 Not Modified\r\n"
                "Server: gyre\r\n"
                "ETag: \"1000-abc-1\"\r\n"
                "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
}

static void an_empty_file_has_a_length_of_zero(void **state)
{
    (void)state;
    head_expect("0", (struct http_head){ .status = 200, .has_content_length = true },
                "HTTP/1.1 200 OK\r\nServer: gyre\r\nContent-Length: 0\r\n");
}

static void a_length_has_64_bits(void **state)
{
    (void)state;
    head_expect("2^64 - 1",
                (struct http_head){
                    .status = 200, .has_content_length = true, .content_length = UINT64_MAX },
                "HTTP/1.1 200 OK\r\nServer: gyre\r\nContent-Length: 18446744073709551615\r\n");
}

static void a_content_type_always_brings_nosniff(void **state)
{
    (void)state;
    head_expect("type", (struct http_head){ .status = 404, .content_type = SLICE("a/b") },
                "HTTP/1.1 404 Not Found\r\nServer: gyre\r\n"
                "Content-Type: a/b\r\nX-Content-Type-Options: nosniff\r\n");
}

static void a_head_that_does_not_fit_is_zero_and_overruns_nothing(void **state)
{
    (void)state;
    struct http_head head = full_head();
    char whole[HTTP_HEAD_FIXED_SIZE_MAX];
    size_t needed = http_head_write_fixed(&head, whole, sizeof(whole));
    for (size_t size = 0; size <= needed; size++) {
        char buffer[HTTP_HEAD_FIXED_SIZE_MAX];
        memset(buffer, '#', sizeof(buffer));
        assert_int_equal(http_head_write_fixed(&head, buffer, size), size < needed ? 0 : needed);
        for (size_t i = size; i < sizeof(buffer); i++) {
            assert_int_equal(buffer[i], '#');
        }
    }
}

static void the_largest_head_fits_its_bound(void **state)
{
    (void)state;
    char type[127];
    char etag[64];
    memset(type, 't', sizeof(type));
    memset(etag, 'e', sizeof(etag));
    struct http_head head = full_head();
    head.status = 416; /* may have Content-Range; its phrase is short of the longest by 10 bytes */
    head.content_range =
        SLICE("bytes 10000000000000000000-18446744073709551614/18446744073709551615");
    head.content_length = UINT64_MAX;
    head.retry_after_s = UINT16_MAX;
    head.no_store = true;
    head.content_type = slice_of(type, sizeof(type));
    head.etag = slice_of(etag, sizeof(etag));
    head.allow = SLICE("GET, HEAD, OPTIONS");
    char buffer[HTTP_HEAD_FIXED_SIZE_MAX];
    assert_true(http_head_write_fixed(&head, buffer, sizeof(buffer)) > 400);
}

static void the_longest_location_fits_beside_the_rest(void **state)
{
    (void)state;
    char location[HTTP_HEAD_LOCATION_SIZE_MAX];
    char buffer[HTTP_HEAD_LOCATION_SIZE_MAX + HTTP_HEAD_FIXED_SIZE_MAX];
    memset(location, 'l', sizeof(location));
    struct http_head head = full_head();
    head.location = slice_of(location, sizeof(location));
    assert_true(http_head_write_fixed(&head, buffer, sizeof(buffer)) > sizeof(location));
}

static void the_tail_closes_the_head(void **state)
{
    (void)state;
    static const struct {
        enum http_connection connection;
        const char *tail;
    } rows[] = {
        { HTTP_CONNECTION_UNSAID, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n" },
        { HTTP_CONNECTION_KEEP_ALIVE,
          "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: keep-alive\r\n\r\n" },
        { HTTP_CONNECTION_CLOSE,
          "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n\r\n" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buffer[HTTP_HEAD_TAIL_SIZE_MAX + 1];
        memset(buffer, '#', sizeof(buffer));
        size_t size = http_head_write_tail(sample_date, rows[i].connection, buffer);
        assert_slice_equal(rows[i].tail, slice_of(buffer, size), slice_from_string(rows[i].tail));
        assert_true(size <= HTTP_HEAD_TAIL_SIZE_MAX);
        assert_int_equal(buffer[size], '#');
    }
}

static void the_interim_answer_is_whole(void **state)
{
    (void)state;
    assert_slice_equal("100", http_head_continue(), SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
}

static void decimals_have_neither_sign_nor_leading_zeros(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *digits;
    } rows[] = {
        { 0, "0" },
        { 1, "1" },
        { 9, "9" },
        { 10, "10" },
        { 99, "99" },
        { 100, "100" },
        { 1000000007, "1000000007" },
        { UINT32_MAX, "4294967295" },
        { UINT64_C(4294967296), "4294967296" },
        { UINT64_C(9999999999999999999), "9999999999999999999" },
        { UINT64_C(10000000000000000000), "10000000000000000000" },
        { UINT64_MAX, "18446744073709551615" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buffer[21];
        memset(buffer, '#', sizeof(buffer));
        size_t size = http_decimal_write(rows[i].value, buffer);
        assert_slice_equal(rows[i].digits, slice_of(buffer, size),
                           slice_from_string(rows[i].digits));
        assert_int_equal(buffer[size], '#');
    }
}

/* --- what rules and codings add ----------------------------------------------------------------
 */

static void an_entry_s_coding_vary_caching_and_lines_have_their_places(void **state)
{
    (void)state;
    struct http_head head = full_head();
    head.content_encoding = SLICE("br");
    head.vary = SLICE("Accept-Encoding");
    head.cache_control = SLICE("max-age=60");
    head.lines = SLICE("X-One: 1\r\nX-Two: 2\r\n");
    head_expect("br", head,
                "HTTP/1.1 200 OK\r\n"
                "Server: gyre\r\n"
                "Content-Type: text/css; charset=utf-8\r\n"
                "X-Content-Type-Options: nosniff\r\n"
                "Content-Encoding: br\r\n"
                "Content-Length: 4096\r\n"
                "Accept-Ranges: bytes\r\n"
                "ETag: \"1000-abc-1\"\r\n"
                "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                "Vary: Accept-Encoding\r\n"
                "Cache-Control: max-age=60\r\n"
                "X-One: 1\r\nX-Two: 2\r\n");
}

static void an_archive_is_chunked_and_says_its_name(void **state)
{
    (void)state;
    head_expect("tar",
                (struct http_head){ .status = 200,
                                    .content_type = SLICE("application/x-tar"),
                                    .content_disposition = SLICE("attachment; filename=\"a.tar\""),
                                    .is_chunked = true },
                "HTTP/1.1 200 OK\r\nServer: gyre\r\nContent-Type: application/x-tar\r\n"
                "X-Content-Type-Options: nosniff\r\n"
                "Content-Disposition: attachment; filename=\"a.tar\"\r\n"
                "Transfer-Encoding: chunked\r\n");
}

static void a_401_says_how_to_authenticate_and_no_store_goes_before_caching(void **state)
{
    (void)state;
    head_expect("401",
                (struct http_head){ .status = 401,
                                    .authenticate = SLICE("Basic realm=\"x\""),
                                    .cache_control = SLICE("max-age=60"),
                                    .no_store = true },
                "HTTP/1.1 401 Unauthorized\r\nServer: gyre\r\n"
                "WWW-Authenticate: Basic realm=\"x\"\r\nCache-Control: no-store\r\n");
}

/* Every field at its bound at once, as an entry may have them. */
static void the_largest_lines_and_values_fit_the_head_s_bound(void **state)
{
    (void)state;
    static const size_t sizes[] = { 3, HTTP_HEAD_LINES_SIZE_MAX - 1, HTTP_HEAD_LINES_SIZE_MAX };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char lines[HTTP_HEAD_LINES_SIZE_MAX];
        char value[HTTP_HEAD_VALUE_SIZE_MAX];
        char type[128];
        char etag[88];
        memset(lines, 'l', sizeof(lines));
        memset(value, 'v', sizeof(value));
        memset(type, 't', sizeof(type));
        memset(etag, 'e', sizeof(etag));
        memcpy(lines + sizes[i] - 2, "\r\n", 2);
        struct http_head head = full_head();
        head.status = 206;
        head.content_length = UINT64_MAX;
        head.content_range =
            SLICE("bytes 10000000000000000000-18446744073709551614/18446744073709551615");
        head.content_type = slice_of(type, sizeof(type));
        head.content_encoding = SLICE("gzip");
        head.cache_control = slice_of(value, sizeof(value));
        head.vary = SLICE("Accept-Encoding");
        head.etag = slice_of(etag, sizeof(etag));
        head.lines = slice_of(lines, sizes[i]);
        char buffer[HTTP_HEAD_FIXED_SIZE_MAX];
        size_t size = http_head_write_fixed(&head, buffer, sizeof(buffer));
        assert_true(size > sizes[i]);
        assert_slice_equal("lines", slice_of(buffer + size - sizes[i], sizes[i]), head.lines);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_has_all_its_fields),
        cmocka_unit_test(absent_fields_write_nothing),
        cmocka_unit_test(a_redirect_has_its_location),
        cmocka_unit_test(an_error_says_allow_retry_after_and_no_store),
        cmocka_unit_test(a_part_says_which_bytes_it_is),
        cmocka_unit_test(a_range_past_the_end_is_told_the_size),
        cmocka_unit_test(what_is_not_modified_has_validators_and_no_length),
        cmocka_unit_test(an_empty_file_has_a_length_of_zero),
        cmocka_unit_test(a_length_has_64_bits),
        cmocka_unit_test(a_content_type_always_brings_nosniff),
        cmocka_unit_test(a_head_that_does_not_fit_is_zero_and_overruns_nothing),
        cmocka_unit_test(the_largest_head_fits_its_bound),
        cmocka_unit_test(the_longest_location_fits_beside_the_rest),
        cmocka_unit_test(the_tail_closes_the_head),
        cmocka_unit_test(the_interim_answer_is_whole),
        cmocka_unit_test(decimals_have_neither_sign_nor_leading_zeros),
        cmocka_unit_test(an_entry_s_coding_vary_caching_and_lines_have_their_places),
        cmocka_unit_test(an_archive_is_chunked_and_says_its_name),
        cmocka_unit_test(a_401_says_how_to_authenticate_and_no_store_goes_before_caching),
        cmocka_unit_test(the_largest_lines_and_values_fit_the_head_s_bound),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_head", tests, NULL, NULL) == 0 ? 0 : 1;
}

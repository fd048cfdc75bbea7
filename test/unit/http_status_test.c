/* Statuses: phrases, pages, and which of them have no content. */
#include <stdio.h>

#include "http/http_status.h"
#include "slice_assert.h"

static const struct {
    unsigned status;
    const char *reason;
} reason_rows[] = {
    { 200, "OK" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
    { 505, "HTTP Version Not Supported" },
};
enum {
    REASON_ROWS_COUNT = sizeof(reason_rows) / sizeof(reason_rows[0])
};

static bool row_has_page(size_t i)
{
    return reason_rows[i].status >= 300 && reason_rows[i].status != 304;
}

static void every_status_has_its_phrase(void **state)
{
    (void)state;
    for (size_t i = 0; i < REASON_ROWS_COUNT; i++) {
        assert_slice_equal(reason_rows[i].reason, http_status_reason(reason_rows[i].status),
                           slice_from_string(reason_rows[i].reason));
    }
}

static void every_page_is_a_whole_html_document(void **state)
{
    (void)state;
    for (size_t i = 0; i < REASON_ROWS_COUNT; i++) {
        if (!row_has_page(i)) {
            continue;
        }
        struct slice body = http_status_body(reason_rows[i].status);
        struct slice end = SLICE("</html>\n");
        assert_memory_equal(body.data, "<!doctype html>\n", 16);
        assert_slice_equal("end", slice_of(body.data + body.size - end.size, end.size), end);
        assert_null(memchr(body.data, '\0', body.size));
        assert_true(slice_contains(body, SLICE("<meta charset=\"utf-8\">")));
        assert_true(slice_contains(body, SLICE("<footer>gyre</footer>")));
    }
}

static void every_page_names_its_status_in_title_and_heading(void **state)
{
    (void)state;
    for (size_t i = 0; i < REASON_ROWS_COUNT; i++) {
        if (!row_has_page(i)) {
            continue;
        }
        struct slice body = http_status_body(reason_rows[i].status);
        char buffer[128];
        int size = snprintf(buffer, sizeof(buffer), "<title>%u %s</title>", reason_rows[i].status,
                            reason_rows[i].reason);
        assert_true(slice_contains(body, slice_of(buffer, (size_t)size)));
        size = snprintf(buffer, sizeof(buffer), "<h1>%u %s</h1>", reason_rows[i].status,
                        reason_rows[i].reason);
        assert_true(slice_contains(body, slice_of(buffer, (size_t)size)));
    }
}

static void no_page_loads_or_runs_anything(void **state)
{
    (void)state;
    static const char *const forbidden[] = { "<script", "<link", "src=", "href=", "url(", "http:" };
    for (size_t i = 0; i < REASON_ROWS_COUNT; i++) {
        if (!row_has_page(i)) {
            continue;
        }
        for (size_t j = 0; j < sizeof(forbidden) / sizeof(forbidden[0]); j++) {
            struct slice part = slice_from_string(forbidden[j]);
            assert_false(slice_contains(http_status_body(reason_rows[i].status), part));
        }
    }
}

static void pages_follow_light_and_dark(void **state)
{
    (void)state;
    assert_true(slice_contains(http_status_body(404), SLICE("prefers-color-scheme: dark")));
}

static void pages_are_utf8_html(void **state)
{
    (void)state;
    assert_slice_equal("type", http_status_body_type(), SLICE("text/html; charset=utf-8"));
}

static void pages_stay_small(void **state)
{
    (void)state;
    for (size_t i = 0; i < REASON_ROWS_COUNT; i++) {
        assert_true(!row_has_page(i) || http_status_body(reason_rows[i].status).size < 2048);
    }
}

static void interim_204_and_304_have_no_content(void **state)
{
    (void)state;
    assert_true(http_status_is_bodiless(100));
    assert_true(http_status_is_bodiless(199));
    for (size_t i = 0; i < REASON_ROWS_COUNT; i++) {
        unsigned status = reason_rows[i].status;
        assert_int_equal(http_status_is_bodiless(status), status == 204 || status == 304);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_phrase),
        cmocka_unit_test(every_page_is_a_whole_html_document),
        cmocka_unit_test(every_page_names_its_status_in_title_and_heading),
        cmocka_unit_test(no_page_loads_or_runs_anything),
        cmocka_unit_test(pages_follow_light_and_dark),
        cmocka_unit_test(pages_are_utf8_html),
        cmocka_unit_test(pages_stay_small),
        cmocka_unit_test(interim_204_and_304_have_no_content),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_status", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* Accept: who prefers JSON, and who navigates. */
#include "http/http_accept.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#define BROWSER \
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

struct accept_row {
    const char *accept;
    bool is_true;
};

static void json_expect(const struct accept_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct http_request request = { .accept = slice_from_string(rows[i].accept) };
        assert_number_equal(rows[i].accept, http_accept_prefers_json(&request), rows[i].is_true);
    }
}

static void navigations_expect(const struct accept_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct http_request request = { .accept = slice_from_string(rows[i].accept) };
        assert_number_equal(rows[i].accept, http_accept_is_navigation(&request, SLICE("users")),
                            rows[i].is_true);
    }
}

static void the_heavier_type_is_preferred(void **state)
{
    (void)state;
    static const struct accept_row rows[] = {
        { "application/json", true },
        { "Application/JSON", true },
        { "text/html", false },
        { "text/html, application/json", false },
        { "application/json, text/html", false },
        { "text/html;q=0.9, application/json", true },
        { "text/html, application/json;q=0.9", false },
        { "text/html;q=0.5, application/json;q=0.501", true },
        { "text/html;q=0.501, application/json;q=0.5", false },
        { "application/json;q=0", false },
        { "application/json;q=0.001", true },
        { "application/json;q=0, text/html;q=0", false },
        { "text/plain", false },
        { BROWSER, false },
        { "", false },
    };
    json_expect(rows, COUNT(rows));
}

static void of_equal_weights_the_closer_name_counts(void **state)
{
    (void)state;
    static const struct accept_row rows[] = {
        { "*/*", false },
        { "*/*, application/json", true },
        { "application/json, text/plain, */*", true },
        { "text/html, */*", false },
        { "text/*, application/json", true },
        { "text/html, application/*", false },
        { "application/*", true },
        { "application/*, text/*", false },
        { "application/*, */*", true },
        { "application/json;q=0.5, */*;q=0.6", false },
        { "*/json", false },
        { "text/html;q=0, */*", true },
        { "application/json;q=0, */*", false },
    };
    json_expect(rows, COUNT(rows));
}

static void parameters_and_blanks_are_read_over(void **state)
{
    (void)state;
    static const struct accept_row rows[] = {
        { "application/json;charset=utf-8", true },
        { "application/json ; charset=\"a,\\\"b;q=0\" ; q=1", true },
        { "application/json; Q=0.5 , text/html;q=0.4", true },
        { " , ,application/json,,", true },
        { "application/json;", true },
        { "application/json;q=1.000", true },
        { "application/json;q=1.", true },
        { "application/json;q=0.", false },
        { "application/json;q=0.5;ext=1, text/html;q=0.6", false },
    };
    json_expect(rows, COUNT(rows));
}

static void what_is_malformed_is_passed_over(void **state)
{
    (void)state;
    static const struct accept_row rows[] = {
        { "application/json;q=2", false },
        { "application/json;q=1.001", false },
        { "application/json;q=0.1234", false },
        { "application/json;q=-1", false },
        { "application/json;q=", false },
        { "application/json;q", false },
        { "application/json;q=.5", false },
        { "application/json;q=x", false },
        { "application/json;x=", false },
        { "application", false },
        { "application/", false },
        { "/json", false },
        { "application /json", false },
        { "application/json text/html", false },
        { "application/json;a=\"", false },
        { "text/html;q=x, application/json;q=0.1", true },
        { "a b;c=\"d,application/json,\", text/html", false },
        { "a b;c=\"d,e\", application/json", true },
    };
    json_expect(rows, COUNT(rows));
}

static void navigations_name_html(void **state)
{
    (void)state;
    static const struct accept_row rows[] = {
        { BROWSER, true },
        { "text/html", true },
        { "TEXT/HTML;q=0.1", true },
        { "text/html;level=1", true },
        { "application/json, text/html;q=0.2", true },
        { "text/html;q=0", false },
        { "text/html;q=0.000", false },
        { "text/html;q=x", false },
        { "*/*", false },
        { "text/*", false },
        { "application/xhtml+xml", false },
        { "text/htmlx", false },
        { "text/css,*/*;q=0.1", false },
        { "", false },
    };
    navigations_expect(rows, COUNT(rows));
}

static void a_navigation_has_no_dot_in_its_last_segment(void **state)
{
    (void)state;
    static const struct {
        const char *segment;
        bool is_navigation;
    } rows[] = {
        { "", true },         { "users", true }, { "42", true },  { "app.js", false },
        { ".hidden", false }, { "v1.2", false }, { "a.", false },
    };
    const struct http_request request = { .accept = SLICE(BROWSER) };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_number_equal(rows[i].segment,
                            http_accept_is_navigation(&request, slice_from_string(rows[i].segment)),
                            rows[i].is_navigation);
    }
}

static void without_the_field_neither_holds(void **state)
{
    (void)state;
    const struct http_request request = { .accept = SLICE_NONE };
    assert_false(http_accept_prefers_json(&request));
    assert_false(http_accept_is_navigation(&request, SLICE("users")));
    assert_false(http_accept_is_navigation(&request, SLICE_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heavier_type_is_preferred),
        cmocka_unit_test(of_equal_weights_the_closer_name_counts),
        cmocka_unit_test(parameters_and_blanks_are_read_over),
        cmocka_unit_test(what_is_malformed_is_passed_over),
        cmocka_unit_test(navigations_name_html),
        cmocka_unit_test(a_navigation_has_no_dot_in_its_last_segment),
        cmocka_unit_test(without_the_field_neither_holds),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_accept", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* The whole decision for a file that was found: conditions, then ranges, by method. */
#include "http/http_respond.h"
#include "http/http_status.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define MODIFIED    "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER       "Sun, 06 Nov 1994 08:49:38 GMT"
#define BEFORE      "Sun, 06 Nov 1994 08:49:36 GMT"

static struct http_selection selection_of(uint64_t size)
{
    return (struct http_selection){
        .size = size,
        .type = SLICE("text/plain"),
        .boundary = SLICE("BOUNDARY"),
        .validators = {
            .etag = SLICE("\"a\""),
            .has_mtime = true,
            .mtime_s = 784111777,
            .now_s = 784111777 + 3600,
        },
    };
}

static struct http_request request_of(enum http_method method)
{
    return (struct http_request){ .method = method, .version_minor = 1, .keep_alive = true };
}

static struct slice field_of(const char *text)
{
    return text != NULL ? slice_from_string(text) : SLICE_NONE;
}

struct range_row {
    const char *range;
    const char *if_range;
    unsigned status;
    uint64_t offset;
    uint64_t length;
};

static void ranges_expect(enum http_method method, const struct range_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct http_selection selection = selection_of(1000);
        struct http_request request = request_of(method);
        request.range = field_of(rows[i].range);
        request.if_range = field_of(rows[i].if_range);
        struct http_conditional got;
        http_respond_conditional(&request, &selection, &got);
        assert_number_equal(rows[i].range, got.response.status, rows[i].status);
        assert_number_equal(rows[i].range, got.response.offset, rows[i].offset);
        assert_number_equal(rows[i].range, got.response.length, rows[i].length);
        assert_number_equal(rows[i].range, got.ranges.count, rows[i].status == 206);
    }
}

#define RANGES_EXPECT(method, rows) ranges_expect(method, rows, COUNT(rows))

static void without_fields_the_whole_is_sent(void **state)
{
    (void)state;
    struct http_selection selection = selection_of(1000);
    struct http_request request = request_of(HTTP_METHOD_GET);
    struct http_conditional got;
    http_respond_conditional(&request, &selection, &got);
    assert_int_equal(got.response.status, 200);
    assert_int_equal(got.response.content, HTTP_CONTENT_REPRESENTATION);
    assert_int_equal(got.response.offset, 0);
    assert_int_equal(got.response.length, 1000);
    assert_int_equal(got.ranges.count, 0);
}

static void an_empty_file_is_sent_as_nothing(void **state)
{
    (void)state;
    struct http_selection selection = selection_of(0);
    struct http_request request = request_of(HTTP_METHOD_GET);
    request.range = SLICE("bytes=0-");
    struct http_conditional got;
    http_respond_conditional(&request, &selection, &got);
    assert_int_equal(got.response.status, 200);
    assert_int_equal(got.response.content, HTTP_CONTENT_NONE);
    assert_int_equal(got.response.length, 0);
}

static void one_range_is_a_part_of_the_file(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "bytes=100-299", NULL, 206, 100, 200 }, { "bytes=900-", NULL, 206, 900, 100 },
        { "bytes=-1", NULL, 206, 999, 1 },        { "bytes=0-", NULL, 206, 0, 1000 },
        { "bytes=0-9,10-19", NULL, 206, 0, 20 },  { "bytes=5-9,2000-", NULL, 206, 5, 5 },
        { "bytes=9-5", NULL, 200, 0, 1000 },      { "lines=1-2", NULL, 200, 0, 1000 },
        { "bytes=0-,0-", NULL, 200, 0, 1000 },
    };
    RANGES_EXPECT(HTTP_METHOD_GET, rows);
}

static void the_part_is_content_of_the_file(void **state)
{
    (void)state;
    struct http_selection selection = selection_of(1000);
    struct http_request request = request_of(HTTP_METHOD_GET);
    request.range = SLICE("bytes=100-299");
    struct http_conditional got;
    http_respond_conditional(&request, &selection, &got);
    assert_int_equal(got.response.content, HTTP_CONTENT_REPRESENTATION);
    assert_int_equal(got.ranges.items[0].offset, 100);
    assert_int_equal(got.ranges.items[0].length, 200);
}

static void head_ignores_range(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "bytes=100-299", NULL, 200, 0, 1000 },
        { "bytes=2000-", NULL, 200, 0, 1000 },
        { "bytes=0-9,500-509", NULL, 200, 0, 1000 },
        { "bytes=100-299", "\"a\"", 200, 0, 1000 },
    };
    RANGES_EXPECT(HTTP_METHOD_HEAD, rows);
}

static void several_ranges_are_framed(void **state)
{
    (void)state;
    struct http_selection selection = selection_of(1000);
    struct http_request request = request_of(HTTP_METHOD_GET);
    request.range = SLICE("bytes=900-909, 0-9");
    struct http_conditional got;
    http_respond_conditional(&request, &selection, &got);
    const char framing[] =
        "--BOUNDARY\r\nContent-Type: text/plain\r\nContent-Range: bytes 900-909/1000\r\n\r\n"
        "\r\n--BOUNDARY\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-9/1000\r\n\r\n"
        "\r\n--BOUNDARY--\r\n";
    assert_int_equal(got.response.status, 206);
    assert_int_equal(got.response.content, HTTP_CONTENT_MULTIPART);
    assert_int_equal(got.response.offset, 0);
    assert_int_equal(got.response.length, 20 + sizeof(framing) - 1);
    assert_int_equal(got.ranges.count, 2);
    assert_int_equal(got.ranges.items[0].offset, 900);
    assert_int_equal(got.ranges.items[1].offset, 0);
}

static void a_range_past_the_end_is_416_with_its_page(void **state)
{
    (void)state;
    struct http_selection selection = selection_of(1000);
    struct http_request request = request_of(HTTP_METHOD_GET);
    request.range = SLICE("bytes=1000-");
    struct http_conditional got;
    http_respond_conditional(&request, &selection, &got);
    assert_int_equal(got.response.status, 416);
    assert_int_equal(got.response.content, HTTP_CONTENT_STATUS);
    assert_int_equal(got.response.length, http_status_body(416).size);
    assert_int_equal(got.ranges.count, 0);
}

static void range_is_obeyed_only_while_if_range_holds(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "bytes=100-299", "\"a\"", 206, 100, 200 },
        { "bytes=100-299", "\"b\"", 200, 0, 1000 },
        { "bytes=100-299", "W/\"a\"", 200, 0, 1000 },
        { "bytes=100-299", MODIFIED, 206, 100, 200 },
        { "bytes=100-299", BEFORE, 200, 0, 1000 },
        { "bytes=100-299", AFTER, 200, 0, 1000 },
        { "bytes=100-299", "", 200, 0, 1000 },
        { "bytes=100-299", "nonsense", 200, 0, 1000 },
        { "bytes=2000-", "\"b\"", 200, 0, 1000 }, /* not 416: the file is another */
        { NULL, "\"b\"", 200, 0, 1000 },
    };
    RANGES_EXPECT(HTTP_METHOD_GET, rows);
}

struct condition_row {
    const char *if_match;
    const char *if_none_match;
    const char *if_modified_since;
    const char *range;
    unsigned status;
    enum http_content content;
};

static void respond(enum http_method method, const struct condition_row *row,
                    struct http_conditional *got)
{
    struct http_selection selection = selection_of(1000);
    struct http_request request = request_of(method);
    request.if_match = field_of(row->if_match);
    request.if_none_match = field_of(row->if_none_match);
    request.if_modified_since = field_of(row->if_modified_since);
    request.range = field_of(row->range);
    http_respond_conditional(&request, &selection, got);
}

static const struct condition_row condition_rows[] = {
    { "\"b\"", NULL, NULL, NULL, 412, HTTP_CONTENT_STATUS },
    { "\"b\"", NULL, NULL, "bytes=0-9", 412, HTTP_CONTENT_STATUS },
    { "\"b\"", NULL, NULL, "bytes=2000-", 412, HTTP_CONTENT_STATUS },
    { "\"b\"", "\"a\"", NULL, NULL, 412, HTTP_CONTENT_STATUS },
    { NULL, "\"a\"", NULL, NULL, 304, HTTP_CONTENT_NONE },
    { NULL, "\"a\"", NULL, "bytes=0-9", 304, HTTP_CONTENT_NONE },
    { NULL, "\"a\"", NULL, "bytes=2000-", 304, HTTP_CONTENT_NONE },
    { NULL, NULL, MODIFIED, "bytes=0-9", 304, HTTP_CONTENT_NONE },
    { NULL, NULL, BEFORE, NULL, 200, HTTP_CONTENT_REPRESENTATION },
    { "\"a\"", "\"b\"", AFTER, NULL, 200, HTTP_CONTENT_REPRESENTATION },
};

static void conditions_go_before_ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(condition_rows); i++) {
        struct http_conditional got;
        respond(HTTP_METHOD_GET, &condition_rows[i], &got);
        assert_number_equal("status", got.response.status, condition_rows[i].status);
        assert_number_equal("content", got.response.content, condition_rows[i].content);
        assert_number_equal("ranges", got.ranges.count, 0);
    }
}

static void a_range_is_cut_after_conditions_that_pass(void **state)
{
    (void)state;
    const struct condition_row row = { "\"a\"",     "\"b\"", AFTER,
                                       "bytes=0-9", 206,     HTTP_CONTENT_REPRESENTATION };
    struct http_conditional got;
    respond(HTTP_METHOD_GET, &row, &got);
    assert_int_equal(got.response.status, 206);
    assert_int_equal(got.response.length, 10);
}

static void head_is_decided_as_get_is_and_has_no_content(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(condition_rows); i++) {
        struct http_conditional get;
        struct http_conditional head;
        respond(HTTP_METHOD_GET, &condition_rows[i], &get);
        respond(HTTP_METHOD_HEAD, &condition_rows[i], &head);
        assert_number_equal("status", head.response.status, get.response.status);
        assert_number_equal("length", head.response.length, get.response.length);
        assert_number_equal("content", head.response.content, HTTP_CONTENT_NONE);
    }
}

static void not_modified_has_no_length(void **state)
{
    (void)state;
    const struct condition_row row = { .if_none_match = "*" };
    struct http_conditional got;
    respond(HTTP_METHOD_GET, &row, &got);
    assert_int_equal(got.response.status, 304);
    assert_int_equal(got.response.offset, 0);
    assert_int_equal(got.response.length, 0);
    assert_true(http_status_is_bodiless(got.response.status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_fields_the_whole_is_sent),
        cmocka_unit_test(an_empty_file_is_sent_as_nothing),
        cmocka_unit_test(one_range_is_a_part_of_the_file),
        cmocka_unit_test(the_part_is_content_of_the_file),
        cmocka_unit_test(head_ignores_range),
        cmocka_unit_test(several_ranges_are_framed),
        cmocka_unit_test(a_range_past_the_end_is_416_with_its_page),
        cmocka_unit_test(range_is_obeyed_only_while_if_range_holds),
        cmocka_unit_test(conditions_go_before_ranges),
        cmocka_unit_test(a_range_is_cut_after_conditions_that_pass),
        cmocka_unit_test(head_is_decided_as_get_is_and_has_no_content),
        cmocka_unit_test(not_modified_has_no_length),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_respond_conditional", tests, NULL, NULL) == 0 ? 0 : 1;
}

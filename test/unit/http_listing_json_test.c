/* The JSON of a directory. */
#include <stdlib.h>

#include "http/http_listing.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum {
    TEXT_SIZE_MAX = 4096
};

static struct slice render(const struct http_listing *listing, char text[TEXT_SIZE_MAX])
{
    struct http_writer writer = { .data = text, .size = TEXT_SIZE_MAX };
    http_listing_write_json(listing, &writer);
    assert_true(writer.needed <= TEXT_SIZE_MAX);
    return slice_of(text, writer.needed);
}

static void an_empty_directory_has_no_entries(void **state)
{
    (void)state;
    char text[TEXT_SIZE_MAX];
    assert_slice_equal(
        "top", render(&(struct http_listing){ .path = SLICE("") }, text),
        SLICE("{\"path\":\"/\",\"entries\":[],\"left_out\":0,\"truncated\":false}\n"));
    assert_slice_equal(
        "docs", render(&(struct http_listing){ .path = SLICE("docs/\"a\"") }, text),
        SLICE(
            "{\"path\":\"/docs/\\\"a\\\"/\",\"entries\":[],\"left_out\":0,\"truncated\":false}\n"));
}

static void entries_have_name_href_type_size_and_time(void **state)
{
    (void)state;
    const struct http_listing_item items[] = {
        { SLICE("d"), 4096, 784111777, HTTP_LISTING_DIRECTORY, false },
        { SLICE("e"), 0, 784111777, HTTP_LISTING_DIRECTORY, true },
        { SLICE("f"), UINT64_MAX, 0, HTTP_LISTING_FILE, false },
        { SLICE("g"), 0, 784111777, HTTP_LISTING_FILE, true },
    };
    char text[TEXT_SIZE_MAX];
    struct http_listing listing = { .items = items, .items_count = COUNT(items) };
    assert_slice_equal(
        "four", render(&listing, text),
        SLICE("{\"path\":\"/\",\"entries\":["
              "{\"name\":\"d\",\"href\":\"./d/\",\"type\":\"directory\","
              "\"mtime\":\"1994-11-06T08:49:37Z\"},"
              "{\"name\":\"e\",\"href\":\"./e/\",\"type\":\"directory\","
              "\"mtime\":\"1994-11-06T08:49:37Z\",\"link\":true},"
              "{\"name\":\"f\",\"href\":\"./f\",\"type\":\"file\",\"size\":18446744073709551615,"
              "\"mtime\":\"1970-01-01T00:00:00Z\"},"
              "{\"name\":\"g\",\"href\":\"./g\",\"type\":\"file\",\"size\":0,"
              "\"mtime\":\"1994-11-06T08:49:37Z\",\"link\":true}"
              "],\"left_out\":0,\"truncated\":false}\n"));
}

static void names_are_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *expected;
    } rows[] = {
        { "a\"b\\c", "\"name\":\"a\\\"b\\\\c\",\"href\":\"./a%22b%5Cc\"" },
        { "\x01\n\x1f\x7f",
          "\"name\":\"\\u0001\\u000a\\u001f\\u007f\",\"href\":\"./%01%0A%1F%7F\"" },
        { "\xff", "\"name\":\"\xef\xbf\xbd\",\"href\":\"./%FF\"" },
        { "\xe2\x82\xac", "\"name\":\"\xe2\x82\xac\",\"href\":\"./%E2%82%AC\"" },
        { "</script>", "\"name\":\"</script>\",\"href\":\"./%3C/script%3E\"" },
        { "data:x,y", "\"name\":\"data:x,y\",\"href\":\"./data%3Ax%2Cy\"" },
        { " ~", "\"name\":\" ~\",\"href\":\"./%20~\"" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[TEXT_SIZE_MAX];
        struct http_listing_item item = { .name = slice_from_string(rows[i].name) };
        struct slice got = render(&(struct http_listing){ .items = &item, .items_count = 1 }, text);
        if (!slice_contains(got, slice_from_string(rows[i].expected))) {
            fail_msg("expected %s, got %.*s", rows[i].expected, SLICE_ARG(got));
        }
    }
}

static void a_cut_listing_says_how_many_are_missing(void **state)
{
    (void)state;
    char text[TEXT_SIZE_MAX];
    assert_slice_equal(
        "one", render(&(struct http_listing){ .left_out_count = 1 }, text),
        SLICE("{\"path\":\"/\",\"entries\":[],\"left_out\":1,\"truncated\":true}\n"));
}

static void a_full_writer_counts_on(void **state)
{
    (void)state;
    char text[TEXT_SIZE_MAX];
    struct http_listing_item item = { .name = SLICE("a\n\xff") };
    struct http_listing listing = { .path = SLICE("p"), .items = &item, .items_count = 1 };
    struct slice whole = render(&listing, text);
    for (size_t size = 0; size <= whole.size; size++) {
        char *data = malloc(size + 1);
        assert_non_null(data);
        data[size] = '#';
        struct http_writer writer = { .data = data, .size = size };
        http_listing_write_json(&listing, &writer);
        assert_int_equal(writer.needed, whole.size);
        assert_int_equal(data[size], '#');
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_directory_has_no_entries),
        cmocka_unit_test(entries_have_name_href_type_size_and_time),
        cmocka_unit_test(names_are_escaped),
        cmocka_unit_test(a_cut_listing_says_how_many_are_missing),
        cmocka_unit_test(a_full_writer_counts_on),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_listing_json", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* A listing: what a query asks for, and the order of the entries. */
#include <stdio.h>

#include "http/http_listing.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum {
    TEXT_SIZE_MAX = 512,
    MANY = 5000,
};

static struct http_listing_item file(const char *name, uint64_t size, int64_t mtime_s)
{
    return (struct http_listing_item){ .name = slice_from_string(name),
                                       .size = size,
                                       .mtime_s = mtime_s };
}

static struct http_listing_item folder(const char *name, uint64_t size, int64_t mtime_s)
{
    struct http_listing_item item = file(name, size, mtime_s);
    item.kind = HTTP_LISTING_DIRECTORY;
    return item;
}

static struct http_listing_query query_of(const char *text)
{
    struct http_listing_query query;
    memset(&query, 0xa5, sizeof(query));
    http_listing_query_parse(slice_from_string(text), &query);
    return query;
}

static void a_query_says_sort_order_and_format(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct http_listing_query expected;
    } rows[] = {
        { "", { HTTP_LISTING_SORT_NAME, false, HTTP_LISTING_FORMAT_ANY } },
        { "sort=name", { HTTP_LISTING_SORT_NAME, false, HTTP_LISTING_FORMAT_ANY } },
        { "sort=size", { HTTP_LISTING_SORT_SIZE, false, HTTP_LISTING_FORMAT_ANY } },
        { "sort=time", { HTTP_LISTING_SORT_TIME, false, HTTP_LISTING_FORMAT_ANY } },
        { "order=desc", { HTTP_LISTING_SORT_NAME, true, HTTP_LISTING_FORMAT_ANY } },
        { "order=asc", { HTTP_LISTING_SORT_NAME, false, HTTP_LISTING_FORMAT_ANY } },
        { "format=html", { HTTP_LISTING_SORT_NAME, false, HTTP_LISTING_FORMAT_HTML } },
        { "format=json", { HTTP_LISTING_SORT_NAME, false, HTTP_LISTING_FORMAT_JSON } },
        { "format=tar", { HTTP_LISTING_SORT_NAME, false, HTTP_LISTING_FORMAT_TAR } },
        { "sort=size&order=desc&format=json",
          { HTTP_LISTING_SORT_SIZE, true, HTTP_LISTING_FORMAT_JSON } },
        { "format=json&&x=1&sort=time&",
          { HTTP_LISTING_SORT_TIME, false, HTTP_LISTING_FORMAT_JSON } },
        { "sort=size&sort=time", { HTTP_LISTING_SORT_TIME, false, HTTP_LISTING_FORMAT_ANY } },
        { "order=desc&order=asc", { HTTP_LISTING_SORT_NAME, false, HTTP_LISTING_FORMAT_ANY } },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_listing_query got = query_of(rows[i].text);
        assert_number_equal(rows[i].text, got.sort, rows[i].expected.sort);
        assert_number_equal(rows[i].text, got.is_descending, rows[i].expected.is_descending);
        assert_number_equal(rows[i].text, got.format, rows[i].expected.format);
    }
}

static void what_a_query_says_that_nobody_knows_is_passed_over(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "sort",      "sort=",       "sort=Name",    "sort=sizes",   "sort=siz",  "sort=%73ize",
        "Sort=size", " sort=size",  "asort=size",   "sort=size=",   "=size",     "&",
        "=",         "order=down",  "format=xml",   "format=JSON",  "format=js", "sort;size",
        "a=b&c",     "order=desc ", "format==json", "x=sort=size?", "order",     "?sort=size",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_listing_query got = query_of(rows[i]);
        assert_number_equal(rows[i], got.sort, HTTP_LISTING_SORT_NAME);
        assert_number_equal(rows[i], got.is_descending, false);
        assert_number_equal(rows[i], got.format, HTTP_LISTING_FORMAT_ANY);
    }
    assert_int_equal(query_of("sort=size&sort=x").sort, HTTP_LISTING_SORT_SIZE);
}

static void an_absent_query_is_an_empty_one(void **state)
{
    (void)state;
    struct http_listing_query query;
    memset(&query, 0xa5, sizeof(query));
    http_listing_query_parse(SLICE_NONE, &query);
    assert_int_equal(query.sort, HTTP_LISTING_SORT_NAME);
    assert_int_equal(query.format, HTTP_LISTING_FORMAT_ANY);
    assert_false(query.is_descending);
}

/* Sorts a copy of the items; their names with one space between. */
static void order_expect(const struct http_listing_item *items, size_t count, const char *query,
                         const char *expected)
{
    struct http_listing_item sorted[16];
    assert_true(count <= COUNT(sorted));
    memcpy(sorted, items, count * sizeof(*items));
    http_listing_sort(sorted, count, query_of(query));
    char text[TEXT_SIZE_MAX];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s", i == 0 ? "" : " ",
                                 SLICE_ARG(sorted[i].name));
        assert_true(used < sizeof(text));
    }
    assert_slice_equal(query, slice_of(text, used), slice_from_string(expected));
}

static void directories_come_first_whatever_the_key(void **state)
{
    (void)state;
    const struct http_listing_item items[] = {
        file("a", 5, 50), folder("z", 4096, 10), file("c", 1, 70),
        file("b", 9, 60), folder("y", 0, 90),
    };
    static const struct {
        const char *query;
        const char *expected;
    } rows[] = {
        { "", "y z a b c" },          { "order=desc", "z y c b a" },
        { "sort=size", "y z c a b" }, { "sort=size&order=desc", "y z b a c" },
        { "sort=time", "z y a b c" }, { "sort=time&order=desc", "y z c b a" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        order_expect(items, COUNT(items), rows[i].query, rows[i].expected);
    }
}

static void names_are_compared_without_case_then_with(void **state)
{
    (void)state;
    const struct http_listing_item items[] = {
        file("b", 0, 0),  file("A", 0, 0),    file("a", 0, 0), file("B", 0, 0),  file("ab", 0, 0),
        file("Ab", 0, 0), file("\xff", 0, 0), file("_", 0, 0), file("10", 0, 0), file("9", 0, 0),
    };
    order_expect(items, COUNT(items), "", "10 9 _ A a Ab ab B b \xff");
    order_expect(items, COUNT(items), "order=desc", "\xff b B ab Ab a A _ 9 10");
}

static void equal_keys_are_in_the_order_of_names_either_way(void **state)
{
    (void)state;
    const struct http_listing_item items[] = { file("c", 7, 7), file("a", 7, 7), file("b", 7, 7),
                                               file("d", 8, 8) };
    order_expect(items, COUNT(items), "sort=size", "a b c d");
    order_expect(items, COUNT(items), "sort=size&order=desc", "d a b c");
    order_expect(items, COUNT(items), "sort=time&order=desc", "d a b c");
}

static void sizes_and_times_are_compared_at_full_width(void **state)
{
    (void)state;
    const struct http_listing_item items[] = {
        file("a", UINT64_MAX, INT64_MIN),
        file("b", 0, INT64_MAX),
        file("c", UINT64_C(1) << 32, 0),
        file("d", 1, -1),
    };
    order_expect(items, COUNT(items), "sort=size", "b d c a");
    order_expect(items, COUNT(items), "sort=time", "a d c b");
}

/* Any order to begin with, the same result. */
static void many_are_sorted_from_any_order(void **state)
{
    (void)state;
    char names[MANY][8];
    struct http_listing_item items[MANY];
    for (unsigned factor = 1; factor < 40; factor += 7) {
        for (unsigned i = 0; i < MANY; i++) {
            unsigned number = (i * (2 * factor + 1) + factor) % MANY;
            if ((2 * factor + 1) % 5 == 0) {
                number = MANY - 1 - i;
            }
            assert_true(snprintf(names[i], sizeof(names[i]), "%06u", number) == 6);
            items[i] = file(names[i], number / 10, 0);
        }
        http_listing_sort(items, MANY, query_of("sort=size"));
        for (unsigned i = 0; i < MANY; i++) {
            char expected[8];
            assert_true(snprintf(expected, sizeof(expected), "%06u", i) == 6);
            assert_slice_equal("many", items[i].name, slice_from_string(expected));
        }
    }
}

static void none_and_one_need_no_sorting(void **state)
{
    (void)state;
    const struct http_listing_item items[] = { file("a", 0, 0), file("b", 0, 0) };
    http_listing_sort(NULL, 0, query_of(""));
    order_expect(items, 0, "", "");
    order_expect(items, 1, "", "a");
    order_expect(items, 2, "order=desc", "b a");
}

static void each_form_has_its_type(void **state)
{
    (void)state;
    assert_slice_equal("html", http_listing_type(HTTP_LISTING_FORMAT_HTML),
                       SLICE("text/html; charset=utf-8"));
    assert_slice_equal("json", http_listing_type(HTTP_LISTING_FORMAT_JSON),
                       SLICE("application/json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_says_sort_order_and_format),
        cmocka_unit_test(what_a_query_says_that_nobody_knows_is_passed_over),
        cmocka_unit_test(an_absent_query_is_an_empty_one),
        cmocka_unit_test(directories_come_first_whatever_the_key),
        cmocka_unit_test(names_are_compared_without_case_then_with),
        cmocka_unit_test(equal_keys_are_in_the_order_of_names_either_way),
        cmocka_unit_test(sizes_and_times_are_compared_at_full_width),
        cmocka_unit_test(many_are_sorted_from_any_order),
        cmocka_unit_test(none_and_one_need_no_sorting),
        cmocka_unit_test(each_form_has_its_type),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_listing", tests, NULL, NULL) == 0 ? 0 : 1;
}

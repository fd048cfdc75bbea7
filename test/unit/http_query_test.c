/* Parameters of a query: which is found, and how its value is read. */
#include "http/http_query.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct find_row {
    const char *query;
    const char *name;
    const char *value; /* NULL: not found */
};

static void values_expect(const struct find_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char buffer[16];
        struct slice value = SLICE_NONE;
        bool is_found =
            http_query_find(slice_from_string(rows[i].query), slice_from_string(rows[i].name),
                            buffer, sizeof(buffer), &value);
        assert_number_equal(rows[i].query, is_found, rows[i].value != NULL);
        if (is_found) {
            assert_slice_equal(rows[i].query, value, slice_from_string(rows[i].value));
        }
    }
}

#define VALUES_EXPECT(rows) values_expect(rows, COUNT(rows))

static void the_first_of_its_name_is_found(void **state)
{
    (void)state;
    static const struct find_row rows[] = {
        { "format=json&sort=size&order=desc", "format", "json" },
        { "format=json&sort=size&order=desc", "sort", "size" },
        { "format=json&sort=size&order=desc", "order", "desc" },
        { "format=json&sort=size&order=desc", "for", NULL },
        { "format=json&sort=size&order=desc", "formats", NULL },
        { "format=json&sort=size&order=desc", "size", NULL },
        { "format=json", "Format", NULL },
        { "a=1&a=2", "a", "1" },
        { "", "a", NULL },
        { "b", "a", NULL },
    };
    VALUES_EXPECT(rows);
}

static void odd_separators_do_not_matter(void **state)
{
    (void)state;
    static const struct find_row rows[] = {
        { "a", "a", "" },        { "a=", "a", "" },      { "&&a=1&&", "a", "1" },
        { "a=1=2", "a", "1=2" }, { "b=&a=1", "a", "1" }, { "a&a=1", "a", "" },
        { "=1&a=2", "a", "2" },  { "=1", "", "1" },      { "&", "", NULL },
        { "a;b=1", "b", NULL },
    };
    VALUES_EXPECT(rows);
}

static void escapes_are_decoded_in_names_and_values(void **state)
{
    (void)state;
    static const struct find_row rows[] = {
        { "a=%6a%73on", "a", "json" },       { "for%6dat=x", "format", "x" },
        { "a=b+c%20d%2Be", "a", "b c d+e" }, { "a=%26%3D", "a", "&=" },
        { "a=%C3%a9", "a", "\xc3\xa9" },     { "a+b=1", "a b", "1" },
        { "a=%2541", "a", "%41" },
    };
    VALUES_EXPECT(rows);
}

static void a_bad_escape_is_no_value(void **state)
{
    (void)state;
    static const struct find_row rows[] = {
        { "a=%", "a", NULL },    { "a=%4", "a", NULL },   { "a=%4&b=1", "a", NULL },
        { "a=%zz", "a", NULL },  { "a=x%4g", "a", NULL }, { "a=%&a=1", "a", NULL },
        { "a=%&b=1", "b", "1" }, { "%=1&a=2", "a", "2" }, { "a%zz=1", "a", NULL },
    };
    VALUES_EXPECT(rows);
}

static void a_value_fits_or_is_none(void **state)
{
    (void)state;
    char buffer[5] = "#####";
    struct slice value;
    assert_true(http_query_find(SLICE("a=123"), SLICE("a"), buffer, 4, &value));
    assert_true(http_query_find(SLICE("a=12%334"), SLICE("a"), buffer, 4, &value));
    assert_slice_equal("4 bytes", value, SLICE("1234"));
    assert_false(http_query_find(SLICE("a=12345"), SLICE("a"), buffer, 4, &value));
    assert_int_equal(buffer[4], '#');
    assert_true(http_query_find(SLICE("a="), SLICE("a"), buffer, 0, &value));
    assert_false(http_query_find(SLICE("a=1"), SLICE("a"), buffer, 0, &value));
}

static void an_absent_query_has_no_parameters(void **state)
{
    (void)state;
    char buffer[4];
    struct slice value;
    assert_false(http_query_find(SLICE_NONE, SLICE("a"), buffer, sizeof(buffer), &value));
}

static void a_zero_byte_is_a_byte(void **state)
{
    (void)state;
    char buffer[4];
    struct slice value;
    assert_true(http_query_find(SLICE("a=b%00"), SLICE("a"), buffer, sizeof(buffer), &value));
    assert_slice_equal("NUL", value, SLICE("b\0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_its_name_is_found),
        cmocka_unit_test(odd_separators_do_not_matter),
        cmocka_unit_test(escapes_are_decoded_in_names_and_values),
        cmocka_unit_test(a_bad_escape_is_no_value),
        cmocka_unit_test(a_value_fits_or_is_none),
        cmocka_unit_test(an_absent_query_has_no_parameters),
        cmocka_unit_test(a_zero_byte_is_a_byte),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_query", tests, NULL, NULL) == 0 ? 0 : 1;
}

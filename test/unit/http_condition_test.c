/* Preconditions: tags and their lists, dates, and the order in which the fields are asked. */
#include <stdio.h>

#include "http/http_condition.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define PASS        HTTP_CONDITION_PASS
#define SAME        HTTP_CONDITION_NOT_MODIFIED
#define FAIL        HTTP_CONDITION_FAILED
#define BEFORE      "Sun, 06 Nov 1994 08:49:36 GMT"
#define MODIFIED    "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER       "Sun, 06 Nov 1994 08:49:38 GMT"

static const int64_t modified_s = 784111777;

static struct http_validators validators_of(const char *etag)
{
    return (struct http_validators){
        .etag = etag != NULL ? slice_from_string(etag) : SLICE_NONE,
        .has_mtime = true,
        .mtime_s = modified_s,
        .now_s = modified_s + 3600,
    };
}

static struct slice field_of(const char *text)
{
    return text != NULL ? slice_from_string(text) : SLICE_NONE;
}

struct tags_row {
    const char *list;
    const char *etag;
    bool strong;
    bool weak;
};

static void tags_expect(const struct tags_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct slice list = slice_from_string(rows[i].list);
        struct slice etag = field_of(rows[i].etag);
        assert_number_equal(rows[i].list, http_tags_match(list, etag, HTTP_TAG_STRONG),
                            rows[i].strong);
        assert_number_equal(rows[i].list, http_tags_match(list, etag, HTTP_TAG_WEAK), rows[i].weak);
    }
}

#define TAGS_EXPECT(rows) tags_expect(rows, COUNT(rows))

/* The table of RFC 9110 8.8.3.2. */
static void weak_tags_are_equal_only_weakly(void **state)
{
    (void)state;
    static const struct tags_row rows[] = {
        { "W/\"1\"", "W/\"1\"", false, true }, { "W/\"1\"", "W/\"2\"", false, false },
        { "W/\"1\"", "\"1\"", false, true },   { "\"1\"", "W/\"1\"", false, true },
        { "\"1\"", "\"1\"", true, true },      { "\"1\"", "\"2\"", false, false },
    };
    TAGS_EXPECT(rows);
}

static void a_list_matches_by_any_of_its_tags(void **state)
{
    (void)state;
    static const struct tags_row rows[] = {
        { "\"a\", \"b\", \"c\"", "\"a\"", true, true },
        { "\"a\", \"b\", \"c\"", "\"b\"", true, true },
        { "\"a\", \"b\", \"c\"", "\"c\"", true, true },
        { "\"a\", \"b\", \"c\"", "\"d\"", false, false },
        { "\"a\",\"b\"", "\"b\"", true, true },
        { "\"a\"\t ,\t \"b\"", "\"b\"", true, true },
        { "W/\"a\", \"b\"", "\"a\"", false, true },
        { "W/\"a\", \"a\"", "\"a\"", true, true },
    };
    TAGS_EXPECT(rows);
}

static void empty_elements_are_passed_over(void **state)
{
    (void)state;
    static const struct tags_row rows[] = {
        { ",\"a\"", "\"a\"", true, true },
        { "\"a\",", "\"a\"", true, true },
        { ", ,,\"b\",, ,\"a\" ,", "\"a\"", true, true },
        { "", "\"a\"", false, false },
        { ",", "\"a\"", false, false },
        { " , , ", "\"a\"", false, false },
    };
    TAGS_EXPECT(rows);
}

static void a_tag_is_compared_whole_and_byte_by_byte(void **state)
{
    (void)state;
    static const struct tags_row rows[] = {
        { "\"a\"", "\"A\"", false, false },
        { "\"ab\"", "\"a\"", false, false },
        { "\"a\"", "\"ab\"", false, false },
        { "\"\"", "\"\"", true, true },
        { "\"\"", "\"a\"", false, false },
        { "\"a,b\"", "\"a,b\"", true, true },
        { "\"a,b\"", "\"a\"", false, false },
        { "\"W/\"", "\"W/\"", true, true },
        { "\"*\"", "\"a\"", false, false },
        { "\"!#~\"", "\"!#~\"", true, true },
        { "\"\\\"", "\"\\\"", true, true }, /* no escapes in a tag */
        { "\"\x80\xff\"", "\"\x80\xff\"", true, true },
    };
    TAGS_EXPECT(rows);
}

static void a_malformed_list_matches_nothing(void **state)
{
    (void)state;
    static const struct tags_row rows[] = {
        { "a", "\"a\"", false, false },
        { "\"a", "\"a\"", false, false },
        { "a\"", "\"a\"", false, false },
        { "\"", "\"a\"", false, false },
        { "W/", "\"a\"", false, false },
        { "W/a", "\"a\"", false, false },
        { "W/\"", "\"a\"", false, false },
        { "W", "\"a\"", false, false },
        { "w/\"a\"", "\"a\"", false, false },
        { "W \"a\"", "\"a\"", false, false },
        { "W/ \"a\"", "\"a\"", false, false },
        { "'a'", "\"a\"", false, false },
        { "\"a\" \"a\"", "\"a\"", false, false },
        { "\"a\"\"a\"", "\"a\"", false, false },
        { "\"a\"; q=1", "\"a\"", false, false },
        { "\"a\", b", "\"a\"", false, false },
        { "\"a\", *", "\"a\"", false, false },
        { "*, \"a\"", "\"a\"", false, false },
        { "**", "\"a\"", false, false },
        { "*,", "\"a\"", false, false },
        { "\"a\x7f\", \"a\"", "\"a\"", false, false },
        { "\"a a\", \"a\"", "\"a\"", false, false },
    };
    TAGS_EXPECT(rows);
}

static void an_asterisk_matches_even_without_a_tag(void **state)
{
    (void)state;
    static const struct tags_row rows[] = {
        { "*", "\"a\"", true, true },
        { "*", "W/\"a\"", true, true },
        { "*", NULL, true, true },
        { "\"a\"", NULL, false, false },
    };
    TAGS_EXPECT(rows);
}

struct condition_row {
    const char *if_match;
    const char *if_unmodified_since;
    const char *if_none_match;
    const char *if_modified_since;
    enum http_condition_result expected;
};

static enum http_condition_result evaluate(enum http_method method, const struct condition_row *row,
                                           const struct http_validators *validators)
{
    struct http_request request = {
        .method = method,
        .if_match = field_of(row->if_match),
        .if_unmodified_since = field_of(row->if_unmodified_since),
        .if_none_match = field_of(row->if_none_match),
        .if_modified_since = field_of(row->if_modified_since),
    };
    return http_condition_evaluate(&request, validators);
}

static void conditions_expect(const struct condition_row *rows, size_t count,
                              struct http_validators validators)
{
    for (size_t i = 0; i < count; i++) {
        char row[32];
        (void)snprintf(row, sizeof(row), "row %zu", i);
        assert_number_equal(row, evaluate(HTTP_METHOD_GET, &rows[i], &validators),
                            rows[i].expected);
        assert_number_equal(row, evaluate(HTTP_METHOD_HEAD, &rows[i], &validators),
                            rows[i].expected);
    }
}

#define CONDITIONS_EXPECT(rows, validators) conditions_expect(rows, COUNT(rows), validators)

static void without_conditions_all_passes(void **state)
{
    (void)state;
    static const struct condition_row rows[] = { { NULL, NULL, NULL, NULL, PASS } };
    CONDITIONS_EXPECT(rows, validators_of("\"a\""));
    CONDITIONS_EXPECT(rows, ((struct http_validators){ .now_s = 1 }));
}

static void each_field_alone_decides(void **state)
{
    (void)state;
    static const struct condition_row rows[] = {
        { "\"a\"", NULL, NULL, NULL, PASS },   { "\"b\"", NULL, NULL, NULL, FAIL },
        { "W/\"a\"", NULL, NULL, NULL, FAIL }, { "*", NULL, NULL, NULL, PASS },
        { NULL, BEFORE, NULL, NULL, FAIL },    { NULL, MODIFIED, NULL, NULL, PASS },
        { NULL, AFTER, NULL, NULL, PASS },     { NULL, NULL, "\"a\"", NULL, SAME },
        { NULL, NULL, "W/\"a\"", NULL, SAME }, { NULL, NULL, "\"b\"", NULL, PASS },
        { NULL, NULL, "*", NULL, SAME },       { NULL, NULL, NULL, BEFORE, PASS },
        { NULL, NULL, NULL, MODIFIED, SAME },  { NULL, NULL, NULL, AFTER, SAME },
    };
    CONDITIONS_EXPECT(rows, validators_of("\"a\""));
}

static void the_fields_are_asked_in_the_order_of_the_rfc(void **state)
{
    (void)state;
    static const struct condition_row rows[] = {
        /* If-Match hides If-Unmodified-Since. */
        { "\"a\"", BEFORE, NULL, NULL, PASS },
        { "\"b\"", AFTER, NULL, NULL, FAIL },
        /* If-None-Match hides If-Modified-Since. */
        { NULL, NULL, "\"b\"", AFTER, PASS },
        { NULL, NULL, "\"a\"", BEFORE, SAME },
        /* What fails goes before what is not modified. */
        { "\"b\"", NULL, "\"a\"", NULL, FAIL },
        { NULL, BEFORE, "\"a\"", NULL, FAIL },
        { NULL, BEFORE, NULL, AFTER, FAIL },
        { "\"b\"", NULL, NULL, AFTER, FAIL },
        /* What passes goes on. */
        { "\"a\"", NULL, "\"a\"", NULL, SAME },
        { "\"a\"", NULL, NULL, MODIFIED, SAME },
        { NULL, AFTER, "\"a\"", NULL, SAME },
        { NULL, AFTER, "\"b\"", NULL, PASS },
        { NULL, MODIFIED, NULL, MODIFIED, SAME },
        { "\"a\"", BEFORE, "\"b\"", AFTER, PASS },
    };
    CONDITIONS_EXPECT(rows, validators_of("\"a\""));
}

static void malformed_tags_hide_the_date_behind_them(void **state)
{
    (void)state;
    static const struct condition_row rows[] = {
        { "a", NULL, NULL, NULL, FAIL },         { "a", AFTER, NULL, NULL, FAIL },
        { "", AFTER, NULL, NULL, FAIL },         { NULL, NULL, "a", NULL, PASS },
        { NULL, NULL, "a", AFTER, PASS },        { NULL, NULL, "", AFTER, PASS },
        { NULL, NULL, "\"a\", b", AFTER, PASS },
    };
    CONDITIONS_EXPECT(rows, validators_of("\"a\""));
}

static void dates_that_are_none_are_ignored(void **state)
{
    (void)state;
    static const struct condition_row rows[] = {
        { NULL, "", NULL, NULL, PASS },
        { NULL, "Sun, 30 Feb 1992 08:49:37 GMT", NULL, NULL, PASS },
        { NULL, "1", NULL, NULL, PASS },
        { NULL, NULL, NULL, "", PASS },
        { NULL, NULL, NULL, "2147483647", PASS },
        { NULL, NULL, NULL, MODIFIED "; length=7", PASS },
    };
    CONDITIONS_EXPECT(rows, validators_of("\"a\""));
}

static void dates_come_in_three_formats(void **state)
{
    (void)state;
    static const struct condition_row rows[] = {
        { NULL, NULL, NULL, "Sunday, 06-Nov-94 08:49:37 GMT", SAME },
        { NULL, NULL, NULL, "Sunday, 06-Nov-94 08:49:36 GMT", PASS },
        { NULL, NULL, NULL, "Sun Nov  6 08:49:37 1994", SAME },
        { NULL, NULL, NULL, "Sun Nov  6 08:49:36 1994", PASS },
        { NULL, "Sun Nov  6 08:49:37 1994", NULL, NULL, PASS },
        { NULL, "Sun Nov  6 08:49:36 1994", NULL, NULL, FAIL },
    };
    CONDITIONS_EXPECT(rows, validators_of("\"a\""));
}

static void without_last_modified_dates_are_ignored(void **state)
{
    (void)state;
    static const struct condition_row rows[] = {
        { NULL, BEFORE, NULL, NULL, PASS },
        { NULL, NULL, NULL, AFTER, PASS },
        { NULL, NULL, "\"a\"", NULL, SAME },
    };
    struct http_validators validators = validators_of("\"a\"");
    validators.has_mtime = false;
    CONDITIONS_EXPECT(rows, validators);
}

static void without_a_tag_only_the_asterisk_matches(void **state)
{
    (void)state;
    static const struct condition_row rows[] = {
        { "\"a\"", NULL, NULL, NULL, FAIL },  { "*", NULL, NULL, NULL, PASS },
        { NULL, NULL, "\"a\"", NULL, PASS },  { NULL, NULL, "*", NULL, SAME },
        { NULL, NULL, "\"a\"", AFTER, PASS }, { NULL, NULL, NULL, AFTER, SAME },
    };
    CONDITIONS_EXPECT(rows, validators_of(NULL));
}

static void a_weak_tag_of_ours_is_no_match_for_if_match(void **state)
{
    (void)state;
    static const struct condition_row rows[] = {
        { "W/\"a\"", NULL, NULL, NULL, FAIL },
        { "\"a\"", NULL, NULL, NULL, FAIL },
        { NULL, NULL, "\"a\"", NULL, SAME },
        { NULL, NULL, "W/\"a\"", NULL, SAME },
    };
    CONDITIONS_EXPECT(rows, validators_of("W/\"a\""));
}

static void other_methods_fail_where_a_read_is_not_modified(void **state)
{
    (void)state;
    struct http_validators validators = validators_of("\"a\"");
    struct condition_row tag = { .if_none_match = "\"a\"" };
    struct condition_row date = { .if_modified_since = AFTER };
    assert_int_equal(evaluate(HTTP_METHOD_OTHER, &tag, &validators), HTTP_CONDITION_FAILED);
    assert_int_equal(evaluate(HTTP_METHOD_OTHER, &date, &validators), HTTP_CONDITION_PASS);
}

struct if_range_row {
    const char *if_range;
    const char *etag;
    bool holds;
};

static void if_range_compares_tags_strongly(void **state)
{
    (void)state;
    static const struct if_range_row rows[] = {
        { "\"a\"", "\"a\"", true },
        { "\"b\"", "\"a\"", false },
        { "W/\"a\"", "\"a\"", false },
        { "\"a\"", "W/\"a\"", false },
        { "W/\"a\"", "W/\"a\"", false },
        { "\"a\"", NULL, false },
        { "\"a\", \"a\"", "\"a\"", false },
        { "\"a\" ", "\"a\"", false },
        { "*", "\"a\"", false },
        { "a", "\"a\"", false },
        { "", "\"a\"", false },
        { "\"a", "\"a\"", false },
        { "W/", "\"a\"", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_validators validators = validators_of(rows[i].etag);
        assert_number_equal(rows[i].if_range,
                            http_if_range_holds(slice_from_string(rows[i].if_range), &validators),
                            rows[i].holds);
    }
}

static void if_range_wants_the_very_date(void **state)
{
    (void)state;
    static const struct if_range_row rows[] = {
        { MODIFIED, "\"a\"", true },
        { MODIFIED, NULL, true },
        { "Sunday, 06-Nov-94 08:49:37 GMT", "\"a\"", true },
        { "Sun Nov  6 08:49:37 1994", "\"a\"", true },
        { BEFORE, "\"a\"", false },
        { AFTER, "\"a\"", false },
        { "Sun, 06 Nov 1994 08:49:37", "\"a\"", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_validators validators = validators_of(rows[i].etag);
        assert_number_equal(rows[i].if_range,
                            http_if_range_holds(slice_from_string(rows[i].if_range), &validators),
                            rows[i].holds);
    }
}

static void if_range_trusts_a_date_only_when_its_second_is_over(void **state)
{
    (void)state;
    struct http_validators validators = validators_of("\"a\"");
    validators.now_s = modified_s;
    assert_false(http_if_range_holds(SLICE(MODIFIED), &validators));
    assert_true(http_if_range_holds(SLICE("\"a\""), &validators));
    validators.now_s = modified_s + HTTP_DATE_STRONG_AGE_S;
    assert_true(http_if_range_holds(SLICE(MODIFIED), &validators));
    validators.now_s = modified_s - 1;
    assert_false(http_if_range_holds(SLICE(MODIFIED), &validators));
}

static void if_range_takes_no_date_without_last_modified(void **state)
{
    (void)state;
    struct http_validators validators = validators_of("\"a\"");
    validators.has_mtime = false;
    assert_false(http_if_range_holds(SLICE(MODIFIED), &validators));
    assert_true(http_if_range_holds(SLICE("\"a\""), &validators));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weak_tags_are_equal_only_weakly),
        cmocka_unit_test(a_list_matches_by_any_of_its_tags),
        cmocka_unit_test(empty_elements_are_passed_over),
        cmocka_unit_test(a_tag_is_compared_whole_and_byte_by_byte),
        cmocka_unit_test(a_malformed_list_matches_nothing),
        cmocka_unit_test(an_asterisk_matches_even_without_a_tag),
        cmocka_unit_test(without_conditions_all_passes),
        cmocka_unit_test(each_field_alone_decides),
        cmocka_unit_test(the_fields_are_asked_in_the_order_of_the_rfc),
        cmocka_unit_test(malformed_tags_hide_the_date_behind_them),
        cmocka_unit_test(dates_that_are_none_are_ignored),
        cmocka_unit_test(dates_come_in_three_formats),
        cmocka_unit_test(without_last_modified_dates_are_ignored),
        cmocka_unit_test(without_a_tag_only_the_asterisk_matches),
        cmocka_unit_test(a_weak_tag_of_ours_is_no_match_for_if_match),
        cmocka_unit_test(other_methods_fail_where_a_read_is_not_modified),
        cmocka_unit_test(if_range_compares_tags_strongly),
        cmocka_unit_test(if_range_wants_the_very_date),
        cmocka_unit_test(if_range_trusts_a_date_only_when_its_second_is_over),
        cmocka_unit_test(if_range_takes_no_date_without_last_modified),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_condition", tests, NULL, NULL) == 0 ? 0 : 1;
}

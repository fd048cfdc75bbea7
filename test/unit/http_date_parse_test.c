/* Dates read: the three formats, their strictness, the calendar's edges, two-digit years. */
#include "http/http_date.h"
#include "seeded.h"
#include "slice_assert.h"

static const int64_t now_2026 = INT64_C(1795203972); /* 2026-11-20 19:46:12 */

struct date_row {
    const char *text;
    int64_t seconds;
};

static void dates_expect(const struct date_row *rows, size_t count, int64_t now_s)
{
    for (size_t i = 0; i < count; i++) {
        int64_t seconds = -1;
        if (!http_date_parse(slice_from_string(rows[i].text), now_s, &seconds)) {
            fail_msg("%s: not read", rows[i].text);
        }
        assert_number_equal(rows[i].text, (uint64_t)seconds, (uint64_t)rows[i].seconds);
    }
}

static void texts_expect_refused(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t seconds;
        if (http_date_parse(slice_from_string(texts[i]), now_2026, &seconds)) {
            fail_msg("%s: read as %lld", texts[i], (long long)seconds);
        }
    }
}

#define COUNT(rows)                (sizeof(rows) / sizeof((rows)[0]))
#define DATES_EXPECT(rows)         dates_expect(rows, COUNT(rows), now_2026)
#define TEXTS_EXPECT_REFUSED(rows) texts_expect_refused(rows, COUNT(rows))

static void the_examples_of_the_rfc_are_the_same_moment(void **state)
{
    (void)state;
    static const struct date_row rows[] = {
        { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
        { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
        { "Sun Nov  6 08:49:37 1994", 784111777 },
    };
    DATES_EXPECT(rows);
}

static void every_long_weekday_is_known(void **state)
{
    (void)state;
    static const struct date_row rows[] = {
        { "Monday, 07-Nov-94 08:49:37 GMT", 784198177 },
        { "Tuesday, 08-Nov-94 08:49:37 GMT", 784284577 },
        { "Wednesday, 09-Nov-94 08:49:37 GMT", 784370977 },
        { "Thursday, 10-Nov-94 08:49:37 GMT", 784457377 },
        { "Friday, 11-Nov-94 08:49:37 GMT", 784543777 },
        { "Saturday, 12-Nov-94 08:49:37 GMT", 784630177 },
    };
    DATES_EXPECT(rows);
}

static void asctime_has_a_day_of_one_or_two_digits(void **state)
{
    (void)state;
    static const struct date_row rows[] = {
        { "Sun Nov 06 08:49:37 1994", 784111777 },
        { "Wed Nov 16 08:49:37 1994", 784975777 },
        { "Thu Jan  1 00:00:00 1970", 0 },
    };
    DATES_EXPECT(rows);
}

static void the_weekday_may_be_that_of_another_date(void **state)
{
    (void)state;
    static const struct date_row rows[] = {
        { "Mon, 06 Nov 1994 08:49:37 GMT", 784111777 },
        { "Friday, 06-Nov-94 08:49:37 GMT", 784111777 },
        { "Tue Nov  6 08:49:37 1994", 784111777 },
    };
    DATES_EXPECT(rows);
}

static void the_calendar_is_right_at_its_edges(void **state)
{
    (void)state;
    static const struct date_row rows[] = {
        { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
        { "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
        { "Sat, 01 Jan 0000 00:00:00 GMT", INT64_C(-62167219200) },
        { "Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799) },
        { "Tue, 29 Feb 2000 00:00:00 GMT", 951782400 },
        { "Wed, 01 Mar 2000 00:00:00 GMT", 951868800 },
        { "Thu, 29 Feb 2024 12:00:00 GMT", 1709208000 },
        { "Tue, 19 Jan 2038 03:14:08 GMT", INT64_C(2147483648) },
        { "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
    };
    DATES_EXPECT(rows);
}

static void dates_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 32 Jan 1994 08:49:37 GMT", "Sun, 30 Feb 2000 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT", "Sun, 29 Feb 2023 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:60 GMT", "Sun, 06 Nov 1994 23:59:61 GMT",
        "Sun, 06 Nov 1994 22:59:60 GMT", "Sunday, 29-Feb-23 08:49:37 GMT",
        "Sun Nov  0 08:49:37 1994",      "Sun Feb 30 08:49:37 1994",
    };
    TEXTS_EXPECT_REFUSED(rows);
}

static void what_differs_from_the_three_formats_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "0",
        "784111777",
        "now",
        "Sun",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GM",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT; length=9",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 NOV 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 006 Nov 1994 08:49:37 GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun  06 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 19945 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08.49.37 GMT",
        "Sun, 06 Nov 1994 0x:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Nod, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Now 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunsday, 06-Nov-94 08:49:37 GMT",
        "Tueday, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-9 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov   6 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov  6 08:49:37 1994\n",
        "Sunday Nov  6 08:49:37 1994",
    };
    TEXTS_EXPECT_REFUSED(rows);
}

static void a_zero_byte_ends_no_date(void **state)
{
    (void)state;
    int64_t seconds;
    assert_false(http_date_parse(SLICE("Sun, 06 Nov 1994 08:49:37 GMT\0"), now_2026, &seconds));
    assert_false(http_date_parse(SLICE("Sun, 06 Nov 1994 08:49:37\0GMT"), now_2026, &seconds));
}

static void two_digits_mean_a_year_at_most_fifty_ahead(void **state)
{
    (void)state;
    static const struct date_row rows[] = {
        { "Friday, 20-Nov-26 19:46:12 GMT", INT64_C(1795203972) },
        { "Friday, 20-Nov-76 19:46:12 GMT", INT64_C(3373127172) },  /* to the second: 2076 */
        { "Friday, 20-Nov-76 19:46:13 GMT", INT64_C(217367173) },   /* past it: 1976 */
        { "Sunday, 01-Jan-77 00:00:00 GMT", INT64_C(220924800) },   /* 1977 */
        { "Friday, 31-Dec-99 23:59:59 GMT", INT64_C(946684799) },   /* 1999 */
        { "Saturday, 01-Jan-00 00:00:00 GMT", INT64_C(946684800) }, /* 2000 */
        { "Tuesday, 29-Feb-00 00:00:00 GMT", INT64_C(951782400) },
    };
    DATES_EXPECT(rows);
}

static void two_digits_are_read_across_the_end_of_a_century(void **state)
{
    (void)state;
    static const struct date_row in_2099[] = {
        { "Thursday, 01-Jan-01 00:00:00 GMT", INT64_C(4133980800) }, /* 2101 */
        { "Thursday, 31-Dec-98 23:59:59 GMT", INT64_C(4070908799) }, /* 2098 */
        { "Thursday, 01-Jan-50 00:00:00 GMT", INT64_C(2524608000) }, /* 2050, not 2150 */
    };
    dates_expect(in_2099, COUNT(in_2099), INT64_C(4086028800)); /* 2099-06-25 */
    static const struct date_row in_1970[] = {
        { "Thursday, 01-Jan-20 00:00:00 GMT", INT64_C(1577836800) },  /* 2020 */
        { "Thursday, 01-Jan-21 00:00:00 GMT", INT64_C(-1546300800) }, /* 1921 */
    };
    dates_expect(in_1970, COUNT(in_1970), 0);
}

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct seeded seeded = seeded_start(seed);
        for (unsigned i = 0; i < 100; i++) {
            int64_t expected = (int64_t)(seeded_next(&seeded) % UINT64_C(253402300800));
            char date[HTTP_DATE_SIZE];
            http_date_write(expected, date);
            int64_t seconds = -1;
            assert_true(http_date_parse(slice_of(date, sizeof(date)), now_2026, &seconds));
            assert_number_equal("written", (uint64_t)seconds, (uint64_t)expected);
        }
    }
}

static void every_cut_of_a_date_is_refused(void **state)
{
    (void)state;
    static const char *const dates[] = {
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Wednesday, 09-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    };
    for (size_t i = 0; i < COUNT(dates); i++) {
        for (size_t size = 0; size < strlen(dates[i]); size++) {
            int64_t seconds;
            assert_false(http_date_parse(slice_of(dates[i], size), now_2026, &seconds));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_are_the_same_moment),
        cmocka_unit_test(every_long_weekday_is_known),
        cmocka_unit_test(asctime_has_a_day_of_one_or_two_digits),
        cmocka_unit_test(the_weekday_may_be_that_of_another_date),
        cmocka_unit_test(the_calendar_is_right_at_its_edges),
        cmocka_unit_test(dates_that_do_not_exist_are_refused),
        cmocka_unit_test(what_differs_from_the_three_formats_is_refused),
        cmocka_unit_test(a_zero_byte_ends_no_date),
        cmocka_unit_test(two_digits_mean_a_year_at_most_fifty_ahead),
        cmocka_unit_test(two_digits_are_read_across_the_end_of_a_century),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(every_cut_of_a_date_is_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_date_parse", tests, NULL, NULL) == 0 ? 0 : 1;
}

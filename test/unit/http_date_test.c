/* Dates: IMF-fixdate and the access log's, at the edges of the calendar and against gmtime. */
#include <time.h>

#include "http/http_date.h"
#include "slice_assert.h"

struct date_row {
    int64_t seconds;
    const char *date;
};

static void dates_expect(const struct date_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char buffer[HTTP_DATE_SIZE];
        http_date_write(rows[i].seconds, buffer);
        assert_slice_equal(rows[i].date, slice_of(buffer, sizeof(buffer)),
                           slice_from_string(rows[i].date));
    }
}

#define DATES_EXPECT(rows) dates_expect(rows, sizeof(rows) / sizeof((rows)[0]))

static void the_example_of_the_rfc_is_written_as_there(void **state)
{
    (void)state;
    static const struct date_row rows[] = { { 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" } };
    DATES_EXPECT(rows);
}

static void every_month_and_weekday_has_its_name(void **state)
{
    (void)state;
    static const struct date_row rows[] = {
        { 1735689600, "Wed, 01 Jan 2025 00:00:00 GMT" },
        { 1738368000, "Sat, 01 Feb 2025 00:00:00 GMT" },
        { 1740787200, "Sat, 01 Mar 2025 00:00:00 GMT" },
        { 1743465600, "Tue, 01 Apr 2025 00:00:00 GMT" },
        { 1746057600, "Thu, 01 May 2025 00:00:00 GMT" },
        { 1748736000, "Sun, 01 Jun 2025 00:00:00 GMT" },
        { 1751328000, "Tue, 01 Jul 2025 00:00:00 GMT" },
        { 1754006400, "Fri, 01 Aug 2025 00:00:00 GMT" },
        { 1756684800, "Mon, 01 Sep 2025 00:00:00 GMT" },
        { 1759276800, "Wed, 01 Oct 2025 00:00:00 GMT" },
        { 1761955200, "Sat, 01 Nov 2025 00:00:00 GMT" },
        { 1764547200, "Mon, 01 Dec 2025 00:00:00 GMT" },
    };
    DATES_EXPECT(rows);
}

static void a_leap_day_exists_only_in_leap_years(void **state)
{
    (void)state;
    static const struct date_row rows[] = {
        { 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
        { 1709164800, "Thu, 29 Feb 2024 00:00:00 GMT" },
        { 1677542400, "Tue, 28 Feb 2023 00:00:00 GMT" },
        { 1677628800, "Wed, 01 Mar 2023 00:00:00 GMT" },
        { 4107456000, "Sun, 28 Feb 2100 00:00:00 GMT" },
        { 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" },
    };
    DATES_EXPECT(rows);
}

static void a_day_ends_one_second_before_the_next(void **state)
{
    (void)state;
    static const struct date_row rows[] = {
        { 1767225599, "Wed, 31 Dec 2025 23:59:59 GMT" },
        { 1767225600, "Thu, 01 Jan 2026 00:00:00 GMT" },
        { 2147483647, "Tue, 19 Jan 2038 03:14:07 GMT" },
        { 2147483648, "Tue, 19 Jan 2038 03:14:08 GMT" },
    };
    DATES_EXPECT(rows);
}

static void times_out_of_range_are_clamped_to_it(void **state)
{
    (void)state;
    static const struct date_row rows[] = {
        { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
        { -1, "Thu, 01 Jan 1970 00:00:00 GMT" },
        { INT64_MIN, "Thu, 01 Jan 1970 00:00:00 GMT" },
        { INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT" },
        { INT64_C(253402300800), "Fri, 31 Dec 9999 23:59:59 GMT" },
        { INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
    };
    DATES_EXPECT(rows);
}

static void the_log_date_names_day_month_year_and_zone(void **state)
{
    (void)state;
    static const struct date_row rows[] = {
        { 784111777, "06/Nov/1994:08:49:37 +0000" },
        { 1795203972, "20/Nov/2026:19:46:12 +0000" },
        { 0, "01/Jan/1970:00:00:00 +0000" },
        { INT64_MAX, "31/Dec/9999:23:59:59 +0000" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buffer[HTTP_LOG_DATE_SIZE];
        http_log_date_write(rows[i].seconds, buffer);
        assert_slice_equal(rows[i].date, slice_of(buffer, sizeof(buffer)),
                           slice_from_string(rows[i].date));
    }
}

static void the_iso_date_is_in_the_order_of_time(void **state)
{
    (void)state;
    static const struct date_row rows[] = {
        { 784111777, "1994-11-06T08:49:37Z" },
        { 0, "1970-01-01T00:00:00Z" },
        { -1, "1970-01-01T00:00:00Z" },
        { 951782400, "2000-02-29T00:00:00Z" },
        { INT64_C(253402300799), "9999-12-31T23:59:59Z" },
        { INT64_MAX, "9999-12-31T23:59:59Z" },
        { 1735689599, "2024-12-31T23:59:59Z" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buffer[HTTP_ISO_DATE_SIZE];
        http_iso_date_write(rows[i].seconds, buffer);
        assert_slice_equal(rows[i].date, slice_of(buffer, sizeof(buffer)),
                           slice_from_string(rows[i].date));
    }
}

static void nothing_is_written_past_the_date(void **state)
{
    (void)state;
    char buffer[HTTP_DATE_SIZE + 1];
    buffer[HTTP_DATE_SIZE] = '#';
    http_date_write(784111777, buffer);
    assert_int_equal(buffer[HTTP_DATE_SIZE], '#');
    buffer[HTTP_LOG_DATE_SIZE] = '#';
    http_log_date_write(784111777, buffer);
    assert_int_equal(buffer[HTTP_LOG_DATE_SIZE], '#');
    buffer[HTTP_ISO_DATE_SIZE] = '#';
    http_iso_date_write(784111777, buffer);
    assert_int_equal(buffer[HTTP_ISO_DATE_SIZE], '#');
}

/* The C locale is in force: no test sets another. */
static void every_day_of_eight_centuries_agrees_with_gmtime(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 800 * 366; day++) {
        time_t seconds = day * 86400 + day % 86400;
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        char expected[HTTP_DATE_SIZE + 1];
        assert_int_equal(strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &tm),
                         HTTP_DATE_SIZE);
        char buffer[HTTP_DATE_SIZE];
        http_date_write(seconds, buffer);
        assert_slice_equal(expected, slice_of(buffer, sizeof(buffer)), slice_from_string(expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc_is_written_as_there),
        cmocka_unit_test(every_month_and_weekday_has_its_name),
        cmocka_unit_test(a_leap_day_exists_only_in_leap_years),
        cmocka_unit_test(a_day_ends_one_second_before_the_next),
        cmocka_unit_test(times_out_of_range_are_clamped_to_it),
        cmocka_unit_test(the_log_date_names_day_month_year_and_zone),
        cmocka_unit_test(the_iso_date_is_in_the_order_of_time),
        cmocka_unit_test(nothing_is_written_past_the_date),
        cmocka_unit_test(every_day_of_eight_centuries_agrees_with_gmtime),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_date", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* Dates are computed here, for the C library's functions know locales and time zones. */
#include "http/http_date.h"

#include <assert.h>

enum {
    DAY_S = 24 * 60 * 60
};
static const int64_t seconds_max = INT64_C(253402300799); /* 9999-12-31 23:59:59 */

static const char weekday_names[] = "SunMonTueWedThuFriSat";
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct civil {
    unsigned year;
    unsigned month;   /* 0 is January */
    unsigned day;     /* from 1 */
    unsigned weekday; /* 0 is Sunday */
    unsigned second_of_day;
};

static bool year_is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Counted in cycles of 400 years that begin on a 1 March, so that the leap day ends its year and
 * months have lengths of 31, 30, 31, 30, 31 in turn: 153 days every five. */
static struct civil civil_from_seconds(int64_t seconds)
{
    if (seconds < 0) {
        seconds = 0;
    }
    if (seconds > seconds_max) {
        seconds = seconds_max;
    }
    unsigned days = (unsigned)(seconds / DAY_S);
    unsigned shifted = days + 719468; /* days since 0000-03-01 */
    unsigned cycle = shifted / 146097;
    unsigned cycle_day = shifted % 146097;
    unsigned cycle_year =
        (cycle_day - cycle_day / 1460 + cycle_day / 36524 - cycle_day / 146096) / 365;
    unsigned year_day = cycle_day - (365 * cycle_year + cycle_year / 4 - cycle_year / 100);
    unsigned march_month = (5 * year_day + 2) / 153;
    unsigned month = (march_month + 2) % 12;
    struct civil civil = {
        .year = cycle * 400 + cycle_year + (month < 2),
        .month = month,
        .day = year_day - (153 * march_month + 2) / 5 + 1,
        .weekday = (days + 4) % 7,
        .second_of_day = (unsigned)(seconds % DAY_S),
    };
    assert(civil.year >= 1970);
    assert(civil.year <= 9999);
    assert(civil.day >= 1);
    assert(civil.day <= 31);
    assert(civil.month != 1 || civil.day <= 28U + year_is_leap(civil.year));
    return civil;
}

static void two_digits_write(unsigned value, char *buffer)
{
    assert(value < 100);
    buffer[0] = (char)('0' + value / 10);
    buffer[1] = (char)('0' + value % 10);
}

static void year_write(unsigned year, char *buffer)
{
    two_digits_write(year / 100, buffer);
    two_digits_write(year % 100, buffer + 2);
}

/* "08:49:37" */
static void clock_write(unsigned second_of_day, char *buffer)
{
    two_digits_write(second_of_day / 3600, buffer);
    buffer[2] = ':';
    two_digits_write(second_of_day / 60 % 60, buffer + 3);
    buffer[5] = ':';
    two_digits_write(second_of_day % 60, buffer + 6);
}

void http_date_write(int64_t seconds, char buffer[HTTP_DATE_SIZE])
{
    struct civil civil = civil_from_seconds(seconds);
    memcpy(buffer, "Sun, 06 Nov 1994 08:49:37 GMT", HTTP_DATE_SIZE);
    memcpy(buffer, weekday_names + 3 * civil.weekday, 3);
    two_digits_write(civil.day, buffer + 5);
    memcpy(buffer + 8, month_names + 3 * civil.month, 3);
    year_write(civil.year, buffer + 12);
    clock_write(civil.second_of_day, buffer + 17);
}

void http_log_date_write(int64_t seconds, char buffer[HTTP_LOG_DATE_SIZE])
{
    struct civil civil = civil_from_seconds(seconds);
    memcpy(buffer, "06/Nov/1994:08:49:37 +0000", HTTP_LOG_DATE_SIZE);
    two_digits_write(civil.day, buffer);
    memcpy(buffer + 3, month_names + 3 * civil.month, 3);
    year_write(civil.year, buffer + 7);
    clock_write(civil.second_of_day, buffer + 12);
}

/* Dates are computed here, for the C library's functions know locales and time zones. */
#include "http/http_date.h"

#include <assert.h>

enum {
    DAY_S = 24 * 60 * 60,
    CYCLE_YEARS = 400,
    CYCLE_DAYS = 146097,
    EPOCH_DAYS = 719468, /* from 0000-03-01 to 1970-01-01 */
    SHORT_YEAR_AHEAD_MAX = 50,
};
static const int64_t seconds_max = INT64_C(253402300799); /* 9999-12-31 23:59:59 */

static const char weekday_names[] = "SunMonTueWedThuFriSat";
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct civil {
    unsigned year;
    unsigned month;         /* 0 is January */
    unsigned day;           /* from 1 */
    unsigned weekday;       /* 0 is Sunday */
    unsigned second_of_day; /* DAY_S for a leap second */
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
    unsigned shifted = days + EPOCH_DAYS;
    unsigned cycle = shifted / CYCLE_DAYS;
    unsigned cycle_day = shifted % CYCLE_DAYS;
    unsigned cycle_year =
        (cycle_day - cycle_day / 1460 + cycle_day / 36524 - cycle_day / 146096) / 365;
    unsigned year_day = cycle_day - (365 * cycle_year + cycle_year / 4 - cycle_year / 100);
    unsigned march_month = (5 * year_day + 2) / 153;
    unsigned month = (march_month + 2) % 12;
    struct civil civil = {
        .year = cycle * CYCLE_YEARS + cycle_year + (month < 2),
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

void http_iso_date_write(int64_t seconds, char buffer[HTTP_ISO_DATE_SIZE])
{
    struct civil civil = civil_from_seconds(seconds);
    memcpy(buffer, "1994-11-06T08:49:37Z", HTTP_ISO_DATE_SIZE);
    year_write(civil.year, buffer);
    two_digits_write(civil.month + 1, buffer + 5);
    two_digits_write(civil.day, buffer + 8);
    clock_write(civil.second_of_day, buffer + 11);
}

/* The inverse of civil_from_seconds(), for any year from 0 on: one cycle more keeps the first two
 * months of year 0 positive. */
static int64_t seconds_from_civil(const struct civil *civil)
{
    assert(civil->month < 12);
    assert(civil->second_of_day <= DAY_S);
    unsigned march_month = (civil->month + 10) % 12;
    unsigned march_year = civil->year + CYCLE_YEARS - (civil->month < 2);
    unsigned days = march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 +
                    (153 * march_month + 2) / 5 + civil->day - 1;
    return ((int64_t)days - CYCLE_DAYS - EPOCH_DAYS) * DAY_S + civil->second_of_day;
}

static bool day_exists(const struct civil *civil)
{
    static const unsigned char month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned last = month_days[civil->month] + (civil->month == 1 && year_is_leap(civil->year));
    return civil->day >= 1 && civil->day <= last;
}

/* Grows with the moment, day of a month by day. */
static uint64_t civil_order(const struct civil *civil)
{
    uint64_t days = (civil->year * 12 + civil->month) * 32 + civil->day;
    return days * (DAY_S + 1) + civil->second_of_day;
}

/* civil->year: two digits. */
static void short_year_complete(struct civil *civil, int64_t now_s)
{
    struct civil latest = civil_from_seconds(now_s);
    latest.year += SHORT_YEAR_AHEAD_MAX;
    civil->year += latest.year / 100 * 100;
    if (civil_order(civil) > civil_order(&latest)) {
        civil->year -= 100;
    }
}

static void text_skip(struct slice *text, size_t size)
{
    assert(size <= text->size);
    *text = slice_of(text->data + size, text->size - size);
}

static bool literal_read(struct slice *text, const char *literal, size_t size)
{
    if (text->size < size || memcmp(text->data, literal, size) != 0) {
        return false;
    }
    text_skip(text, size);
    return true;
}

static bool digits_read(struct slice *text, size_t count, unsigned *value)
{
    if (text->size < count) {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < count; i++) {
        char c = text->data[i];
        if (c < '0' || c > '9') {
            return false;
        }
        *value = *value * 10 + (unsigned)(c - '0');
    }
    text_skip(text, count);
    return true;
}

/* names: of three letters each. */
static bool name_read(struct slice *text, const char *names, unsigned count, unsigned *index)
{
    for (*index = 0; *index < count; (*index)++) {
        if (literal_read(text, names + 3 * *index, 3)) {
            return true;
        }
    }
    return false;
}

static bool long_weekday_read(struct slice *text, struct civil *civil)
{
    static const struct slice tails[] = {
        { "day", 3 },   { "day", 3 }, { "sday", 4 },  { "nesday", 6 },
        { "rsday", 5 }, { "day", 3 }, { "urday", 5 },
    };
    if (!name_read(text, weekday_names, 7, &civil->weekday)) {
        return false;
    }
    struct slice tail = tails[civil->weekday];
    return literal_read(text, tail.data, tail.size);
}

static bool clock_read(struct slice *text, struct civil *civil)
{
    unsigned hour;
    unsigned minute;
    unsigned second;
    if (!digits_read(text, 2, &hour) || !literal_read(text, ":", 1) ||
        !digits_read(text, 2, &minute) || !literal_read(text, ":", 1) ||
        !digits_read(text, 2, &second)) {
        return false;
    }
    bool is_leap_second = hour == 23 && minute == 59 && second == 60;
    civil->second_of_day = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && (second < 60 || is_leap_second);
}

/* One field of a format, named as strptime(3) does. */
static bool date_field_read(struct slice *text, char field, struct civil *civil)
{
    switch (field) {
    case 'a':
        return name_read(text, weekday_names, 7, &civil->weekday);
    case 'A':
        return long_weekday_read(text, civil);
    case 'b':
        return name_read(text, month_names, 12, &civil->month);
    case 'd':
        return digits_read(text, 2, &civil->day);
    case 'e': /* a blank may stand for the first digit */
        return digits_read(text, literal_read(text, " ", 1) ? 1 : 2, &civil->day);
    case 'T':
        return clock_read(text, civil);
    case 'y':
        return digits_read(text, 2, &civil->year);
    case 'Y':
        return digits_read(text, 4, &civil->year);
    default:
        assert(false);
        return false;
    }
}

static bool date_format_read(struct slice text, const char *format, struct civil *civil)
{
    for (const char *at = format; *at != '\0'; at++) {
        bool is_read =
            *at == '%' ? date_field_read(&text, *++at, civil) : literal_read(&text, at, 1);
        if (!is_read) {
            return false;
        }
    }
    return text.size == 0;
}

bool http_date_parse(struct slice text, int64_t now_s, int64_t *seconds)
{
    struct civil civil = { .day = 0 };
    if (!date_format_read(text, "%a, %d %b %Y %T GMT", &civil) &&
        !date_format_read(text, "%a %b %e %T %Y", &civil)) {
        if (!date_format_read(text, "%A, %d-%b-%y %T GMT", &civil)) {
            return false;
        }
        short_year_complete(&civil, now_s);
    }
    if (!day_exists(&civil)) {
        return false;
    }
    *seconds = seconds_from_civil(&civil);
    return true;
}

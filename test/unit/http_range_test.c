/* Range: what is read, cut, coalesced, ignored; at, below and above every bound. */
#include <stdio.h>

#include "http/http_range.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum {
    TEXT_SIZE_MAX = 1024
};

/* "OFFSET+LENGTH OFFSET+LENGTH", or "200", or "416": one line that a failure can show whole. */
static struct slice result_text(struct slice field, uint64_t size, char text[TEXT_SIZE_MAX])
{
    struct http_ranges ranges;
    memset(&ranges, 0xa5, sizeof(ranges));
    enum http_range_result result = http_range_parse(field, size, &ranges);
    if (result != HTTP_RANGE_SATISFIABLE) {
        assert_int_equal(ranges.count, 0);
        return result == HTTP_RANGE_IGNORED ? SLICE("200") : SLICE("416");
    }
    size_t used = 0;
    for (size_t i = 0; i < ranges.count; i++) {
        used += (size_t)snprintf(text + used, TEXT_SIZE_MAX - used, "%s%llu+%llu",
                                 i == 0 ? "" : " ", (unsigned long long)ranges.items[i].offset,
                                 (unsigned long long)ranges.items[i].length);
        assert_true(used < TEXT_SIZE_MAX);
    }
    return slice_of(text, used);
}

struct range_row {
    const char *field;
    uint64_t size;
    const char *expected;
};

static void ranges_expect(const struct range_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[TEXT_SIZE_MAX];
        struct slice got = result_text(slice_from_string(rows[i].field), rows[i].size, text);
        assert_slice_equal(rows[i].field, got, slice_from_string(rows[i].expected));
    }
}

#define RANGES_EXPECT(rows) ranges_expect(rows, COUNT(rows))

static void one_range_is_read_in_its_three_forms(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "bytes=0-499", 10000, "0+500" },      { "bytes=500-999", 10000, "500+500" },
        { "bytes=-500", 10000, "9500+500" },    { "bytes=9500-", 10000, "9500+500" },
        { "bytes=0-0", 10000, "0+1" },          { "bytes=-1", 10000, "9999+1" },
        { "bytes=0-", 10000, "0+10000" },       { "bytes=9999-", 10000, "9999+1" },
        { "bytes=9999-9999", 10000, "9999+1" }, { "bytes=0-9999", 10000, "0+10000" },
        { "bytes=007-0010", 10000, "7+4" },     { "bytes=0-0", 1, "0+1" },
    };
    RANGES_EXPECT(rows);
}

static void the_unit_is_bytes_in_any_case(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "Bytes=1-2", 10, "1+2" }, { "BYTES=1-2", 10, "1+2" },  { "items=1-2", 10, "200" },
        { "byte=1-2", 10, "200" },  { "bytes1-2", 10, "200" },   { "=1-2", 10, "200" },
        { "1-2", 10, "200" },       { "bytes =1-2", 10, "200" }, { " bytes=1-2", 10, "200" },
        { "bytes:1-2", 10, "200" }, { "bytesx=1-2", 10, "200" }, { "bytes", 10, "200" },
        { "", 10, "200" },          { "bytes==1-2", 10, "200" },
    };
    RANGES_EXPECT(rows);
}

static void what_reaches_past_the_end_is_cut(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "bytes=8-9", 10, "8+2" },    { "bytes=8-10", 10, "8+2" }, { "bytes=9-11", 10, "9+1" },
        { "bytes=0-100", 10, "0+10" }, { "bytes=-9", 10, "1+9" },   { "bytes=-10", 10, "0+10" },
        { "bytes=-11", 10, "0+10" },
    };
    RANGES_EXPECT(rows);
}

static void none_within_the_size_is_unsatisfiable(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "bytes=10-", 10, "416" },    { "bytes=10-10", 10, "416" },
        { "bytes=11-20", 10, "416" },  { "bytes=-0", 10, "416" },
        { "bytes=-00", 10, "416" },    { "bytes=10-,20-30,-0", 10, "416" },
        { "bytes=9-,10-", 10, "9+1" }, { "bytes=10-,9-", 10, "9+1" },
        { "bytes=-0,0-0", 10, "0+1" },
    };
    RANGES_EXPECT(rows);
}

static void an_empty_file_has_no_ranges(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "bytes=0-", 0, "200" },
        { "bytes=0-0", 0, "200" },
        { "bytes=-1", 0, "200" },
        { "bytes=5-", 0, "200" },
    };
    RANGES_EXPECT(rows);
}

static void a_malformed_set_is_ignored_whole(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "bytes=", 10, "200" },        { "bytes=,", 10, "200" },
        { "bytes= , ,", 10, "200" },    { "bytes=-", 10, "200" },
        { "bytes=1", 10, "200" },       { "bytes=2-1", 10, "200" },
        { "bytes=20-15", 10, "200" },   { "bytes=a-b", 10, "200" },
        { "bytes=1-b", 10, "200" },     { "bytes=--1", 10, "200" },
        { "bytes=1--2", 10, "200" },    { "bytes=+1-2", 10, "200" },
        { "bytes=1-+2", 10, "200" },    { "bytes=0x1-2", 10, "200" },
        { "bytes=1 -2", 10, "200" },    { "bytes=1- 2", 10, "200" },
        { "bytes=1-2-3", 10, "200" },   { "bytes=1-2 3-4", 10, "200" },
        { "bytes=1-2;3-4", 10, "200" }, { "bytes=1.0-2", 10, "200" },
        { "bytes=*", 10, "200" },       { "bytes=1-2/10", 10, "200" },
        { "bytes=0-1,x", 10, "200" },   { "bytes=x,0-1", 10, "200" },
        { "bytes=0-1,-", 10, "200" },   { "bytes=0-1,bytes=3-4", 10, "200" },
        { "bytes=20-,3-2", 10, "200" }, { "bytes=0-1\r", 10, "200" },
    };
    RANGES_EXPECT(rows);
}

static void a_zero_byte_ends_no_set(void **state)
{
    (void)state;
    char text[TEXT_SIZE_MAX];
    assert_slice_equal("NUL", result_text(SLICE("bytes=0-1\0"), 10, text), SLICE("200"));
    assert_slice_equal("NUL", result_text(SLICE("bytes=0\0-1"), 10, text), SLICE("200"));
}

static void blanks_and_empty_elements_may_separate(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "bytes=0-1, 900-901", 1000, "0+2 900+2" },
        { "bytes=0-1 ,\t900-901", 1000, "0+2 900+2" },
        { "bytes= 0-1", 1000, "0+2" },
        { "bytes=0-1 ", 1000, "0+2" },
        { "bytes=,0-1", 1000, "0+2" },
        { "bytes=0-1,", 1000, "0+2" },
        { "bytes=,, 0-1, ,,900-901 ,", 1000, "0+2 900+2" },
    };
    RANGES_EXPECT(rows);
}

static void numbers_have_64_bits_and_stop_there(void **state)
{
    (void)state;
    const uint64_t huge = INT64_MAX;
    const struct range_row rows[] = {
        { "bytes=9223372036854775806-", huge, "9223372036854775806+1" },
        { "bytes=9223372036854775807-", huge, "416" },
        { "bytes=9223372036854775808-", huge, "416" },
        { "bytes=0-9223372036854775807", huge, "0+9223372036854775807" },
        { "bytes=0-9223372036854775808", huge, "0+9223372036854775807" },
        { "bytes=-9223372036854775807", huge, "0+9223372036854775807" },
        { "bytes=-9223372036854775806", huge, "1+9223372036854775806" },
        { "bytes=1-18446744073709551614", 10, "1+9" },
        { "bytes=1-18446744073709551615", 10, "1+9" },
        { "bytes=1-18446744073709551616", 10, "1+9" },
        { "bytes=1-18446744073709551617", 10, "1+9" },
        { "bytes=1-99999999999999999999999999999999", 10, "1+9" },
        { "bytes=-18446744073709551615", 10, "0+10" },
        { "bytes=-18446744073709551616", 10, "0+10" },
        { "bytes=-18446744073709551617", 10, "0+10" },
        { "bytes=-340282366920938463463374607431768211456", 10, "0+10" },
        { "bytes=18446744073709551615-", 10, "416" },
        { "bytes=18446744073709551616-", 10, "416" },
        { "bytes=18446744073709551617-", 10, "416" }, /* not 1 */
        { "bytes=18446744073709551617-18446744073709551619", 10, "416" },
        { "bytes=18446744073709551616-5", 10, "200" },
        { "bytes=00000000000000000000000000000000001-2", 10, "1+2" },
    };
    RANGES_EXPECT(rows);
}

static void ranges_keep_the_order_of_the_request(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "bytes=500-599,0-99", 1000, "500+100 0+100" },
        { "bytes=-1,0-0", 1000, "999+1 0+1" },
        { "bytes=800-,0-9,400-409", 1000, "800+200 0+10 400+10" },
        { "bytes=800-,5000-,0-9", 1000, "800+200 0+10" },
    };
    RANGES_EXPECT(rows);
}

static void overlaps_become_one(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "bytes=0-99,50-149", 1000, "0+150" },  { "bytes=50-149,0-99", 1000, "0+150" },
        { "bytes=0-199,50-99", 1000, "0+200" },  { "bytes=50-99,0-199", 1000, "0+200" },
        { "bytes=0-99,0-99", 1000, "0+100" },    { "bytes=0-99,100-199", 1000, "0+200" },
        { "bytes=100-199,0-99", 1000, "0+200" }, { "bytes=900-,-150", 1000, "850+150" },
    };
    RANGES_EXPECT(rows);
}

static void neighbours_within_the_gap_become_one(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "bytes=0-9,89-98", 1000, "0+99" },        /* 79 between */
        { "bytes=0-9,90-99", 1000, "0+100" },       /* 80 */
        { "bytes=0-9,91-100", 1000, "0+10 91+10" }, /* 81 */
        { "bytes=90-99,0-9", 1000, "0+100" },       { "bytes=91-100,0-9", 1000, "91+10 0+10" },
    };
    RANGES_EXPECT(rows);
}

static void what_is_coalesced_stands_where_its_first_did(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "bytes=500-509,0-9,510-519", 1000, "500+20 0+10" },
        { "bytes=0-9,500-509,900-909,20-29", 1000, "0+30 500+10 900+10" },
        /* The third joins two that were apart. */
        { "bytes=0-9,150-159,80-89", 1000, "0+160" },
        { "bytes=900-909,150-159,500-509,0-9,80-89", 1000, "900+10 0+160 500+10" },
        { "bytes=0-9,200-209,400-409,5-405", 1000, "0+410" },
    };
    RANGES_EXPECT(rows);
}

static void ranges_that_sum_to_more_than_the_size_are_ignored(void **state)
{
    (void)state;
    static const struct range_row rows[] = {
        { "bytes=0-499,500-999", 1000, "0+1000" },
        { "bytes=0-499,499-999", 1000, "200" },
        { "bytes=0-,0-0", 1000, "200" },
        { "bytes=0-,0-,0-", 1000, "200" },
        { "bytes=0-,1000-", 1000, "0+1000" },
        { "bytes=0-5000,-5000", 1000, "200" },
        { "bytes=0-9223372036854775806,0-9223372036854775806,0-9223372036854775806", INT64_MAX,
          "200" },
    };
    RANGES_EXPECT(rows);
}

/* Single bytes, `step` apart. */
static struct slice many_ranges(size_t count, size_t step, char *field, size_t size)
{
    size_t used = (size_t)snprintf(field, size, "bytes=");
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(field + used, size - used, "%s%zu-%zu", i == 0 ? "" : ",",
                                 i * step, i * step);
        assert_true(used < size);
    }
    return slice_of(field, used);
}

static void more_than_sixteen_are_ignored(void **state)
{
    (void)state;
    char field[4096];
    struct http_ranges ranges;
    static const struct {
        size_t count;
        enum http_range_result result;
        size_t ranges_count;
    } rows[] = {
        { HTTP_RANGES_MAX - 1, HTTP_RANGE_SATISFIABLE, HTTP_RANGES_MAX - 1 },
        { HTTP_RANGES_MAX, HTTP_RANGE_SATISFIABLE, HTTP_RANGES_MAX },
        { HTTP_RANGES_MAX + 1, HTTP_RANGE_IGNORED, 0 },
        { HTTP_RANGES_MAX * 10, HTTP_RANGE_IGNORED, 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice text = many_ranges(rows[i].count, 1000, field, sizeof(field));
        assert_int_equal(http_range_parse(text, 1000000, &ranges), rows[i].result);
        assert_int_equal(ranges.count, rows[i].ranges_count);
    }
}

static void sixteen_are_counted_after_coalescing(void **state)
{
    (void)state;
    char field[4096];
    char text[TEXT_SIZE_MAX];
    struct slice many = many_ranges(200, 81, field, sizeof(field));
    assert_slice_equal("200 near", result_text(many, 1000000, text), SLICE("0+16120"));
}

static void past_the_end_do_not_count_as_ranges(void **state)
{
    (void)state;
    char field[4096];
    char text[TEXT_SIZE_MAX];
    struct slice many = many_ranges(200, 1000, field, sizeof(field));
    assert_slice_equal("2 of 200", result_text(many, 1001, text), SLICE("0+1 1000+1"));
    assert_slice_equal("1 of 200", result_text(many, 1000, text), SLICE("0+1"));
}

static void content_range_says_first_last_and_size(void **state)
{
    (void)state;
    static const struct {
        struct http_range range;
        uint64_t size;
        const char *expected;
    } rows[] = {
        { { 0, 1 }, 1, "bytes 0-0/1" },
        { { 0, 500 }, 1234, "bytes 0-499/1234" },
        { { 734, 500 }, 1234, "bytes 734-1233/1234" },
        { { INT64_MAX - 1, 1 },
          INT64_MAX,
          "bytes 9223372036854775806-9223372036854775806/9223372036854775807" },
        { { UINT64_MAX - 2, 2 },
          UINT64_MAX,
          "bytes 18446744073709551613-18446744073709551614/18446744073709551615" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char buffer[HTTP_CONTENT_RANGE_SIZE_MAX + 1];
        memset(buffer, '#', sizeof(buffer));
        size_t size = http_content_range_write(rows[i].range, rows[i].size, buffer);
        assert_slice_equal(rows[i].expected, slice_of(buffer, size),
                           slice_from_string(rows[i].expected));
        assert_int_equal(buffer[size], '#');
    }
}

static void content_range_of_416_says_the_size_only(void **state)
{
    (void)state;
    char buffer[HTTP_CONTENT_RANGE_SIZE_MAX];
    size_t size = http_content_range_write_unsatisfied(47022, buffer);
    assert_slice_equal("416", slice_of(buffer, size), SLICE("bytes */47022"));
    size = http_content_range_write_unsatisfied(UINT64_MAX, buffer);
    assert_slice_equal("2^64 - 1", slice_of(buffer, size), SLICE("bytes */18446744073709551615"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_range_is_read_in_its_three_forms),
        cmocka_unit_test(the_unit_is_bytes_in_any_case),
        cmocka_unit_test(what_reaches_past_the_end_is_cut),
        cmocka_unit_test(none_within_the_size_is_unsatisfiable),
        cmocka_unit_test(an_empty_file_has_no_ranges),
        cmocka_unit_test(a_malformed_set_is_ignored_whole),
        cmocka_unit_test(a_zero_byte_ends_no_set),
        cmocka_unit_test(blanks_and_empty_elements_may_separate),
        cmocka_unit_test(numbers_have_64_bits_and_stop_there),
        cmocka_unit_test(ranges_keep_the_order_of_the_request),
        cmocka_unit_test(overlaps_become_one),
        cmocka_unit_test(neighbours_within_the_gap_become_one),
        cmocka_unit_test(what_is_coalesced_stands_where_its_first_did),
        cmocka_unit_test(ranges_that_sum_to_more_than_the_size_are_ignored),
        cmocka_unit_test(more_than_sixteen_are_ignored),
        cmocka_unit_test(sixteen_are_counted_after_coalescing),
        cmocka_unit_test(past_the_end_do_not_count_as_ranges),
        cmocka_unit_test(content_range_says_first_last_and_size),
        cmocka_unit_test(content_range_of_416_says_the_size_only),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_range", tests, NULL, NULL) == 0 ? 0 : 1;
}

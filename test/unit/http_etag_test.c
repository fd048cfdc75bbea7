/* Entity tags: what changes them, when they are weak, and when Last-Modified may be sent. */
#include "http/http_etag.h"
#include "slice_assert.h"

static const int64_t now_s = 1800000000;

static const struct http_etag_source sample = {
    .size = 0x1f4,
    .mtime_s = 1700000000,
    .mtime_ns = 123456789,
    .changed_s = 1700000000,
    .changed_ns = 123456789,
    .inode = 0xabc,
};

static struct slice tag_of(struct http_etag_source source, char buffer[HTTP_ETAG_SIZE_MAX])
{
    return slice_of(buffer, http_etag_write(&source, now_s, buffer));
}

static const uint8_t hash[HTTP_ETAG_HASH_SIZE] = {
    0x00, 0x1f, 0xa2, 0x3b, 0xc4, 0x5d, 0xe6, 0x7f, 0x80, 0x91, 0xa2, 0xb3, 0xc4, 0xd5, 0xe6, 0xff,
};
#define HASH_TEXT "001fa23bc45de67f8091a2b3c4d5e6ff"

static bool tag_is_weak(int64_t mtime_s, int64_t changed_s)
{
    char buffer[HTTP_ETAG_SIZE_MAX];
    struct http_etag_source source = sample;
    source.mtime_s = mtime_s;
    source.changed_s = changed_s;
    struct slice tag = tag_of(source, buffer);
    return tag.size > 2 && memcmp(tag.data, "W/", 2) == 0;
}

/* Opaque bytes in quotes: RFC 9110 8.8.3, etagc. */
static void assert_is_entity_tag(struct slice tag)
{
    size_t start = tag.data[0] == 'W' ? 2 : 0;
    assert_true(start == 0 || tag.data[1] == '/');
    assert_true(tag.size - start > 2);
    assert_int_equal(tag.data[start], '"');
    assert_int_equal(tag.data[tag.size - 1], '"');
    for (size_t i = start + 1; i < tag.size - 1; i++) {
        assert_true(tag.data[i] > ' ');
        assert_true(tag.data[i] != '"');
    }
}

static void a_settled_file_has_a_strong_quoted_tag(void **state)
{
    (void)state;
    char buffer[HTTP_ETAG_SIZE_MAX];
    struct slice tag = tag_of(sample, buffer);
    assert_is_entity_tag(tag);
    assert_slice_equal("sample", tag, SLICE("\"1f4-17979cfe3d85cd15-0-abc\""));
}

static void the_same_file_has_the_same_tag_at_any_later_time(void **state)
{
    (void)state;
    char first[HTTP_ETAG_SIZE_MAX];
    char second[HTTP_ETAG_SIZE_MAX];
    size_t first_size = http_etag_write(&sample, now_s, first);
    size_t second_size = http_etag_write(&sample, now_s + 1000000, second);
    assert_slice_equal("later", slice_of(second, second_size), slice_of(first, first_size));
}

static void each_part_of_what_stat_says_changes_the_tag(void **state)
{
    (void)state;
    struct http_etag_source others[] = { sample, sample, sample, sample, sample, sample };
    others[0].size++;
    others[1].mtime_s++;
    others[2].mtime_ns++;
    others[3].inode++;
    others[4].changed_s++;
    others[5].changed_ns++;
    char buffer[HTTP_ETAG_SIZE_MAX];
    struct slice tag = tag_of(sample, buffer);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        char other_buffer[HTTP_ETAG_SIZE_MAX];
        if (slice_equal(tag, tag_of(others[i], other_buffer))) {
            fail_msg("change %zu is not seen", i);
        }
    }
}

/* As `rsync --inplace --times` does. */
static void a_writer_that_puts_the_mtime_back_is_seen(void **state)
{
    (void)state;
    struct http_etag_source source = sample;
    source.changed_s = sample.mtime_s + 1000;
    source.changed_ns = sample.mtime_ns + 15;
    char buffer[HTTP_ETAG_SIZE_MAX];
    assert_slice_equal("later", tag_of(source, buffer),
                       SLICE("\"1f4-17979cfe3d85cd15-e8d4a5100f-abc\""));
    source.changed_s = sample.changed_s;
    source.changed_ns = sample.mtime_ns - 1;
    assert_slice_equal("earlier", tag_of(source, buffer),
                       SLICE("\"1f4-17979cfe3d85cd15-ffffffffffffffff-abc\""));
}

static void a_file_changed_less_than_two_seconds_ago_has_a_weak_tag(void **state)
{
    (void)state;
    static const int64_t old_s = 1700000000;
    for (int64_t age_s = 0; age_s <= HTTP_ETAG_YOUNG_S + 1; age_s++) {
        bool is_young = age_s < HTTP_ETAG_YOUNG_S;
        assert_int_equal(tag_is_weak(now_s - age_s, old_s), is_young);
        assert_int_equal(tag_is_weak(old_s, now_s - age_s), is_young);
        assert_int_equal(tag_is_weak(now_s - age_s, now_s - age_s), is_young);
    }
}

static void an_mtime_that_says_nothing_makes_a_weak_tag(void **state)
{
    (void)state;
    static const int64_t mtimes[] = { 0, 1, -1, INT64_MIN, 1800000001, INT64_MAX };
    for (size_t i = 0; i < sizeof(mtimes) / sizeof(mtimes[0]); i++) {
        assert_true(tag_is_weak(mtimes[i], sample.changed_s));
    }
    assert_false(tag_is_weak(2, sample.changed_s));
}

static void a_ctime_in_the_future_makes_a_weak_tag(void **state)
{
    (void)state;
    assert_true(tag_is_weak(sample.mtime_s, now_s + 1));
    assert_true(tag_is_weak(sample.mtime_s, INT64_MAX));
    assert_false(tag_is_weak(sample.mtime_s, 0));
}

static void a_hash_alone_makes_the_tag_and_it_is_strong(void **state)
{
    (void)state;
    struct http_etag_source sources[] = { sample, sample, sample, { .size = 0 } };
    sources[1].mtime_s = now_s + 1;
    sources[2].changed_s = now_s;
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        char buffer[HTTP_ETAG_SIZE_MAX];
        sources[i].hash = hash;
        assert_slice_equal("hash", tag_of(sources[i], buffer), SLICE("\"" HASH_TEXT "\""));
    }
}

static void a_coding_appends_its_name(void **state)
{
    (void)state;
    static const struct {
        enum http_coding coding;
        const char *of_stat;
        const char *of_hash;
    } rows[] = {
        { HTTP_CODING_IDENTITY, "\"1f4-17979cfe3d85cd15-0-abc\"", "\"" HASH_TEXT "\"" },
        { HTTP_CODING_BR, "\"1f4-17979cfe3d85cd15-0-abc-br\"", "\"" HASH_TEXT "-br\"" },
        { HTTP_CODING_ZSTD, "\"1f4-17979cfe3d85cd15-0-abc-zstd\"", "\"" HASH_TEXT "-zstd\"" },
        { HTTP_CODING_GZIP, "\"1f4-17979cfe3d85cd15-0-abc-gzip\"", "\"" HASH_TEXT "-gzip\"" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buffer[HTTP_ETAG_SIZE_MAX];
        struct http_etag_source source = sample;
        source.coding = rows[i].coding;
        assert_slice_equal("stat", tag_of(source, buffer), slice_from_string(rows[i].of_stat));
        source.hash = hash;
        assert_slice_equal("hash", tag_of(source, buffer), slice_from_string(rows[i].of_hash));
    }
}

static void a_hash_is_needed_where_the_mtime_says_nothing(void **state)
{
    (void)state;
    assert_true(http_etag_needs_hash(INT64_MIN, now_s));
    assert_true(http_etag_needs_hash(-1, now_s));
    assert_true(http_etag_needs_hash(0, now_s));
    assert_true(http_etag_needs_hash(1, now_s));
    assert_false(http_etag_needs_hash(2, now_s));
    assert_false(http_etag_needs_hash(now_s, now_s)); /* young, but it will come to rest */
    assert_true(http_etag_needs_hash(now_s + 1, now_s));
}

static void weakness_is_a_prefix_and_nothing_more(void **state)
{
    (void)state;
    char strong_buffer[HTTP_ETAG_SIZE_MAX];
    char weak_buffer[HTTP_ETAG_SIZE_MAX];
    size_t strong_size = http_etag_write(&sample, now_s, strong_buffer);
    size_t weak_size = http_etag_write(&sample, sample.mtime_s, weak_buffer);
    assert_int_equal(weak_size, strong_size + 2);
    assert_slice_equal("opaque part", slice_of(weak_buffer + 2, weak_size - 2),
                       slice_of(strong_buffer, strong_size));
}

static void the_longest_tag_fits_exactly(void **state)
{
    (void)state;
    struct http_etag_source source = {
        .size = UINT64_MAX,
        .mtime_s = -1,
        .mtime_ns = 999999999,
        .changed_s = -2,
        .changed_ns = 999999999,
        .inode = UINT64_MAX,
        .coding = HTTP_CODING_ZSTD,
    };
    char buffer[HTTP_ETAG_SIZE_MAX];
    struct slice tag = tag_of(source, buffer);
    assert_is_entity_tag(tag);
    assert_int_equal(tag.size, HTTP_ETAG_SIZE_MAX);
    source.coding = HTTP_CODING_BR;
    assert_int_equal(tag_of(source, buffer).size, HTTP_ETAG_SIZE_MAX - 2);
}

static void zeros_are_written_as_digits(void **state)
{
    (void)state;
    char buffer[HTTP_ETAG_SIZE_MAX];
    struct http_etag_source source = { .size = 0 };
    assert_slice_equal("zeros", tag_of(source, buffer), SLICE("W/\"0-0-0-0\""));
}

static void last_modified_is_sent_only_for_a_believable_mtime(void **state)
{
    (void)state;
    assert_false(http_mtime_is_sendable(INT64_MIN, now_s));
    assert_false(http_mtime_is_sendable(-1, now_s));
    assert_false(http_mtime_is_sendable(0, now_s));
    assert_false(http_mtime_is_sendable(1, now_s));
    assert_true(http_mtime_is_sendable(2, now_s));
    assert_true(http_mtime_is_sendable(now_s, now_s));
    assert_false(http_mtime_is_sendable(now_s + 1, now_s));
    assert_false(http_mtime_is_sendable(INT64_MAX, now_s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_settled_file_has_a_strong_quoted_tag),
        cmocka_unit_test(the_same_file_has_the_same_tag_at_any_later_time),
        cmocka_unit_test(each_part_of_what_stat_says_changes_the_tag),
        cmocka_unit_test(a_writer_that_puts_the_mtime_back_is_seen),
        cmocka_unit_test(a_file_changed_less_than_two_seconds_ago_has_a_weak_tag),
        cmocka_unit_test(an_mtime_that_says_nothing_makes_a_weak_tag),
        cmocka_unit_test(a_ctime_in_the_future_makes_a_weak_tag),
        cmocka_unit_test(a_hash_alone_makes_the_tag_and_it_is_strong),
        cmocka_unit_test(a_coding_appends_its_name),
        cmocka_unit_test(a_hash_is_needed_where_the_mtime_says_nothing),
        cmocka_unit_test(weakness_is_a_prefix_and_nothing_more),
        cmocka_unit_test(the_longest_tag_fits_exactly),
        cmocka_unit_test(zeros_are_written_as_digits),
        cmocka_unit_test(last_modified_is_sent_only_for_a_believable_mtime),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_etag", tests, NULL, NULL) == 0 ? 0 : 1;
}

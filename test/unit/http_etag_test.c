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

static bool tag_is_weak(int64_t mtime_s)
{
    char buffer[HTTP_ETAG_SIZE_MAX];
    struct http_etag_source source = sample;
    source.mtime_s = mtime_s;
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
    assert_slice_equal("sample", tag, SLICE("\"1f4-17979cfe3d85cd15-abc\""));
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

static void size_mtime_nanoseconds_and_inode_each_change_the_tag(void **state)
{
    (void)state;
    struct http_etag_source others[] = { sample, sample, sample, sample };
    others[0].size++;
    others[1].mtime_s++;
    others[2].mtime_ns++;
    others[3].inode++;
    char buffer[HTTP_ETAG_SIZE_MAX];
    struct slice tag = tag_of(sample, buffer);
    for (size_t i = 0; i < 4; i++) {
        char other_buffer[HTTP_ETAG_SIZE_MAX];
        assert_false(slice_equal(tag, tag_of(others[i], other_buffer)));
    }
}

static void a_file_changed_less_than_two_seconds_ago_has_a_weak_tag(void **state)
{
    (void)state;
    assert_true(tag_is_weak(now_s));
    assert_true(tag_is_weak(now_s - 1));
    assert_false(tag_is_weak(now_s - 2));
    assert_false(tag_is_weak(now_s - 3));
}

static void an_mtime_that_says_nothing_makes_a_weak_tag(void **state)
{
    (void)state;
    static const int64_t mtimes[] = { 0, 1, -1, INT64_MIN, 1800000001, INT64_MAX };
    for (size_t i = 0; i < sizeof(mtimes) / sizeof(mtimes[0]); i++) {
        assert_true(tag_is_weak(mtimes[i]));
    }
    assert_false(tag_is_weak(2));
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

static void the_largest_numbers_fit_with_room_for_a_coding_suffix(void **state)
{
    (void)state;
    struct http_etag_source source = {
        .size = UINT64_MAX, .mtime_s = -1, .mtime_ns = 999999999, .inode = UINT64_MAX
    };
    char buffer[HTTP_ETAG_SIZE_MAX];
    struct slice tag = tag_of(source, buffer);
    assert_is_entity_tag(tag);
    assert_true(tag.size + strlen("-zstd") <= HTTP_ETAG_SIZE_MAX);
}

static void zeros_are_written_as_digits(void **state)
{
    (void)state;
    char buffer[HTTP_ETAG_SIZE_MAX];
    struct http_etag_source source = { .size = 0 };
    assert_slice_equal("zeros", tag_of(source, buffer), SLICE("W/\"0-0-0\""));
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
        cmocka_unit_test(size_mtime_nanoseconds_and_inode_each_change_the_tag),
        cmocka_unit_test(a_file_changed_less_than_two_seconds_ago_has_a_weak_tag),
        cmocka_unit_test(an_mtime_that_says_nothing_makes_a_weak_tag),
        cmocka_unit_test(weakness_is_a_prefix_and_nothing_more),
        cmocka_unit_test(the_largest_numbers_fit_with_room_for_a_coding_suffix),
        cmocka_unit_test(zeros_are_written_as_digits),
        cmocka_unit_test(last_modified_is_sent_only_for_a_believable_mtime),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_etag", tests, NULL, NULL) == 0 ? 0 : 1;
}

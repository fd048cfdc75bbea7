/* Targets: what a raw path decodes to, and what is refused. */
#include "http/http_target.h"
#include "slice_assert.h"

enum {
    RAW_SIZE_MAX = 8192,
    LOCATION_SIZE_MAX = 4 * RAW_SIZE_MAX
};

struct decode_row {
    const char *raw;
    const char *path;
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void decodes_expect(const struct decode_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct http_target target;
        enum http_target_result result =
            http_target_decode(slice_from_string(rows[i].raw), &target);
        assert_number_equal(rows[i].raw, result, HTTP_TARGET_OK);
        assert_slice_equal(rows[i].raw, slice_of(target.path, target.path_size),
                           slice_from_string(rows[i].path));
        assert_int_equal(target.path[target.path_size], '\0');
    }
}

static void results_expect(const char *const *raws, size_t count, enum http_target_result expected)
{
    for (size_t i = 0; i < count; i++) {
        struct http_target target;
        assert_number_equal(raws[i], http_target_decode(slice_from_string(raws[i]), &target),
                            expected);
    }
}

static void a_plain_path_loses_only_its_leading_slash(void **state)
{
    (void)state;
    static const struct decode_row rows[] = {
        { "/", "" },
        { "/a", "a" },
        { "/index.html", "index.html" },
        { "/a/b/c.txt", "a/b/c.txt" },
        { "/~user/a-b_c.d", "~user/a-b_c.d" },
        { "/a+b;c=d,e:f@g!h$i&j'(k)*l", "a+b;c=d,e:f@g!h$i&j'(k)*l" },
    };
    decodes_expect(rows, COUNT(rows));
}

static void escapes_are_decoded_once(void **state)
{
    (void)state;
    static const struct decode_row rows[] = {
        { "/%61%62c", "abc" },
        { "/a%20b", "a b" },
        { "/%C3%A9%c3%a9", "\xc3\xa9\xc3\xa9" },
        { "/%2541", "%41" },
        { "/%252e%252e/a", "%2e%2e/a" },
        { "/%252f", "%2f" },
        { "/a%3Fb%23c", "a?b#c" },
        { "/%ff%01%7f", "\xff\x01\x7f" },
        { "/100%25", "100%" },
    };
    decodes_expect(rows, COUNT(rows));
}

static void a_backslash_is_a_byte_like_any_other(void **state)
{
    (void)state;
    static const struct decode_row rows[] = {
        { "/a\\b", "a\\b" },
        { "/a%5cb", "a\\b" },
        { "/..\\..\\etc", "..\\..\\etc" },
        { "/%5c..%5c", "\\..\\" },
    };
    decodes_expect(rows, COUNT(rows));
}

static void empty_segments_collapse(void **state)
{
    (void)state;
    static const struct decode_row rows[] = {
        { "//", "" },        { "///", "" },           { "//a", "a" },
        { "/a//b", "a/b" },  { "/a///b////", "a/b" }, { "//evil.example/x", "evil.example/x" },
        { "/a//../b", "b" },
    };
    decodes_expect(rows, COUNT(rows));
}

static void dot_segments_are_resolved(void **state)
{
    (void)state;
    static const struct decode_row rows[] = {
        { "/.", "" },
        { "/./a", "a" },
        { "/a/.", "a" },
        { "/a/./b", "a/b" },
        { "/a/..", "" },
        { "/a/../b", "b" },
        { "/a/b/../../c", "c" },
        { "/a/b/c/./../../g", "a/g" },
        { "/%2e/a", "a" },
        { "/a/%2e%2E/b", "b" },
        { "/a/.%2e/b", "b" },
        { "/a/%2e./b", "b" },
        { "/a/b/..%2fc", "a/c" },
    };
    decodes_expect(rows, COUNT(rows));
}

static void names_made_of_dots_or_beginning_with_them_are_kept(void **state)
{
    (void)state;
    static const struct decode_row rows[] = {
        { "/...", "..." }, { "/....", "...." }, { "/..a", "..a" }, { "/a..", "a.." },
        { "/.a", ".a" },   { "/a.", "a." },     { "/.. ", ".. " }, { "/a/.b/..c", "a/.b/..c" },
    };
    decodes_expect(rows, COUNT(rows));
}

static void an_encoded_slash_separates(void **state)
{
    (void)state;
    static const struct decode_row rows[] = {
        { "/a%2fb", "a/b" },  { "/a%2Fb", "a/b" },   { "/%2f%2fevil.example", "evil.example" },
        { "/a%2f../b", "b" }, { "/a%2f%2e%2e", "" }, { "/a%2fb%2f", "a/b" },
        { "/a/b%2f..", "a" },
    };
    decodes_expect(rows, COUNT(rows));
}

static void a_path_that_climbs_above_the_root_is_bad(void **state)
{
    (void)state;
    static const char *const raws[] = {
        "/..",           "/../",         "/../a",        "/a/../..",     "/a/../../b",
        "/./..",         "//..",         "/%2e%2e",      "/.%2e/a",      "/..%2fetc/passwd",
        "/%2e%2e%2fetc", "/a%2f..%2f..", "/a/../../a/b", "/..%5c/../..", "/a/b/../../../a/b",
    };
    results_expect(raws, COUNT(raws), HTTP_TARGET_BAD);
}

static void a_bad_escape_is_bad(void **state)
{
    (void)state;
    static const char *const raws[] = {
        "/%",   "/a%",   "/%4",  "/%4/", "/%g0", "/%0g", "/%%41", "/%u0041",
        "/%-1", "/% 41", "/%+1", "/%0x", "/a/%", "/%2",  "/%2/",
    };
    results_expect(raws, COUNT(raws), HTTP_TARGET_BAD);
}

static void nul_is_bad(void **state)
{
    (void)state;
    static const char *const raws[] = { "/%00", "/a%00b", "/a/%00/../b", "/index.html%00.png" };
    results_expect(raws, COUNT(raws), HTTP_TARGET_BAD);
    struct http_target target;
    assert_int_equal(http_target_decode(SLICE("/a\0b"), &target), HTTP_TARGET_BAD);
}

static void a_path_that_ends_in_slash_or_dots_names_a_directory(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        bool is_directory;
    } rows[] = {
        { "/", true },       { "/a", false },    { "/a/", true },     { "/a//", true },
        { "/.", true },      { "/a/.", true },   { "/a/b/..", true }, { "/a/b/../c", false },
        { "/a%2f", true },   { "/a/%2e", true }, { "/...", false },   { "/a/b%2f..", true },
        { "/a/./b", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_target target;
        http_target_decode(slice_from_string(rows[i].raw), &target);
        assert_number_equal(rows[i].raw, target.is_directory, rows[i].is_directory);
    }
}

static void dot_names_are_told_of_what_is_left_after_resolving(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        bool has_dot_name;
    } rows[] = {
        { "/", false },
        { "/a/b", false },
        { "/a.b", false },
        { "/.git", true },
        { "/.git/config", true },
        { "/%2egit/config", true },
        { "/a/.htaccess", true },
        { "/a%2f.htaccess", true },
        { "/...", true },
        { "/.well-known", false },
        { "/.well-known/acme", false },
        { "//.well-known/acme", false },
        { "/.well-known/.hidden", true },
        { "/a/.well-known/x", true },
        { "/.well-knownx", true },
        { "/.Well-Known/x", true },
        { "/.git/../a", false },
        { "/.git/.x/../../a", false },
        { "/.git/b/../../.well-known", false },
        { "/.git/a/..", true },
        { "/./a", false },
        { "/a/../b/.", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_target target;
        assert_number_equal(rows[i].raw,
                            http_target_decode(slice_from_string(rows[i].raw), &target),
                            HTTP_TARGET_OK);
        assert_number_equal(rows[i].raw, target.has_dot_name, rows[i].has_dot_name);
    }
}

/* A path of `count` segments of `size` bytes; bytes differ by position. */
static struct slice segments_build(char *buffer, size_t count, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        buffer[at++] = '/';
        for (size_t j = 0; j < size; j++) {
            buffer[at] = (char)('a' + at % 26);
            at++;
        }
    }
    return slice_of(buffer, at);
}

static void a_name_of_255_bytes_is_kept_and_one_more_is_missing(void **state)
{
    (void)state;
    char raw[RAW_SIZE_MAX];
    struct http_target target;
    struct slice longest = segments_build(raw, 1, HTTP_SEGMENT_SIZE_MAX);
    assert_int_equal(http_target_decode(longest, &target), HTTP_TARGET_OK);
    assert_slice_equal("255", slice_of(target.path, target.path_size),
                       slice_of(raw + 1, HTTP_SEGMENT_SIZE_MAX));
    struct slice too_long = segments_build(raw, 1, HTTP_SEGMENT_SIZE_MAX + 1);
    assert_int_equal(http_target_decode(too_long, &target), HTTP_TARGET_MISSING);
}

static void name_length_is_that_of_decoded_bytes(void **state)
{
    (void)state;
    char raw[RAW_SIZE_MAX];
    size_t size = 0;
    raw[size++] = '/';
    for (int i = 0; i < HTTP_SEGMENT_SIZE_MAX; i++) {
        memcpy(raw + size, "%C3", 3);
        size += 3;
    }
    struct http_target target;
    assert_int_equal(http_target_decode(slice_of(raw, size), &target), HTTP_TARGET_OK);
    assert_int_equal(target.path_size, HTTP_SEGMENT_SIZE_MAX);
}

static void a_path_of_4095_bytes_is_kept_and_one_more_is_missing(void **state)
{
    (void)state;
    char raw[RAW_SIZE_MAX];
    struct http_target target;
    struct slice longest = segments_build(raw, HTTP_PATH_SIZE_MAX / 2 + 1, 1);
    assert_int_equal(longest.size, HTTP_PATH_SIZE_MAX + 1);
    assert_int_equal(http_target_decode(longest, &target), HTTP_TARGET_OK);
    assert_int_equal(target.path_size, HTTP_PATH_SIZE_MAX);
    assert_int_equal(target.path[HTTP_PATH_SIZE_MAX], '\0');
    assert_memory_equal(target.path, raw + 1, HTTP_PATH_SIZE_MAX);
    raw[longest.size] = 'x';
    assert_int_equal(http_target_decode(slice_of(raw, longest.size + 1), &target),
                     HTTP_TARGET_MISSING);
}

static void dot_segments_are_seen_where_the_path_is_full(void **state)
{
    (void)state;
    char raw[RAW_SIZE_MAX];
    struct http_target target;
    size_t size = segments_build(raw, HTTP_PATH_SIZE_MAX / 2 + 1, 1).size;
    memcpy(raw + size, "/./../", 6);
    assert_int_equal(http_target_decode(slice_of(raw, size + 6), &target), HTTP_TARGET_OK);
    assert_int_equal(target.path_size, HTTP_PATH_SIZE_MAX - 2);
    assert_true(target.is_directory);
}

static void bad_goes_before_missing(void **state)
{
    (void)state;
    static const char *const ends[] = { "/%00", "/%zz", "/../../..", "/b/../../../../c" };
    for (size_t i = 0; i < COUNT(ends); i++) {
        char raw[RAW_SIZE_MAX];
        size_t size = segments_build(raw, 2, HTTP_SEGMENT_SIZE_MAX + 1).size;
        memcpy(raw + size, ends[i], strlen(ends[i]));
        struct http_target target;
        assert_number_equal(ends[i],
                            http_target_decode(slice_of(raw, size + strlen(ends[i])), &target),
                            HTTP_TARGET_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_path_loses_only_its_leading_slash),
        cmocka_unit_test(escapes_are_decoded_once),
        cmocka_unit_test(a_backslash_is_a_byte_like_any_other),
        cmocka_unit_test(empty_segments_collapse),
        cmocka_unit_test(dot_segments_are_resolved),
        cmocka_unit_test(names_made_of_dots_or_beginning_with_them_are_kept),
        cmocka_unit_test(an_encoded_slash_separates),
        cmocka_unit_test(a_path_that_climbs_above_the_root_is_bad),
        cmocka_unit_test(a_bad_escape_is_bad),
        cmocka_unit_test(nul_is_bad),
        cmocka_unit_test(a_path_that_ends_in_slash_or_dots_names_a_directory),
        cmocka_unit_test(dot_names_are_told_of_what_is_left_after_resolving),
        cmocka_unit_test(a_name_of_255_bytes_is_kept_and_one_more_is_missing),
        cmocka_unit_test(name_length_is_that_of_decoded_bytes),
        cmocka_unit_test(a_path_of_4095_bytes_is_kept_and_one_more_is_missing),
        cmocka_unit_test(dot_segments_are_seen_where_the_path_is_full),
        cmocka_unit_test(bad_goes_before_missing),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_target", tests, NULL, NULL) == 0 ? 0 : 1;
}

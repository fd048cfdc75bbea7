/* The way back from a path: percent-encoding, and where the slash redirect leads. */
#include "http/http_target.h"
#include "slice_assert.h"

enum {
    LOCATION_SIZE_MAX = 32 * 1024
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct encode_row {
    const char *path;
    const char *encoded;
};

static void encoding_keeps_unreserved_bytes_and_slashes(void **state)
{
    (void)state;
    struct slice path = SLICE("AZaz09-._~/x");
    char buffer[64];
    size_t size = http_target_encode(path, buffer, sizeof(buffer));
    assert_slice_equal("unreserved", slice_of(buffer, size), path);
}

static void every_other_byte_is_escaped_in_upper_case(void **state)
{
    (void)state;
    static const struct encode_row rows[] = {
        { " ", "%20" },
        { "%", "%25" },
        { "?", "%3F" },
        { "#", "%23" },
        { "\\", "%5C" },
        { ":", "%3A" },
        { "a:b", "a%3Ab" },
        { "\xc3\xa9", "%C3%A9" },
        { "\n", "%0A" },
        { "\"", "%22" },
        { "<>", "%3C%3E" },
        { "\xff\x01", "%FF%01" },
        { "+&;=", "%2B%26%3B%3D" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char buffer[64];
        size_t size = http_target_encode(slice_from_string(rows[i].path), buffer, sizeof(buffer));
        assert_slice_equal(rows[i].path, slice_of(buffer, size),
                           slice_from_string(rows[i].encoded));
    }
}

static void every_byte_survives_encoding_and_decoding(void **state)
{
    (void)state;
    char path[255];
    for (size_t i = 0; i < sizeof(path); i++) {
        path[i] = (char)(i + 1);
    }
    path[0] = 'x';
    char raw[1 + 3 * sizeof(path)] = "/";
    size_t size = http_target_encode(slice_of(path, sizeof(path)), raw + 1, sizeof(raw) - 1);
    struct http_target target;
    assert_int_equal(http_target_decode(slice_of(raw, size + 1), &target), HTTP_TARGET_OK);
    assert_slice_equal("all bytes", slice_of(target.path, target.path_size),
                       slice_of(path, sizeof(path)));
}

static void a_short_buffer_is_never_overrun_and_the_size_is_told(void **state)
{
    (void)state;
    struct slice path = SLICE("a b/c\xff");
    for (size_t size = 0; size <= 10; size++) {
        char buffer[16];
        memset(buffer, '#', sizeof(buffer));
        assert_int_equal(http_target_encode(path, buffer, size), 10);
        for (size_t i = size; i < sizeof(buffer); i++) {
            assert_int_equal(buffer[i], '#');
        }
    }
    assert_int_equal(http_target_encode(path, NULL, 0), 10);
}

struct redirect_row {
    const char *raw;
    const char *query; /* NULL: none */
    const char *location;
};

static void redirects_expect(const struct redirect_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct http_target target;
        struct slice raw = slice_from_string(rows[i].raw);
        assert_number_equal(rows[i].raw, http_target_decode(raw, &target), HTTP_TARGET_OK);
        struct slice query = rows[i].query == NULL ? SLICE_NONE : slice_from_string(rows[i].query);
        char buffer[LOCATION_SIZE_MAX];
        size_t size = http_target_write_slash_redirect(raw, &target, query, buffer, sizeof(buffer));
        assert_slice_equal(rows[i].raw, slice_of(buffer, size),
                           slice_from_string(rows[i].location));
    }
}

static void a_plain_directory_is_redirected_by_its_last_name(void **state)
{
    (void)state;
    static const struct redirect_row rows[] = {
        { "/a", NULL, "./a/" },
        { "/a/b/c", NULL, "./c/" },
        { "/a%20b", NULL, "./a%20b/" },
        { "/%61", NULL, "./a/" },
        { "/caf\xc3\xa9", NULL, "./caf%C3%A9/" },
        { "/a:b", NULL, "./a%3Ab/" },
        { "/javascript:alert(1)", NULL, "./javascript%3Aalert%281%29/" },
        { "/...", NULL, "./.../" },
    };
    redirects_expect(rows, COUNT(rows));
}

static void the_query_is_kept_as_sent(void **state)
{
    (void)state;
    static const struct redirect_row rows[] = {
        { "/a", "x=1&y=%2f", "./a/?x=1&y=%2f" },
        { "/a", "", "./a/?" },
        { "/a", "x?//evil.example", "./a/?x?//evil.example" },
        { "//a", "q", "../a/?q" },
    };
    redirects_expect(rows, COUNT(rows));
}

static void no_path_can_steer_the_redirect_to_another_host(void **state)
{
    (void)state;
    static const struct redirect_row rows[] = {
        { "//evil.example", NULL, "../evil.example/" },
        { "///evil.example", NULL, "../../evil.example/" },
        { "/\\evil.example", NULL, "./%5Cevil.example/" },
        { "/\\/evil.example", NULL, "./evil.example/" },
        { "/%5cevil.example", NULL, "./%5Cevil.example/" },
        { "/%2fevil.example", NULL, "./evil.example/" },
        { "/%2f%2fevil.example", NULL, "./evil.example/" },
        { "/.//evil.example", NULL, "../evil.example/" },
        { "/a/..//evil.example", NULL, "../evil.example/" },
        { "/%2e%2f%2fevil.example", NULL, "./evil.example/" },
        { "/http:%2f%2fevil.example", NULL, "./http%3A/evil.example/" },
        { "/%09//evil.example", NULL, "../../%09/evil.example/" },
        { "/%0d%0aLocation:x", NULL, "./%0D%0ALocation%3Ax/" },
    };
    redirects_expect(rows, COUNT(rows));
}

static void an_unusual_path_is_redirected_from_the_top(void **state)
{
    (void)state;
    static const struct redirect_row rows[] = {
        { "/a//b", NULL, "../../a/b/" },       { "/a/./b", NULL, "../a/b/" },
        { "/a/../b", NULL, "./b/" },           { "/a/../b/c", NULL, "../b/c/" },
        { "/a/%2e/b", NULL, "../../a/b/" },    { "/a/%2e%2e/b", NULL, "../../b/" },
        { "/a%2fb", NULL, "./a/b/" },          { "/x/a%2Fb", NULL, "../x/a/b/" },
        { "/x//a%2fb", NULL, "../../x/a/b/" }, { "/.%2fb", NULL, "./b/" },
    };
    redirects_expect(rows, COUNT(rows));
}

static void a_location_that_does_not_fit_is_not_overrun(void **state)
{
    (void)state;
    struct http_target target;
    struct slice raw = SLICE("/x//a%2fb");
    assert_int_equal(http_target_decode(raw, &target), HTTP_TARGET_OK);
    for (size_t size = 0; size <= 14; size++) {
        char buffer[16];
        memset(buffer, '#', sizeof(buffer));
        assert_int_equal(http_target_write_slash_redirect(raw, &target, SLICE("q"), buffer, size),
                         14);
        for (size_t i = size; i < sizeof(buffer); i++) {
            assert_int_equal(buffer[i], '#');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoding_keeps_unreserved_bytes_and_slashes),
        cmocka_unit_test(every_other_byte_is_escaped_in_upper_case),
        cmocka_unit_test(every_byte_survives_encoding_and_decoding),
        cmocka_unit_test(a_short_buffer_is_never_overrun_and_the_size_is_told),
        cmocka_unit_test(a_plain_directory_is_redirected_by_its_last_name),
        cmocka_unit_test(the_query_is_kept_as_sent),
        cmocka_unit_test(no_path_can_steer_the_redirect_to_another_host),
        cmocka_unit_test(an_unusual_path_is_redirected_from_the_top),
        cmocka_unit_test(a_location_that_does_not_fit_is_not_overrun),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_redirect", tests, NULL, NULL) == 0 ? 0 : 1;
}

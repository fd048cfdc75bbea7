/* Templates of redirects: what is inserted, what is refused, and that none leads elsewhere. */
#include "http/http_redirect.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum {
    LOCATION_SIZE_MAX = 1024
};

struct write_row {
    const char *template;
    const char *pattern;
    const char *path;
    const char *query; /* NULL: absent */
    const char *location;
};

static void locations_expect(const struct write_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct slice template = slice_from_string(rows[i].template);
        struct slice path = slice_from_string(rows[i].path);
        struct slice query = rows[i].query == NULL ? SLICE_NONE : slice_from_string(rows[i].query);
        const char *expected = http_redirect_check(template);
        if (expected != NULL) {
            fail_msg("%s: %s", rows[i].template, expected);
        }
        struct http_glob_captures captures;
        assert_true(http_glob_match(slice_from_string(rows[i].pattern), path, &captures));
        char buffer[LOCATION_SIZE_MAX];
        size_t size = http_redirect_write(template, &captures, path, query, buffer, sizeof(buffer));
        assert_in_range(size, 1, sizeof(buffer));
        assert_slice_equal(rows[i].template, slice_of(buffer, size),
                           slice_from_string(rows[i].location));
    }
}

#define LOCATIONS_EXPECT(rows) locations_expect(rows, COUNT(rows))

static void captures_and_path_are_inserted(void **state)
{
    (void)state;
    static const struct write_row rows[] = {
        { "/new", "/old", "/old", NULL, "/new" },
        { "/new/$1", "/old/**", "/old/a/b.html", NULL, "/new/a/b.html" },
        { "/$2/$1.$2", "/*/*", "/a/b", NULL, "/b/a.b" },
        { "/x/$9", "/1*2*3*4*5*6*7*8*/", "/1a2b3c4d5e6f7g8h/i", NULL, "/x/i" },
        { "/x/$2", "/*", "/a", NULL, "/x/" },
        { "/$$1/$$$1", "/*", "/a", NULL, "/$1/$a" },
        { "/x$path", "/a/", "/a/b/", NULL, "/x/a/b/" },
        { "https://example.org$path", "/", "/a/b", NULL, "https://example.org/a/b" },
        { "http://example.org:8080/$1", "/*", "/a", NULL, "http://example.org:8080/a" },
        { "http://[::1]/$1", "/*", "/a", NULL, "http://[::1]/a" },
        { "https://example.org?p=$1", "/*", "/a", NULL, "https://example.org?p=a" },
    };
    LOCATIONS_EXPECT(rows);
}

static void what_is_inserted_is_escaped(void **state)
{
    (void)state;
    static const struct write_row rows[] = {
        { "/n/$1", "/**", "/a b/\xc3\xa9?#", NULL, "/n/a%20b/%C3%A9%3F%23" },
        { "/n/$1", "/*", "/a\r\nSet-Cookie: x", NULL, "/n/a%0D%0ASet-Cookie%3A%20x" },
        { "/n?u=$1", "/*", "/a&b=c", NULL, "/n?u=a%26b%3Dc" },
        { "/n$path", "/*", "/100%", NULL, "/n/100%25" },
    };
    LOCATIONS_EXPECT(rows);
}

static void the_query_is_kept(void **state)
{
    (void)state;
    static const struct write_row rows[] = {
        { "/new", "/a", "/a", "x=1&y=%20", "/new?x=1&y=%20" },
        { "/new", "/a", "/a", "", "/new" },
        { "/new?v=2", "/a", "/a", "x=1", "/new?v=2&x=1" },
        { "/new?v=2", "/a", "/a", NULL, "/new?v=2" },
        { "/new?", "/a", "/a", "x=1", "/new?x=1" },
        { "/new?v=2&", "/a", "/a", "x=1", "/new?v=2&x=1" },
        { "/new#top", "/a", "/a", "x=1", "/new?x=1#top" },
        { "/new?v=2#a?b#c", "/a", "/a", "x=1", "/new?v=2&x=1#a?b#c" },
        { "/new#a?b", "/a", "/a", "x=1", "/new?x=1#a?b" },
        { "/$1", "/*", "/a?b", "x=1", "/a%3Fb?x=1" },
        { "https://example.org", "/a", "/a", "x=1", "https://example.org?x=1" },
        { "/", "/a", "/a", "//evil.example", "/?//evil.example" },
    };
    LOCATIONS_EXPECT(rows);
}

static void no_slash_is_doubled_by_what_is_inserted(void **state)
{
    (void)state;
    static const struct write_row rows[] = {
        { "/n/$1", "/old**", "/old/a", NULL, "/n/a" },
        { "/n/$path", "/a", "/a", NULL, "/n/a" },
        { "https://example.org/$path", "/a", "/a", NULL, "https://example.org/a" },
        { "https://example.org$path$path", "/a/", "/a/", NULL, "https://example.org/a/a/" },
    };
    LOCATIONS_EXPECT(rows);
}

static void no_capture_leads_to_another_host(void **state)
{
    (void)state;
    static const struct write_row rows[] = {
        { "/$1", "/a**", "/a/evil.example", NULL, "/evil.example" },
        { "/$1", "/a**", "/a//evil.example", NULL, "/evil.example" },
        { "/$1", "/a**", "/a\\evil.example", NULL, "/%5Cevil.example" },
        { "/$1", "/a**", "/a/\\evil.example", NULL, "/%5Cevil.example" },
        { "/$1", "/a**", "/a\t/evil.example", NULL, "/%09/evil.example" },
        { "/$path", "/**", "/evil.example/x", NULL, "/evil.example/x" },
        { "/$1$2", "/*a**", "/a/evil.example", NULL, "/evil.example" },
        { "/$1/$2", "/*a*", "/aevil.example", NULL, "/evil.example" },
        { "/$1/$1/$2", "/*a**", "/a/evil.example", NULL, "/evil.example" },
        { "/$1//x", "/*", "/", NULL, "/x" },
        { "/$1", "/*", "/", NULL, "/" },
    };
    LOCATIONS_EXPECT(rows);
}

static void templates_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const templates[] = {
        "",
        "new",
        "$1",
        "$path",
        "//example.org/",
        "/\\example.org",
        "javascript:alert(1)",
        "HTTP://example.org/",
        "ftp://example.org/",
        "http:/example.org/",
        "http://",
        "https:///a",
        "http://user@example.org/",
        "http://example.org:x/",
        "http://example.org:65536/",
        "http://$1/",
        "http://$path",
        "http://example.$1/",
        "http://example.org$1",
        "http://example.org$$/",
        "http://example.org:$1/",
        "http://example.org:80$1/",
        "http://example.org\\$1/",
        "/a b",
        "/a\tb",
        "/a\r\nSet-Cookie: x",
        "/\xc3\xa9",
        "/a\x7f",
        "/a\"b",
        "/<a>",
        "/{a}",
        "/%",
        "/%4",
        "/%zz",
        "/$",
        "/$0",
        "/$a",
        "/$pat",
        "/a$",
    };
    for (size_t i = 0; i < COUNT(templates); i++) {
        const char *expected = http_redirect_check(slice_from_string(templates[i]));
        if (expected == NULL) {
            fail_msg("\"%s\" is expected to be refused", templates[i]);
        }
        assert_memory_equal(expected, "expected ", 9);
    }
    assert_non_null(http_redirect_check(SLICE("/a\0b")));
}

static void templates_of_every_kind_of_byte_are_taken(void **state)
{
    (void)state;
    static const char *const templates[] = {
        "/",
        "/%20%C3%a9",
        "/a-._~!&'()*+,;=:@/?#[]",
        "https://example.org",
        "https://xn--bcher-kva.example/",
        "https://192.0.2.1:1/a",
    };
    for (size_t i = 0; i < COUNT(templates); i++) {
        const char *expected = http_redirect_check(slice_from_string(templates[i]));
        if (expected != NULL) {
            fail_msg("%s: %s", templates[i], expected);
        }
    }
}

static void a_short_buffer_is_never_overrun_and_the_size_is_told(void **state)
{
    (void)state;
    struct slice template = SLICE("/n/$1/$path?a=$1");
    struct slice path = SLICE("/x y");
    struct slice whole = SLICE("/n/x%20y/x%20y?a=x%20y&q");
    struct http_glob_captures captures;
    assert_true(http_glob_match(SLICE("/*"), path, &captures));
    for (size_t room = 0; room <= whole.size; room++) {
        char buffer[64];
        memset(buffer, '#', sizeof(buffer));
        size_t size = http_redirect_write(template, &captures, path, SLICE("q"), buffer, room);
        assert_int_equal(size, whole.size);
        for (size_t i = room; i < sizeof(buffer); i++) {
            assert_int_equal(buffer[i], '#');
        }
        if (room == whole.size) {
            assert_memory_equal(buffer, whole.data, whole.size);
        }
    }
    assert_int_equal(http_redirect_write(template, &captures, path, SLICE("q"), NULL, 0),
                     whole.size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures_and_path_are_inserted),
        cmocka_unit_test(what_is_inserted_is_escaped),
        cmocka_unit_test(the_query_is_kept),
        cmocka_unit_test(no_slash_is_doubled_by_what_is_inserted),
        cmocka_unit_test(no_capture_leads_to_another_host),
        cmocka_unit_test(templates_that_are_none_are_refused),
        cmocka_unit_test(templates_of_every_kind_of_byte_are_taken),
        cmocka_unit_test(a_short_buffer_is_never_overrun_and_the_size_is_told),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_redirect_template", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* Patterns: what fits, what is captured, what is refused; and that no pattern takes long. */
#include "http/http_glob.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct match_row {
    const char *pattern;
    const char *path;
    bool fits;
};

static void matches_expect(const struct match_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct slice pattern = slice_from_string(rows[i].pattern);
        const char *expected = http_glob_check(pattern);
        if (expected != NULL) {
            fail_msg("%s: %s", rows[i].pattern, expected);
        }
        bool fits = http_glob_match(pattern, slice_from_string(rows[i].path), NULL);
        if (fits != rows[i].fits) {
            fail_msg("%s: %s is expected %sto fit", rows[i].pattern, rows[i].path,
                     rows[i].fits ? "" : "not ");
        }
    }
}

#define MATCHES_EXPECT(rows) matches_expect(rows, COUNT(rows))

static void plain_text_is_itself_and_all_of_the_path(void **state)
{
    (void)state;
    static const struct match_row rows[] = {
        { "/a.html", "/a.html", true },     { "/a.html", "/a.htm", false },
        { "/a.html", "/a.htmlx", false },   { "/a.html", "/A.html", false },
        { "/a.html", "/x/a.html", false },  { "/a[b]!c", "/a[b]!c", true },
        { "/a}b,c", "/a}b,c", true },       { "/%20", "/ ", false },
        { "/\xc3\xa9", "/\xc3\xa9", true },
    };
    MATCHES_EXPECT(rows);
}

static void a_star_stops_at_a_slash(void **state)
{
    (void)state;
    static const struct match_row rows[] = {
        { "/*", "/", true },
        { "/*", "/a", true },
        { "/*", "/a/", false },
        { "/*", "/a/b", false },
        { "/a*c", "/ac", true },
        { "/a*c", "/abbc", true },
        { "/a*c", "/abcbc", true },
        { "/a*c", "/ab/c", false },
        { "/*.js", "/x.js", true },
        { "/*.js", "/.js", true },
        { "/*.js", "/x.js.map", false },
        { "/*/b", "/a/b", true },
        { "/*/b", "/b", false },
        { "/*/b", "/a/x/b", false },
        { "/a*b*c", "/aXbYbZc", true },
        { "/a*b*c", "/aXcYb", false },
        { "/a/*", "/a/", true },
        { "/a/*", "/a", false },
    };
    MATCHES_EXPECT(rows);
}

static void a_question_mark_is_one_byte_but_a_slash(void **state)
{
    (void)state;
    static const struct match_row rows[] = {
        { "/?", "/a", true },      { "/?", "/", false },         { "/?", "/ab", false },
        { "/a?b", "/a/b", false }, { "/??", "/\xc3\xa9", true }, { "/?*", "/a", true },
        { "/?*", "/", false },     { "/*?", "/abc", true },
    };
    MATCHES_EXPECT(rows);
}

static void two_stars_cross_slashes(void **state)
{
    (void)state;
    static const struct match_row rows[] = {
        { "/docs/**", "/docs/", true },
        { "/docs/**", "/docs/a", true },
        { "/docs/**", "/docs/a/b/", true },
        { "/docs/**", "/docs", false },
        { "/docs/**", "/docsx/a", false },
        { "/docs**", "/docs", true },
        { "/docs**", "/docs/a/b", true },
        { "/docs**", "/docsx/a", true },
        { "/**", "/", true },
        { "/**", "/a/b/c", true },
        { "/**.js", "/a/b/c.js", true },
        { "/**.js", "/c.js", true },
        { "/**.js", "/c.js/", false },
        { "/a**z", "/a/b/z", true },
        { "/a/**b*/c", "/a/x/b/y/bz/c", true },
        { "/a/**b*/c", "/a/x/b/y/bz/d/c", false },
    };
    MATCHES_EXPECT(rows);
}

static void a_whole_name_of_two_stars_is_any_number_of_names(void **state)
{
    (void)state;
    static const struct match_row rows[] = {
        { "/**/x.js", "/x.js", true },
        { "/**/x.js", "/a/x.js", true },
        { "/**/x.js", "/a/b/x.js", true },
        { "/**/x.js", "/ax.js", false },
        { "/**/x.js", "/a/bx.js", false },
        { "/**/x.js", "/x.js/", false },
        { "/a/**/b", "/a/b", true },
        { "/a/**/b", "/a/x/y/b", true },
        { "/a/**/b", "/ab", false },
        { "/a/**/b", "/a/xb", false },
        { "/**/**/x", "/x", true },
        { "/**/**/x", "/a/b/c/x", true },
        { "/**/a/**/b", "/a/b", true },
        { "/**/a/**/b", "/x/a/y/b", true },
        { "/**/a/**/b", "/x/b/y/a", false },
        { "/x**/b", "/xb", false },
        { "/x**/b", "/x/b", true },
        { "/**x/b", "/x/b", true },
        { "/**/*", "/a/b", true },
        { "/**/*", "/", true },
        { "/**/?", "/", false },
        { "/**/?", "/a/b", true },
        { "/a/**\\/b", "/a/b", false },
        { "/a/**\\/b", "/a//b", true },
    };
    MATCHES_EXPECT(rows);
}

static void a_last_slash_is_the_directory_and_all_beneath(void **state)
{
    (void)state;
    static const struct match_row rows[] = {
        { "/", "/", true },
        { "/", "/a/b", true },
        { "/docs/", "/docs/", true },
        { "/docs/", "/docs/a", true },
        { "/docs/", "/docs/a/b/", true },
        { "/docs/", "/docs", false },
        { "/docs/", "/docsx", false },
        { "/*/", "/a/", true },
        { "/*/", "/a/b", true },
        { "/*/", "/a", false },
        { "/a/**/", "/a/", true },
        { "/a/**/", "/a/b/c", true },
        { "/a/**/", "/a", false },
        { "/docs\\/", "/docs/", true },
        { "/docs\\/", "/docs/a", false },
        { "/{a,b}/", "/b/c", true },
        { "/{a/,b/}", "/b/", true },
        { "/{a/,b/}", "/b/c", false },
    };
    MATCHES_EXPECT(rows);
}

static void braces_are_one_of_their_texts(void **state)
{
    (void)state;
    static const struct match_row rows[] = {
        { "/*.{js,css}", "/a.js", true },
        { "/*.{js,css}", "/a.css", true },
        { "/*.{js,css}", "/a.jscss", false },
        { "/*.{js,css}", "/a.", false },
        { "/a{,.min}.js", "/a.js", true },
        { "/a{,.min}.js", "/a.min.js", true },
        { "/a{}b", "/ab", true },
        { "/{a,ab}c", "/abc", true },
        { "/{a,ab}{bc,c}d", "/abcd", true },
        { "/{a,ab}{b,}{c,bc}", "/abbc", true },
        { "/{x/y,z}/w", "/x/y/w", true },
        { "/{a\\,b,c}", "/a,b", true },
        { "/{a\\,b,c}", "/a", false },
        { "/{a\\}b,c}", "/a}b", true },
        { "/{\\*,b}", "/*", true },
        { "/{\\*,b}", "/x", false },
    };
    MATCHES_EXPECT(rows);
}

static void a_backslash_takes_the_meaning_away(void **state)
{
    (void)state;
    static const struct match_row rows[] = {
        { "/\\*", "/*", true },       { "/\\*", "/a", false },        { "/\\?", "/?", true },
        { "/\\?", "/a", false },      { "/\\{a,b}", "/{a,b}", true }, { "/\\{a,b}", "/a", false },
        { "/a\\\\b", "/a\\b", true }, { "/\\a", "/a", true },         { "/*\\**", "/a*b", true },
        { "/*\\**", "/ab", false },
    };
    MATCHES_EXPECT(rows);
}

struct capture_row {
    const char *pattern;
    const char *path;
    size_t count;
    const char *captures; /* with one ' ' behind each */
};

static void captures_are_what_each_wildcard_took(void **state)
{
    (void)state;
    static const struct capture_row rows[] = {
        { "/a", "/a", 0, "" },
        { "/*/?.{js,css}", "/a/b.css", 3, "a b css " },
        { "/old/**", "/old/a/b.html", 1, "a/b.html " },
        { "/old/", "/old/a/b.html", 1, "a/b.html " },
        { "/old/", "/old/", 1, " " },
        { "/**/x", "/x", 1, " " },
        { "/**/x", "/a/b/x", 1, "a/b " },
        { "/**/x/**", "/x/x/x", 2, " x/x " },
        { "/*-*", "/a-b-c", 2, "a b-c " },
        { "/{a,ab}*", "/abc", 2, "a bc " },
        { "/{ab,a}*", "/abc", 2, "ab c " },
        { "/{a,ab}c", "/abc", 1, "ab " },
        { "/**a**", "/xa/a", 2, "x /a " },
        { "/1*2*3*4*5*6*7*8*", "/1a2b3c4d5e6f7g8h", 8, "a b c d e f g h " },
        { "/1*2*3*4*5*6*7*8*/", "/1a2b3c4d5e6f7g8h/i", 9, "a b c d e f g h i " },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_glob_captures captures;
        assert_true(http_glob_match(slice_from_string(rows[i].pattern),
                                    slice_from_string(rows[i].path), &captures));
        char text[256];
        size_t used = 0;
        assert_number_equal(rows[i].pattern, captures.count, rows[i].count);
        for (size_t j = 0; j < captures.count; j++) {
            memcpy(text + used, captures.items[j].data, captures.items[j].size);
            used += captures.items[j].size;
            text[used++] = ' ';
        }
        assert_slice_equal(rows[i].pattern, slice_of(text, used),
                           slice_from_string(rows[i].captures));
    }
}

static void captures_stay_as_they_are_where_nothing_fits(void **state)
{
    (void)state;
    struct http_glob_captures captures = { .count = 7 };
    assert_false(http_glob_match(SLICE("/*/b"), SLICE("/a/c"), &captures));
    assert_int_equal(captures.count, 7);
}

static void any_byte_may_be_in_a_path(void **state)
{
    (void)state;
    char path[257] = "/";
    for (size_t i = 0; i < 256; i++) {
        path[1 + i] = (char)i;
    }
    struct slice whole = slice_of(path, sizeof(path));
    assert_true(http_glob_match(SLICE("/**"), whole, NULL));
    assert_true(http_glob_match(SLICE("/**/?*"), whole, NULL));
    assert_false(http_glob_match(SLICE("/*"), whole, NULL));
}

static void what_is_no_pattern_is_refused(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "",
        "a",
        "*",
        "**/a",
        "/***",
        "/a****b",
        "/{a",
        "/{a,b",
        "/a{",
        "/{a,{b}}",
        "/{a*}",
        "/{?}",
        "/{a\\}",
        "/a\\",
        "/{a,\\",
        "//",
        "/a//b",
        "/./a",
        "/a/../b",
        "/..",
        "/a/.",
        "/********",
        "/?????????",
        "/{a}{b}{c}{d}{e}{f}{g}{h}{i}",
        "/*/*/*/*/*/*/*/**/*",
    };
    for (size_t i = 0; i < COUNT(patterns); i++) {
        const char *expected = http_glob_check(slice_from_string(patterns[i]));
        if (expected == NULL) {
            fail_msg("\"%s\" is expected to be refused", patterns[i]);
        }
        assert_memory_equal(expected, "expected ", 9);
    }
}

static void names_with_dots_are_no_dot_segments(void **state)
{
    (void)state;
    static const char *const patterns[] = { "/.a", "/..a", "/...", "/a.", "/a../b", "/.*", "/*." };
    for (size_t i = 0; i < COUNT(patterns); i++) {
        assert_null(http_glob_check(slice_from_string(patterns[i])));
    }
}

static void a_pattern_has_at_most_255_bytes(void **state)
{
    (void)state;
    char pattern[HTTP_GLOB_SIZE_MAX + 1] = "/";
    memset(pattern + 1, 'a', sizeof(pattern) - 1);
    assert_null(http_glob_check(slice_of(pattern, HTTP_GLOB_SIZE_MAX - 1)));
    assert_null(http_glob_check(slice_of(pattern, HTTP_GLOB_SIZE_MAX)));
    assert_non_null(http_glob_check(slice_of(pattern, HTTP_GLOB_SIZE_MAX + 1)));
}

static void a_pattern_has_at_most_8_wildcards(void **state)
{
    (void)state;
    static const char *const eight[] = { "/????????",          "/a*b*c*d*e*f*g*h*",
                                         "/*/*/*/*/*/*/*/**/", "/{a}{b}{c}{d}{e}{f}{g}{h}",
                                         "/???????",           "/????????\\*" };
    for (size_t i = 0; i < COUNT(eight); i++) {
        assert_null(http_glob_check(slice_from_string(eight[i])));
    }
}

/* Backtracking without a memory would take longer than the universe has. */
static void no_pattern_takes_long(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "/*a*a*a*a*a*a*a*ab",
        "/**a**a**a**a**a**a**a**ab",
        "/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b",
        "/**{a,aa,aaa,aaaa}{a,aa,aaa,aaaa}**{a,aa,aaa,aaaa}{a,aa,aaa,aaaa}**{,a}b",
        "/**{,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,}aaaaaaaaaaaaaaaaaaaaaab",
        "/**?*?**?*?b",
        "/**a/**a/**a/**a/**a/**a/**a/**b",
    };
    static const char *const units[] = { "a", "a/", "aa/" };
    for (size_t i = 0; i < COUNT(patterns); i++) {
        assert_null(http_glob_check(slice_from_string(patterns[i])));
        for (size_t unit = 0; unit < COUNT(units); unit++) {
            char path[HTTP_GLOB_PATH_SIZE_MAX] = "/";
            for (size_t at = 1; at < sizeof(path); at++) {
                path[at] = units[unit][(at - 1) % strlen(units[unit])];
            }
            assert_false(http_glob_match(slice_from_string(patterns[i]),
                                         slice_of(path, sizeof(path)), NULL));
            path[sizeof(path) - 1] = 'b';
            (void)http_glob_match(slice_from_string(patterns[i]), slice_of(path, sizeof(path)),
                                  NULL);
        }
    }
}

static void the_longest_path_fits(void **state)
{
    (void)state;
    char path[HTTP_GLOB_PATH_SIZE_MAX] = "/";
    for (size_t at = 1; at < sizeof(path); at++) {
        path[at] = (char)(at % 64 == 0 ? '/' : 'a' + at % 26);
    }
    struct slice whole = slice_of(path, sizeof(path));
    struct http_glob_captures captures;
    assert_true(http_glob_match(SLICE("/**"), whole, &captures));
    assert_int_equal(captures.items[0].size, sizeof(path) - 1);
    assert_true(http_glob_match(SLICE("/*/*/**/*/*"), whole, &captures));
    assert_int_equal(captures.items[0].size, 63);
    assert_true(captures.items[4].data + captures.items[4].size == path + sizeof(path));
}

static void ends_are_the_text_around_the_wildcards(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *prefix;
        const char *suffix;
    } rows[] = {
        { "/a/b", "/a/b", "" },      { "/", "/", "" },
        { "/a/", "/a/", "" },        { "/a/b*c", "/a/b", "c" },
        { "/**/x.js", "/", "x.js" }, { "/**.js", "/", ".js" },
        { "/a*b*c", "/a", "c" },     { "/a*", "/a", "" },
        { "/*/a/", "/", "" },        { "/a\\*b", "/a", "b" },
        { "/a*b\\*c", "/a", "c" },   { "/a*\\*", "/a", "" },
        { "/a{b,c}d", "/a", "d" },   { "/a\\b*c", "/a", "c" },
        { "/a\\\\", "/a", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_glob_ends ends = http_glob_find_ends(slice_from_string(rows[i].pattern));
        assert_slice_equal(rows[i].pattern, ends.prefix, slice_from_string(rows[i].prefix));
        assert_slice_equal(rows[i].pattern, ends.suffix, slice_from_string(rows[i].suffix));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_itself_and_all_of_the_path),
        cmocka_unit_test(a_star_stops_at_a_slash),
        cmocka_unit_test(a_question_mark_is_one_byte_but_a_slash),
        cmocka_unit_test(two_stars_cross_slashes),
        cmocka_unit_test(a_whole_name_of_two_stars_is_any_number_of_names),
        cmocka_unit_test(a_last_slash_is_the_directory_and_all_beneath),
        cmocka_unit_test(braces_are_one_of_their_texts),
        cmocka_unit_test(a_backslash_takes_the_meaning_away),
        cmocka_unit_test(captures_are_what_each_wildcard_took),
        cmocka_unit_test(captures_stay_as_they_are_where_nothing_fits),
        cmocka_unit_test(any_byte_may_be_in_a_path),
        cmocka_unit_test(what_is_no_pattern_is_refused),
        cmocka_unit_test(names_with_dots_are_no_dot_segments),
        cmocka_unit_test(a_pattern_has_at_most_255_bytes),
        cmocka_unit_test(a_pattern_has_at_most_8_wildcards),
        cmocka_unit_test(no_pattern_takes_long),
        cmocka_unit_test(the_longest_path_fits),
        cmocka_unit_test(ends_are_the_text_around_the_wildcards),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_glob", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* The index: what it finds is what trying all would find, and how few it tries. */
#include "http/http_glob_index.h"

#include <stdio.h>
#include <stdlib.h>

#include "seeded.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum {
    TEXT_SIZE_MAX = 64
};

/* An index over patterns printed from a format with one number in it. */
struct fixture {
    char texts[HTTP_GLOB_INDEX_PATTERNS_MAX][TEXT_SIZE_MAX];
    struct slice patterns[HTTP_GLOB_INDEX_PATTERNS_MAX];
    size_t count;
    struct http_glob_index index;
};

static int fixture_make(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state == NULL;
}

static int fixture_free(void **state)
{
    free(*state);
    return 0;
}

static void pattern_add(struct fixture *fixture, const char *text)
{
    assert_true(fixture->count < HTTP_GLOB_INDEX_PATTERNS_MAX);
    char *copy = fixture->texts[fixture->count];
    assert_true(strlen(text) < TEXT_SIZE_MAX);
    memcpy(copy, text, strlen(text) + 1);
    assert_null(http_glob_check(slice_from_string(copy)));
    fixture->patterns[fixture->count++] = slice_from_string(copy);
}

/* Patterns PREFIX N SUFFIX. */
static void patterns_add(struct fixture *fixture, size_t count, const char *prefix,
                         const char *suffix)
{
    for (size_t i = 0; i < count; i++) {
        char text[TEXT_SIZE_MAX];
        int size = snprintf(text, sizeof(text), "%s%zu%s", prefix, i, suffix);
        assert_in_range(size, 1, sizeof(text) - 1);
        pattern_add(fixture, text);
    }
}

static void fixture_build(struct fixture *fixture)
{
    http_glob_index_build(&fixture->index, fixture->patterns, fixture->count);
}

/* Fails unless the index finds what trying all finds; returns how many. */
static size_t find_all(const struct fixture *fixture, const char *path)
{
    uint16_t matches[HTTP_GLOB_INDEX_PATTERNS_MAX];
    struct slice text = slice_from_string(path);
    size_t count = http_glob_index_find(&fixture->index, text, matches, COUNT(matches));
    size_t at = 0;
    for (size_t i = 0; i < fixture->count; i++) {
        if (http_glob_match(fixture->patterns[i], text, NULL)) {
            if (at >= count || matches[at] != i) {
                fail_msg("%s: %s is expected to be found", path, fixture->texts[i]);
            }
            at++;
        }
    }
    assert_number_equal(path, count, at);
    return count;
}

static size_t tries(const struct fixture *fixture, const char *path)
{
    return http_glob_index_count_tries(&fixture->index, slice_from_string(path));
}

static void no_patterns_match_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture_build(fixture);
    assert_int_equal(find_all(fixture, "/"), 0);
    assert_int_equal(find_all(fixture, "/a/b"), 0);
}

static void matches_come_in_order_of_the_patterns(void **state)
{
    struct fixture *fixture = *state;
    static const char *const patterns[] = {
        "/**.html", "/a/b/c.html", "/",           "/a/",           "/x/",       "/a/b/**",
        "/a/*",     "/**/c.html",  "/a/b/c.html", "/a/\\b/c.html", "/{a,x}/**",
    };
    for (size_t i = 0; i < COUNT(patterns); i++) {
        pattern_add(fixture, patterns[i]);
    }
    fixture_build(fixture);
    assert_int_equal(find_all(fixture, "/a/b/c.html"), 9);
    assert_int_equal(find_all(fixture, "/a/b/"), 4);
    assert_int_equal(find_all(fixture, "/a/b"), 4);
    assert_int_equal(find_all(fixture, "/"), 1);
    assert_int_equal(find_all(fixture, "/c.html"), 3);
    assert_int_equal(find_all(fixture, "/x"), 1);
    assert_int_equal(find_all(fixture, "/x/y"), 3);
}

static void at_most_as_many_as_asked_for_are_written_and_all_are_counted(void **state)
{
    struct fixture *fixture = *state;
    patterns_add(fixture, 10, "/{a,", "}*");
    fixture_build(fixture);
    uint16_t matches[4] = { 7, 7, 7, 7 };
    assert_int_equal(http_glob_index_find(&fixture->index, SLICE("/ab"), matches, 3), 10);
    assert_int_equal(matches[0], 0);
    assert_int_equal(matches[1], 1);
    assert_int_equal(matches[2], 2);
    assert_int_equal(matches[3], 7);
    assert_int_equal(http_glob_index_find(&fixture->index, SLICE("/ab"), NULL, 0), 10);
}

static void sections_are_found_by_their_directory(void **state)
{
    struct fixture *fixture = *state;
    patterns_add(fixture, 500, "/section-", "/**");
    fixture_build(fixture);
    assert_int_equal(tries(fixture, "/"), 0);
    assert_int_equal(tries(fixture, "/about/team/index.html"), 0);
    assert_int_equal(tries(fixture, "/section-500/a"), 0);
    assert_int_equal(tries(fixture, "/section-7"), 0);
    assert_int_equal(tries(fixture, "/section-7/a/b"), 1);
    assert_int_equal(find_all(fixture, "/section-499/a/b"), 1);
}

static void plain_paths_are_found_as_a_whole(void **state)
{
    struct fixture *fixture = *state;
    patterns_add(fixture, 500, "/old/page-", ".html");
    fixture_build(fixture);
    assert_int_equal(tries(fixture, "/old/page-500.html"), 0);
    assert_int_equal(tries(fixture, "/old/page-7.html/"), 0);
    assert_int_equal(tries(fixture, "/old/page-7.html"), 1);
    assert_int_equal(find_all(fixture, "/old/page-7.html"), 1);
}

static void suffixes_refuse_without_a_match(void **state)
{
    struct fixture *fixture = *state;
    patterns_add(fixture, 500, "/**.ext", "");
    fixture_build(fixture);
    assert_int_equal(tries(fixture, "/a/b/c.html"), 0);
    assert_int_equal(tries(fixture, "/a/b/c.ext500"), 0);
    assert_int_equal(tries(fixture, "/ext7"), 0);
    assert_int_equal(tries(fixture, "/a/b/c.ext77"), 1);
    assert_int_equal(find_all(fixture, "/a/b/c.ext77"), 1);
}

static void prefixes_refuse_without_a_match(void **state)
{
    struct fixture *fixture = *state;
    patterns_add(fixture, 500, "/user", "-*");
    fixture_build(fixture);
    assert_int_equal(tries(fixture, "/user"), 0);
    assert_int_equal(tries(fixture, "/user7"), 0);
    assert_int_equal(tries(fixture, "/user7-"), 1);
    assert_int_equal(find_all(fixture, "/user7-a"), 1);
}

static void an_index_holds_1024_patterns(void **state)
{
    struct fixture *fixture = *state;
    patterns_add(fixture, HTTP_GLOB_INDEX_PATTERNS_MAX - 1, "/", "/");
    pattern_add(fixture, "/**");
    fixture_build(fixture);
    assert_int_equal(find_all(fixture, "/1022/x"), 2);
    assert_int_equal(find_all(fixture, "/1023/x"), 1);
}

static void ends_do_not_overlap(void **state)
{
    struct fixture *fixture = *state;
    pattern_add(fixture, "/aba*aba");
    pattern_add(fixture, "/**/aba");
    fixture_build(fixture);
    assert_int_equal(find_all(fixture, "/aba"), 1);
    assert_int_equal(find_all(fixture, "/ababa"), 0);
    assert_int_equal(find_all(fixture, "/abaaba"), 1);
}

/* Random short words of few bytes, so that many match. */
static void text_draw(struct seeded *seeded, const char *bytes, char text[TEXT_SIZE_MAX])
{
    size_t size = seeded_between(seeded, 0, 10);
    text[0] = '/';
    for (size_t i = 0; i < size; i++) {
        text[1 + i] = bytes[seeded_between(seeded, 0, (uint32_t)strlen(bytes) - 1)];
    }
    text[1 + size] = '\0';
}

static void the_index_finds_what_trying_all_finds(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct seeded seeded = seeded_start(seed);
        char text[TEXT_SIZE_MAX];
        fixture->count = 0;
        while (fixture->count < 300) {
            text_draw(&seeded, "aab//**?\\{,}", text);
            if (http_glob_check(slice_from_string(text)) == NULL) {
                pattern_add(fixture, text);
            }
        }
        fixture_build(fixture);
        for (size_t i = 0; i < 100; i++) {
            text_draw(&seeded, "aab/*", text);
            (void)find_all(fixture, text);
        }
    }
}

int main(void)
{
#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_free)
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(no_patterns_match_nothing),
        FIXTURE_TEST(matches_come_in_order_of_the_patterns),
        FIXTURE_TEST(at_most_as_many_as_asked_for_are_written_and_all_are_counted),
        FIXTURE_TEST(sections_are_found_by_their_directory),
        FIXTURE_TEST(plain_paths_are_found_as_a_whole),
        FIXTURE_TEST(suffixes_refuse_without_a_match),
        FIXTURE_TEST(prefixes_refuse_without_a_match),
        FIXTURE_TEST(an_index_holds_1024_patterns),
        FIXTURE_TEST(ends_do_not_overlap),
        FIXTURE_TEST(the_index_finds_what_trying_all_finds),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_glob_index", tests, NULL, NULL) == 0 ? 0 : 1;
}

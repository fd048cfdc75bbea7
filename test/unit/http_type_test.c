/* Media types: the built-in table, what overrides it, and charsets. */
#include <stdio.h>
#include <stdlib.h>

#include "http/http_type.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct type_row {
    const char *name;
    const char *type; /* NULL: unknown */
};

static int table_set_up(void **state)
{
    struct http_type_table *table = malloc(sizeof(*table));
    assert_non_null(table);
    http_type_table_init(table);
    *state = table;
    return 0;
}

static int builtin_set_up(void **state)
{
    table_set_up(state);
    http_type_table_add_builtin(*state);
    return 0;
}

static int table_tear_down(void **state)
{
    free(*state);
    return 0;
}

static enum http_type_result add(struct http_type_table *table, const char *extension,
                                 const char *type)
{
    return http_type_table_add(table, slice_from_string(extension), slice_from_string(type));
}

static void types_expect(const struct http_type_table *table, const struct type_row *rows,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct slice type = http_type_by_name(table, slice_from_string(rows[i].name));
        if (rows[i].type == NULL) {
            assert_null(type.data);
        } else {
            assert_slice_equal(rows[i].name, type, slice_from_string(rows[i].type));
        }
    }
}

static void the_web_has_its_types(void **state)
{
    static const struct type_row rows[] = {
        { "index.html", "text/html; charset=utf-8" },
        { "a.htm", "text/html; charset=utf-8" },
        { "a.xhtml", "application/xhtml+xml; charset=utf-8" },
        { "a.css", "text/css; charset=utf-8" },
        { "a.js", "text/javascript; charset=utf-8" },
        { "a.mjs", "text/javascript; charset=utf-8" },
        { "a.json", "application/json; charset=utf-8" },
        { "a.js.map", "application/json; charset=utf-8" },
        { "a.jsonld", "application/ld+json; charset=utf-8" },
        { "a.webmanifest", "application/manifest+json; charset=utf-8" },
        { "a.wasm", "application/wasm" },
        { "a.xml", "application/xml; charset=utf-8" },
        { "feed.atom", "application/atom+xml; charset=utf-8" },
        { "feed.rss", "application/rss+xml; charset=utf-8" },
        { "a.txt", "text/plain; charset=utf-8" },
        { "a.md", "text/markdown; charset=utf-8" },
        { "a.csv", "text/csv; charset=utf-8" },
    };
    types_expect(*state, rows, COUNT(rows));
}

static void media_and_fonts_have_their_types(void **state)
{
    static const struct type_row rows[] = {
        { "a.png", "image/png" },
        { "a.jpg", "image/jpeg" },
        { "a.gif", "image/gif" },
        { "a.webp", "image/webp" },
        { "a.avif", "image/avif" },
        { "a.jxl", "image/jxl" },
        { "a.heic", "image/heic" },
        { "a.svg", "image/svg+xml; charset=utf-8" },
        { "favicon.ico", "image/x-icon" },
        { "a.mp3", "audio/mpeg" },
        { "a.m4a", "audio/mp4" },
        { "a.opus", "audio/ogg" },
        { "a.flac", "audio/flac" },
        { "a.mp4", "video/mp4" },
        { "a.webm", "video/webm" },
        { "a.ts", "video/mp2t" },
        { "a.m3u8", "application/vnd.apple.mpegurl" },
        { "a.mpd", "application/dash+xml; charset=utf-8" },
        { "a.m4s", "video/iso.segment" },
        { "a.vtt", "text/vtt; charset=utf-8" },
        { "a.woff2", "font/woff2" },
        { "a.woff", "font/woff" },
        { "a.ttf", "font/ttf" },
        { "a.otf", "font/otf" },
        { "a.glb", "model/gltf-binary" },
    };
    types_expect(*state, rows, COUNT(rows));
}

static void documents_and_archives_have_their_types(void **state)
{
    static const struct type_row rows[] = {
        { "a.pdf", "application/pdf" },
        { "a.epub", "application/epub+zip" },
        { "a.ipynb", "application/x-ipynb+json; charset=utf-8" },
        { "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
        { "a.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
        { "a.odt", "application/vnd.oasis.opendocument.text" },
        { "a.zip", "application/zip" },
        { "a.tar.gz", "application/gzip" },
        { "a.tar.zst", "application/zstd" },
        { "a.tar", "application/x-tar" },
        { "a.7z", "application/x-7z-compressed" },
        { "a.deb", "application/vnd.debian.binary-package" },
        { "a.iso", "application/x-iso9660-image" },
        { "a.bin", "application/octet-stream" },
    };
    types_expect(*state, rows, COUNT(rows));
}

static void source_code_is_plain_text(void **state)
{
    static const char *const names[] = { "a.c",   "a.h",    "a.cpp", "a.rs", "a.go",  "a.py",
                                         "a.sh",  "a.java", "a.rb",  "a.pl", "a.lua", "a.tsx",
                                         "a.php", "a.jsp",  "a.c++", "a.S",  "a.mk",  "a.diff" };
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_slice_equal(names[i], http_type_by_name(*state, slice_from_string(names[i])),
                           SLICE("text/plain; charset=utf-8"));
    }
}

static void case_of_the_extension_does_not_matter(void **state)
{
    static const struct type_row rows[] = {
        { "A.PNG", "image/png" },
        { "a.Html", "text/html; charset=utf-8" },
        { "a.WOFF2", "font/woff2" },
    };
    types_expect(*state, rows, COUNT(rows));
}

static void only_the_last_extension_of_the_last_name_counts(void **state)
{
    static const struct type_row rows[] = {
        { "a.html.png", "image/png" },
        { "a.png/b", NULL },
        { "a.png/b.css", "text/css; charset=utf-8" },
        { "a.b/c.d/e.gif", "image/gif" },
        { "..png", "image/png" },
        { "dir/.x.png", "image/png" },
    };
    types_expect(*state, rows, COUNT(rows));
}

static void a_name_without_extension_is_unknown(void **state)
{
    static const struct type_row rows[] = {
        { "", NULL },
        { "README", NULL },
        { ".png", NULL },
        { "dir/.png", NULL },
        { "a.", NULL },
        { "a.png.", NULL },
        { ".", NULL },
        { "a.unheard-of", NULL },
        { "a.png ", NULL },
        { "a/", NULL },
        { "a.png/", NULL },
        { "html", NULL },
        { "a.123456789012345678901234567890123456789", NULL },
    };
    types_expect(*state, rows, COUNT(rows));
}

static void the_first_type_of_an_extension_stays(void **state)
{
    assert_int_equal(add(*state, ".HTML", "text/x-mine"), HTTP_TYPE_OK);
    assert_int_equal(add(*state, "html", "text/x-other"), HTTP_TYPE_KEPT);
    http_type_table_add_builtin(*state);
    http_type_table_add_mime_types(*state, SLICE("text/x-system html new\n"));
    static const struct type_row rows[] = {
        { "a.html", "text/x-mine; charset=utf-8" },
        { "a.htm", "text/html; charset=utf-8" },
        { "a.new", "text/x-system; charset=utf-8" },
    };
    types_expect(*state, rows, COUNT(rows));
}

static void texts_get_a_charset_unless_they_bring_one(void **state)
{
    static const struct {
        const char *type;
        const char *kept;
    } rows[] = {
        { "text/x", "text/x; charset=utf-8" },
        { "TEXT/x", "TEXT/x; charset=utf-8" },
        { "text/x; charset=latin1", "text/x; charset=latin1" },
        { "text/x;CharSet=\"latin1\"", "text/x;CharSet=\"latin1\"" },
        { "text/x; flavor=charset", "text/x; flavor=charset; charset=utf-8" },
        { "application/javascript", "application/javascript; charset=utf-8" },
        { "application/json", "application/json; charset=utf-8" },
        { "application/x+json", "application/x+json; charset=utf-8" },
        { "application/xml", "application/xml; charset=utf-8" },
        { "application/x+xml", "application/x+xml; charset=utf-8" },
        { "application/manifest+json", "application/manifest+json; charset=utf-8" },
        { "application/zip", "application/zip" },
        { "image/png", "image/png" },
        { "application/xmlish", "application/xmlish" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char name[16];
        snprintf(name, sizeof(name), "a.e%zu", i);
        assert_number_equal(rows[i].type, add(*state, name + 2, rows[i].type), HTTP_TYPE_OK);
        assert_slice_equal(rows[i].type, http_type_by_name(*state, slice_from_string(name)),
                           slice_from_string(rows[i].kept));
    }
}

static void what_is_no_extension_is_refused(void **state)
{
    static const char *const extensions[] = {
        "", ".", "..", ".a.b", "a/b", "a b", "a\n", "\x7f", "12345678901234567890123456789012",
    };
    for (size_t i = 0; i < COUNT(extensions); i++) {
        assert_number_equal(extensions[i], add(*state, extensions[i], "a/b"), HTTP_TYPE_BAD);
    }
    assert_int_equal(add(*state, "1234567890123456789012345678901", "a/b"), HTTP_TYPE_OK);
}

static void what_is_no_media_type_is_refused(void **state)
{
    static const char *const types[] = {
        "",          "text",        "text/",         "/html",           "text html", "a/b/c",
        "a/b c",     "a/b;",        "a/b; ",         "a/b; x",          "a/b; x=",   "a/b; =y",
        "a/b x=y",   "a/b\r\nX: y", "a/b; x=\"y",    "a/b; x=\"\r\n\"", " a/b",      "a/b ",
        "a/b; x=y;", "t\xc3\xa9/b", "a/b; x=\"\\\"", "a/b\n",
    };
    for (size_t i = 0; i < COUNT(types); i++) {
        assert_number_equal(types[i], add(*state, "x", types[i]), HTTP_TYPE_BAD);
    }
}

static void a_type_with_its_charset_has_at_most_127_bytes(void **state)
{
    char type[HTTP_TYPE_SIZE_MAX + 1];
    memset(type, 'x', sizeof(type));
    memcpy(type, "image/", 6);
    assert_int_equal(http_type_table_add(*state, SLICE("a"), slice_of(type, sizeof(type))),
                     HTTP_TYPE_BAD);
    assert_int_equal(http_type_table_add(*state, SLICE("a"), slice_of(type, sizeof(type) - 1)),
                     HTTP_TYPE_OK);
    memcpy(type, "text/x", 6);
    size_t size_max = HTTP_TYPE_SIZE_MAX - strlen("; charset=utf-8");
    assert_int_equal(http_type_table_add(*state, SLICE("b"), slice_of(type, size_max + 1)),
                     HTTP_TYPE_BAD);
    assert_int_equal(http_type_table_add(*state, SLICE("b"), slice_of(type, size_max)),
                     HTTP_TYPE_OK);
}

static void a_full_table_says_so_and_still_answers(void **state)
{
    for (int i = 0; i < HTTP_TYPE_EXTENSIONS_MAX; i++) {
        char extension[16];
        snprintf(extension, sizeof(extension), "x%d", i);
        assert_int_equal(add(*state, extension, "a/b"), HTTP_TYPE_OK);
    }
    assert_int_equal(add(*state, "more", "a/b"), HTTP_TYPE_FULL);
    assert_int_equal(add(*state, "x7", "a/b"), HTTP_TYPE_KEPT);
    static const struct type_row rows[] = { { "a.x0", "a/b" },
                                            { "a.x4095", "a/b" },
                                            { "a.more", NULL } };
    types_expect(*state, rows, COUNT(rows));
}

static void text_that_is_used_up_is_full(void **state)
{
    char type[HTTP_TYPE_SIZE_MAX];
    memset(type, 'x', sizeof(type));
    memcpy(type, "image/", 6);
    enum http_type_result result = HTTP_TYPE_OK;
    int count = 0;
    while (result == HTTP_TYPE_OK) {
        char extension[16];
        int size = snprintf(extension, sizeof(extension), "x%06d", count++);
        result = http_type_table_add(*state, slice_of(extension, (size_t)size),
                                     slice_of(type, sizeof(type)));
    }
    assert_int_equal(result, HTTP_TYPE_FULL);
    assert_int_equal(count - 1, HTTP_TYPE_TEXT_SIZE / (HTTP_TYPE_SIZE_MAX + 7));
}

static void lines_of_mime_types_are_read(void **state)
{
    http_type_table_add_mime_types(*state, SLICE("# comment\n"
                                                 "\n"
                                                 "image/a\taa  ab\tac\n"
                                                 "  image/b ba # bb\n"
                                                 "image/c\n"
                                                 "image/d da#db\n"
                                                 "#image/e ea\n"
                                                 "image/f fa\r\n"
                                                 "image/g GA"));
    static const struct type_row rows[] = {
        { "x.aa", "image/a" }, { "x.ab", "image/a" }, { "x.ac", "image/a" }, { "x.ba", "image/b" },
        { "x.bb", NULL },      { "x.da", "image/d" }, { "x.db", NULL },      { "x.ea", NULL },
        { "x.fa", "image/f" }, { "x.ga", "image/g" }, { "x.#", NULL },
    };
    types_expect(*state, rows, COUNT(rows));
}

static void bad_lines_of_mime_types_are_skipped(void **state)
{
    http_type_table_add_mime_types(*state, SLICE("nonsense aa\n"
                                                 "image/b b/b bc\n"
                                                 "\x01\x02 \xff\n"
                                                 "image/d da\n"));
    static const struct type_row rows[] = { { "x.aa", NULL },
                                            { "x.bc", "image/b" },
                                            { "x.da", "image/d" } };
    types_expect(*state, rows, COUNT(rows));
}

static void an_empty_mime_types_adds_nothing(void **state)
{
    struct http_type_table *table = *state;
    http_type_table_add_mime_types(table, SLICE(""));
    http_type_table_add_mime_types(table, SLICE_NONE);
    http_type_table_add_mime_types(table, SLICE("\n\n"));
    assert_int_equal(table->count, 0);
}

#define BUILTIN_TEST(f) cmocka_unit_test_setup_teardown(f, builtin_set_up, table_tear_down)
#define TABLE_TEST(f)   cmocka_unit_test_setup_teardown(f, table_set_up, table_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BUILTIN_TEST(the_web_has_its_types),
        BUILTIN_TEST(media_and_fonts_have_their_types),
        BUILTIN_TEST(documents_and_archives_have_their_types),
        BUILTIN_TEST(source_code_is_plain_text),
        BUILTIN_TEST(case_of_the_extension_does_not_matter),
        BUILTIN_TEST(only_the_last_extension_of_the_last_name_counts),
        BUILTIN_TEST(a_name_without_extension_is_unknown),
        TABLE_TEST(the_first_type_of_an_extension_stays),
        TABLE_TEST(texts_get_a_charset_unless_they_bring_one),
        TABLE_TEST(what_is_no_extension_is_refused),
        TABLE_TEST(what_is_no_media_type_is_refused),
        TABLE_TEST(a_type_with_its_charset_has_at_most_127_bytes),
        TABLE_TEST(a_full_table_says_so_and_still_answers),
        TABLE_TEST(text_that_is_used_up_is_full),
        TABLE_TEST(lines_of_mime_types_are_read),
        TABLE_TEST(bad_lines_of_mime_types_are_skipped),
        TABLE_TEST(an_empty_mime_types_adds_nothing),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_type", tests, NULL, NULL) == 0 ? 0 : 1;
}

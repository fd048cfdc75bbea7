/* Names: which are content-hashed, as bundlers write them, and which only look a little like it. */
#include "http/http_name.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void names_expect(const char *const *names, size_t count, bool is_hashed)
{
    for (size_t i = 0; i < count; i++) {
        if (http_name_is_hashed(slice_from_string(names[i])) != is_hashed) {
            fail_msg("%s is expected %sto be hashed", names[i], is_hashed ? "" : "not ");
        }
    }
}

#define HASHED_EXPECT(names) names_expect(names, COUNT(names), true)
#define PLAIN_EXPECT(names)  names_expect(names, COUNT(names), false)

static void hexadecimal_hashes_are_recognized(void **state)
{
    (void)state;
    static const char *const names[] = {
        /* webpack and what is built on it */
        "app.3f9ac1b2.js",
        "main.1a2b3c4d5e6f.chunk.css",
        "runtime~main.abc4ef12.js",
        "2.5bf6a3a2.chunk.js",
        "vendors~main.9f8e7d6c5b4a39281706.js",
        "main.8d0e3bff2d2c4b0a6b5c.bundle.js",
        "chunk-vendors.0d5e3a6f.js",
        "app.3f9ac1b2.js.map",
        "app.3f9ac1b2.js.gz",
        /* Next, Gatsby */
        "framework-2c79e2a64abdb08b.js",
        "4bd1b696-1a2b3c4d5e6f7a8b.js",
        "app-3f9ac1b2d4e5f6a7b8c9.js",
        "component---src-pages-index-js-1c4bf0d2f5e0b5c0a1d2.js",
        /* Parcel */
        "index.7c0ccee6.js",
        "logo.31b08c4d.svg",
        /* Rails, Phoenix, Ember, Django, Hugo, Trunk */
        "application-1f0c4b2a9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a.js",
        "app-0a1b2c3d4e5f60718293a4b5c6d7e8f9.css",
        "vendor-d41d8cd98f00b204e9800998ecf8427e.js",
        "base.27e20196a850.css",
        "main.min.9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.css",
        "app-1a2b3c4d5e6f7a8b.wasm",
        /* any delimiter before */
        "font_3f9ac1b2.woff2",
        "a.b-c_d.3f9ac1b2.js",
    };
    HASHED_EXPECT(names);
}

static void base64url_and_base32_hashes_are_recognized(void **state)
{
    (void)state;
    static const char *const names[] = {
        /* Vite, Rollup, SvelteKit, Astro, Nuxt */
        "index-BfX3a9Qz.js",
        "index-D4kf9a2X.css",
        "vendor-C9qZ1xLw.js",
        "app.B7x2Kd9P.js",
        "0.Dk3pX9vR.js",
        "hoisted.C5nT8wQj.js",
        "entry.x3Zb7QpL.css",
        "my-component-Bq7Xz3Lk.js",
        /* esbuild, Angular */
        "logo-5XKJ7DQ2.svg",
        "main-5ZQKJ3PI.js",
        "polyfills-B6TNHZQ6.js",
        "chunk-X2K4TD7M.js",
        "chunk-X2K4TD7M.js.map",
    };
    HASHED_EXPECT(names);
}

static void hashes_that_could_be_words_are_passed_over(void **state)
{
    (void)state;
    static const char *const names[] = {
        "index-DzKqVbXw.js",                              /* no digit */
        "index-abcdefgh.js",                              /* no digit, one case */
        "index-Dk3pX-vR.js",                              /* '-' and '_' stand in names, too */
        "index-Dk3pX_vR.js",       "styles-5INURTSO.css", /* one change, and a word */
        "main-AB12CD34.js",                               /* '1' is not of base32 */
        "runtime.abcdef12.js",                            /* one change */
        "app.12345678.js",                                /* digits only */
        "app.deadbeef.js",                                /* letters only */
        "app.1234567a.js",                                /* one letter */
        "app.a1bcdefa.js",                                /* one digit */
        "3f9ac1b2d4e5f6a7b8c9.js",                        /* nothing before it */
    };
    PLAIN_EXPECT(names);
}

static void dates_versions_and_sizes_are_no_hashes(void **state)
{
    (void)state;
    static const char *const names[] = {
        "photo-20210101.jpg",
        "report.20231231.pdf",
        "backup-20231231235959.tar.gz",
        "backup-20231231T235959Z.tar.gz",
        "log-2023dec31.txt",
        "log-31dec2023.txt",
        "log-01feb2023.txt",
        "IMG_20230704_123456.jpg",
        "jquery-3.6.0.min.js",
        "bootstrap.5.3.0-alpha1.css",
        "app.v1.2.3.js",
        "react-18.2.0.production.min.js",
        "wallpaper-1920x1080.png",
        "banner-300x250@2x.png",
        "icon_1024x1024.png",
        "video-1080p60f.mp4",
        "track-01234567.mp3",
        "1.2.3.4.txt",
        "doc-12345678901234567890.pdf",
    };
    PLAIN_EXPECT(names);
}

static void words_and_products_are_no_hashes(void **state)
{
    (void)state;
    static const char *const names[] = {
        "index.html",
        "app.js",
        "main.bundle.js",
        "my-calendar.js",
        "my-Calendar.js",
        "my-CALENDAR.js",
        "the-iPhone14.jpg",
        "the-iPhone7s.jpg",
        "annual-REPORT22.pdf",
        "annual-REPORT2A.pdf",
        "wallpaper-Win11Pro.jpg",
        "book-Part1of2.pdf",
        "book-PART2OF3.pdf",
        "game-Level2Up.png",
        "cut-v2Final3.mov",
        "notes-Vol1No12.txt",
        "bill-INV2345A.pdf",
        "songs-MP3toOGG.zip",
        "photo-MacBook2.jpg",
        "photo-DSC00012.jpg",
        "img-face2face.png",
        "img-decade12.png",
        "img-facade.png",
        "img-cafebabe.png",
        "one-two3four.js",
        "utf8mb4x.sql",
        "base64url.js",
        "module.es2015.js",
        "sha256sum.txt",
        "archive.tar.gz",
        "README",
        "LICENSE.txt",
        "favicon-32x32.png",
        "apple-touch-icon-180x180-precomposed.png",
    };
    PLAIN_EXPECT(names);
}

static void pages_are_never_hashed(void **state)
{
    (void)state;
    static const char *const names[] = {
        "app.3f9ac1b2.html",  "index-BfX3a9Qz.html",  "app.3f9ac1b2.HTM",
        "app.3f9ac1b2.xhtml", "app.3f9ac1b2.js.html",
    };
    PLAIN_EXPECT(names);
    assert_true(http_name_is_hashed(SLICE("app.3f9ac1b2.html.js")));
}

static void identifiers_are_no_hashes(void **state)
{
    (void)state;
    static const char *const names[] = {
        "fn.Q6_Vqf16_vadd_Vqf16Vhf.txt",
        "550e8400-e29b-41d4-a716-44665544a0b0.jpg",
        "photo-550e8400-e29b-41d4-a716-44665544a0b0.jpg",
        "550E8400-E29B-41D4-A716-446655440000.jpg",
        "photo-507f1f77bcf86cd799439011.jpg",
    };
    PLAIN_EXPECT(names);
}

static void a_hash_stands_between_a_delimiter_and_an_extension(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        ".",
        "/",
        "..",
        "-.",
        "3f9ac1b2",
        "3f9ac1b2.js",
        ".3f9ac1b2.js",
        "-3f9ac1b2.js",
        "app.3f9ac1b2",
        "app.3f9ac1b2.",
        "app-3f9ac1b2-js",
        "app3f9ac1b2.js",
        "app 3f9ac1b2.js",
        "app.3f9ac1b2 .js",
        "app.3f9ac1b2_bg.wasm",
        "app.3F9AC1B2.js",
    };
    PLAIN_EXPECT(names);
}

static void the_size_of_a_hash_is_bounded(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        bool is_hashed;
    } rows[] = {
        { 0, false },
        { HTTP_NAME_HEX_SIZE_MIN - 1, false },
        { HTTP_NAME_HEX_SIZE_MIN, true },
        { HTTP_NAME_HEX_SIZE_MIN + 1, true },
        { HTTP_NAME_OBJECT_ID_SIZE - 1, true },
        { HTTP_NAME_OBJECT_ID_SIZE, false },
        { HTTP_NAME_OBJECT_ID_SIZE + 1, true },
        { HTTP_NAME_HEX_SIZE_MAX - 1, true },
        { HTTP_NAME_HEX_SIZE_MAX, true },
        { HTTP_NAME_HEX_SIZE_MAX + 1, false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char name[128] = "app.";
        for (size_t at = 0; at < rows[i].size; at++) {
            name[4 + at] = "3f9ac1b2d0e"[at % 11];
        }
        memcpy(name + 4 + rows[i].size, ".js", 4);
        assert_number_equal(name, http_name_is_hashed(slice_from_string(name)), rows[i].is_hashed);
    }
    static const char *const names[] = { "app-BfX3a9Q.js", "app-BfX3a9Qz7.js", "app-5XKJ7DQ.js",
                                         "app-5XKJ7DQ2K.js" };
    PLAIN_EXPECT(names);
}

static void only_the_last_segment_counts(void **state)
{
    (void)state;
    assert_true(http_name_is_hashed(SLICE("/assets/app.3f9ac1b2.js")));
    assert_true(http_name_is_hashed(SLICE("assets/index-BfX3a9Qz.js")));
    assert_false(http_name_is_hashed(SLICE("/app.3f9ac1b2.js/index.html")));
    assert_false(http_name_is_hashed(SLICE("/app.3f9ac1b2.js/")));
    assert_false(http_name_is_hashed(SLICE("/a/.3f9ac1b2.js")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hexadecimal_hashes_are_recognized),
        cmocka_unit_test(base64url_and_base32_hashes_are_recognized),
        cmocka_unit_test(hashes_that_could_be_words_are_passed_over),
        cmocka_unit_test(dates_versions_and_sizes_are_no_hashes),
        cmocka_unit_test(words_and_products_are_no_hashes),
        cmocka_unit_test(pages_are_never_hashed),
        cmocka_unit_test(identifiers_are_no_hashes),
        cmocka_unit_test(a_hash_stands_between_a_delimiter_and_an_extension),
        cmocka_unit_test(the_size_of_a_hash_is_bounded),
        cmocka_unit_test(only_the_last_segment_counts),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_name", tests, NULL, NULL) == 0 ? 0 : 1;
}

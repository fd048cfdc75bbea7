/* Media types guessed from the content: what may be sent of them. */
#include "http/http_type.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct guess_row {
    const char *guess;
    const char *type;
};

static void guesses_expect(const struct guess_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char buffer[HTTP_TYPE_SIZE_MAX];
        size_t size = http_type_from_guess(slice_from_string(rows[i].guess), buffer);
        assert_slice_equal(rows[i].guess, slice_of(buffer, size), slice_from_string(rows[i].type));
    }
}

static void a_harmless_guess_is_kept(void **state)
{
    (void)state;
    static const struct guess_row rows[] = {
        { "image/png", "image/png" },
        { "IMAGE/PNG", "image/png" },
        { "video/mp4", "video/mp4" },
        { "audio/mpeg", "audio/mpeg" },
        { "font/sfnt", "font/sfnt" },
        { "application/pdf", "application/pdf" },
        { "application/postscript", "application/postscript" },
        { "application/gzip", "application/gzip" },
        { "application/octet-stream", "application/octet-stream" },
        { "image/png; charset=binary", "image/png" },
    };
    guesses_expect(rows, COUNT(rows));
}

static void a_guessed_text_gets_its_charset(void **state)
{
    (void)state;
    static const struct guess_row rows[] = {
        { "text/plain", "text/plain; charset=utf-8" },
        { "text/csv", "text/csv; charset=utf-8" },
        { "text/plain; charset=us-ascii", "text/plain; charset=utf-8" },
        { "application/json", "application/json; charset=utf-8" },
    };
    guesses_expect(rows, COUNT(rows));
}

static void a_guess_that_would_run_becomes_plain_text(void **state)
{
    (void)state;
    static const char *const guesses[] = {
        "text/html",
        "TEXT/HTML",
        "text/html; charset=us-ascii",
        "image/svg+xml",
        "image/svg",
        "application/xhtml+xml",
        "application/vnd.wap.xhtml+xml",
        "text/xml",
        "application/xml",
        "text/xsl+xml",
        "application/javascript",
        "text/javascript",
        "application/x-javascript",
        "text/ecmascript",
        "text/vbscript",
        "text/x-shellscript",
        "text/x-php",
        "text/x-c",
        "application/rss+xml",
        "application/mathml+xml",
    };
    for (size_t i = 0; i < COUNT(guesses); i++) {
        struct guess_row row = { guesses[i], "text/plain; charset=utf-8" };
        guesses_expect(&row, 1);
    }
}

static void nonsense_guesses_become_bytes(void **state)
{
    (void)state;
    static const char *const guesses[] = {
        "",
        "text",
        "text/",
        "/plain",
        "text/plain x",
        "text/plain\r\nX: y",
        "cannot open file",
        "inode/x-empty",
        "inode/directory",
        "multipart/x-mixed-replace",
        "message/rfc822",
        "x/y",
    };
    for (size_t i = 0; i < COUNT(guesses); i++) {
        struct guess_row row = { guesses[i], "application/octet-stream" };
        guesses_expect(&row, 1);
    }
}

static void a_guess_without_bound_becomes_bytes(void **state)
{
    (void)state;
    char guess[4096];
    memset(guess, 'x', sizeof(guess));
    memcpy(guess, "text/", 5);
    char buffer[HTTP_TYPE_SIZE_MAX];
    assert_slice_equal(
        "long", slice_of(buffer, http_type_from_guess(slice_of(guess, sizeof(guess)), buffer)),
        SLICE("application/octet-stream"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_harmless_guess_is_kept),
        cmocka_unit_test(a_guessed_text_gets_its_charset),
        cmocka_unit_test(a_guess_that_would_run_becomes_plain_text),
        cmocka_unit_test(nonsense_guesses_become_bytes),
        cmocka_unit_test(a_guess_without_bound_becomes_bytes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_guess", tests, NULL, NULL) == 0 ? 0 : 1;
}

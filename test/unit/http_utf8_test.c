/* UTF-8: every character in its one form, and nothing else. */
#include "http/http_utf8.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static size_t encode(uint32_t character, char bytes[4])
{
    if (character < 0x80) {
        bytes[0] = (char)character;
        return 1;
    }
    size_t size = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = size; i > 1; i--) {
        bytes[i - 1] = (char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    bytes[0] = (char)((0xf00 >> size & 0xff) | character);
    return size;
}

static void every_character_is_read_whole(void **state)
{
    (void)state;
    for (uint32_t character = 0; character <= 0x10ffff; character++) {
        if (character >= 0xd800 && character <= 0xdfff) {
            continue;
        }
        char bytes[5];
        size_t size = encode(character, bytes);
        bytes[size] = '\x80';
        size_t at = 0;
        assert_int_equal(http_utf8_next(slice_of(bytes, size + 1), &at), character);
        assert_int_equal(at, size);
    }
}

static void what_is_malformed_is_replaced_byte_by_byte(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "\x80",             /* begins nothing */
        "\xbf\xbf",         /* */
        "\xc0\x80",         /* overlong NUL */
        "\xc1\xbf",         /* overlong */
        "\xe0\x9f\xbf",     /* overlong */
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",     /* the first surrogate */
        "\xed\xbf\xbf",     /* the last */
        "\xf4\x90\x80\x80", /* past U+10FFFF */
        "\xf5\x80\x80\x80", /* */
        "\xff\xfe",         /* never used */
        "\xe2\x82",         /* cut short */
        "\xf0\x9f\x98",     /* */
        "\xc3",             /* */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice text = slice_from_string(rows[i]);
        size_t at = 0;
        for (size_t count = 1; count <= text.size; count++) {
            assert_int_equal(http_utf8_next(text, &at), HTTP_UTF8_REPLACEMENT);
            assert_int_equal(at, count);
        }
    }
}

static void a_character_cut_short_does_not_swallow_the_next(void **state)
{
    (void)state;
    struct slice text = SLICE("\xe2\x82<");
    size_t at = 0;
    assert_int_equal(http_utf8_next(text, &at), HTTP_UTF8_REPLACEMENT);
    assert_int_equal(http_utf8_next(text, &at), HTTP_UTF8_REPLACEMENT);
    assert_int_equal(http_utf8_next(text, &at), '<');
    assert_int_equal(at, text.size);
}

static void the_replacement_is_a_character_too(void **state)
{
    (void)state;
    size_t at = 0;
    assert_int_equal(http_utf8_next(HTTP_UTF8_REPLACEMENT_BYTES, &at), HTTP_UTF8_REPLACEMENT);
    assert_int_equal(at, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_read_whole),
        cmocka_unit_test(what_is_malformed_is_replaced_byte_by_byte),
        cmocka_unit_test(a_character_cut_short_does_not_swallow_the_next),
        cmocka_unit_test(the_replacement_is_a_character_too),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_utf8", tests, NULL, NULL) == 0 ? 0 : 1;
}

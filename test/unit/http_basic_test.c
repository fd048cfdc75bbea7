/* Basic: which credentials are read, which are refused, what the challenge looks like. */
#include "http/http_basic.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum {
    ENCODED_SIZE_MAX = 2048
};

static void credentials_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *authorization;
        const char *user;
        const char *password;
    } rows[] = {
        { "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame" }, /* RFC 7617 2 */
        { "Basic dGVzdDoxMjPCow==", "test", "123\xc2\xa3" },                /* RFC 7617 2.1 */
        { "basic YTpi", "a", "b" },
        { "BASIC YTpi", "a", "b" },
        { "bAsIc   YTpi", "a", "b" },
        { "Basic YTpiOmM=", "a", "b:c" },
        { "Basic Og==", "", "" },
        { "Basic YTo=", "a", "" },
        { "Basic OmI=", "", "b" },
        { "Basic Pj4+Oj8/Pw==", ">>>", "???" }, /* '+' and '/' are digits */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char buffer[HTTP_BASIC_SIZE_MAX];
        struct slice user = SLICE_NONE;
        struct slice password = SLICE_NONE;
        bool is_read =
            http_basic_parse(slice_from_string(rows[i].authorization), buffer, &user, &password);
        assert_number_equal(rows[i].authorization, is_read, true);
        assert_slice_equal(rows[i].authorization, user, slice_from_string(rows[i].user));
        assert_slice_equal(rows[i].authorization, password, slice_from_string(rows[i].password));
    }
}

static void what_is_malformed_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "Basic",
        "Basic ",
        "Basic   ",
        "BasicYTpi",
        "Basic\tYTpi",
        " Basic YTpi",
        "Bearer YTpi",
        "Digest username=\"a\"",
        "Basic YTp",       /* cut */
        "Basic YTpiOmM",   /* no padding */
        "Basic YTpiOmM==", /* too much */
        "Basic YTpi====",
        "Basic ====",
        "Basic =",
        "Basic YTo=YTpi", /* padding within */
        "Basic Y=pi",
        "Basic YTpi ",
        "Basic YTpi YTpi",
        "Basic YTpi,",
        "Basic YT pi",
        "Basic YTpi\n",
        "Basic YTp-", /* base64url */
        "Basic YTp_",
        "Basic YTp\xc3",
        "Basic Oh==", /* bits left over */
        "Basic YTp=",
        "Basic YWI=",     /* no ':' */
        "Basic YQA6Yg==", /* NUL */
        "Basic YTpiAA==",
        "Basic YQo6Yg==", /* LF */
        "Basic YTpifw==", /* DEL */
        "Basic YTpiHw==", /* 0x1f */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char buffer[HTTP_BASIC_SIZE_MAX];
        struct slice user;
        struct slice password;
        if (http_basic_parse(slice_from_string(rows[i]), buffer, &user, &password)) {
            fail_msg("\"%s\" is expected to be refused", rows[i]);
        }
    }
}

static void an_absent_field_is_refused(void **state)
{
    (void)state;
    char buffer[HTTP_BASIC_SIZE_MAX];
    struct slice user;
    struct slice password;
    assert_false(http_basic_parse(SLICE_NONE, buffer, &user, &password));
}

static char digit_of(unsigned value)
{
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[value & 63];
}

static size_t credentials_encode(struct slice text, char encoded[ENCODED_SIZE_MAX])
{
    memcpy(encoded, "Basic ", 6);
    size_t used = 6;
    for (size_t i = 0; i < text.size; i += 3) {
        unsigned bits = 0;
        for (size_t j = i; j < i + 3; j++) {
            bits = bits << 8 | (j < text.size ? (unsigned char)text.data[j] : 0);
        }
        encoded[used++] = digit_of(bits >> 18);
        encoded[used++] = digit_of(bits >> 12);
        encoded[used++] = i + 1 < text.size ? digit_of(bits >> 6) : '=';
        encoded[used++] = i + 2 < text.size ? digit_of(bits) : '=';
    }
    return used;
}

static void credentials_have_at_most_512_bytes(void **state)
{
    (void)state;
    for (size_t size = 1; size <= HTTP_BASIC_SIZE_MAX + 4; size++) {
        char text[HTTP_BASIC_SIZE_MAX + 4];
        for (size_t i = 0; i < size; i++) {
            text[i] = (char)('a' + i % 26);
        }
        text[size / 2] = ':';
        char encoded[ENCODED_SIZE_MAX];
        size_t encoded_size = credentials_encode(slice_of(text, size), encoded);
        char buffer[HTTP_BASIC_SIZE_MAX + 1] = { 0 };
        buffer[HTTP_BASIC_SIZE_MAX] = '#';
        struct slice user;
        struct slice password;
        bool is_read = http_basic_parse(slice_of(encoded, encoded_size), buffer, &user, &password);
        assert_int_equal(is_read, size <= HTTP_BASIC_SIZE_MAX);
        assert_int_equal(buffer[HTTP_BASIC_SIZE_MAX], '#');
        if (is_read) {
            assert_slice_equal("user", user, slice_of(text, size / 2));
            assert_slice_equal("password", password,
                               slice_of(text + size / 2 + 1, size - size / 2 - 1));
        }
    }
}

static void the_challenge_names_realm_and_charset(void **state)
{
    (void)state;
    static const struct {
        const char *realm;
        const char *challenge;
    } rows[] = {
        { "gyre", "Basic realm=\"gyre\", charset=\"UTF-8\"" },
        { "a \"b\" \\c", "Basic realm=\"a \\\"b\\\" \\\\c\", charset=\"UTF-8\"" },
        { "\xc3\xa9", "Basic realm=\"\xc3\xa9\", charset=\"UTF-8\"" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice realm = slice_from_string(rows[i].realm);
        char buffer[HTTP_BASIC_CHALLENGE_SIZE_MAX];
        assert_null(http_basic_check_realm(realm));
        size_t size = http_basic_write_challenge(realm, buffer, sizeof(buffer));
        assert_slice_equal(rows[i].realm, slice_of(buffer, size),
                           slice_from_string(rows[i].challenge));
        assert_int_equal(http_basic_write_challenge(realm, NULL, 0), size);
    }
}

static void the_largest_challenge_has_the_size_that_is_promised(void **state)
{
    (void)state;
    char realm[HTTP_BASIC_REALM_SIZE_MAX + 1];
    memset(realm, '"', sizeof(realm));
    assert_null(http_basic_check_realm(slice_of(realm, HTTP_BASIC_REALM_SIZE_MAX - 1)));
    assert_null(http_basic_check_realm(slice_of(realm, HTTP_BASIC_REALM_SIZE_MAX)));
    assert_non_null(http_basic_check_realm(slice_of(realm, HTTP_BASIC_REALM_SIZE_MAX + 1)));
    assert_non_null(http_basic_check_realm(SLICE("")));
    char buffer[HTTP_BASIC_CHALLENGE_SIZE_MAX];
    assert_int_equal(http_basic_write_challenge(slice_of(realm, HTTP_BASIC_REALM_SIZE_MAX), buffer,
                                                sizeof(buffer)),
                     HTTP_BASIC_CHALLENGE_SIZE_MAX);
}

static void a_realm_has_no_control_bytes(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        bool is_control = c < ' ' || c == 0x7f;
        assert_int_equal(http_basic_check_realm(slice_of(&byte, 1)) != NULL, is_control);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_read),
        cmocka_unit_test(what_is_malformed_is_refused),
        cmocka_unit_test(an_absent_field_is_refused),
        cmocka_unit_test(credentials_have_at_most_512_bytes),
        cmocka_unit_test(the_challenge_names_realm_and_charset),
        cmocka_unit_test(the_largest_challenge_has_the_size_that_is_promised),
        cmocka_unit_test(a_realm_has_no_control_bytes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_basic", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* Content codings: what Accept-Encoding chooses, and which media types are worth coding. */
#include "http/http_coding.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum {
    IDENTITY = 1u << HTTP_CODING_IDENTITY,
    BR = 1u << HTTP_CODING_BR,
    ZSTD = 1u << HTTP_CODING_ZSTD,
    GZIP = 1u << HTTP_CODING_GZIP,
    ALL = IDENTITY | BR | ZSTD | GZIP,
};

struct choice_row {
    const char *field; /* NULL: none */
    unsigned available;
    enum http_coding expected;
};

static void choices_expect(const struct choice_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = rows[i].field;
        struct http_request request = {
            .accept_encoding = text != NULL ? slice_from_string(text) : SLICE_NONE,
        };
        assert_number_equal(text != NULL ? text : "no field",
                            http_coding_choose(&request, rows[i].available), rows[i].expected);
    }
}

#define CHOICES_EXPECT(rows) choices_expect(rows, COUNT(rows))

static void codings_have_names_and_suffixes(void **state)
{
    (void)state;
    assert_slice_equal("br", http_coding_name(HTTP_CODING_BR), SLICE("br"));
    assert_slice_equal("zstd", http_coding_name(HTTP_CODING_ZSTD), SLICE("zstd"));
    assert_slice_equal("gzip", http_coding_name(HTTP_CODING_GZIP), SLICE("gzip"));
    assert_null(http_coding_name(HTTP_CODING_IDENTITY).data);
    assert_slice_equal(".br", http_coding_suffix(HTTP_CODING_BR), SLICE(".br"));
    assert_slice_equal(".zst", http_coding_suffix(HTTP_CODING_ZSTD), SLICE(".zst"));
    assert_slice_equal(".gz", http_coding_suffix(HTTP_CODING_GZIP), SLICE(".gz"));
    assert_null(http_coding_suffix(HTTP_CODING_IDENTITY).data);
    for (unsigned i = 0; i < HTTP_CODINGS_COUNT; i++) {
        assert_true(http_coding_name((enum http_coding)i).size <= HTTP_CODING_NAME_SIZE_MAX);
    }
}

static void without_the_field_identity_is_taken(void **state)
{
    (void)state;
    static const struct choice_row rows[] = {
        { NULL, ALL, HTTP_CODING_IDENTITY },
        { NULL, IDENTITY, HTTP_CODING_IDENTITY },
        { NULL, GZIP, HTTP_CODING_GZIP },
        { NULL, GZIP | ZSTD, HTTP_CODING_ZSTD },
    };
    CHOICES_EXPECT(rows);
}

static void an_empty_field_wants_identity_only(void **state)
{
    (void)state;
    static const struct choice_row rows[] = {
        { "", ALL, HTTP_CODING_IDENTITY },        { "", IDENTITY, HTTP_CODING_IDENTITY },
        { "", GZIP, HTTP_CODING_NONE },           { ",", ALL, HTTP_CODING_IDENTITY },
        { " ,\t, ,", ALL, HTTP_CODING_IDENTITY }, { ",", BR | ZSTD | GZIP, HTTP_CODING_NONE },
    };
    CHOICES_EXPECT(rows);
}

static void among_equals_the_server_prefers(void **state)
{
    (void)state;
    static const struct choice_row rows[] = {
        { "gzip, deflate, br, zstd", ALL, HTTP_CODING_BR },
        { "gzip, deflate, br, zstd", ALL & ~BR, HTTP_CODING_ZSTD },
        { "gzip, deflate, br, zstd", IDENTITY | GZIP, HTTP_CODING_GZIP },
        { "gzip, deflate, br, zstd", IDENTITY, HTTP_CODING_IDENTITY },
        { "identity, gzip", ALL, HTTP_CODING_GZIP },
        { "zstd;q=0.5, gzip;q=0.5, identity;q=0.5", ALL, HTTP_CODING_ZSTD },
        { "deflate", ALL, HTTP_CODING_IDENTITY },
        { "br", GZIP | ZSTD, HTTP_CODING_NONE },
    };
    CHOICES_EXPECT(rows);
}

static void the_highest_quality_wins(void **state)
{
    (void)state;
    static const struct choice_row rows[] = {
        { "br;q=0.5, gzip", ALL, HTTP_CODING_GZIP },
        { "br;q=0.998, zstd;q=0.999, gzip;q=0.997", ALL, HTTP_CODING_ZSTD },
        { "br;q=0.9, gzip;q=1.0", ALL, HTTP_CODING_GZIP },
        { "br;q=0.09, gzip;q=0.1", ALL, HTTP_CODING_GZIP },
        { "br;q=0.1, gzip;q=0.100", ALL, HTTP_CODING_BR },
        { "identity;q=1, gzip;q=0.5", ALL, HTTP_CODING_IDENTITY },
        { "identity;q=0.4, gzip;q=0.5", ALL, HTTP_CODING_GZIP },
        { "identity;q=0.5, br;q=0.4", GZIP | BR, HTTP_CODING_BR },
        { "gzip;q=0.001", ALL, HTTP_CODING_GZIP }, /* identity, unsaid, is below it */
    };
    CHOICES_EXPECT(rows);
}

static void a_quality_of_zero_refuses(void **state)
{
    (void)state;
    static const struct choice_row rows[] = {
        { "br;q=0", ALL, HTTP_CODING_IDENTITY },
        { "br;q=0, gzip", BR | GZIP, HTTP_CODING_GZIP },
        { "br;q=0", BR, HTTP_CODING_NONE },
        { "br;q=0.0, zstd;q=0.00, gzip;q=0.000", ALL, HTTP_CODING_IDENTITY },
        { "identity;q=0", IDENTITY, HTTP_CODING_NONE },
        { "identity;q=0", ALL, HTTP_CODING_NONE },
        { "identity;q=0, gzip", ALL, HTTP_CODING_GZIP },
        { "identity;q=0, gzip", IDENTITY | BR, HTTP_CODING_NONE },
        { "identity;q=0, br;q=0", ALL, HTTP_CODING_NONE },
    };
    CHOICES_EXPECT(rows);
}

static void an_asterisk_stands_for_all_that_is_not_named(void **state)
{
    (void)state;
    static const struct choice_row rows[] = {
        { "*", ALL, HTTP_CODING_BR },
        { "*", IDENTITY, HTTP_CODING_IDENTITY },
        { "*", GZIP, HTTP_CODING_GZIP },
        { "*;q=0", IDENTITY, HTTP_CODING_NONE },
        { "*;q=0", ALL, HTTP_CODING_NONE },
        { "*;q=0, gzip", ALL, HTTP_CODING_GZIP },
        { "gzip, *;q=0", IDENTITY | BR, HTTP_CODING_NONE },
        { "*;q=0, identity", ALL, HTTP_CODING_IDENTITY },
        { "identity;q=0.1, *;q=0", IDENTITY, HTTP_CODING_IDENTITY },
        { "gzip;q=1.0, identity; q=0.5, *;q=0", ALL, HTTP_CODING_GZIP }, /* of RFC 9110 12.5.3 */
        { "br;q=0, *", ALL, HTTP_CODING_ZSTD },
        { "gzip, *;q=0.5", ALL, HTTP_CODING_GZIP },
        { "gzip;q=0.5, *", IDENTITY | GZIP, HTTP_CODING_IDENTITY },
        { "identity;q=0, *", IDENTITY, HTTP_CODING_NONE },
    };
    CHOICES_EXPECT(rows);
}

static void names_come_in_any_case_and_x_gzip_is_gzip(void **state)
{
    (void)state;
    static const struct choice_row rows[] = {
        { "GZIP", ALL, HTTP_CODING_GZIP },
        { "Br", ALL, HTTP_CODING_BR },
        { "zStD", ALL, HTTP_CODING_ZSTD },
        { "x-gzip", ALL, HTTP_CODING_GZIP },
        { "X-GZip;q=0, *", GZIP | ZSTD, HTTP_CODING_ZSTD },
        { "IDENTITY;Q=0", ALL, HTTP_CODING_NONE },
        { "gzip;Q=0", GZIP, HTTP_CODING_NONE },
    };
    CHOICES_EXPECT(rows);
}

static void of_a_coding_named_twice_the_last_element_counts(void **state)
{
    (void)state;
    static const struct choice_row rows[] = {
        { "gzip;q=0, gzip", GZIP, HTTP_CODING_GZIP },
        { "gzip, x-gzip;q=0", GZIP, HTTP_CODING_NONE },
        { "*;q=0, *", GZIP, HTTP_CODING_GZIP },
    };
    CHOICES_EXPECT(rows);
}

static void blanks_and_empty_elements_change_nothing(void **state)
{
    (void)state;
    static const struct choice_row rows[] = {
        { "gzip ; q=0", GZIP, HTTP_CODING_NONE },      { "gzip\t;\tq=0\t", GZIP, HTTP_CODING_NONE },
        { "gzip;q=0 ,br", GZIP | BR, HTTP_CODING_BR }, { ",,gzip,", ALL, HTTP_CODING_GZIP },
        { " \t gzip \t ", ALL, HTTP_CODING_GZIP },     { "deflate,\tgzip", ALL, HTTP_CODING_GZIP },
    };
    CHOICES_EXPECT(rows);
}

/* Each row asks for br in a malformed way, and for gzip. */
static void a_malformed_element_is_as_good_as_none(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "br;q=1.001, gzip", "br;q=2, gzip",     "br;q=0.0000, gzip", "br;q=0.5555, gzip",
        "br;q=, gzip",      "br;q, gzip",       "br;, gzip",         "br;=0, gzip",
        "br;q=-1, gzip",    "br;q=.5, gzip",    "br;q=00, gzip",     "br;q=0.5., gzip",
        "br;q=1.1, gzip",   "br;q=1.01, gzip",  "br;q = 0.5, gzip",  "br;q= 0.5, gzip",
        "br;q=a, gzip",     "br;q=0.a, gzip",   "br;q=1.00a, gzip",  "br;q=0x1, gzip",
        "br;x=1, gzip",     "br;q=1;x=1, gzip", "br;x=1;q=1, gzip",  "br q=1, gzip",
        "b r, gzip",        "\"br\", gzip",     "br;q=\"1\", gzip",  ";q=1, gzip",
        "br;;q=1, gzip",    "br;q=1 1, gzip",   "brr, gzip",         "b, gzip",
        "x-br, gzip",       "xx-zstd, gzip",    "**, gzip",          "*br, gzip",
        "br;qq=1, gzip",    "br;q=0.5 5, gzip", "br;q=+1, gzip",     "*;q=1;x, gzip",
        "br;q=1e0, gzip",
    };
    for (size_t i = 0; i < COUNT(fields); i++) {
        struct http_request request = { .accept_encoding = slice_from_string(fields[i]) };
        assert_number_equal(fields[i], http_coding_choose(&request, ALL), HTTP_CODING_GZIP);
    }
}

/* The grammar has "0." and "1.", and up to three decimals. RFC 9110 12.4.2. */
static void qualities_have_at_most_three_decimals(void **state)
{
    (void)state;
    static const struct choice_row rows[] = {
        { "br;q=1., gzip;q=0.999", ALL, HTTP_CODING_BR },
        { "br;q=1.000, gzip;q=0.999", ALL, HTTP_CODING_BR },
        { "br;q=1.0000, gzip;q=0.001", ALL, HTTP_CODING_GZIP },
        { "br;q=0., gzip;q=0.001", ALL, HTTP_CODING_GZIP },
        { "br;q=0.001", BR, HTTP_CODING_BR },
        { "br;q=0.0001", BR, HTTP_CODING_NONE },
    };
    CHOICES_EXPECT(rows);
}

static void malformed_refusals_leave_identity(void **state)
{
    (void)state;
    static const struct choice_row rows[] = {
        { "identity;q=0.0000", IDENTITY, HTTP_CODING_IDENTITY },
        { "*;q=-0", IDENTITY, HTTP_CODING_IDENTITY },
        { "identity;x=0", ALL, HTTP_CODING_IDENTITY },
        { "gzip;q=0;q=1", ALL, HTTP_CODING_IDENTITY },
    };
    CHOICES_EXPECT(rows);
}

struct lines_row {
    const char *fields;
    unsigned available;
    enum http_coding expected;
};

static void all_lines_of_the_field_count(void **state)
{
    (void)state;
    static const struct lines_row rows[] = {
        { "Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n", ALL, HTTP_CODING_BR },
        { "Accept-Encoding: gzip\r\nA: br\r\nACCEPT-encoding:zstd\r\n", ALL, HTTP_CODING_ZSTD },
        { "Accept-Encoding: gzip\r\nAccept-Encoding: identity;q=0\r\n", IDENTITY,
          HTTP_CODING_NONE },
        { "Accept-Encoding: \t\r\nAccept-Encoding: gzip\r\n", ALL, HTTP_CODING_GZIP },
        { "Accept-Encoding:\r\nAccept-Encoding:\r\nAccept-Encoding:gzip\r\n", ALL,
          HTTP_CODING_GZIP },
        { "Accept-Encoding: gzip\r\nAccept-Encoding:\r\n", ALL, HTTP_CODING_GZIP },
        { "Accept-Encoding: gzip;q=0\r\nAccept-Encoding: *\r\n", GZIP, HTTP_CODING_NONE },
        { "Accept-Encoding: gzip;\r\nAccept-Encoding: q=0\r\n", GZIP, HTTP_CODING_NONE },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[256] = "GET / HTTP/1.0\r\n";
        size_t size = strlen(text);
        memcpy(text + size, rows[i].fields, strlen(rows[i].fields));
        size += strlen(rows[i].fields);
        memcpy(text + size, "\r\n", 2);
        struct http_parser parser;
        struct http_request request;
        http_parser_init(&parser);
        assert_int_equal(http_parse_head(&parser, text, size + 2, &request), HTTP_PARSE_DONE);
        assert_number_equal(rows[i].fields, http_coding_choose(&request, rows[i].available),
                            rows[i].expected);
    }
}

static void text_and_formats_that_are_not_compressed_are_worth_it(void **state)
{
    (void)state;
    static const char *const types[] = {
        "text/html",
        "text/html; charset=utf-8",
        "TEXT/CSS",
        "text/x-unheard-of",
        "text/javascript;charset=utf-8",
        "application/javascript",
        "application/json",
        "application/ld+json ; charset=utf-8",
        "application/geo+json",
        "image/svg+xml",
        "application/manifest+json",
        "text/cache-manifest",
        "application/xml",
        "application/atom+xml",
        "application/wasm",
        "font/ttf",
        "font/otf",
        "application/vnd.ms-fontobject",
        "image/bmp",
        "image/x-icon",
        "image/vnd.microsoft.icon",
        "application/x-ndjson",
        "application/rtf",
        "Application/JSON",
        "model/gltf+json",
        "application/x-unheard-of+XML",
        "application/yaml",
        " text/plain ",
    };
    for (size_t i = 0; i < COUNT(types); i++) {
        assert_number_equal(types[i], http_coding_is_compressible(slice_from_string(types[i])), 1);
    }
}

static void what_is_compressed_or_unknown_is_not(void **state)
{
    (void)state;
    static const char *const types[] = {
        "image/png",
        "image/jpeg",
        "image/webp",
        "image/avif",
        "image/gif",
        "video/mp4",
        "audio/mpeg",
        "font/woff",
        "font/woff2",
        "application/zip",
        "application/gzip",
        "application/epub+zip",
        "application/zstd",
        "application/x-brotli",
        "application/pdf",
        "application/octet-stream",
        "application/x-7z-compressed",
        "application/vnd.rar",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "model/vnd.usdz+zip",
        "application/java-archive",
        "",
        ";",
        "text",
        "text/",
        "+json",
        "+xml",
        "image/png; as=text/html",
        "xtext/html",
        "application/jsonx",
        "application",
    };
    for (size_t i = 0; i < COUNT(types); i++) {
        assert_number_equal(types[i], http_coding_is_compressible(slice_from_string(types[i])), 0);
    }
    assert_false(http_coding_is_compressible(SLICE_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codings_have_names_and_suffixes),
        cmocka_unit_test(without_the_field_identity_is_taken),
        cmocka_unit_test(an_empty_field_wants_identity_only),
        cmocka_unit_test(among_equals_the_server_prefers),
        cmocka_unit_test(the_highest_quality_wins),
        cmocka_unit_test(a_quality_of_zero_refuses),
        cmocka_unit_test(an_asterisk_stands_for_all_that_is_not_named),
        cmocka_unit_test(names_come_in_any_case_and_x_gzip_is_gzip),
        cmocka_unit_test(of_a_coding_named_twice_the_last_element_counts),
        cmocka_unit_test(blanks_and_empty_elements_change_nothing),
        cmocka_unit_test(a_malformed_element_is_as_good_as_none),
        cmocka_unit_test(qualities_have_at_most_three_decimals),
        cmocka_unit_test(malformed_refusals_leave_identity),
        cmocka_unit_test(all_lines_of_the_field_count),
        cmocka_unit_test(text_and_formats_that_are_not_compressed_are_worth_it),
        cmocka_unit_test(what_is_compressed_or_unknown_is_not),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_coding", tests, NULL, NULL) == 0 ? 0 : 1;
}

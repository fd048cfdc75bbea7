/* multipart/byteranges: the framing, byte for byte, and its length. */
#include <stdio.h>

#include "http/http_multipart.h"
#include "slice_assert.h"

enum {
    FILE_SIZE = 1000,
    BODY_SIZE_MAX = 8 * 1024,
};

static char byte_at(uint64_t offset)
{
    return (char)('!' + (offset * 7 + offset / 90) % 90);
}

/* The body as a server would send it. */
static struct slice body_make(const struct http_multipart *multipart, char body[BODY_SIZE_MAX])
{
    size_t used = 0;
    for (size_t i = 0; i < multipart->ranges->count; i++) {
        struct http_range range = multipart->ranges->items[i];
        size_t size =
            http_multipart_write_part_head(multipart, i, body + used, BODY_SIZE_MAX - used);
        assert_true(size > 0);
        used += size;
        assert_true(range.length <= BODY_SIZE_MAX - used);
        for (uint64_t at = 0; at < range.length; at++) {
            body[used++] = byte_at(range.offset + at);
        }
    }
    size_t size = http_multipart_write_end(multipart, body + used, BODY_SIZE_MAX - used);
    assert_true(size > 0);
    return slice_of(body, used + size);
}

static void the_body_is_as_the_rfc_shows_it(void **state)
{
    (void)state;
    const struct http_ranges ranges = { .count = 2, .items = { { 500, 3 }, { 997, 3 } } };
    const struct http_multipart multipart = {
        .boundary = SLICE("THIS_STRING_SEPARATES"),
        .type = SLICE("application/pdf"),
        .size = FILE_SIZE,
        .ranges = &ranges,
    };
    char expected[BODY_SIZE_MAX];
    int expected_size = snprintf(expected, sizeof(expected),
                                 "--THIS_STRING_SEPARATES\r\n"
                                 "Content-Type: application/pdf\r\n"
                                 "Content-Range: bytes 500-502/1000\r\n"
                                 "\r\n"
                                 "%c%c%c\r\n"
                                 "--THIS_STRING_SEPARATES\r\n"
                                 "Content-Type: application/pdf\r\n"
                                 "Content-Range: bytes 997-999/1000\r\n"
                                 "\r\n"
                                 "%c%c%c\r\n"
                                 "--THIS_STRING_SEPARATES--\r\n",
                                 byte_at(500), byte_at(501), byte_at(502), byte_at(997),
                                 byte_at(998), byte_at(999));
    char body[BODY_SIZE_MAX];
    assert_slice_equal("body", body_make(&multipart, body),
                       slice_of(expected, (size_t)expected_size));
}

static void without_a_type_parts_have_none(void **state)
{
    (void)state;
    const struct http_ranges ranges = { .count = 1, .items = { { 0, 1 } } };
    const struct http_multipart multipart = { .boundary = SLICE("b"),
                                              .size = 1,
                                              .ranges = &ranges };
    char body[BODY_SIZE_MAX];
    assert_slice_equal("body", body_make(&multipart, body),
                       SLICE("--b\r\nContent-Range: bytes 0-0/1\r\n\r\n!\r\n--b--\r\n"));
}

static void the_length_is_that_of_the_body(void **state)
{
    (void)state;
    for (size_t count = 1; count <= HTTP_RANGES_MAX; count++) {
        struct http_ranges ranges = { .count = count };
        for (size_t i = 0; i < count; i++) {
            /* Positions of one to three digits, in falling order. */
            ranges.items[i] =
                (struct http_range){ .offset = (count - 1 - i) * 60, .length = i + 1 };
        }
        const struct http_multipart multipart = {
            .boundary = SLICE("0123456789abcdef0123456789abcdef"),
            .type = SLICE("text/plain; charset=utf-8"),
            .size = FILE_SIZE,
            .ranges = &ranges,
        };
        char body[BODY_SIZE_MAX];
        assert_number_equal("length", http_multipart_length(&multipart),
                            body_make(&multipart, body).size);
    }
}

static void the_length_has_64_bits(void **state)
{
    (void)state;
    const struct http_ranges ranges = {
        .count = 2,
        .items = { { 0, INT64_MAX - 100 }, { INT64_MAX - 1, 1 } },
    };
    const struct http_multipart multipart = { .boundary = SLICE("b"),
                                              .size = INT64_MAX,
                                              .ranges = &ranges };
    const char framing[] = "--b\r\n"
                           "Content-Range: bytes 0-9223372036854775706/9223372036854775807\r\n\r\n"
                           "\r\n--b\r\n"
                           "Content-Range: bytes 9223372036854775806-9223372036854775806"
                           "/9223372036854775807\r\n\r\n"
                           "\r\n--b--\r\n";
    assert_number_equal("length", http_multipart_length(&multipart),
                        (uint64_t)INT64_MAX - 99 + sizeof(framing) - 1);
}

static void the_largest_pieces_fit_their_bounds(void **state)
{
    (void)state;
    char boundary[HTTP_BOUNDARY_SIZE_MAX];
    char type[HTTP_TYPE_SIZE_MAX];
    memset(boundary, 'b', sizeof(boundary));
    memset(type, 't', sizeof(type));
    const struct http_ranges ranges = {
        .count = 2,
        .items = { { 0, 1 }, { UINT64_C(10000000000000000000), 2 } },
    };
    const struct http_multipart multipart = {
        .boundary = slice_of(boundary, sizeof(boundary)),
        .type = slice_of(type, sizeof(type)),
        .size = UINT64_MAX,
        .ranges = &ranges,
    };
    char buffer[HTTP_PART_HEAD_SIZE_MAX];
    assert_int_equal(http_multipart_write_part_head(&multipart, 1, buffer, sizeof(buffer)),
                     HTTP_PART_HEAD_SIZE_MAX);
    assert_int_equal(http_multipart_write_end(&multipart, buffer, sizeof(buffer)),
                     HTTP_MULTIPART_END_SIZE_MAX);
    char type_buffer[HTTP_MULTIPART_TYPE_SIZE_MAX];
    assert_int_equal(http_multipart_write_type(multipart.boundary, type_buffer),
                     HTTP_MULTIPART_TYPE_SIZE_MAX);
}

static void a_piece_that_does_not_fit_is_zero_and_overruns_nothing(void **state)
{
    (void)state;
    const struct http_ranges ranges = { .count = 2, .items = { { 0, 9 }, { 500, 20 } } };
    const struct http_multipart multipart = {
        .boundary = SLICE("boundary"),
        .type = SLICE("video/mp4"),
        .size = FILE_SIZE,
        .ranges = &ranges,
    };
    char whole[HTTP_PART_HEAD_SIZE_MAX];
    size_t head_size = http_multipart_write_part_head(&multipart, 1, whole, sizeof(whole));
    size_t end_size = http_multipart_write_end(&multipart, whole, sizeof(whole));
    for (size_t size = 0; size <= head_size; size++) {
        char buffer[HTTP_PART_HEAD_SIZE_MAX];
        memset(buffer, '#', sizeof(buffer));
        assert_int_equal(http_multipart_write_part_head(&multipart, 1, buffer, size),
                         size < head_size ? 0 : head_size);
        assert_int_equal(buffer[size], '#');
        memset(buffer, '#', sizeof(buffer));
        assert_int_equal(http_multipart_write_end(&multipart, buffer, size),
                         size < end_size ? 0 : end_size);
        assert_int_equal(buffer[size], '#');
    }
}

static void the_type_names_the_boundary(void **state)
{
    (void)state;
    char buffer[HTTP_MULTIPART_TYPE_SIZE_MAX];
    size_t size = http_multipart_write_type(SLICE("3d6b6a416f9b5"), buffer);
    assert_slice_equal("type", slice_of(buffer, size),
                       SLICE("multipart/byteranges; boundary=3d6b6a416f9b5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_is_as_the_rfc_shows_it),
        cmocka_unit_test(without_a_type_parts_have_none),
        cmocka_unit_test(the_length_is_that_of_the_body),
        cmocka_unit_test(the_length_has_64_bits),
        cmocka_unit_test(the_largest_pieces_fit_their_bounds),
        cmocka_unit_test(a_piece_that_does_not_fit_is_zero_and_overruns_nothing),
        cmocka_unit_test(the_type_names_the_boundary),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_multipart", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* The combined log format, to the byte: peers, absent values, escapes, cuts, and the size given. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "server/access_log.h"
#include "server/limits.h"
#include "slice_assert.h"

enum {
    VALUE_SIZE_MAX = 1024 /* of a client's value, as it is written */
};

static const int64_t now_s = 784111777;

/* Whoever asks, where it does not matter: 1.1.1.1. */
static const struct sockaddr_in anybody = { .sin_family = AF_INET, .sin_addr = { 0x01010101 } };

#define ANYBODY ((const struct sockaddr *)(const void *)&anybody)
#define DATE    "[06/Nov/1994:08:49:37 +0000]"

static struct slice format(const struct access_record *record, char buffer[LOG_LINE_SIZE_MAX])
{
    return slice_of(buffer, access_log_format(record, now_s, buffer, LOG_LINE_SIZE_MAX));
}

static struct sockaddr_in ipv4(const char *text)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(4711) };
    assert_int_equal(inet_pton(AF_INET, text, &address.sin_addr), 1);
    return address;
}

static void assert_ipv6_peer(const char *text, const char *shown)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(4711) };
    assert_int_equal(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
    struct access_record record = { .peer = (const struct sockaddr *)(const void *)&address };
    char buffer[LOG_LINE_SIZE_MAX];
    struct slice line = format(&record, buffer);
    assert_true(line.size > strlen(shown) + 6);
    assert_slice_equal(text, slice_of(line.data, strlen(shown)), slice_from_string(shown));
    assert_memory_equal(line.data + strlen(shown), " - - [", 6);
}

/* The line of a request whose line is `value` and that has nothing else. */
static void assert_written_as(struct slice value, struct slice written)
{
    struct access_record record = { .peer = ANYBODY, .line = value, .status = 400 };
    char buffer[LOG_LINE_SIZE_MAX];
    struct slice line = format(&record, buffer);
    static const char before[] = "1.1.1.1 - - " DATE " \"";
    static const char after[] = "\" 400 0 \"-\" \"-\"\n";
    size_t outside = sizeof(before) - 1 + sizeof(after) - 1;
    assert_int_equal(line.size, outside + written.size);
    assert_memory_equal(line.data, before, sizeof(before) - 1);
    assert_slice_equal("value", slice_of(line.data + sizeof(before) - 1, written.size), written);
    assert_memory_equal(line.data + line.size - (sizeof(after) - 1), after, sizeof(after) - 1);
}

static void a_line_has_the_combined_format(void **state)
{
    (void)state;
    struct sockaddr_in peer = ipv4("192.0.2.7");
    struct access_record record = {
        .peer = (const struct sockaddr *)(const void *)&peer,
        .line = SLICE("GET /a%20b?c=d HTTP/1.1"),
        .referer = SLICE("http://example.com/"),
        .user_agent = SLICE("curl/8.5.0"),
        .status = 206,
        .body_bytes = 1234,
    };
    char buffer[LOG_LINE_SIZE_MAX];
    assert_slice_equal("line", format(&record, buffer),
                       SLICE("192.0.2.7 - - " DATE " \"GET /a%20b?c=d HTTP/1.1\" 206 1234 "
                             "\"http://example.com/\" \"curl/8.5.0\"\n"));
}

static void what_is_absent_is_a_dash(void **state)
{
    (void)state;
    struct access_record record = { .peer = ANYBODY, .status = 408 };
    char buffer[LOG_LINE_SIZE_MAX];
    assert_slice_equal("line", format(&record, buffer),
                       SLICE("1.1.1.1 - - " DATE " \"-\" 408 0 \"-\" \"-\"\n"));
}

static void what_is_empty_is_empty(void **state)
{
    (void)state;
    struct access_record record = {
        .peer = ANYBODY,
        .line = SLICE("GET / HTTP/1.0"),
        .referer = SLICE(""),
        .user_agent = SLICE(""),
        .status = 200,
    };
    char buffer[LOG_LINE_SIZE_MAX];
    assert_slice_equal("line", format(&record, buffer),
                       SLICE("1.1.1.1 - - " DATE " \"GET / HTTP/1.0\" 200 0 \"\" \"\"\n"));
}

static void the_largest_body_is_written_in_full(void **state)
{
    (void)state;
    struct access_record record = { .status = 200, .body_bytes = UINT64_MAX };
    char buffer[LOG_LINE_SIZE_MAX];
    assert_true(slice_contains(format(&record, buffer), SLICE(" 200 18446744073709551615 \"")));
}

static void an_ipv6_peer_is_written_as_ipv6(void **state)
{
    (void)state;
    assert_ipv6_peer("2001:db8::1", "2001:db8::1");
    assert_ipv6_peer("::1", "::1");
    assert_ipv6_peer("2001:db8:1111:2222:3333:4444:5555:6666",
                     "2001:db8:1111:2222:3333:4444:5555:6666");
}

static void an_ipv4_peer_of_a_dual_stack_listener_is_written_as_ipv4(void **state)
{
    (void)state;
    assert_ipv6_peer("::ffff:192.0.2.7", "192.0.2.7");
    assert_ipv6_peer("::ffff:255.255.255.255", "255.255.255.255");
}

/* Not mapped, however much it looks like it. */
static void other_ipv6_addresses_keep_their_prefix(void **state)
{
    (void)state;
    assert_ipv6_peer("::fffe:192.0.2.7", "::fffe:c000:207");
    assert_ipv6_peer("64:ff9b::192.0.2.7", "64:ff9b::c000:207");
}

static void a_peer_without_an_address_is_written_as_what_it_is(void **state)
{
    (void)state;
    struct sockaddr_storage address = { .ss_family = AF_UNIX };
    struct access_record record = { .peer = (const struct sockaddr *)&address, .status = 200 };
    char buffer[LOG_LINE_SIZE_MAX];
    assert_slice_equal("unix socket", format(&record, buffer),
                       SLICE("unix - - " DATE " \"-\" 200 0 \"-\" \"-\"\n"));
    record.peer = NULL;
    assert_slice_equal("unknown", format(&record, buffer),
                       SLICE("- - - " DATE " \"-\" 200 0 \"-\" \"-\"\n"));
}

static void quotes_and_backslashes_cannot_end_a_field(void **state)
{
    (void)state;
    assert_written_as(SLICE("a\"b\\c"), SLICE("a\\x22b\\x5cc"));
    assert_written_as(SLICE("\" 200 0 \""), SLICE("\\x22 200 0 \\x22"));
}

static void every_other_printable_byte_is_itself(void **state)
{
    (void)state;
    char value[0x7f - 0x20];
    size_t size = 0;
    for (char byte = 0x20; byte < 0x7f; byte++) {
        if (byte != '"' && byte != '\\') {
            value[size++] = byte;
        }
    }
    assert_written_as(slice_of(value, size), slice_of(value, size));
}

static void control_and_8_bit_bytes_are_escaped(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        if (byte >= 0x20 && byte < 0x7f) {
            continue;
        }
        char value = (char)byte;
        char written[5];
        (void)snprintf(written, sizeof(written), "\\x%02x", byte);
        assert_written_as(slice_of(&value, 1), slice_of(written, 4));
    }
}

static void referer_and_user_agent_are_escaped_too(void **state)
{
    (void)state;
    struct access_record record = {
        .peer = ANYBODY,
        .line = SLICE("GET / HTTP/1.1"),
        .referer = SLICE("r\"\n"),
        .user_agent = SLICE("\x1b[31mu"),
        .status = 200,
    };
    char buffer[LOG_LINE_SIZE_MAX];
    assert_slice_equal("line", format(&record, buffer),
                       SLICE("1.1.1.1 - - " DATE " \"GET / HTTP/1.1\" 200 0 \"r\\x22\\x0a\" "
                             "\"\\x1b[31mu\"\n"));
}

static void a_value_is_cut_where_it_is_too_long_and_the_cut_is_marked(void **state)
{
    (void)state;
    char value[VALUE_SIZE_MAX + 3];
    for (size_t i = 0; i < sizeof(value); i++) {
        value[i] = (char)('a' + i % 26);
    }
    assert_written_as(slice_of(value, VALUE_SIZE_MAX - 1), slice_of(value, VALUE_SIZE_MAX - 1));
    assert_written_as(slice_of(value, VALUE_SIZE_MAX), slice_of(value, VALUE_SIZE_MAX));
    char cut[VALUE_SIZE_MAX + 3];
    memcpy(cut, value, VALUE_SIZE_MAX);
    memcpy(cut + VALUE_SIZE_MAX, "...", 3);
    assert_written_as(slice_of(value, VALUE_SIZE_MAX + 1), slice_of(cut, sizeof(cut)));
    assert_written_as(slice_of(value, VALUE_SIZE_MAX + 3), slice_of(cut, sizeof(cut)));
}

static void escapes_count_as_what_they_are_written_as(void **state)
{
    (void)state;
    char value[VALUE_SIZE_MAX / 4 + 1];
    char written[VALUE_SIZE_MAX + 3];
    memset(value, '\n', sizeof(value));
    for (size_t i = 0; i < VALUE_SIZE_MAX; i += 4) {
        memcpy(written + i, "\\x0a", 4);
    }
    memcpy(written + VALUE_SIZE_MAX, "...", 3);
    assert_written_as(slice_of(value, VALUE_SIZE_MAX / 4), slice_of(written, VALUE_SIZE_MAX));
    assert_written_as(slice_of(value, sizeof(value)), slice_of(written, sizeof(written)));
}

/* Three values of the worst kind, the longest peer and number. */
static void the_longest_line_fits_the_size_that_the_log_keeps_for_it(void **state)
{
    (void)state;
    char value[4 * VALUE_SIZE_MAX];
    memset(value, 'v', VALUE_SIZE_MAX - 1);
    memset(value + VALUE_SIZE_MAX - 1, 0xff, sizeof(value) - (VALUE_SIZE_MAX - 1));
    struct sockaddr_in6 peer = { .sin6_family = AF_INET6 };
    memset(&peer.sin6_addr, 0xdd, sizeof(peer.sin6_addr));
    struct slice all = slice_of(value, sizeof(value));
    struct access_record record = {
        (const struct sockaddr *)(const void *)&peer, all, all, all, 999, UINT64_MAX
    };
    char buffer[LOG_LINE_SIZE_MAX];
    struct slice line = format(&record, buffer);
    assert_true(line.size < LOG_LINE_SIZE_MAX);
    assert_memory_equal(line.data + line.size - 9, "\\xff...\"\n", 9);
}

static void a_line_is_never_longer_than_the_size_given(void **state)
{
    (void)state;
    struct access_record record = { .peer = ANYBODY,
                                    .line = SLICE("GET /\x01\x02 HTTP/1.1"),
                                    .status = 200 };
    char whole[LOG_LINE_SIZE_MAX];
    size_t whole_size = format(&record, whole).size;
    for (size_t size = 1; size <= whole_size + 1; size++) {
        char buffer[LOG_LINE_SIZE_MAX];
        memset(buffer, '#', sizeof(buffer));
        size_t expected = size < whole_size ? size : whole_size;
        assert_int_equal(access_log_format(&record, now_s, buffer, size), expected);
        assert_memory_equal(buffer, whole, expected - 1);
        assert_int_equal(buffer[expected - 1], '\n');
        assert_int_equal(buffer[expected], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_the_combined_format),
        cmocka_unit_test(what_is_absent_is_a_dash),
        cmocka_unit_test(what_is_empty_is_empty),
        cmocka_unit_test(the_largest_body_is_written_in_full),
        cmocka_unit_test(an_ipv6_peer_is_written_as_ipv6),
        cmocka_unit_test(an_ipv4_peer_of_a_dual_stack_listener_is_written_as_ipv4),
        cmocka_unit_test(other_ipv6_addresses_keep_their_prefix),
        cmocka_unit_test(a_peer_without_an_address_is_written_as_what_it_is),
        cmocka_unit_test(quotes_and_backslashes_cannot_end_a_field),
        cmocka_unit_test(every_other_printable_byte_is_itself),
        cmocka_unit_test(control_and_8_bit_bytes_are_escaped),
        cmocka_unit_test(referer_and_user_agent_are_escaped_too),
        cmocka_unit_test(a_value_is_cut_where_it_is_too_long_and_the_cut_is_marked),
        cmocka_unit_test(escapes_count_as_what_they_are_written_as),
        cmocka_unit_test(the_longest_line_fits_the_size_that_the_log_keeps_for_it),
        cmocka_unit_test(a_line_is_never_longer_than_the_size_given),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_access_line", tests, NULL, NULL) == 0 ? 0 : 1;
}

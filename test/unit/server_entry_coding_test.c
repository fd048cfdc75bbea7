/* Entries that are made and not read: bodies, codings, digests, lines of rules; and the memory that
 * an entry stands for. */
#include <stdio.h>

#include "server/entry.h"
#include "slice_assert.h"

enum {
    NOW_S = 1700000000,
};

struct uring {
    unsigned closed_count;
};

void uring_close(struct uring *uring, int fd)
{
    (void)fd;
    uring->closed_count++;
}

static struct entry *make(void)
{
    struct entry *entry = entry_create_body(SLICE("a.js"), "a.js", SLICE("the body"));
    assert_non_null(entry);
    entry->identity.modified_s = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */
    entry->identity.changed_s = 784111777;
    entry->type = SLICE("text/javascript; charset=utf-8");
    return entry;
}

static struct slice head_of(const struct entry *entry)
{
    return slice_of(entry->head, entry->head_size);
}

static bool head_has(const struct entry *entry, const char *line)
{
    return slice_contains(head_of(entry), slice_from_string(line));
}

static void drop(struct entry *entry)
{
    struct uring uring = { 0 };
    entry_release(&uring, entry);
    assert_int_equal(uring.closed_count, 0);
}

/* --- bodies ------------------------------------------------------------------------------------
 */

static void a_body_is_copied_and_has_no_file(void **state)
{
    (void)state;
    char body[] = "0123456789";
    struct entry *entry = entry_create_body(SLICE("k"), "p", slice_of(body, 10));
    assert_non_null(entry);
    memset(body, '#', sizeof(body));
    assert_slice_equal("body", slice_of(entry->body, entry->size), SLICE("0123456789"));
    assert_slice_equal("key", entry->key, SLICE("k"));
    assert_string_equal(entry->path, "p");
    assert_int_equal(entry->file, -1);
    assert_int_equal(entry->body_capacity, 10);
    assert_int_equal(entry->identity.size, 10);
    assert_int_equal(entry->references, 1);
    drop(entry);
}

static void a_body_may_be_empty_and_its_key_too(void **state)
{
    (void)state;
    struct entry *entry = entry_create_body(SLICE(""), "", SLICE_NONE);
    assert_non_null(entry);
    entry->type = SLICE("text/plain");
    assert_true(entry_render(entry, NOW_S));
    assert_int_equal(entry->size, 0);
    assert_true(head_has(entry, "\r\nContent-Length: 0\r\n"));
    drop(entry);
}

/* --- the head ----------------------------------------------------------------------------------
 */

static void a_coding_is_named_in_head_and_tag(void **state)
{
    (void)state;
    for (unsigned coding = 0; coding < HTTP_CODINGS_COUNT; coding++) {
        struct entry *entry = make();
        entry->coding = (uint8_t)coding;
        entry->negotiable = true;
        assert_true(entry_render(entry, NOW_S));
        struct slice name = http_coding_name((enum http_coding)coding);
        struct slice tag = slice_of(entry->etag, entry->etag_size);
        assert_true(head_has(entry, "\r\nVary: Accept-Encoding\r\n"));
        assert_true(head_has(entry, "\r\nContent-Length: 8\r\n"));
        assert_int_equal(head_has(entry, "Content-Encoding: "), coding != HTTP_CODING_IDENTITY);
        if (coding != HTTP_CODING_IDENTITY) {
            char line[64];
            snprintf(line, sizeof(line), "\r\nContent-Encoding: %.*s\r\n", SLICE_ARG(name));
            assert_true(head_has(entry, line));
            snprintf(line, sizeof(line), "-%.*s\"", SLICE_ARG(name));
            assert_true(slice_contains(tag, slice_from_string(line)));
        }
        drop(entry);
    }
}

static void vary_names_what_the_answer_depends_on(void **state)
{
    (void)state;
    struct entry *entry = make();
    assert_null(entry_vary(entry).data);
    entry->negotiable = true;
    assert_slice_equal("coding", entry_vary(entry), SLICE("Accept-Encoding"));
    entry->negotiable = false;
    entry->varies_by_accept = true;
    assert_slice_equal("listing", entry_vary(entry), SLICE("Accept"));
    assert_true(entry_render(entry, NOW_S));
    assert_true(head_has(entry, "\r\nVary: Accept\r\n"));
    drop(entry);
}

static void without_a_choice_there_is_no_vary(void **state)
{
    (void)state;
    struct entry *entry = make();
    assert_true(entry_render(entry, NOW_S));
    assert_false(head_has(entry, "Vary:"));
    drop(entry);
}

static void a_digest_makes_the_tag_and_makes_it_strong(void **state)
{
    (void)state;
    struct entry *entry = make();
    entry->identity.modified_s = NOW_S; /* young: a tag of stat would be weak */
    entry->has_digest = true;
    entry->coding = HTTP_CODING_BR;
    for (size_t i = 0; i < sizeof(entry->digest); i++) {
        entry->digest[i] = (uint8_t)(i * 17);
    }
    assert_true(entry_render(entry, NOW_S));
    assert_slice_equal("tag", slice_of(entry->etag, entry->etag_size),
                       SLICE("\"00112233445566778899aabbccddeeff-br\""));
    assert_true(head_has(entry, "\r\nETag: \"00112233445566778899aabbccddeeff-br\"\r\n"));
    drop(entry);
}

static void an_entry_without_a_tag_says_none(void **state)
{
    (void)state;
    struct entry *entry = make();
    entry->has_no_etag = true;
    assert_true(entry_render(entry, NOW_S));
    assert_int_equal(entry->etag_size, 0);
    assert_null(entry_head(entry).etag.data);
    assert_false(head_has(entry, "ETag:"));
    drop(entry);
}

static void a_head_says_how_it_may_be_cached(void **state)
{
    (void)state;
    struct entry *entry = make();
    entry->cache_control = SLICE("public, max-age=60");
    assert_true(entry_render(entry, NOW_S));
    assert_true(head_has(entry, "\r\nCache-Control: public, max-age=60\r\n"));
    drop(entry);
}

/* What the lines were borrowed from may go: later heads take them from this one. */
static void the_lines_of_rules_stand_last_and_become_the_entry_s_own(void **state)
{
    (void)state;
    char lines[] = "X-One: 1\r\nX-Two: 2\r\n";
    struct slice expected = SLICE("X-One: 1\r\nX-Two: 2\r\n");
    struct entry *entry = make();
    entry->lines = slice_of(lines, expected.size);
    assert_true(entry_render(entry, NOW_S));
    memset(lines, '#', sizeof(lines));
    assert_slice_equal("lines", entry->lines, expected);
    assert_ptr_equal(entry->lines.data + entry->lines.size, entry->head + entry->head_size);
    assert_slice_equal("for other heads", entry_head(entry).lines, expected);
    drop(entry);
}

static void the_longest_lines_fit(void **state)
{
    (void)state;
    for (size_t size = HTTP_HEAD_LINES_SIZE_MAX - 1; size <= HTTP_HEAD_LINES_SIZE_MAX; size++) {
        char lines[HTTP_HEAD_LINES_SIZE_MAX];
        memset(lines, 'l', sizeof(lines));
        lines[1] = ':';
        memcpy(lines + size - 2, "\r\n", 2);
        struct entry *entry = make();
        entry->lines = slice_of(lines, size);
        assert_true(entry_render(entry, NOW_S));
        assert_slice_equal("lines", entry->lines, slice_of(lines, size));
        drop(entry);
    }
}

static void other_heads_of_an_entry_say_the_same(void **state)
{
    (void)state;
    struct entry *entry = make();
    entry->negotiable = true;
    entry->cache_control = SLICE("no-cache");
    assert_true(entry_render(entry, NOW_S));
    struct http_head head = entry_head(entry);
    assert_slice_equal("tag", head.etag, slice_of(entry->etag, entry->etag_size));
    assert_slice_equal("date", head.last_modified, SLICE("Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_slice_equal("vary", head.vary, SLICE("Accept-Encoding"));
    assert_slice_equal("cache", head.cache_control, SLICE("no-cache"));
    assert_int_equal(head.status, 0);
    drop(entry);
}

/* --- types -------------------------------------------------------------------------------------
 */

static void a_type_of_the_table_is_shared(void **state)
{
    (void)state;
    struct entry *entry = make();
    struct entry *other = make();
    entry->type = entry_borrow_type(entry, other);
    assert_ptr_equal(entry->type.data, other->type.data);
    drop(other);
    drop(entry);
}

static void a_type_of_another_entry_is_copied(void **state)
{
    (void)state;
    struct entry *entry = make();
    struct entry *other = make();
    memcpy(other->type_text, "text/x-guessed", 14);
    other->type = slice_of(other->type_text, 14);
    entry->type = entry_borrow_type(entry, other);
    assert_ptr_equal(entry->type.data, entry->type_text);
    drop(other);
    assert_slice_equal("type", entry->type, SLICE("text/x-guessed"));
    drop(entry);
}

static void the_longest_type_is_copied_whole(void **state)
{
    (void)state;
    struct entry *entry = make();
    struct entry *other = make();
    memset(other->type_text, 't', sizeof(other->type_text));
    other->type = slice_of(other->type_text, sizeof(other->type_text));
    entry->type = entry_borrow_type(entry, other);
    assert_slice_equal("type", entry->type, other->type);
    drop(other);
    drop(entry);
}

/* --- memory ------------------------------------------------------------------------------------
 */

static void an_entry_stands_for_all_its_memory_the_head_too(void **state)
{
    (void)state;
    struct entry *entry = make();
    uint32_t before = entry->charge;
    assert_int_equal(before, sizeof(*entry) + strlen("a.js") + sizeof("a.js") + strlen("the body"));
    assert_true(entry_render(entry, NOW_S));
    assert_int_equal(entry->charge, before + entry->head_size);
    drop(entry);
}

static void the_head_is_counted_whether_rendered_before_or_after(void **state)
{
    (void)state;
    for (unsigned renders_first = 0; renders_first < 2; renders_first++) {
        uint64_t live_bytes = 1000;
        struct entry *entry = make();
        if (renders_first) {
            assert_true(entry_render(entry, NOW_S));
        }
        entry_account(entry, &live_bytes);
        if (!renders_first) {
            assert_true(entry_render(entry, NOW_S));
        }
        assert_true(live_bytes == 1000 + entry->charge);
        drop(entry);
        assert_true(live_bytes == 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_copied_and_has_no_file),
        cmocka_unit_test(a_body_may_be_empty_and_its_key_too),
        cmocka_unit_test(a_coding_is_named_in_head_and_tag),
        cmocka_unit_test(vary_names_what_the_answer_depends_on),
        cmocka_unit_test(without_a_choice_there_is_no_vary),
        cmocka_unit_test(a_digest_makes_the_tag_and_makes_it_strong),
        cmocka_unit_test(an_entry_without_a_tag_says_none),
        cmocka_unit_test(a_head_says_how_it_may_be_cached),
        cmocka_unit_test(the_lines_of_rules_stand_last_and_become_the_entry_s_own),
        cmocka_unit_test(the_longest_lines_fit),
        cmocka_unit_test(other_heads_of_an_entry_say_the_same),
        cmocka_unit_test(a_type_of_the_table_is_shared),
        cmocka_unit_test(a_type_of_another_entry_is_copied),
        cmocka_unit_test(the_longest_type_is_copied_whole),
        cmocka_unit_test(an_entry_stands_for_all_its_memory_the_head_too),
        cmocka_unit_test(the_head_is_counted_whether_rendered_before_or_after),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_entry_coding", tests, NULL, NULL) == 0 ? 0 : 1;
}

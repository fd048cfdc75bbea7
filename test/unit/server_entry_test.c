/* Entries: which files are the same, which are young, what the rendered head says, and when the
 * file is closed. */
#include "server/entry.h"
#include "slice_assert.h"

struct uring {
    unsigned closed_count;
    int closed; /* the last one */
};

void uring_close(struct uring *uring, int fd)
{
    uring->closed_count++;
    uring->closed = fd;
}

static const int64_t now_s = 1700000000;

static const struct stat sample = {
    .st_dev = 11,
    .st_ino = 12,
    .st_size = 500,
    .st_mtim = { .tv_sec = 784111777, .tv_nsec = 14 }, /* Sun, 06 Nov 1994 08:49:37 GMT */
    .st_ctim = { .tv_sec = 784111778, .tv_nsec = 16 },
};

static struct entry *make(const struct stat *status)
{
    struct entry *entry = entry_create(SLICE("dir/"), "dir/index.html", status, 7, 0);
    assert_non_null(entry);
    entry->type = SLICE("text/html; charset=utf-8");
    return entry;
}

static struct slice head_of(const struct entry *entry)
{
    return slice_of(entry->head, entry->head_size);
}

static bool same_as_sample(const struct stat *other)
{
    struct entry_identity a = entry_identity_of(&sample);
    struct entry_identity b = entry_identity_of(other);
    bool equal = entry_identity_equal(&a, &b);
    assert_int_equal(entry_identity_equal(&b, &a), equal);
    return equal;
}

static void a_file_that_did_not_change_is_the_same(void **state)
{
    (void)state;
    struct stat other = sample;
    other.st_nlink = 5;
    other.st_mode = 0600;
    other.st_atim.tv_sec = 99;
    assert_true(same_as_sample(&other));
}

static void each_part_of_the_identity_tells_files_apart(void **state)
{
    (void)state;
    struct stat others[] = { sample, sample, sample, sample, sample, sample, sample };
    others[0].st_dev++;
    others[1].st_ino++;
    others[2].st_size++;
    others[3].st_mtim.tv_sec--;
    others[4].st_mtim.tv_nsec++;
    others[5].st_ctim.tv_sec++;
    others[6].st_ctim.tv_nsec++;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (same_as_sample(&others[i])) {
            fail_msg("change %zu is not seen", i);
        }
    }
}

static void an_entry_has_copies_of_its_key_and_path_and_room_for_its_body(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    char key[] = "a/b";
    char path[] = "a/b.html";
    struct entry *entry = entry_create(slice_of(key, 3), path, &sample, 7, 4096);
    memset(key, '#', 3);
    memset(path, '#', 8);
    memset(entry->body, 'x', 4096);
    assert_slice_equal("key", entry->key, SLICE("a/b"));
    assert_string_equal(entry->path, "a/b.html");
    assert_int_equal(entry->body_capacity, 4096);
    assert_int_equal(entry->file, 7);
    assert_int_equal(entry->references, 1);
    assert_false(entry->cached);
    assert_true(entry->charge >= sizeof(*entry) + 4096 + 3 + 8);
    entry_release(&uring, entry);
}

static void the_head_has_status_length_type_and_validators(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct entry *entry = make(&sample);
    entry_render(entry, now_s);
    struct slice head = head_of(entry);
    static const char start[] = "HTTP/1.1 200 OK\r\n";
    assert_true(head.size > sizeof(start));
    assert_memory_equal(head.data, start, sizeof(start) - 1);
    assert_true(slice_contains(head, SLICE("\r\nContent-Length: 500\r\n")));
    assert_true(slice_contains(head, SLICE("\r\nContent-Type: text/html; charset=utf-8\r\n")));
    assert_true(slice_contains(head, SLICE("\r\nX-Content-Type-Options: nosniff\r\n")));
    assert_true(
        slice_contains(head, SLICE("\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n")));
    assert_true(slice_contains(head, SLICE("\r\nAccept-Ranges: bytes\r\n")));
    entry_release(&uring, entry);
}

/* Within the second a date would stand for two versions: whoever asks by date alone would keep the
 * first. */
static void there_is_no_date_before_its_second_is_surely_over(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct stat status = sample;
    for (int64_t age_s = 0; age_s <= HTTP_ETAG_YOUNG_S + 1; age_s++) {
        status.st_mtim.tv_sec = now_s - age_s;
        struct entry *entry = make(&status);
        entry_render(entry, now_s);
        assert_int_equal(entry->has_mtime, age_s >= HTTP_ETAG_YOUNG_S);
        assert_int_equal(slice_contains(head_of(entry), SLICE("Last-Modified")),
                         age_s >= HTTP_ETAG_YOUNG_S);
        entry_release(&uring, entry);
    }
}

/* The tail with Date and the blank line is another's. */
static void the_head_ends_with_a_line_and_is_not_closed(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct entry *entry = make(&sample);
    entry_render(entry, now_s);
    struct slice head = head_of(entry);
    assert_memory_equal(head.data + head.size - 2, "\r\n", 2);
    assert_false(slice_contains(head, SLICE("\r\n\r\n")));
    assert_false(slice_contains(head, SLICE("\r\nDate:")));
    entry_release(&uring, entry);
}

static void the_tag_in_the_head_is_the_entry_s(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct entry *entry = make(&sample);
    entry_render(entry, now_s);
    struct slice head = head_of(entry);
    struct slice tag = slice_of(entry->etag, entry->etag_size);
    const char *line = memmem(head.data, head.size, "\r\nETag: ", 8);
    assert_non_null(line);
    assert_slice_equal("tag", slice_of(line + 8, tag.size), tag);
    assert_memory_equal(line + 8 + tag.size, "\r\n", 2);
    assert_int_equal(tag.data[0], '"');
    entry_release(&uring, entry);
}

static void an_empty_file_has_a_length_of_zero(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct stat status = sample;
    status.st_size = 0;
    struct entry *entry = make(&status);
    entry_render(entry, now_s);
    assert_true(slice_contains(head_of(entry), SLICE("\r\nContent-Length: 0\r\n")));
    entry_release(&uring, entry);
}

static void an_mtime_that_says_nothing_is_not_sent(void **state)
{
    (void)state;
    static const int64_t mtimes[] = { 0, 1, 1700000001 };
    struct uring uring = { 0 };
    for (size_t i = 0; i < 3; i++) {
        struct stat status = sample;
        status.st_mtim.tv_sec = mtimes[i];
        struct entry *entry = make(&status);
        entry_render(entry, now_s);
        assert_false(slice_contains(head_of(entry), SLICE("Last-Modified")));
        assert_true(slice_contains(head_of(entry), SLICE("\r\nETag: W/\"")));
        entry_release(&uring, entry);
    }
}

static bool is_young(int64_t modified_s, int64_t changed_s)
{
    struct uring uring = { 0 };
    struct stat status = sample;
    status.st_mtim.tv_sec = modified_s;
    status.st_ctim.tv_sec = changed_s;
    struct entry *entry = make(&status);
    entry_render(entry, now_s);
    bool young = entry->young;
    entry_release(&uring, entry);
    return young;
}

static void an_entry_is_young_until_the_clock_s_step_has_passed(void **state)
{
    (void)state;
    assert_true(is_young(now_s, now_s));
    assert_true(is_young(now_s - HTTP_ETAG_YOUNG_S + 1, now_s - HTTP_ETAG_YOUNG_S + 1));
    assert_false(is_young(now_s - HTTP_ETAG_YOUNG_S, now_s - HTTP_ETAG_YOUNG_S));
}

/* cp -p, tar and touch set an old mtime; the ctime tells. */
static void an_old_mtime_does_not_make_a_file_changed_just_now_old(void **state)
{
    (void)state;
    assert_true(is_young(784111777, now_s - 1));
    assert_false(is_young(784111777, now_s - 100));
}

static int64_t settles_s(int64_t modified_s, int64_t changed_s, bool *is_weak)
{
    struct uring uring = { 0 };
    struct stat status = sample;
    status.st_mtim.tv_sec = modified_s;
    status.st_ctim.tv_sec = changed_s;
    struct entry *entry = make(&status);
    entry_render(entry, now_s);
    int64_t result = entry->settles_s;
    *is_weak = entry->etag[0] == 'W';
    entry_release(&uring, entry);
    return result;
}

static void a_tag_is_weak_until_mtime_and_ctime_have_settled(void **state)
{
    (void)state;
    static const struct {
        int64_t modified_s;
        int64_t changed_s;
        int64_t settles_s;
    } rows[] = {
        { 1600000000, 1600000000, 0 },          { 1600000000, 1699999998, 0 },
        { 1699999998, 1600000000, 0 },          { 1600000000, 1699999999, 1700000001 },
        { 1600000000, 1700000000, 1700000002 }, { 1700000000, 1600000000, 1700000002 },
        { 1699999999, 1700000000, 1700000002 }, { 1600000000, 1700000005, 1700000007 },
        { 1700000005, 1700000000, 1700000007 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is_weak;
        assert_int_equal(settles_s(rows[i].modified_s, rows[i].changed_s, &is_weak),
                         rows[i].settles_s);
        assert_int_equal(is_weak, rows[i].settles_s != 0);
    }
}

static void the_last_release_closes_the_file(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct entry *entry = make(&sample);
    assert_ptr_equal(entry_acquire(entry), entry);
    entry_release(&uring, entry);
    assert_int_equal(uring.closed_count, 0);
    entry_release(&uring, entry);
    assert_int_equal(uring.closed_count, 1);
    assert_int_equal(uring.closed, 7);
}

static void a_dropped_file_is_closed_once(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct entry *entry = make(&sample);
    entry_drop_file(&uring, entry);
    entry_drop_file(&uring, entry);
    assert_int_equal(uring.closed_count, 1);
    assert_int_equal(entry->file, -1);
    entry_release(&uring, entry);
    assert_int_equal(uring.closed_count, 1);
}

static void a_change_in_the_future_is_not_young(void **state)
{
    (void)state;
    assert_false(is_young(784111777, now_s + 1));
    assert_true(is_young(784111777, now_s));
}

static void live_bytes_count_an_entry_until_its_last_release(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    uint64_t live_bytes = 100;
    struct entry *entry = make(&sample);
    entry_account(entry, &live_bytes);
    assert_true(live_bytes == 100 + entry->charge);
    entry_release(&uring, entry_acquire(entry));
    assert_true(live_bytes == 100 + entry->charge);
    entry_release(&uring, entry);
    assert_true(live_bytes == 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_did_not_change_is_the_same),
        cmocka_unit_test(each_part_of_the_identity_tells_files_apart),
        cmocka_unit_test(an_entry_has_copies_of_its_key_and_path_and_room_for_its_body),
        cmocka_unit_test(the_head_has_status_length_type_and_validators),
        cmocka_unit_test(the_head_ends_with_a_line_and_is_not_closed),
        cmocka_unit_test(there_is_no_date_before_its_second_is_surely_over),
        cmocka_unit_test(the_tag_in_the_head_is_the_entry_s),
        cmocka_unit_test(an_empty_file_has_a_length_of_zero),
        cmocka_unit_test(an_mtime_that_says_nothing_is_not_sent),
        cmocka_unit_test(an_entry_is_young_until_the_clock_s_step_has_passed),
        cmocka_unit_test(an_old_mtime_does_not_make_a_file_changed_just_now_old),
        cmocka_unit_test(a_change_in_the_future_is_not_young),
        cmocka_unit_test(live_bytes_count_an_entry_until_its_last_release),
        cmocka_unit_test(a_tag_is_weak_until_mtime_and_ctime_have_settled),
        cmocka_unit_test(the_last_release_closes_the_file),
        cmocka_unit_test(a_dropped_file_is_closed_once),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_entry", tests, NULL, NULL) == 0 ? 0 : 1;
}

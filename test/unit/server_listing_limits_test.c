/* Listings of real directories at their bounds: names, paths, entries, bytes, memory. */
#include <errno.h>

#include "listing_fixture.h"

/* In place of the C library's; fails from the call on that FAKE_MEMORY numbers, from 0. */
void *reallocarray(void *block, size_t count, size_t size)
{
    const char *text = getenv("FAKE_MEMORY");
    unsigned left = text != NULL ? (unsigned)strtoul(text, NULL, 10) : UINT_MAX;
    if (left == 0) {
        errno = ENOMEM;
        return NULL;
    }
    if (text != NULL) {
        char next[16];
        (void)snprintf(next, sizeof(next), "%u", left - 1);
        assert_int_equal(setenv("FAKE_MEMORY", next, 1), 0);
    }
    return realloc(block, count * size);
}

static void the_longest_name_is_listed(void **state)
{
    struct fixture *fixture = *state;
    char name[NAME_MAX + 1];
    memset(name, 'n', NAME_MAX);
    name[NAME_MAX] = '\0';
    make_file(fixture->root, name, 1);
    struct slice json = list(fixture, "");
    assert_true(slice_contains(json, slice_from_string(name)));
    assert_int_equal(count_of(json, SLICE("\"name\"")), 1);
}

/* A link's path may become longer than the kernel takes, though each name is short enough. */
static void a_link_at_the_end_of_the_longest_path_is_passed_over(void **state)
{
    struct fixture *fixture = *state;
    struct listing *listing = &fixture->listing;
    make_link(fixture->root, "a", "b");
    make_file(fixture->root, "b", 1);
    memset(listing->path, 'p', HTTP_PATH_SIZE_MAX);
    listing->root = fixture->root;
    listing->directory = fixture->root;
    listing->query.format = HTTP_LISTING_FORMAT_JSON;
    listing_run(listing);
    assert_int_equal(listing->error, 0);
    struct slice json = slice_of(listing->data, listing->size);
    assert_false(slice_contains(json, SLICE("\"name\":\"a\"")));
    assert_true(slice_contains(json, SLICE("\"name\":\"b\"")));
}

static void make_many(int directory, unsigned first, unsigned end, const char *suffix)
{
    for (unsigned i = first; i < end; i++) {
        char name[NAME_MAX + 1];
        assert_true(snprintf(name, sizeof(name), "%06u%s", i, suffix) <= NAME_MAX);
        int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        close(fd);
    }
}

static void the_entries_shown_have_a_bound(void **state)
{
    struct fixture *fixture = *state;
    make_many(fixture->root, 0, LISTING_ENTRIES_MAX - 1, "");
    struct slice json = list(fixture, "");
    assert_int_equal(count_of(json, SLICE("\"name\"")), LISTING_ENTRIES_MAX - 1);
    assert_true(slice_contains(json, SLICE("\"left_out\":0,\"truncated\":false}")));
    make_many(fixture->root, LISTING_ENTRIES_MAX - 1, LISTING_ENTRIES_MAX, "");
    json = list(fixture, "");
    assert_int_equal(count_of(json, SLICE("\"name\"")), LISTING_ENTRIES_MAX);
    assert_true(slice_contains(json, SLICE("\"left_out\":0,\"truncated\":false}")));
    make_many(fixture->root, LISTING_ENTRIES_MAX, LISTING_ENTRIES_MAX + 1, "");
    json = list(fixture, "");
    assert_int_equal(count_of(json, SLICE("\"name\"")), LISTING_ENTRIES_MAX);
    assert_true(slice_contains(json, SLICE("\"left_out\":1,\"truncated\":true}")));
}

/* Names that grow sixfold when escaped: the entries are fewer than may be shown, their bytes more.
 */
static void the_bytes_of_the_output_have_a_bound(void **state)
{
    struct fixture *fixture = *state;
    enum {
        FILES_COUNT = 9000
    };
    char suffix[NAME_MAX - 6 + 1];
    memset(suffix, '"', sizeof(suffix) - 1);
    suffix[sizeof(suffix) - 1] = '\0';
    make_many(fixture->root, 0, FILES_COUNT, suffix);
    fixture->listing.query.format = HTTP_LISTING_FORMAT_HTML;
    struct slice page = list(fixture, "");
    assert_true(page.size <= LISTING_BYTES_MAX);
    assert_int_equal(count_of(page, SLICE("<tr><td>")), FILES_COUNT / 2);
    assert_true(slice_contains(page, SLICE("<p>4500 more entries are not shown.</p>")));
    assert_true(slice_contains(page, SLICE("./000000%22")));
    assert_false(slice_contains(page, SLICE("./004500%22")));
}

/* The entries' and the names' block are asked for first; then each grows. */
static void no_memory_at_any_point_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct listing *listing = &fixture->listing;
    make_many(fixture->root, 0, 1000, "");
    listing->root = fixture->root;
    listing->directory = fixture->root;
    unsigned failures_count = 0;
    do {
        char text[16];
        assert_true(snprintf(text, sizeof(text), "%u", failures_count) > 0);
        assert_int_equal(setenv("FAKE_MEMORY", text, 1), 0);
        listing_run(listing);
        if (listing->error != 0) {
            assert_int_equal(listing->error, -ENOMEM);
            assert_null(listing->data);
            failures_count++;
        }
    } while (listing->error != 0);
    assert_int_equal(unsetenv("FAKE_MEMORY"), 0);
    assert_int_equal(failures_count, 7); /* entries 64 to 1024, names 4 KiB to 8 KiB */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_TREE(the_longest_name_is_listed),
        ON_A_TREE(a_link_at_the_end_of_the_longest_path_is_passed_over),
        ON_A_TREE(the_entries_shown_have_a_bound),
        ON_A_TREE(the_bytes_of_the_output_have_a_bound),
        ON_A_TREE(no_memory_at_any_point_is_an_error),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_listing_limits", tests, NULL, NULL) == 0 ? 0 : 1;
}

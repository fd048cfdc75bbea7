/* A tree as a tar: what is in it, byte by byte, and the bounds of its pieces. What must not get out
 * is in server_archive_bounds_test.c. */
#include "archive_fixture.h"

static void an_empty_directory_is_its_top_folder(void **state)
{
    struct fixture *fixture = *state;
    collect(fixture);
    struct archive_entry *entry = next_entry(fixture);
    assert_string_equal(archive_entry_pathname(entry), "top/");
    assert_int_equal(archive_entry_filetype(entry), AE_IFDIR);
    assert_null(next_entry(fixture));
    assert_int_equal(fixture->tar_size, 3 * TAR_BLOCK_SIZE);
}

static void a_directory_comes_before_what_is_in_it(void **state)
{
    struct fixture *fixture = *state;
    make_directory(fixture, "a");
    make_directory(fixture, "a/b");
    make_directory(fixture, "a/empty");
    write_file(fixture, "a/b/file", 5);
    collect(fixture);
    unsigned order = 0;
    unsigned at[3] = { 0 };
    struct archive_entry *entry;
    while ((entry = next_entry(fixture)) != NULL) {
        const char *path = archive_entry_pathname(entry);
        order++;
        at[0] = strcmp(path, "top/a/") == 0 ? order : at[0];
        at[1] = strcmp(path, "top/a/b/") == 0 ? order : at[1];
        at[2] = strcmp(path, "top/a/b/file") == 0 ? order : at[2];
    }
    assert_int_equal(order, 5);
    assert_true(at[0] > 1 && at[1] > at[0] && at[2] > at[1]);
    assert_has(fixture, "top/a/empty/");
}

static void a_subdirectory_is_archived_alone(void **state)
{
    struct fixture *fixture = *state;
    make_directory(fixture, "a");
    make_directory(fixture, "a/b");
    write_file(fixture, "a/b/file", 700);
    write_file(fixture, "a/beside", 1);
    fixture->options.path = "a/b";
    fixture->options.name = "b";
    collect(fixture);
    assert_int_equal(entries_count(fixture), 2);
    assert_has(fixture, "b/");
    assert_has_file(fixture, "b/file", 700);
}

static void files_of_any_size_are_byte_exact(void **state)
{
    static const size_t SIZES[] = {
        0,
        1,
        TAR_BLOCK_SIZE - 1,
        TAR_BLOCK_SIZE,
        TAR_BLOCK_SIZE + 1,
        ARCHIVE_PIECE_BYTES - 2 * TAR_BLOCK_SIZE - 1, /* the last byte of the first piece */
        ARCHIVE_PIECE_BYTES - 2 * TAR_BLOCK_SIZE,
        ARCHIVE_PIECE_BYTES - 2 * TAR_BLOCK_SIZE + 1,
        ARCHIVE_PIECE_BYTES - 1,
        ARCHIVE_PIECE_BYTES,
        ARCHIVE_PIECE_BYTES + 1,
        5 * ARCHIVE_PIECE_BYTES + 12345,
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        write_file(fixture, "file", SIZES[i]);
        collect(fixture);
        assert_has_file(fixture, "top/file", SIZES[i]);
        size_t blocks = (SIZES[i] + TAR_BLOCK_SIZE - 1) / TAR_BLOCK_SIZE;
        assert_int_equal(fixture->tar_size, (2 + blocks + 2) * TAR_BLOCK_SIZE);
        forget(fixture);
        assert_int_equal(unlinkat(fixture->root, "file", 0), 0);
    }
}

static void many_files_go_over_several_pieces(void **state)
{
    enum {
        FILES = 1200
    };
    struct fixture *fixture = *state;
    char path[32];
    for (unsigned i = 0; i < FILES; i++) {
        (void)snprintf(path, sizeof(path), "file%u", i);
        write_file(fixture, path, i);
    }
    collect(fixture);
    assert_true(fixture->tar_size > (size_t)3 * ARCHIVE_PIECE_BYTES);
    assert_int_equal(entries_count(fixture), 1 + FILES);
    for (unsigned i = 0; i < FILES; i += 100) {
        (void)snprintf(path, sizeof(path), "top/file%u", i);
        assert_has_file(fixture, path, i);
    }
}

static void mode_and_time_are_kept_and_owners_are_not(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "plain", 1);
    write_file(fixture, "program", 1);
    assert_int_equal(fchmodat(fixture->root, "plain", 0666, 0), 0);
    assert_int_equal(fchmodat(fixture->root, "program", 06710, 0), 0);
    collect(fixture);
    struct archive_entry *entry = find_entry(fixture, "top/plain");
    assert_int_equal(archive_entry_perm(entry), 0644);
    assert_int_equal(archive_entry_mtime(entry), MTIME_S);
    assert_int_equal(archive_entry_uid(entry), 0);
    assert_int_equal(archive_entry_gid(entry), 0);
    assert_string_equal(archive_entry_uname(entry), "");
    assert_string_equal(archive_entry_gname(entry), "");
    assert_int_equal(archive_entry_perm(find_entry(fixture, "top/program")), 0755);
    assert_int_equal(archive_entry_perm(find_entry(fixture, "top/")), 0755);
}

/* Names of every kind come back as they are, and the process's locale has no say. */
static void odd_names_are_kept_byte_by_byte(void **state)
{
    static const char *const NAMES[] = {
        "a b", "new\nline", "-rf", "back\\slash", "\xc3\xbc", "\xff\xfe", "tab\t", "\x7f",
    };
    struct fixture *fixture = *state;
    char long_name[256];
    memset(long_name, 'n', 255);
    long_name[255] = '\0';
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        write_file(fixture, NAMES[i], i);
    }
    write_file(fixture, long_name, 99);
    collect(fixture);
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8")); /* the reader's */
    char path[512];
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        (void)snprintf(path, sizeof(path), "top/%s", NAMES[i]);
        assert_has_file(fixture, path, i);
    }
    (void)snprintf(path, sizeof(path), "top/%s", long_name);
    assert_has_file(fixture, path, 99);
    (void)setlocale(LC_CTYPE, "C");
}

/* UTF-8 is what pax says names are: only what is not needs to be marked. */
static void only_names_that_are_not_utf8_are_marked_as_binary(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "\xc3\xbc", 1);
    collect(fixture);
    struct slice mark = SLICE("hdrcharset=BINARY");
    assert_false(slice_contains(slice_of(fixture->tar, fixture->tar_size), mark));
    assert_true(
        slice_contains(slice_of(fixture->tar, fixture->tar_size), SLICE("path=top/\xc3\xbc\n")));
    forget(fixture);
    write_file(fixture, "\xff", 1);
    collect(fixture);
    assert_true(slice_contains(slice_of(fixture->tar, fixture->tar_size), mark));
}

/* Looked for in the bytes: libarchive's reader composes what it reads, tar(1) does not. */
static void a_decomposed_name_stays_so(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "e\xcc\x81", 1);
    collect(fixture);
    assert_true(
        slice_contains(slice_of(fixture->tar, fixture->tar_size), SLICE("path=top/e\xcc\x81\n")));
}

static void a_file_past_8_gib_has_its_whole_size(void **state)
{
    struct fixture *fixture = *state;
    off_t size = ((off_t)8 << 30) + 1;
    write_file(fixture, "large", 0);
    int fd = openat(fixture->root, "large", O_WRONLY | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, size), 0); /* a hole: it takes no room */
    close(fd);
    create(fixture);
    run_once(fixture);
    assert_int_equal(fixture->stream->size, ARCHIVE_PIECE_BYTES);
    struct archive_entry *entry = find_entry(fixture, "top/large");
    assert_non_null(entry);
    assert_int_equal(archive_entry_size(entry), size);
}

static void a_file_that_grows_is_cut_at_its_promised_size(void **state)
{
    struct fixture *fixture = *state;
    size_t size = 2 * (size_t)ARCHIVE_PIECE_BYTES + 100;
    write_file(fixture, "file", size);
    create(fixture);
    run_once(fixture);
    append_bytes(fixture, "file", size, 5000);
    run_to_the_end(fixture);
    assert_true(fixture->stream->ended);
    assert_has_file(fixture, "top/file", size);
    assert_int_equal(entries_count(fixture), 2);
}

static void a_file_that_shrinks_ends_the_archive_with_an_error(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "file", 3 * (size_t)ARCHIVE_PIECE_BYTES);
    create(fixture);
    run_once(fixture);
    int fd = openat(fixture->root, "file", O_WRONLY | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, ARCHIVE_PIECE_BYTES), 0);
    close(fd);
    run_to_the_end(fixture);
    assert_int_equal(fixture->stream->error, -EIO);
    assert_false(fixture->stream->ended);
    assert_int_equal(fixture->stream->size, 0);
    run_once(fixture);
    assert_int_equal(fixture->stream->error, -EIO);
    assert_int_equal(fixture->stream->size, 0);
}

static void after_the_end_there_is_nothing_more(void **state)
{
    struct fixture *fixture = *state;
    collect(fixture);
    run_once(fixture);
    assert_true(fixture->stream->ended);
    assert_int_equal(fixture->stream->error, 0);
    assert_int_equal(fixture->stream->size, 0);
}

/* In the head of a file, within its bytes, deep in the tree, before the first run. */
static void a_stream_may_be_destroyed_at_any_point(void **state)
{
    struct fixture *fixture = *state;
    make_directory(fixture, "a");
    make_directory(fixture, "a/b");
    write_file(fixture, "a/b/file", 3 * (size_t)ARCHIVE_PIECE_BYTES);
    for (unsigned runs = 0; runs <= 4; runs++) {
        create(fixture);
        for (unsigned i = 0; i < runs; i++) {
            run_once(fixture);
        }
        assert_int_equal(fixture->stream->ended, runs == 4);
        forget(fixture); /* counts descriptors */
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        CASE(an_empty_directory_is_its_top_folder),
        CASE(a_directory_comes_before_what_is_in_it),
        CASE(a_subdirectory_is_archived_alone),
        CASE(files_of_any_size_are_byte_exact),
        CASE(many_files_go_over_several_pieces),
        CASE(mode_and_time_are_kept_and_owners_are_not),
        CASE(odd_names_are_kept_byte_by_byte),
        CASE(only_names_that_are_not_utf8_are_marked_as_binary),
        CASE(a_decomposed_name_stays_so),
        CASE(a_file_past_8_gib_has_its_whole_size),
        CASE(a_file_that_grows_is_cut_at_its_promised_size),
        CASE(a_file_that_shrinks_ends_the_archive_with_an_error),
        CASE(after_the_end_there_is_nothing_more),
        CASE(a_stream_may_be_destroyed_at_any_point),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_archive", TESTS, NULL, NULL) == 0 ? 0 : 1;
}

/* What must not get into an archive, and how far it goes: links, what is no file, what may not be
 * read, dot-names, depth, length, and trees that change meanwhile. */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "archive_fixture.h"
#include "server/archive_walk.h"

static void a_link_stays_by_its_words(void **state)
{
    static const struct {
        const char *path;
        const char *target;
        bool stays;
        bool stays_with_dotfiles;
    } ROWS[] = {
        { "l", "a", true, true },
        { "l", "a/b/../c", true, true },
        { "l", "./a", true, true },
        { "l", "a//b/", true, true },
        { "l", ".", true, true },
        { "l", "..", false, false },
        { "l", "../a", false, false },
        { "l", "a/../..", false, false },
        { "l", "a/../../top/a", false, false },
        { "d/l", "..", true, true },
        { "d/l", "../a", true, true },
        { "d/l", "../..", false, false },
        { "d/l", ".././../a", false, false },
        { "d/e/l", "../../a", true, true },
        { "d/e/l", "../../../a", false, false },
        { "l", "/a", false, false },
        { "l", "/", false, false },
        { "l", "", false, false },
        { "l", ".a", false, true },
        { "l", "a/.b/c", false, true },
        { "l", "...", false, true },
        { "l", "a/..b", false, true },
        { "l", "..b", false, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        assert_number_equal(ROWS[i].target, archive_link_stays(ROWS[i].path, ROWS[i].target, false),
                            ROWS[i].stays);
        assert_number_equal(ROWS[i].target, archive_link_stays(ROWS[i].path, ROWS[i].target, true),
                            ROWS[i].stays_with_dotfiles);
    }
}

/* The top folder of these cases is "d" beneath the root, so that there is something around it. */
static void serve_subdirectory(struct fixture *fixture)
{
    make_directory(fixture, "d");
    make_directory(fixture, "d/e");
    make_directory(fixture, "outside");
    write_file(fixture, "outside/secret", 10);
    write_file(fixture, "d/file", 10);
    fixture->options.path = "d";
}

static void a_link_that_stays_within_is_a_link_in_the_archive(void **state)
{
    struct fixture *fixture = *state;
    serve_subdirectory(fixture);
    make_link(fixture, "d/to-file", "file");
    make_link(fixture, "d/to-directory", "e");
    make_link(fixture, "d/to-link", "to-file");
    make_link(fixture, "d/e/up", "../file");
    collect(fixture);
    struct archive_entry *entry = find_entry(fixture, "top/e/up");
    assert_non_null(entry);
    assert_int_equal(archive_entry_filetype(entry), AE_IFLNK);
    assert_string_equal(archive_entry_symlink(entry), "../file");
    assert_int_equal(archive_entry_size(entry), 0);
    assert_has(fixture, "top/to-file");
    assert_has(fixture, "top/to-directory");
    assert_has(fixture, "top/to-link");
    assert_int_equal(entries_count(fixture), 3 + 4);
}

static void a_link_that_leaves_or_dangles_is_left_out(void **state)
{
    static const char *const TARGETS[] = {
        "/etc/passwd",    "../outside/secret", "../d/file", "..",
        "e/../../d/file", "nowhere",           "away",      "away/secret",
        "loop",           ".hidden",           "fifo",      "/proc/self/exe",
    };
    struct fixture *fixture = *state;
    serve_subdirectory(fixture);
    make_link(fixture, "d/away", "../outside");
    make_link(fixture, "d/loop", "loop");
    write_file(fixture, "d/.hidden", 1);
    assert_int_equal(mkfifoat(fixture->root, "d/fifo", 0644), 0);
    char path[32];
    for (size_t i = 0; i < sizeof(TARGETS) / sizeof(TARGETS[0]); i++) {
        (void)snprintf(path, sizeof(path), "d/link%zu", i);
        make_link(fixture, path, TARGETS[i]);
    }
    /* The served directory by its own absolute path is absolute all the same. */
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/d/file", fixture->root);
    make_link(fixture, "d/absolute", path);
    for (enum uring_symlinks policy = URING_SYMLINKS_WITHIN; policy <= URING_SYMLINKS_ALL;
         policy++) {
        fixture->options.symlinks = policy;
        collect(fixture);
        assert_int_equal(entries_count(fixture), 3);
        assert_has_file(fixture, "top/file", 10);
        assert_has(fixture, "top/e/");
        forget(fixture);
    }
}

static void without_symlinks_no_link_is_in_the_archive(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "file", 1);
    make_link(fixture, "link", "file");
    fixture->options.symlinks = URING_SYMLINKS_NONE;
    collect(fixture);
    assert_has_not(fixture, "top/link");
    forget(fixture);
    fixture->options.symlinks = URING_SYMLINKS_ALL;
    collect(fixture);
    assert_has(fixture, "top/link");
}

static void fifos_and_sockets_are_left_out_unopened(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(mkfifoat(fixture->root, "fifo", 0644), 0);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", fixture->path);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    close(listener);
    write_file(fixture, "file", 1);
    collect(fixture);
    assert_int_equal(entries_count(fixture), 2);
    assert_has(fixture, "top/file");
}

/* As nobody, since root may read everything. */
static void what_may_not_be_read_is_left_out(void **state)
{
    enum {
        NOBODY = 65534
    };
    struct fixture *fixture = *state;
    write_file(fixture, "file", 1);
    write_file(fixture, "private", 1);
    make_directory(fixture, "vault");
    write_file(fixture, "vault/file", 1);
    make_directory(fixture, "blind"); /* its names may be listed, and no more */
    write_file(fixture, "blind/file", 1);
    assert_int_equal(fchmodat(fixture->root, "private", 0, 0), 0);
    assert_int_equal(fchmodat(fixture->root, "vault", 0, 0), 0);
    assert_int_equal(fchmodat(fixture->root, "blind", 0444, 0), 0);
    bool is_root = geteuid() == 0;
    assert_int_equal(is_root ? seteuid(NOBODY) : 0, 0);
    create(fixture);
    run_to_the_end(fixture);
    assert_int_equal(is_root ? seteuid(0) : 0, 0);
    assert_int_equal(fchmodat(fixture->root, "vault", 0700, 0), 0);
    assert_int_equal(fchmodat(fixture->root, "blind", 0700, 0), 0);
    assert_true(fixture->stream->ended);
    assert_has(fixture, "top/file");
    assert_has(fixture, "top/blind/");
    assert_int_equal(entries_count(fixture), 3);
}

static void dot_names_are_left_out_unless_asked_for(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, ".file", 1);
    write_file(fixture, "..file", 1);
    make_directory(fixture, ".directory");
    write_file(fixture, ".directory/inner", 1);
    write_file(fixture, "a.file", 1);
    collect(fixture);
    assert_int_equal(entries_count(fixture), 2);
    assert_has(fixture, "top/a.file");
    forget(fixture);
    fixture->options.show_dotfiles = true;
    collect(fixture);
    assert_int_equal(entries_count(fixture), 6);
    assert_has(fixture, "top/.directory/inner");
    assert_has(fixture, "top/..file");
}

/* Makes "d/d/.../d" of that depth with a file in the innermost, and writes "/" and its path. */
static void make_deep(struct fixture *fixture, unsigned depth, char *path)
{
    size_t size = 0;
    for (unsigned i = 0; i < depth; i++) {
        memcpy(path + size, "/d", sizeof("/d"));
        size += 2;
        make_directory(fixture, path + 1);
    }
    memcpy(path + size, "/file", sizeof("/file"));
    write_file(fixture, path + 1, 3);
}

static void depth_has_a_bound(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned depth = ARCHIVE_DEPTH_MAX - 1; depth <= ARCHIVE_DEPTH_MAX + 1; depth++) {
        char path[4 * ARCHIVE_DEPTH_MAX] = "top";
        make_deep(fixture, depth, path + 3);
        collect(fixture);
        bool fits = depth <= ARCHIVE_DEPTH_MAX;
        assert_int_equal(entries_count(fixture), fits ? 1 + depth + 1 : 1 + ARCHIVE_DEPTH_MAX);
        assert_int_equal(find_entry(fixture, path) != NULL, fits);
        forget(fixture);
        remove_tree(fixture->root, "d");
    }
}

/* Goes down by one name of that size, which it makes. */
static int make_step(int directory, size_t size)
{
    char name[256] = { 0 };
    memset(name, 'n', size);
    assert_int_equal(mkdirat(directory, name, 0755), 0);
    int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    close(directory);
    return fd;
}

static void the_length_of_a_path_has_a_bound(void **state)
{
    enum {
        STEPS = 14,
        PREFIX_SIZE = STEPS * 256 + 255 + 2, /* with the slash behind it */
    };
    struct fixture *fixture = *state;
    int directory = openat(fixture->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned i = 0; i < STEPS; i++) {
        directory = make_step(directory, 255);
    }
    directory = make_step(make_step(directory, 254), 1);
    char name[256] = { 0 };
    memset(name, 'f', 255);
    for (size_t size = 253; size <= 255; size++) {
        name[size] = '\0';
        int fd = openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        close(fd);
        name[size] = 'f';
    }
    /* A link there to "f..f" by the longest text: together the longest head there is. */
    char target[ARCHIVE_PATH_SIZE_MAX] = { 0 };
    for (size_t i = 0; i < sizeof(target) - 1; i++) {
        target[i] = i >= sizeof(target) - 1 - 254 ? 'f' : i % 2 == 0 ? '.' : '/';
    }
    name[0] = 'l';
    name[254] = '\0';
    assert_int_equal(symlinkat(target, directory, name), 0);
    close(directory);
    collect(fixture);
    size_t longest_size = 0;
    struct archive_entry *entry;
    while ((entry = next_entry(fixture)) != NULL) {
        size_t size = strlen(archive_entry_pathname(entry)) - strlen("top/");
        longest_size = size > longest_size ? size : longest_size;
        if (archive_entry_filetype(entry) == AE_IFLNK) {
            assert_string_equal(archive_entry_symlink(entry), target);
        }
    }
    assert_int_equal(PREFIX_SIZE + 254, ARCHIVE_PATH_SIZE_MAX);
    assert_int_equal(longest_size, ARCHIVE_PATH_SIZE_MAX);
    assert_int_equal(entries_count(fixture), 1 + STEPS + 2 + 3);
}

static void a_served_path_has_a_bound(void **state)
{
    struct fixture *fixture = *state;
    char path[ARCHIVE_PATH_SIZE_MAX + 2];
    memset(path, 'p', sizeof(path) - 1);
    path[ARCHIVE_PATH_SIZE_MAX + 1] = '\0';
    fixture->options.path = path;
    assert_int_equal(archive_stream_create(&fixture->options, &fixture->stream), -ENAMETOOLONG);
    path[ARCHIVE_PATH_SIZE_MAX] = '\0';
    create(fixture);
}

static void what_cannot_be_opened_is_the_error_of_the_first_run(void **state)
{
    static const struct {
        const char *path;
        enum uring_symlinks symlinks;
        int error;
    } ROWS[] = {
        { "missing", URING_SYMLINKS_WITHIN, -ENOENT },
        { "file", URING_SYMLINKS_WITHIN, -ENOTDIR },
        { "out", URING_SYMLINKS_WITHIN, -EXDEV },
        { "out", URING_SYMLINKS_NONE, -ELOOP },
        { "in", URING_SYMLINKS_NONE, -ELOOP },
        { "in", URING_SYMLINKS_WITHIN, 0 },
        { "out", URING_SYMLINKS_ALL, 0 },
    };
    struct fixture *fixture = *state;
    serve_subdirectory(fixture);
    make_link(fixture, "d/in", "e");
    make_link(fixture, "d/out", "../outside");
    fixture->options.root = openat(fixture->root, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
    fixture->descriptors_count++;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        fixture->options.path = ROWS[i].path;
        fixture->options.symlinks = ROWS[i].symlinks;
        create(fixture);
        run_once(fixture);
        assert_int_equal(fixture->stream->error, ROWS[i].error);
        assert_int_equal(fixture->stream->size == 0, ROWS[i].error != 0);
        forget(fixture);
    }
    close(fixture->options.root);
    fixture->descriptors_count--;
}

/* A directory without its other files would look whole to the client. */
static void running_out_of_descriptors_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    make_directory(fixture, "a");
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int free_fd = fcntl(fixture->root, F_DUPFD_CLOEXEC, 0);
    close(free_fd);
    create(fixture);
    struct rlimit tight = { .rlim_cur = (rlim_t)free_fd + 2, .rlim_max = before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    run_to_the_end(fixture);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(fixture->stream->error, -EMFILE);
}

/* Stops the stream within "d/e", where there is enough for several pieces. */
static void stop_within_a_directory(struct fixture *fixture)
{
    serve_subdirectory(fixture);
    char path[32];
    for (unsigned i = 0; i < 8; i++) {
        (void)snprintf(path, sizeof(path), "d/e/file%u", i);
        write_file(fixture, path, ARCHIVE_PIECE_BYTES);
        (void)snprintf(path, sizeof(path), "outside/file%u", i);
        write_file(fixture, path, 10);
    }
    create(fixture);
    run_once(fixture);
    run_once(fixture);
    assert_false(fixture->stream->ended);
}

/* Of what was in it no more than was open may follow, and of what is there now nothing. */
static void assert_nothing_else_follows(struct fixture *fixture)
{
    run_to_the_end(fixture);
    assert_true(fixture->stream->ended);
    start_reading(fixture);
    unsigned files_count = 0;
    struct archive_entry *entry;
    while ((entry = next_entry(fixture)) != NULL) {
        if (strncmp(archive_entry_pathname(entry), "top/e/f", 7) == 0) {
            assert_int_equal(archive_entry_size(entry), ARCHIVE_PIECE_BYTES);
            files_count++;
        }
    }
    assert_in_range(files_count, 1, 2);
    assert_has_not(fixture, "top/e/secret");
}

static void a_directory_that_is_moved_away_is_not_followed(void **state)
{
    struct fixture *fixture = *state;
    stop_within_a_directory(fixture);
    assert_int_equal(renameat(fixture->root, "d/e", fixture->root, "moved"), 0);
    assert_nothing_else_follows(fixture);
}

static void a_directory_replaced_by_a_link_out_is_not_followed(void **state)
{
    struct fixture *fixture = *state;
    stop_within_a_directory(fixture);
    assert_int_equal(renameat(fixture->root, "d/e", fixture->root, "moved"), 0);
    make_link(fixture, "d/e", "../outside");
    assert_nothing_else_follows(fixture);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        CASE(a_link_stays_by_its_words),
        CASE(a_link_that_stays_within_is_a_link_in_the_archive),
        CASE(a_link_that_leaves_or_dangles_is_left_out),
        CASE(without_symlinks_no_link_is_in_the_archive),
        CASE(fifos_and_sockets_are_left_out_unopened),
        CASE(what_may_not_be_read_is_left_out),
        CASE(dot_names_are_left_out_unless_asked_for),
        CASE(depth_has_a_bound),
        CASE(the_length_of_a_path_has_a_bound),
        CASE(a_served_path_has_a_bound),
        CASE(what_cannot_be_opened_is_the_error_of_the_first_run),
        CASE(running_out_of_descriptors_is_an_error),
        CASE(a_directory_that_is_moved_away_is_not_followed),
        CASE(a_directory_replaced_by_a_link_out_is_not_followed),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_archive_bounds", TESTS, NULL, NULL) == 0 ? 0 : 1;
}

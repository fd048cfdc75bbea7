/* Opening beneath a root, files that must not block, reading and appending through the ring. */
#include "ring_helpers.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

enum {
    TOKEN_OPEN = 1,
    TOKEN_WRITE,
    TOKEN_READ
};
enum {
    FILE_SIZE = 1000
};

/* base/outside, and base/root/ with what the table below names. */
struct tree {
    char base[32];
    int base_folder;
    int root;
    struct io_uring ring;
};

static const struct {
    const char *name;
    const char *target;
} tree_links[] = {
    { "root/inside", "folder/file" }, { "root/folder/up", "../folder/file" },
    { "root/escape", "../outside" },  { "root/absolute", "/etc/hostname" },
    { "root/loop", "loop" },          { "root/away", ".." },
    { "root/dangling", "not-there" },
};

static void file_make(int folder, const char *name)
{
    int file = openat(folder, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    assert_true(file >= 0);
    assert_int_equal(write(file, "hello", 5), 5);
    close(file);
}

static void tree_open(struct tree *tree)
{
    ring_open(&tree->ring);
    memcpy(tree->base, "/tmp/gyre-ring-XXXXXX", sizeof "/tmp/gyre-ring-XXXXXX");
    assert_non_null(mkdtemp(tree->base));
    tree->base_folder = open(tree->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(tree->base_folder, "root", 0700), 0);
    assert_int_equal(mkdirat(tree->base_folder, "root/folder", 0700), 0);
    assert_int_equal(mkfifoat(tree->base_folder, "root/fifo", 0600), 0);
    file_make(tree->base_folder, "outside");
    file_make(tree->base_folder, "root/folder/file");
    for (size_t i = 0; i < sizeof tree_links / sizeof tree_links[0]; i++) {
        assert_int_equal(symlinkat(tree_links[i].target, tree->base_folder, tree_links[i].name), 0);
    }
    tree->root = openat(tree->base_folder, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(tree->root >= 0);
}

static void tree_close(struct tree *tree)
{
    for (size_t i = 0; i < sizeof tree_links / sizeof tree_links[0]; i++) {
        unlinkat(tree->base_folder, tree_links[i].name, 0);
    }
    unlinkat(tree->base_folder, "root/folder/file", 0);
    unlinkat(tree->base_folder, "outside", 0);
    unlinkat(tree->base_folder, "root/fifo", 0);
    unlinkat(tree->base_folder, "root/folder", AT_REMOVEDIR);
    unlinkat(tree->base_folder, "root", AT_REMOVEDIR);
    assert_int_equal(rmdir(tree->base), 0);
    close(tree->root);
    close(tree->base_folder);
    io_uring_queue_exit(&tree->ring);
}

static int open_resolving(struct tree *tree, const char *path, uint64_t resolve)
{
    struct open_how how = { .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC, .resolve = resolve };
    struct io_uring_sqe *sqe = ring_sqe(&tree->ring, TOKEN_OPEN);

    io_uring_prep_openat2(sqe, tree->root, path, &how);
    sqe_finish(sqe, TOKEN_OPEN, 0);
    return ring_result(&tree->ring, TOKEN_OPEN);
}

static int open_beneath(struct tree *tree, const char *path)
{
    return open_resolving(tree, path, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
}

/* Opens `path` beneath a fresh root and expects the error, or a descriptor when it is 0. */
static void expect_open(const char *path, int error)
{
    struct tree tree;

    tree_open(&tree);
    int result = open_beneath(&tree, path);
    if (error != 0) {
        assert_int_equal(result, error);
    } else {
        assert_true(result >= 0);
        close(result);
    }
    tree_close(&tree);
}

static void beneath_refuses_dot_dot_with_exdev(void **state)
{
    (void)state;
    expect_open("../outside", -EXDEV);
    expect_open("..", -EXDEV);
    expect_open("folder/../../outside", -EXDEV);
}

static void beneath_refuses_an_absolute_path_with_exdev(void **state)
{
    (void)state;
    expect_open("/etc/hostname", -EXDEV);
}

static void beneath_refuses_an_absolute_symlink_with_exdev(void **state)
{
    (void)state;
    expect_open("absolute", -EXDEV);
}

static void beneath_refuses_an_escaping_symlink_with_exdev(void **state)
{
    (void)state;
    expect_open("escape", -EXDEV);
    expect_open("away", -EXDEV);
    expect_open("away/root/folder/file", -EXDEV);
}

static void beneath_serves_a_symlink_that_stays_inside(void **state)
{
    (void)state;
    expect_open("inside", 0);
    expect_open("folder/up", 0);
    expect_open("folder/../folder/file", 0);
}

static void open_errors_are_those_of_the_plain_call(void **state)
{
    (void)state;
    expect_open("not-there", -ENOENT);
    expect_open("dangling", -ENOENT);
    expect_open("folder/file/more", -ENOTDIR);
    expect_open("folder/file/", -ENOTDIR);
    expect_open("loop", -ELOOP);
}

static void a_name_past_255_bytes_gives_enametoolong(void **state)
{
    char name[257] = { 0 };

    (void)state;
    memset(name, 'n', sizeof name - 1);
    expect_open(name, -ENAMETOOLONG);
    name[255] = '\0';
    expect_open(name, -ENOENT);
}

static void no_symlinks_refuses_an_inside_symlink_with_eloop(void **state)
{
    struct tree tree;

    (void)state;
    tree_open(&tree);
    assert_int_equal(open_resolving(&tree, "inside", RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS),
                     -ELOOP);
    tree_close(&tree);
}

static void no_symlinks_serves_a_plain_path(void **state)
{
    struct tree tree;

    (void)state;
    tree_open(&tree);
    int file = open_resolving(&tree, "folder/file", RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    assert_true(file >= 0);
    close(file);
    tree_close(&tree);
}

static void opening_a_fifo_nonblocking_returns_at_once_and_fstat_tells_it(void **state)
{
    struct tree tree;
    struct stat status;

    (void)state;
    tree_open(&tree);
    int file = open_beneath(&tree, "fifo");
    assert_true(file >= 0);
    assert_int_equal(fstat(file, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    close(file);
    tree_close(&tree);
}

static void opening_a_folder_gives_a_descriptor_and_fstat_tells_it(void **state)
{
    struct tree tree;
    struct stat status;

    (void)state;
    tree_open(&tree);
    int file = open_beneath(&tree, "folder");
    assert_true(file >= 0);
    assert_int_equal(fstat(file, &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    close(file);
    tree_close(&tree);
}

/* --- reading and writing ---------------------------------------------------------------------- */

static int32_t read_at(struct io_uring *ring, int file, uint8_t *bytes, unsigned size,
                       uint64_t offset)
{
    struct io_uring_sqe *sqe = ring_sqe(ring, TOKEN_READ);

    io_uring_prep_read(sqe, file, bytes, size, offset);
    sqe_finish(sqe, TOKEN_READ, 0);
    return ring_result(ring, TOKEN_READ);
}

static void a_read_that_meets_the_end_is_short_and_one_past_it_gives_0(void **state)
{
    struct io_uring ring;
    uint8_t bytes[100];
    int file = scratch_open(FILE_SIZE);

    (void)state;
    ring_open(&ring);
    assert_int_equal(read_at(&ring, file, bytes, sizeof bytes, FILE_SIZE - 30), 30);
    assert_pattern(bytes, FILE_SIZE - 30, 30);
    assert_int_equal(read_at(&ring, file, bytes, sizeof bytes, FILE_SIZE), 0);
    io_uring_queue_exit(&ring);
    close(file);
}

static void a_file_that_shrank_reads_short(void **state)
{
    struct io_uring ring;
    uint8_t bytes[100];
    int file = scratch_open(FILE_SIZE);

    (void)state;
    ring_open(&ring);
    assert_int_equal(read_at(&ring, file, bytes, sizeof bytes, 0), 100);
    assert_int_equal(ftruncate(file, 150), 0);
    assert_int_equal(read_at(&ring, file, bytes, sizeof bytes, 100), 50);
    io_uring_queue_exit(&ring);
    close(file);
}

static void append_at(struct io_uring *ring, int file, const char *bytes, uint64_t offset)
{
    struct io_uring_sqe *sqe = ring_sqe(ring, TOKEN_WRITE);

    io_uring_prep_write(sqe, file, bytes, (unsigned)strlen(bytes), offset);
    sqe_finish(sqe, TOKEN_WRITE, 0);
    assert_int_equal(ring_result(ring, TOKEN_WRITE), strlen(bytes));
}

/* As the access log does: another writer of the same file must lose nothing. */
static void writes_at_offset_minus_1_to_an_append_file_go_to_its_end(void **state)
{
    struct io_uring ring;
    char name[] = "/tmp/gyre-ring-XXXXXX";
    char content[32] = { 0 };

    (void)state;
    ring_open(&ring);
    int other = mkostemp(name, O_APPEND | O_CLOEXEC);
    int log = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);
    append_at(&ring, log, "one ", (uint64_t)-1);
    assert_int_equal(write(other, "two ", 4), 4);
    append_at(&ring, log, "three", (uint64_t)-1);
    assert_int_equal(pread(other, content, sizeof content - 1, 0), 13);
    assert_string_equal(content, "one two three");
    unlink(name);
    close(log);
    close(other);
    io_uring_queue_exit(&ring);
}

static void writes_at_offset_minus_1_to_a_pipe_work(void **state)
{
    struct io_uring ring;
    char content[8] = { 0 };
    int channel[2];

    (void)state;
    ring_open(&ring);
    assert_int_equal(pipe(channel), 0);
    append_at(&ring, channel[1], "line", (uint64_t)-1);
    assert_int_equal(read(channel[0], content, sizeof content), 4);
    assert_string_equal(content, "line");
    close(channel[0]);
    close(channel[1]);
    io_uring_queue_exit(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beneath_refuses_dot_dot_with_exdev),
        cmocka_unit_test(beneath_refuses_an_absolute_path_with_exdev),
        cmocka_unit_test(beneath_refuses_an_absolute_symlink_with_exdev),
        cmocka_unit_test(beneath_refuses_an_escaping_symlink_with_exdev),
        cmocka_unit_test(beneath_serves_a_symlink_that_stays_inside),
        cmocka_unit_test(open_errors_are_those_of_the_plain_call),
        cmocka_unit_test(a_name_past_255_bytes_gives_enametoolong),
        cmocka_unit_test(no_symlinks_refuses_an_inside_symlink_with_eloop),
        cmocka_unit_test(no_symlinks_serves_a_plain_path),
        cmocka_unit_test(opening_a_fifo_nonblocking_returns_at_once_and_fstat_tells_it),
        cmocka_unit_test(opening_a_folder_gives_a_descriptor_and_fstat_tells_it),
        cmocka_unit_test(a_read_that_meets_the_end_is_short_and_one_past_it_gives_0),
        cmocka_unit_test(a_file_that_shrank_reads_short),
        cmocka_unit_test(writes_at_offset_minus_1_to_an_append_file_go_to_its_end),
        cmocka_unit_test(writes_at_offset_minus_1_to_a_pipe_work),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring_file", tests, NULL, NULL) == 0 ? 0 : 1;
}

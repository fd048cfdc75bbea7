/* The watch, over a real directory and a real inotify; only the ring and what kind of file system
 * it is are fakes. Each case has a tree of its own beneath the temporary directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "server/limits.h"
#include "server/op.h"
#include "server/watch.h"
#include "slice_assert.h"

enum {
    NFS_MAGIC = 0x6969,
    TMPFS_MAGIC = 0x01021994,
    DEPTH = 64,
    DEEP_PATH_SIZE = 4 * DEPTH,
};

struct uring {
    int polled_fd; /* -1: no poll is in flight */
    unsigned polls_count;
    unsigned cancels_count;
};

struct fixture {
    struct uring uring;
    struct watch watch;
    char path[64];
    int root;
    uint64_t batch;
};

/* What the fake of fstatfs() answers, where it can find it: a fake has no argument for it. */
static void set_file_system_magic(uint32_t magic)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%u", magic);
    assert_int_equal(setenv("FAKE_FILE_SYSTEM", text, 1), 0);
}

static uint32_t file_system_magic(void)
{
    const char *text = getenv("FAKE_FILE_SYSTEM");
    return text != NULL ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

/* In place of the C library's. */
int fstatfs(int fd, struct statfs *status)
{
    (void)fd;
    memset(status, 0, sizeof(*status));
    status->f_type = (__typeof__(status->f_type))file_system_magic();
    return 0;
}

void uring_poll_readable(struct uring *uring, struct uring_token token, int fd)
{
    assert_int_equal(token.op, OP_WATCH);
    assert_int_equal(uring->polled_fd, -1);
    uring->polled_fd = fd;
    uring->polls_count++;
}

void uring_cancel(struct uring *uring, struct uring_token token)
{
    assert_int_equal(token.op, OP_WATCH);
    assert_int_not_equal(uring->polled_fd, -1);
    uring->cancels_count++;
}

static int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof(*fixture));
    *state = fixture;
    set_file_system_magic(TMPFS_MAGIC);
    fixture->uring.polled_fd = -1;
    const char *parent = getenv("TMPDIR");
    int size = snprintf(fixture->path, sizeof(fixture->path), "%s/gyre-watch-XXXXXX",
                        parent != NULL && strlen(parent) < 32 ? parent : "/tmp");
    assert_true(size > 0);
    assert_non_null(mkdtemp(fixture->path));
    fixture->root = open(fixture->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(fixture->root >= 0);
    watch_create(&fixture->watch, &fixture->uring, true);
    assert_true(fixture->watch.fd >= 0);
    return 0;
}

static void remove_tree(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    if (directory == NULL) {
        assert_int_equal(unlinkat(parent, name, 0), 0);
        return;
    }
    struct dirent *item;
    while ((item = readdir(directory)) != NULL) {
        if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0) {
            remove_tree(fd, item->d_name);
        }
    }
    closedir(directory);
    assert_int_equal(unlinkat(parent, name, AT_REMOVEDIR), 0);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    watch_destroy(&fixture->watch);
    assert_int_equal(fixture->watch.fd, -1);
    close(fixture->root);
    remove_tree(AT_FDCWD, fixture->path);
    test_free(fixture);
    return 0;
}

static void make_directory(struct fixture *fixture, const char *path)
{
    assert_int_equal(mkdirat(fixture->root, path, 0755), 0);
}

static void write_file(struct fixture *fixture, const char *path)
{
    int fd = openat(fixture->root, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static void look(struct fixture *fixture)
{
    watch_look(&fixture->watch, ++fixture->batch);
}

/* Returns whether a look sees a change. */
static bool sees_change(struct fixture *fixture)
{
    uint64_t epoch = fixture->watch.epoch;
    look(fixture);
    assert_true(fixture->watch.epoch >= epoch);
    return fixture->watch.epoch > epoch;
}

static void a_change_beside_a_watched_path_is_seen_at_the_next_look(void **state)
{
    struct fixture *fixture = *state;
    make_directory(fixture, "a");
    assert_true(watch_path(&fixture->watch, fixture->root, "a/file"));
    assert_false(sees_change(fixture));
    write_file(fixture, "a/file");
    assert_true(sees_change(fixture));
    assert_false(sees_change(fixture));
}

static void a_change_in_a_directory_that_is_not_watched_is_not_seen(void **state)
{
    struct fixture *fixture = *state;
    make_directory(fixture, "a");
    make_directory(fixture, "b");
    assert_true(watch_path(&fixture->watch, fixture->root, "a/file"));
    write_file(fixture, "b/file");
    assert_false(sees_change(fixture));
}

static void a_batch_has_one_look(void **state)
{
    struct fixture *fixture = *state;
    assert_true(watch_path(&fixture->watch, fixture->root, "file"));
    look(fixture);
    write_file(fixture, "file");
    uint64_t epoch = fixture->watch.epoch;
    watch_look(&fixture->watch, fixture->batch);
    assert_int_equal(fixture->watch.epoch, epoch);
    assert_true(sees_change(fixture));
}

static void only_a_directory_that_changes_begins_a_generation(void **state)
{
    struct fixture *fixture = *state;
    make_directory(fixture, "a");
    assert_true(watch_path(&fixture->watch, fixture->root, "a/file"));
    write_file(fixture, "a/file");
    look(fixture);
    assert_int_equal(fixture->watch.generation, 0);
    assert_int_equal(fixture->watch.paths_count, 2);
    assert_int_equal(renameat(fixture->root, "a", fixture->root, "b"), 0);
    look(fixture);
    assert_int_equal(fixture->watch.generation, 1);
    assert_int_equal(fixture->watch.paths_count, 0);
}

static void a_directory_on_the_way_is_watched_once(void **state)
{
    struct fixture *fixture = *state;
    make_directory(fixture, "a");
    make_directory(fixture, "a/b");
    assert_true(watch_path(&fixture->watch, fixture->root, "a/b/one"));
    assert_true(watch_path(&fixture->watch, fixture->root, "a/b/two"));
    assert_true(watch_path(&fixture->watch, fixture->root, "a/three"));
    assert_int_equal(fixture->watch.paths_count, 3); /* the root, a, a/b */
}

static void a_path_through_a_symlink_is_not_watched(void **state)
{
    struct fixture *fixture = *state;
    make_directory(fixture, "a");
    assert_int_equal(symlinkat("a", fixture->root, "link"), 0);
    assert_false(watch_path(&fixture->watch, fixture->root, "link/file"));
    assert_true(watch_path(&fixture->watch, fixture->root, "a/file"));
}

static void a_path_that_does_not_exist_is_not_watched(void **state)
{
    struct fixture *fixture = *state;
    assert_false(watch_path(&fixture->watch, fixture->root, "a/file"));
    write_file(fixture, "b");
    assert_false(watch_path(&fixture->watch, fixture->root, "b/file"));
}

static void a_path_longer_than_a_target_is_not_watched(void **state)
{
    struct fixture *fixture = *state;
    char path[HTTP_PATH_SIZE_MAX + 2];
    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_false(watch_path(&fixture->watch, fixture->root, path));
    path[HTTP_PATH_SIZE_MAX] = '\0';
    assert_true(watch_path(&fixture->watch, fixture->root, path));
}

/* "0000/d/d/..." of DEPTH directories, each made where `makes`, and a file behind them. */
static void write_deep_path(struct fixture *fixture, unsigned number, bool makes, char *path)
{
    int size = snprintf(path, DEEP_PATH_SIZE, "%04u", number);
    for (unsigned i = 1; makes && i <= DEPTH; i++) {
        make_directory(fixture, path);
        size += snprintf(path + size, DEEP_PATH_SIZE - (size_t)size, "%s", i < DEPTH ? "/d" : "");
    }
    for (unsigned i = 1; !makes && i < DEPTH; i++) {
        size += snprintf(path + size, DEEP_PATH_SIZE - (size_t)size, "/d");
    }
    memcpy(path + size, "/file", sizeof("/file"));
}

/* Watches deep paths from number `first` on, until no more is taken. Returns how many were. */
static unsigned fill(struct fixture *fixture, unsigned first, bool makes)
{
    char path[DEEP_PATH_SIZE];
    unsigned count = 0;
    do {
        write_deep_path(fixture, first + count, makes, path);
    } while (watch_path(&fixture->watch, fixture->root, path) && ++count < WATCHES_MAX);
    return count;
}

static void a_generation_has_a_bound_and_what_is_watched_stays_so(void **state)
{
    struct fixture *fixture = *state;
    unsigned count = fill(fixture, 0, true);
    if (fixture->watch.paths_count < WATCHES_MAX) {
        skip(); /* fs.inotify.max_user_watches is lower */
    }
    assert_int_equal(count, (WATCHES_MAX - 1) / DEPTH);
    assert_int_equal(fixture->watch.paths_count, WATCHES_MAX);
    assert_true(watch_path(&fixture->watch, fixture->root, "0000/d/file"));
}

static void an_instance_that_has_set_more_than_the_bound_is_renewed(void **state)
{
    struct fixture *fixture = *state;
    watch_start(&fixture->watch);
    unsigned count = fill(fixture, 0, true);
    if (fixture->watch.paths_count < WATCHES_MAX) {
        skip();
    }
    make_directory(fixture, "first");
    look(fixture);
    assert_int_equal(fixture->watch.descriptor_max, WATCHES_MAX);
    (void)fill(fixture, count + 1, true);
    assert_true(fixture->watch.descriptor_max > WATCHES_MAX);
    assert_true(fixture->watch.descriptor_max <= 2 * WATCHES_MAX);
    make_directory(fixture, "second");
    look(fixture);
    assert_int_equal(fixture->watch.descriptor_max, 0);
    assert_int_equal(fixture->uring.cancels_count, 1);
    assert_true(watch_path(&fixture->watch, fixture->root, "file"));
    write_file(fixture, "file");
    assert_true(sees_change(fixture));
}

static void directories_watched_again_do_not_renew_the_instance(void **state)
{
    struct fixture *fixture = *state;
    unsigned count = fill(fixture, 0, true);
    if (fixture->watch.paths_count < WATCHES_MAX) {
        skip();
    }
    int fd = fixture->watch.fd;
    for (unsigned i = 0; i < 3; i++) {
        char name[2] = { (char)('a' + i), '\0' };
        make_directory(fixture, name);
        look(fixture);
        assert_int_equal(fill(fixture, 0, false), count);
    }
    assert_int_equal(fixture->watch.generation, 3);
    assert_int_equal(fixture->watch.descriptor_max, WATCHES_MAX);
    assert_int_equal(fixture->watch.fd, fd);
}

static void more_events_than_a_read_takes_are_all_taken(void **state)
{
    struct fixture *fixture = *state;
    make_directory(fixture, "a");
    assert_true(watch_path(&fixture->watch, fixture->root, "a/file"));
    for (unsigned i = 0; i < 3000; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "a/%u", i % 2);
        write_file(fixture, name);
    }
    assert_true(sees_change(fixture));
    assert_false(sees_change(fixture));
}

static void the_poll_is_armed_again_after_its_events_were_taken(void **state)
{
    struct fixture *fixture = *state;
    watch_start(&fixture->watch);
    assert_int_equal(fixture->uring.polled_fd, fixture->watch.fd);
    assert_true(watch_path(&fixture->watch, fixture->root, "file"));
    write_file(fixture, "file");
    fixture->uring.polled_fd = -1;
    watch_handle_poll(&fixture->watch, &(struct uring_event){ .result = 1 });
    assert_int_equal(fixture->watch.epoch, 1);
    assert_int_equal(fixture->uring.polls_count, 2);
    assert_false(sees_change(fixture));
}

static void what_is_off_watches_nothing_and_polls_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct watch watch;
    watch_create(&watch, &fixture->uring, false);
    watch_start(&watch);
    assert_int_equal(watch.fd, -1);
    assert_false(watch_path(&watch, fixture->root, "file"));
    watch_look(&watch, 1);
    assert_int_equal(watch.epoch, 0);
    assert_int_equal(fixture->uring.polls_count, 0);
    watch_destroy(&watch);
}

static void a_root_that_others_may_write_to_unseen_is_not_watched(void **state)
{
    struct fixture *fixture = *state;
    struct watch watch;
    set_file_system_magic(NFS_MAGIC);
    watch_create(&watch, &fixture->uring, true);
    assert_false(watch_path(&watch, fixture->root, "file"));
    watch_destroy(&watch);
}

static void a_network_file_system_mounted_beneath_the_root_is_not_watched(void **state)
{
    struct fixture *fixture = *state;
    make_directory(fixture, "mounted");
    assert_true(watch_path(&fixture->watch, fixture->root, "file"));
    set_file_system_magic(NFS_MAGIC);
    assert_false(watch_path(&fixture->watch, fixture->root, "mounted/file"));
    set_file_system_magic(TMPFS_MAGIC);
    assert_true(watch_path(&fixture->watch, fixture->root, "mounted/file"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        CASE(a_change_beside_a_watched_path_is_seen_at_the_next_look),
        CASE(a_change_in_a_directory_that_is_not_watched_is_not_seen),
        CASE(a_batch_has_one_look),
        CASE(only_a_directory_that_changes_begins_a_generation),
        CASE(a_directory_on_the_way_is_watched_once),
        CASE(a_path_through_a_symlink_is_not_watched),
        CASE(a_path_that_does_not_exist_is_not_watched),
        CASE(a_path_longer_than_a_target_is_not_watched),
        CASE(a_generation_has_a_bound_and_what_is_watched_stays_so),
        CASE(an_instance_that_has_set_more_than_the_bound_is_renewed),
        CASE(directories_watched_again_do_not_renew_the_instance),
        CASE(more_events_than_a_read_takes_are_all_taken),
        CASE(the_poll_is_armed_again_after_its_events_were_taken),
        CASE(what_is_off_watches_nothing_and_polls_nothing),
        CASE(a_root_that_others_may_write_to_unseen_is_not_watched),
        CASE(a_network_file_system_mounted_beneath_the_root_is_not_watched),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_watch", TESTS, NULL, NULL) == 0 ? 0 : 1;
}

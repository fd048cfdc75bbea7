/* A tree beneath a temporary directory, and its listings. */
#ifndef GYRE_TEST_LISTING_FIXTURE_H
#define GYRE_TEST_LISTING_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/listing.h"
#include "slice_assert.h"

struct fixture {
    struct listing listing;
    char path[64];
    int top;  /* the temporary directory */
    int root; /* "root" in it: what lies beside is outside */
};

static inline int open_directory(int parent, const char *path)
{
    int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static inline int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof(*fixture));
    *state = fixture;
    const char *parent = getenv("TMPDIR");
    int size = snprintf(fixture->path, sizeof(fixture->path), "%s/gyre-listing-XXXXXX",
                        parent != NULL && strlen(parent) < 32 ? parent : "/tmp");
    assert_true(size > 0);
    assert_non_null(mkdtemp(fixture->path));
    fixture->top = open_directory(AT_FDCWD, fixture->path);
    assert_int_equal(mkdirat(fixture->top, "root", 0755), 0);
    fixture->root = open_directory(fixture->top, "root");
    return 0;
}

static inline void remove_tree(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
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

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    free(fixture->listing.data);
    close(fixture->root);
    close(fixture->top);
    remove_tree(AT_FDCWD, fixture->path);
    test_free(fixture);
    return 0;
}

static inline void make_file(int parent, const char *name, off_t size)
{
    int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    const struct timespec times[2] = { { .tv_sec = 784111777 }, { .tv_sec = 784111777 } };
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static inline void make_directory(int parent, const char *name)
{
    assert_int_equal(mkdirat(parent, name, 0755), 0);
}

static inline void make_link(int parent, const char *name, const char *target)
{
    assert_int_equal(symlinkat(target, parent, name), 0);
}

/* Lists root/path as JSON unless the test has asked for something else. */
static inline struct slice list(struct fixture *fixture, const char *path)
{
    struct listing *listing = &fixture->listing;
    free(listing->data);
    listing->root = fixture->root;
    listing->directory = open_directory(fixture->root, path[0] != '\0' ? path : ".");
    assert_true((size_t)snprintf(listing->path, sizeof(listing->path), "%s", path) <
                sizeof(listing->path));
    if (listing->query.format == HTTP_LISTING_FORMAT_ANY) {
        listing->query.format = HTTP_LISTING_FORMAT_JSON;
    }
    listing_run(listing);
    assert_int_equal(fcntl(listing->directory, F_GETFD), FD_CLOEXEC); /* still open */
    close(listing->directory);
    assert_int_equal(listing->error, 0);
    assert_non_null(listing->data);
    return slice_of(listing->data, listing->size);
}

static inline size_t count_of(struct slice text, struct slice part)
{
    size_t count = 0;
    const char *end = text.data + text.size;
    const char *at = text.data;
    while ((at = memmem(at, (size_t)(end - at), part.data, part.size)) != NULL) {
        at += part.size;
        count++;
    }
    return count;
}

#define ON_A_TREE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif

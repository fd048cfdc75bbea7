/* A real tree in a temporary directory, its archive collected piece by piece, and libarchive's own
 * reader to say what is in it. */
#ifndef GYRE_TEST_ARCHIVE_FIXTURE_H
#define GYRE_TEST_ARCHIVE_FIXTURE_H

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/archive.h"
#include "slice_assert.h"

enum {
    TAR_SIZE_MAX = 8 * 1024 * 1024,
    TAR_BLOCK_SIZE = 512,
    MTIME_S = 1500000000,
};

struct fixture {
    char path[64];
    int root;
    unsigned descriptors_count; /* open before the stream was made */
    struct archive_stream_options options;
    struct archive_stream *stream;
    char *tar; /* what the pieces add up to */
    size_t tar_size;
    struct archive *reader;
};

static inline unsigned descriptors_count(void)
{
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    unsigned count = 0;
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

static inline int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof(*fixture));
    *state = fixture;
    const char *parent = getenv("TMPDIR");
    int size = snprintf(fixture->path, sizeof(fixture->path), "%s/gyre-archive-XXXXXX",
                        parent != NULL && strlen(parent) < 32 ? parent : "/tmp");
    assert_true(size > 0);
    assert_non_null(mkdtemp(fixture->path));
    assert_int_equal(chmod(fixture->path, 0755), 0);
    fixture->root = open(fixture->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(fixture->root >= 0);
    fixture->tar = test_malloc(TAR_SIZE_MAX);
    fixture->descriptors_count = descriptors_count();
    fixture->options = (struct archive_stream_options){
        .root = fixture->root, .path = "", .name = "top", .symlinks = URING_SYMLINKS_WITHIN
    };
    return 0;
}

static inline void remove_tree(int parent, const char *name)
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

/* Ends what a case has begun; no descriptor may be left. */
static inline void forget(struct fixture *fixture)
{
    if (fixture->stream != NULL) {
        archive_stream_destroy(fixture->stream);
        fixture->stream = NULL;
    }
    archive_read_free(fixture->reader);
    fixture->reader = NULL;
    fixture->tar_size = 0;
    assert_int_equal(descriptors_count(), fixture->descriptors_count);
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    forget(fixture);
    close(fixture->root);
    remove_tree(AT_FDCWD, fixture->path);
    test_free(fixture->tar);
    test_free(fixture);
    return 0;
}

static inline void make_directory(struct fixture *fixture, const char *path)
{
    assert_int_equal(mkdirat(fixture->root, path, 0755), 0);
}

static inline void make_link(struct fixture *fixture, const char *path, const char *target)
{
    assert_int_equal(symlinkat(target, fixture->root, path), 0);
}

static inline unsigned char byte_at(size_t i)
{
    return (unsigned char)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static inline void append_bytes(struct fixture *fixture, const char *path, size_t from, size_t size)
{
    int fd = openat(fixture->root, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    unsigned char *bytes = test_malloc(size + 1);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = byte_at(from + i);
    }
    assert_int_equal(write(fd, bytes, size), size);
    test_free(bytes);
    struct timespec times[2] = { { .tv_sec = MTIME_S }, { .tv_sec = MTIME_S, .tv_nsec = 999 } };
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static inline void write_file(struct fixture *fixture, const char *path, size_t size)
{
    append_bytes(fixture, path, 0, size);
}

static inline void create(struct fixture *fixture)
{
    assert_null(fixture->stream);
    assert_int_equal(archive_stream_create(&fixture->options, &fixture->stream), 0);
}

/* Runs once and keeps the piece. */
static inline void run_once(struct fixture *fixture)
{
    struct archive_stream *stream = fixture->stream;
    stream->work.run(&stream->work);
    assert_true(stream->size <= ARCHIVE_PIECE_BYTES);
    assert_true(stream->size > 0 || stream->ended || stream->error != 0);
    assert_true(fixture->tar_size + stream->size <= TAR_SIZE_MAX);
    memcpy(fixture->tar + fixture->tar_size, stream->data, stream->size);
    fixture->tar_size += stream->size;
}

static inline void run_to_the_end(struct fixture *fixture)
{
    do {
        run_once(fixture);
    } while (!fixture->stream->ended && fixture->stream->error == 0);
}

/* Opens the collected tar for next_entry(). */
static inline void start_reading(struct fixture *fixture)
{
    archive_read_free(fixture->reader);
    fixture->reader = archive_read_new();
    assert_non_null(fixture->reader);
    assert_int_equal(archive_read_support_format_tar(fixture->reader), ARCHIVE_OK);
    assert_int_equal(archive_read_open_memory(fixture->reader, fixture->tar, fixture->tar_size),
                     ARCHIVE_OK);
}

/* The whole archive of the fixture's options, checked for its shape, ready to be read. */
static inline void collect(struct fixture *fixture)
{
    create(fixture);
    run_to_the_end(fixture);
    assert_int_equal(fixture->stream->error, 0);
    assert_int_equal(fixture->tar_size % TAR_BLOCK_SIZE, 0);
    assert_true(fixture->tar_size >= (size_t)3 * TAR_BLOCK_SIZE);
    for (size_t i = fixture->tar_size - (size_t)2 * TAR_BLOCK_SIZE; i < fixture->tar_size; i++) {
        assert_int_equal(fixture->tar[i], 0);
    }
    start_reading(fixture);
}

/* NULL at the end. A warning is about a name that the reader's locale cannot show. */
static inline struct archive_entry *next_entry(struct fixture *fixture)
{
    struct archive_entry *entry;
    int result = archive_read_next_header(fixture->reader, &entry);
    if (result == ARCHIVE_EOF) {
        return NULL;
    }
    if (result < ARCHIVE_WARN) {
        fail_msg("%s", archive_error_string(fixture->reader));
    }
    return entry;
}

/* Reads the tar from its start to this entry. NULL: there is none. */
static inline struct archive_entry *find_entry(struct fixture *fixture, const char *path)
{
    start_reading(fixture);
    struct archive_entry *entry;
    do {
        entry = next_entry(fixture);
    } while (entry != NULL && strcmp(archive_entry_pathname(entry), path) != 0);
    return entry;
}

static inline unsigned entries_count(struct fixture *fixture)
{
    start_reading(fixture);
    unsigned count = 0;
    while (next_entry(fixture) != NULL) {
        count++;
    }
    return count;
}

static inline void assert_has(struct fixture *fixture, const char *path)
{
    if (find_entry(fixture, path) == NULL) {
        fail_msg("%s is not in the archive", path);
    }
}

static inline void assert_has_not(struct fixture *fixture, const char *path)
{
    if (find_entry(fixture, path) != NULL) {
        fail_msg("%s is in the archive", path);
    }
}

/* The entry is a regular file of this size, and byte i is byte_at(i). */
static inline void assert_has_file(struct fixture *fixture, const char *path, size_t size)
{
    struct archive_entry *entry = find_entry(fixture, path);
    if (entry == NULL || archive_entry_filetype(entry) != AE_IFREG) {
        fail_msg("%s is not in the archive as a file", path);
    }
    assert_number_equal(path, (uint64_t)archive_entry_size(entry), size);
    unsigned char *bytes = test_malloc(size + 1);
    assert_int_equal(archive_read_data(fixture->reader, bytes, size + 1), size);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != byte_at(i)) {
            fail_msg("%s: byte %zu is wrong", path, i);
        }
    }
    test_free(bytes);
}

#endif

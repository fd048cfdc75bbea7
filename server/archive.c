/* archive: from a walk to pieces of a tar. See the header; archive_walk.h is the walk.
 *
 * libarchive pushes blocks, and the caller pulls pieces. So the writer is driven in steps whose
 * output is bounded: a step is taken only while the piece has room for the largest
 * (STEP_SIZE_MAX), and what libarchive hands over is appended to the piece. A file's bytes are read
 * to where they belong in the piece; libarchive passes them through unbuffered.
 *
 * Ownership: the stream owns the walk, the writer and the piece. */
#include "server/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <assert.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/archive_walk.h"

enum {
    BLOCK_SIZE = 512,
    /* An entry's head: padding of the one before, two blocks, and the pax records; in these, path
     * and link target are the only ones without a small bound. */
    STEP_SIZE_MAX = 16 * 1024,
};

_Static_assert((int)STEP_SIZE_MAX >=
                   6 * BLOCK_SIZE + ARCHIVE_NAME_SIZE_MAX + 2 * ARCHIVE_PATH_SIZE_MAX,
               "a step's output fits the room kept for it");
_Static_assert((int)ARCHIVE_PIECE_BYTES >= 2 * STEP_SIZE_MAX, "a piece holds several steps");

struct tar {
    struct archive_stream stream; /* first: the caller's view is all there is to see */
    struct archive_walk walk;
    struct archive *writer;
    struct archive_entry *entry;
    size_t name_size;
    char name[ARCHIVE_NAME_SIZE_MAX + 1]; /* of the top folder */
    bool started;
    locale_t utf8; /* 0: there is none; names past ASCII are then marked as binary */
    uint64_t left; /* bytes of the walk's open file that the tar still owes */
    bool discards; /* being destroyed: what libarchive still has to say is of no use */
    char piece[ARCHIVE_PIECE_BYTES];
};

static size_t room_of(const struct tar *tar)
{
    return sizeof(tar->piece) - tar->stream.size;
}

/* libarchive's blocks come here: archive_write_open(3). */
static la_ssize_t append(struct archive *writer, void *data, const void *block, size_t size)
{
    struct tar *tar = data;
    if (tar->discards || size > room_of(tar)) {
        archive_set_error(writer, ENOBUFS, "no room");
        return -1;
    }
    char *end = tar->piece + tar->stream.size;
    if (block != end) { /* else it was read to its place */
        memcpy(end, block, size);
    }
    tar->stream.size += size;
    return (la_ssize_t)size;
}

static bool open_writer(struct tar *tar)
{
    tar->writer = archive_write_new();
    tar->entry = archive_entry_new();
    return tar->writer != NULL && tar->entry != NULL &&
           archive_write_set_format_pax_restricted(tar->writer) == ARCHIVE_OK &&
           archive_write_set_bytes_per_block(tar->writer, 0) == ARCHIVE_OK &&
           archive_write_set_bytes_in_last_block(tar->writer, 1) == ARCHIVE_OK &&
           archive_write_open(tar->writer, tar, NULL, append, NULL) == ARCHIVE_OK;
}

static bool is_plain_name(const char *name, size_t size)
{
    return size >= 1 && size <= ARCHIVE_NAME_SIZE_MAX && strchr(name, '/') == NULL &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int archive_stream_create(const struct archive_stream_options *options,
                          struct archive_stream **stream)
{
    size_t name_size = strlen(options->name);
    assert(is_plain_name(options->name, name_size));
    struct tar *tar = calloc(1, sizeof(*tar));
    if (tar == NULL) {
        return -ENOMEM;
    }
    tar->stream.work.run = archive_stream_run;
    tar->stream.data = tar->piece;
    memcpy(tar->name, options->name, name_size);
    tar->name_size = name_size;
    int error = archive_walk_init(&tar->walk, options);
    if (error == 0 && !open_writer(tar)) {
        error = -ENOMEM;
    }
    if (error != 0) {
        archive_stream_destroy(&tar->stream);
        return error;
    }
    *stream = &tar->stream;
    return 0;
}

void archive_stream_destroy(struct archive_stream *stream)
{
    struct tar *tar = (struct tar *)stream;
    tar->discards = true;
    archive_write_free(tar->writer);
    archive_entry_free(tar->entry);
    archive_walk_close(&tar->walk);
    if (tar->utf8 != (locale_t)0) {
        freelocale(tar->utf8);
    }
    free(tar);
}

static void fail(struct tar *tar, int error)
{
    assert(error < 0);
    tar->stream.error = error;
    tar->stream.size = 0;
}

static void fail_as_writer(struct tar *tar)
{
    fail(tar, archive_errno(tar->writer) == ENOMEM ? -ENOMEM : -EIO);
}

/* "NAME/PATH", and a slash behind a directory. */
static void set_path(struct tar *tar, bool is_directory)
{
    char path[ARCHIVE_NAME_SIZE_MAX + 1 + ARCHIVE_PATH_SIZE_MAX + 2];
    size_t path_size = tar->walk.path_size;
    memcpy(path, tar->name, tar->name_size);
    path[tar->name_size] = '/';
    char *end = path + tar->name_size + 1;
    memcpy(end, tar->walk.path, path_size);
    end += path_size;
    if (is_directory && path_size > 0) {
        *end++ = '/';
    }
    *end = '\0';
    archive_entry_set_pathname(tar->entry, path);
}

/* Writes the head of the walk's item. */
static void put_item(struct tar *tar)
{
    const struct stat *status = &tar->walk.status;
    struct archive_entry *entry = tar->entry;
    bool is_file = S_ISREG(status->st_mode);
    bool is_link = S_ISLNK(status->st_mode);
    bool is_executable = !is_file || (status->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
    archive_entry_clear(entry);
    archive_entry_set_filetype(entry, is_file ? AE_IFREG : is_link ? AE_IFLNK : AE_IFDIR);
    archive_entry_set_perm(entry, is_executable ? 0755 : 0644);
    archive_entry_set_mtime(entry, status->st_mtim.tv_sec, 0);
    set_path(tar, !is_file && !is_link);
    if (is_link) {
        archive_entry_set_symlink(entry, tar->walk.target);
    }
    tar->left = is_file ? (uint64_t)status->st_size : 0;
    archive_entry_set_size(entry, (la_int64_t)tar->left);
    if (archive_write_header(tar->writer, entry) < ARCHIVE_WARN) {
        fail_as_writer(tar);
    }
}

/* Reads what fits of the open file to its place in the piece. */
static void copy_bytes(struct tar *tar)
{
    size_t room = room_of(tar);
    char *end = tar->piece + tar->stream.size;
    ssize_t got;
    do {
        got = read(tar->walk.file, end, tar->left < room ? (size_t)tar->left : room);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) { /* the disk failed; or the file shrank, and the promised bytes are nowhere */
        fail(tar, -EIO);
    } else if (archive_write_data(tar->writer, end, (size_t)got) != got) {
        fail_as_writer(tar);
    } else {
        tar->left -= (uint64_t)got;
    }
}

static void put_next_item(struct tar *tar)
{
    int result = archive_walk_next(&tar->walk);
    if (result > 0) {
        put_item(tar);
    } else if (result < 0) {
        fail(tar, result);
    } else if (archive_write_close(tar->writer) != ARCHIVE_OK) {
        fail_as_writer(tar);
    } else {
        tar->stream.ended = true;
    }
}

static void put_first_item(struct tar *tar)
{
    int error = archive_walk_start(&tar->walk);
    if (error == 0) {
        put_item(tar);
    } else {
        fail(tar, error);
    }
}

static void fill_piece(struct tar *tar)
{
    const struct archive_stream *stream = &tar->stream;
    while (!stream->ended && stream->error == 0) {
        if (tar->left > 0 && room_of(tar) > 0) {
            copy_bytes(tar);
        } else if (tar->left == 0 && room_of(tar) >= STEP_SIZE_MAX) {
            put_next_item(tar);
        } else {
            return;
        }
    }
}

void archive_stream_run(struct uring_work *work)
{
    struct tar *tar = (struct tar *)work;
    bool is_first = !tar->started;
    tar->started = true;
    tar->stream.size = 0;
    if (is_first) {
        tar->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    }
    /* libarchive asks the thread's locale what the bytes of a name mean. */
    locale_t before = tar->utf8 != (locale_t)0 ? uselocale(tar->utf8) : (locale_t)0;
    if (is_first) {
        put_first_item(tar);
    }
    fill_piece(tar);
    if (before != (locale_t)0) {
        (void)uselocale(before);
    }
    assert(tar->stream.size > 0 || tar->stream.ended || tar->stream.error != 0);
}

/* archive: a directory as a tar (pax), piece by piece, in bounded memory.
 *
 * archive_stream_run() blocks, so it is work for a helper thread: each run fills the next piece.
 * Between two runs the piece is the caller's to send; during a run nothing may be touched.
 * ("archive" alone is a name of libarchive's.)
 *
 * What is in it: directories and regular files beneath the served directory, all below one top
 * folder, with their time of change to the second; owner and group are 0 without a name, modes 0644
 * or 0755. Nothing that waits or acts when it is opened (FIFO, socket, device) is opened. What may
 * not be read is left out, and so is what goes away meanwhile.
 *
 * Symlinks are never followed below the served directory. A link is put in as a link only when
 * whoever unpacks it gets what it means here and nothing else: it is relative, leads to something
 * that is there, and neither by its text nor on its way does it ever leave the served directory. An
 * absolute link would point into the reader's own files; one that climbs out of the top folder lets
 * a later write go through it to anywhere; one that dangles would take whatever the reader has or
 * gets there. So those are left out, under every policy, and all links where the policy is NONE.
 *
 * A tar promises the size of a file before its bytes. A file that grows is cut at that; one that
 * shrinks ends the archive with an error, so that the connection is cut and the client knows:
 * padding would be taken for the file's bytes.
 *
 * What the rules keep back below the served directory is left out, too: reach.h. */
#ifndef GYRE_SERVER_ARCHIVE_H
#define GYRE_SERVER_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/reach.h"
#include "uring/uring.h"

enum {
    ARCHIVE_PIECE_BYTES = 256 * 1024,
    ARCHIVE_DEPTH_MAX = 64, /* of directories below the served one; deeper ones are left out */
    ARCHIVE_PATH_SIZE_MAX = 4095, /* of a path below the served directory; longer is left out */
    ARCHIVE_NAME_SIZE_MAX = 255,
};

struct archive_stream_options {
    int root;         /* descriptor of the docroot; borrowed, open until the stream is destroyed */
    const char *path; /* of the directory, relative to the root, decoded, "": the root itself */
    const char *name; /* of the top folder: 1 to ARCHIVE_NAME_SIZE_MAX bytes, one plain name */
    bool show_dotfiles;           /* false: names that begin with a dot are left out */
    enum uring_symlinks symlinks; /* how `path` is opened; NONE: no links in the tar either */
    const struct reach *reach; /* NULL: no rule keeps anything back; copied, but for its strings */
};

struct archive_stream {
    struct uring_work work; /* run: archive_stream_run() */
    /* The next piece, after each run: at most ARCHIVE_PIECE_BYTES in a buffer of the stream's own.
     * 0 only together with `ended` or an error. */
    char *data;
    size_t size;
    bool ended; /* this piece is the last one */
    int error;  /* 0, or -errno: what came so far is no whole archive; then size is 0 */
};

/* Allocates a stream; opens nothing yet. The options' strings are copied. A path past
 * ARCHIVE_PATH_SIZE_MAX is -ENAMETOOLONG. Returns 0 or -errno; *stream is owned by the caller.
 *
 * Memory: the piece, 16 KiB of state, libarchive's own, and for each directory on the way
 * down the C library's buffer (32 KiB). Descriptors: at most ARCHIVE_DEPTH_MAX + 3. */
int archive_stream_create(const struct archive_stream_options *options,
                          struct archive_stream **stream);

/* Frees the stream, at any point but during a run. */
void archive_stream_destroy(struct archive_stream *stream);

/* Blocks on the disk. Fills the next piece; after `ended` or an error there is nothing more. Errors
 * of the first run are those of opening the directory (ENOENT, ENOTDIR, EACCES, ELOOP, EXDEV...);
 * later: -EIO (a file shrank, the disk failed), -EMFILE, -ENFILE, -ENOMEM. openat2(2), readdir(3),
 * libarchive(3); POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block". */
void archive_stream_run(struct uring_work *work);

#endif

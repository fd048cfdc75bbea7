/* archive_walk: depth first through a directory, an item at a time, never out of it.
 *
 * Every path is opened anew from the served directory's descriptor, beneath it and without
 * symlinks, so whatever is renamed or replaced meanwhile, nothing outside is ever reached. A
 * directory's own order is kept: sorting would need all of its names at once. */
#ifndef GYRE_SERVER_ARCHIVE_WALK_H
#define GYRE_SERVER_ARCHIVE_WALK_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "server/archive.h"

struct archive_level {
    DIR *directory;
    size_t path_size; /* of the path that names it */
};

struct archive_walk {
    int root; /* borrowed */
    bool show_dotfiles;
    bool has_reach;
    struct reach reach;
    enum uring_symlinks symlinks;
    char served[ARCHIVE_PATH_SIZE_MAX + 1]; /* relative to the root */
    int top;                                /* the served directory (O_PATH); -1: not opened */
    uint32_t levels_count;
    struct archive_level levels[ARCHIVE_DEPTH_MAX + 1]; /* the served one is no depth yet */

    /* The item. */
    struct stat status; /* a directory's, regular file's or symlink's */
    size_t path_size;
    char path[ARCHIVE_PATH_SIZE_MAX + 1]; /* below the served directory; "": itself */
    char target[ARCHIVE_PATH_SIZE_MAX + 1];
    int file; /* open for reading, while a regular file is the item; else -1 */
};

/* Copies the options; opens nothing. Returns 0 or -ENAMETOOLONG. */
int archive_walk_init(struct archive_walk *walk, const struct archive_stream_options *options);
void archive_walk_close(struct archive_walk *walk);

/* Opens the served directory, which is the first item. Returns 0 or -errno. */
int archive_walk_start(struct archive_walk *walk);

/* Goes on to the next item. Returns 1, 0 at the end, or -errno: the tree could not be read. */
int archive_walk_next(struct archive_walk *walk);

/* Whether a link at `path` (below the served directory) with that text stays beneath it, taken
 * word by word, whatever is on the way, and shows no dot-name that may not be shown. Pure. */
bool archive_link_stays(const char *path, const char *target, bool show_dotfiles);

#endif

/* listing: reads a directory and renders it. Blocking system calls, so it runs on a helper's
 * thread, never on a worker's; it touches nothing but its struct. */
#ifndef GYRE_SERVER_LISTING_H
#define GYRE_SERVER_LISTING_H

#include "http/http_listing.h"
#include "http/http_target.h"
#include "server/reach.h"
#include "uring/uring.h"

enum {
    LISTING_ENTRIES_MAX = 20000,          /* entries shown; the rest is counted */
    LISTING_BYTES_MAX = 16 * 1024 * 1024, /* of output: past it, fewer entries are shown */
};

struct listing {
    /* In; the descriptors stay the caller's, and directory's position stays where it is. */
    int root;                          /* the directory that symlinks may not leave */
    int directory;                     /* what to list */
    char path[HTTP_PATH_SIZE_MAX + 1]; /* of directory, from root, as in struct http_target */
    struct slice mount; /* what stands before path in addresses: "a/b", or "" (no '/' at the ends);
                           at most HTTP_PATH_SIZE_MAX bytes; lives until the end of the run */
    bool show_dotfiles;
    enum uring_symlinks symlinks;
    struct http_listing_query query; /* format JSON gives JSON, any other the page */
    bool offer_archive;              /* whether the page links to ?format=tar */
    const struct reach *reach;       /* what the rules let be seen; NULL: all. Borrowed. */

    /* Out */
    int error;  /* 0 or -errno */
    char *data; /* malloc()ed, the caller's to free; NULL after an error */
    size_t size;
};

/* Lists regular files and directories, and symlinks that lead to such a thing by the rule of
 * `symlinks`: one that dangles or leaves the root is not listed, with URING_SYMLINKS_NONE none is.
 * Names that begin with a dot only with show_dotfiles; "." and ".." never. An entry that vanishes
 * meanwhile, or may not be looked at, is passed over. Errors: those of openat(2), readdir(3) and
 * stat(2), -ENOMEM. */
void listing_run(struct listing *listing);

#endif

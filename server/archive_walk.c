/* archive_walk: see the header.
 *
 * Invariants: levels[0] to levels[levels_count - 1] lead from the served directory down to the one
 * that is read; `path` begins with the path of the last. A file is open only while it is the item.
 */
#include "server/archive_walk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/limits.h"

int archive_walk_init(struct archive_walk *walk, const struct archive_stream_options *options)
{
    *walk = (struct archive_walk){ .root = options->root,
                                   .show_dotfiles = options->show_dotfiles,
                                   .has_reach = options->reach != NULL,
                                   .symlinks = options->symlinks,
                                   .top = -1,
                                   .file = -1 };
    if (options->reach != NULL) {
        walk->reach = *options->reach;
    }
    size_t size = strlen(options->path);
    if (size > ARCHIVE_PATH_SIZE_MAX) {
        return -ENAMETOOLONG;
    }
    memcpy(walk->served, options->path, size);
    return 0;
}

static void close_file(struct archive_walk *walk)
{
    if (walk->file >= 0) {
        close(walk->file);
        walk->file = -1;
    }
}

static void pop_level(struct archive_walk *walk)
{
    assert(walk->levels_count > 0);
    closedir(walk->levels[--walk->levels_count].directory);
}

void archive_walk_close(struct archive_walk *walk)
{
    close_file(walk);
    while (walk->levels_count > 0) {
        pop_level(walk);
    }
    if (walk->top >= 0) {
        close(walk->top);
        walk->top = -1;
    }
}

/* A rename or mount that races with the look-up gives EAGAIN: at most OPEN_ATTEMPTS_MAX times. */
static int open_path(int directory, const char *path, uint64_t flags, uint64_t resolve)
{
    struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = resolve };
    int fd;
    unsigned attempts = 0;
    do {
        fd = (int)syscall(__NR_openat2, directory, path[0] != '\0' ? path : ".", &how, sizeof(how));
    } while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++attempts < OPEN_ATTEMPTS_MAX)));
    return fd >= 0 ? fd : -errno;
}

/* The item's path, as long as no symlink is on the way. */
static int open_item(const struct archive_walk *walk, uint64_t flags)
{
    return open_path(walk->top, walk->path, flags | O_RDONLY | O_NONBLOCK | O_NOCTTY,
                     RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
}

/* The served directory is found as any other target of a request is. */
static int open_served(const struct archive_walk *walk)
{
    uint64_t resolve = 0;
    switch (walk->symlinks) {
    case URING_SYMLINKS_WITHIN:
        resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
        break;
    case URING_SYMLINKS_NONE:
        resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
        break;
    case URING_SYMLINKS_ALL:
        break;
    }
    return open_path(walk->root, walk->served, O_PATH | O_DIRECTORY, resolve);
}

/* 0 for what leaves a single item out: it went away, was replaced, or may not be read. Else the
 * error: of the disk, or of this process. */
static int unless_left_out(int error)
{
    switch (error) {
    case -EACCES:
    case -EPERM:
    case -ENOENT:
    case -ENOTDIR:
    case -ELOOP:
    case -EXDEV:
    case -ENXIO:
    case -ENODEV:
    case -ENAMETOOLONG:
    case -ESTALE:
        return 0;
    default:
        return error;
    }
}

/* Opens the directory that `path` names and goes down into it. Returns 0 or -errno. */
static int push_level(struct archive_walk *walk)
{
    assert(walk->levels_count <= ARCHIVE_DEPTH_MAX);
    int fd = open_item(walk, O_DIRECTORY);
    if (fd < 0) {
        return fd;
    }
    DIR *directory = fstat(fd, &walk->status) == 0 ? fdopendir(fd) : NULL;
    if (directory == NULL) {
        int error = -errno;
        close(fd);
        return error;
    }
    walk->levels[walk->levels_count++] =
        (struct archive_level){ .directory = directory, .path_size = walk->path_size };
    return 0;
}

int archive_walk_start(struct archive_walk *walk)
{
    assert(walk->top < 0 && walk->levels_count == 0);
    int fd = open_served(walk);
    if (fd < 0) {
        return fd;
    }
    walk->top = fd;
    return push_level(walk);
}

static int take_directory(struct archive_walk *walk)
{
    if (walk->levels_count > ARCHIVE_DEPTH_MAX) {
        return 0;
    }
    int error = push_level(walk);
    return error == 0 ? 1 : unless_left_out(error);
}

static int take_file(struct archive_walk *walk)
{
    int fd = open_item(walk, 0);
    if (fd < 0) {
        return unless_left_out(fd);
    }
    /* What is open now need not be what was looked at. From here on reads may wait for the disk. */
    if (fstat(fd, &walk->status) != 0 || !S_ISREG(walk->status.st_mode) ||
        fcntl(fd, F_SETFL, 0) != 0) {
        close(fd);
        return 0;
    }
    walk->file = fd;
    return 1;
}

/* The length of the name that `text` begins with. */
static size_t name_size(const char *text)
{
    return strcspn(text, "/");
}

bool archive_link_stays(const char *path, const char *target, bool show_dotfiles)
{
    if (target[0] == '/' || target[0] == '\0') {
        return false;
    }
    size_t depth = 0;
    for (const char *at = path; *at != '\0'; at++) {
        depth += *at == '/';
    }
    for (const char *at = target; *at != '\0';) {
        size_t size = name_size(at);
        bool is_up = size == 2 && memcmp(at, "..", 2) == 0;
        bool is_here = size == 0 || (size == 1 && *at == '.');
        if ((is_up && depth == 0) || (*at == '.' && !is_up && !is_here && !show_dotfiles)) {
            return false;
        }
        depth = is_up ? depth - 1 : depth + !is_here;
        at += size + (at[size] == '/');
    }
    return true;
}

/* Whether the link that is the item leads, on this disk, to something that can be in the tar. */
static bool link_leads_within(const struct archive_walk *walk)
{
    int fd = open_path(walk->top, walk->path, O_PATH, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
    if (fd < 0) {
        return false;
    }
    struct stat status;
    bool leads = fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
    close(fd);
    return leads;
}

static int take_link(struct archive_walk *walk, int directory, const char *name)
{
    if (walk->symlinks == URING_SYMLINKS_NONE) {
        return 0;
    }
    ssize_t size = readlinkat(directory, name, walk->target, sizeof(walk->target));
    if (size < 0) {
        return 0;
    }
    if ((size_t)size >= sizeof(walk->target)) {
        return 0;
    }
    walk->target[size] = '\0';
    return archive_link_stays(walk->path, walk->target, walk->show_dotfiles) &&
           link_leads_within(walk);
}

static bool append_name(struct archive_walk *walk, const char *name)
{
    size_t size = strlen(name);
    size_t slash_size = walk->path_size > 0;
    if (walk->path_size + slash_size + size > ARCHIVE_PATH_SIZE_MAX) {
        return false;
    }
    walk->path[walk->path_size] = '/';
    memcpy(walk->path + walk->path_size + slash_size, name, size + 1);
    walk->path_size += slash_size + size;
    return true;
}

static bool is_wanted(const struct archive_walk *walk, const char *name)
{
    bool is_own = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    return !is_own && (name[0] != '.' || walk->show_dotfiles);
}

/* Makes this name of the directory being read the item. 1; 0: it is left out; or -errno. */
static int take_name(struct archive_walk *walk, int directory, const char *name)
{
    if (!is_wanted(walk, name) || !append_name(walk, name)) {
        return 0;
    }
    if (fstatat(directory, name, &walk->status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
        return unless_left_out(-errno);
    }
    if (walk->has_reach && !reach_archives(&walk->reach, slice_of(walk->path, walk->path_size),
                                           S_ISDIR(walk->status.st_mode))) {
        return 0;
    }
    switch (walk->status.st_mode & S_IFMT) {
    case S_IFDIR:
        return take_directory(walk);
    case S_IFREG:
        return take_file(walk);
    case S_IFLNK:
        return take_link(walk, directory, name);
    default:
        return 0;
    }
}

int archive_walk_next(struct archive_walk *walk)
{
    close_file(walk);
    while (walk->levels_count > 0) {
        const struct archive_level *level = &walk->levels[walk->levels_count - 1];
        walk->path_size = level->path_size;
        errno = 0;
        const struct dirent *found = readdir(level->directory);
        if (found != NULL) {
            int result = take_name(walk, dirfd(level->directory), found->d_name);
            if (result != 0) {
                return result;
            }
        } else if (errno != 0) {
            return -errno;
        } else {
            pop_level(walk);
        }
    }
    return 0;
}

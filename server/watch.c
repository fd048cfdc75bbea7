/* watch: see the header.
 *
 * Invariants: a directory is in `paths` only after its watch was set in this generation, and before
 * any file in it was compared; so whatever changes after that comparison is seen. A generation has
 * at most WATCHES_MAX of them; beyond, nothing new is watched. Watches of earlier generations stay,
 * harmless, until so many have been set that a new inotify instance is due: twice WATCHES_MAX is
 * the most that one ever holds. */
#include "server/watch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/limits.h"
#include "server/op.h"

enum {
    PATHS_SLOTS = 4 * WATCHES_MAX, /* open addressing, at most a quarter full */
    EVENTS_SIZE = 16 * 1024,
    EVENT_SIZE_MAX = sizeof(struct inotify_event) + NAME_MAX + 1,
};
_Static_assert((PATHS_SLOTS & (PATHS_SLOTS - 1)) == 0, "indexed by masking");

#define CHANGES                                                                    \
    (IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | \
     IN_DELETE_SELF | IN_MOVE_SELF)
#define DIRECTORY_CHANGES \
    (IN_ISDIR | IN_IGNORED | IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)

/* Others may write to these without this kernel seeing it. statfs(2). */
static bool is_remote(int directory)
{
    static const uint32_t MAGICS[] = {
        0x6969,     /* NFS */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB2 */
        0x65735546, /* FUSE */
        0x01021997, /* 9P */
        0x00c36400, /* Ceph */
        0x73757245, /* Coda */
        0x5346414f, /* AFS */
    };
    struct statfs status;
    if (fstatfs(directory, &status) != 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof(MAGICS) / sizeof(MAGICS[0]); i++) {
        if ((uint32_t)status.f_type == MAGICS[i]) {
            return true;
        }
    }
    return false;
}

void watch_create(struct watch *watch, struct uring *uring, bool enabled)
{
    *watch = (struct watch){ .uring = uring, .fd = -1 };
    if (!enabled) {
        return;
    }
    watch->paths = calloc(PATHS_SLOTS, sizeof(*watch->paths));
    if (watch->paths != NULL) {
        watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    }
}

void watch_destroy(struct watch *watch)
{
    if (watch->fd >= 0) {
        close(watch->fd);
        watch->fd = -1;
    }
    free(watch->paths);
    watch->paths = NULL;
}

static struct uring_token watch_token(void)
{
    return (struct uring_token){ .op = OP_WATCH };
}

void watch_start(struct watch *watch)
{
    if (watch->fd >= 0) {
        assert(!watch->polling);
        watch->polling = true;
        uring_poll_readable(watch->uring, watch_token(), watch->fd);
    }
}

static uint64_t path_hash(int root, const char *path, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325U ^ (uint64_t)root << 32;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (uint8_t)path[i]) * 0x100000001b3U;
    }
    return hash | 1;
}

/* The slot that holds the hash, or where it belongs. */
static uint64_t *slot_of(const struct watch *watch, uint64_t hash)
{
    size_t index = (hash >> 8) & (PATHS_SLOTS - 1);
    while (watch->paths[index] != 0 && watch->paths[index] != hash) {
        index = (index + 1) & (PATHS_SLOTS - 1);
    }
    return &watch->paths[index];
}

static int open_beneath(int root, const char *path, uint64_t flags)
{
    struct open_how how = {
        .flags = flags | O_PATH | O_CLOEXEC | O_NOFOLLOW,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    return (int)syscall(__NR_openat2, root, path, &how, sizeof(how));
}

/* directory: "" is the root. */
static bool watch_directory(struct watch *watch, int root, const char *directory, size_t size)
{
    uint64_t *slot = slot_of(watch, path_hash(root, directory, size));
    if (*slot != 0) {
        return true;
    }
    if (watch->paths_count == WATCHES_MAX) {
        return false;
    }
    char path[HTTP_PATH_SIZE_MAX + 1] = ".";
    if (size > 0) {
        memcpy(path, directory, size);
        path[size] = '\0';
    }
    int fd = open_beneath(root, path, O_DIRECTORY);
    if (fd < 0) {
        return false;
    }
    int descriptor = -1;
    if (!is_remote(fd)) { /* mounted beneath the root */
        char name[sizeof("/proc/self/fd/") + 12];
        (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        descriptor = inotify_add_watch(watch->fd, name, CHANGES | IN_ONLYDIR);
    }
    close(fd);
    if (descriptor < 0) {
        return false;
    }
    watch->descriptor_max = descriptor > watch->descriptor_max ? descriptor : watch->descriptor_max;
    *slot = path_hash(root, directory, size);
    watch->paths_count++;
    return true;
}

bool watch_path(struct watch *watch, int root, const char *path)
{
    size_t size = strlen(path);
    if (watch->fd < 0 || size > HTTP_PATH_SIZE_MAX || !watch_directory(watch, root, path, 0)) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (path[i] == '/' && !watch_directory(watch, root, path, i)) {
            return false;
        }
    }
    return true;
}

/* Drops every watch at once. When there is no other instance to be had, entries are compared in
 * each batch from now on. */
static void renew(struct watch *watch)
{
    if (watch->polling) {
        uring_cancel(watch->uring, watch_token()); /* it would keep the old instance alive */
    }
    close(watch->fd);
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    watch->descriptor_max = 0;
}

static void forget_paths(struct watch *watch)
{
    if (watch->descriptor_max > WATCHES_MAX) {
        renew(watch);
    }
    watch->generation++;
    watch->paths_count = 0;
    memset(watch->paths, 0, PATHS_SLOTS * sizeof(*watch->paths));
}

static bool events_name_directory(const char *data, size_t size)
{
    bool is_directory = false;
    while (size >= sizeof(struct inotify_event)) {
        struct inotify_event event;
        memcpy(&event, data, sizeof(event));
        is_directory = is_directory || (event.mask & DIRECTORY_CHANGES) != 0;
        size_t taken = sizeof(event) + event.len;
        assert(taken <= size);
        data += taken;
        size -= taken;
    }
    return is_directory;
}

/* A read that leaves room for one more event has emptied the queue. */
static void take_events(struct watch *watch)
{
    char data[EVENTS_SIZE];
    ssize_t size;
    do {
        size = watch->fd >= 0 ? read(watch->fd, data, sizeof(data)) : 0;
        if (size > 0) {
            watch->epoch++;
            if (events_name_directory(data, (size_t)size)) {
                forget_paths(watch);
            }
        }
    } while (size > EVENTS_SIZE - EVENT_SIZE_MAX);
}

void watch_look(struct watch *watch, uint64_t batch)
{
    if (watch->looked_batch != batch) {
        watch->looked_batch = batch;
        take_events(watch);
    }
}

void watch_handle_poll(struct watch *watch, const struct uring_event *event)
{
    (void)event; /* whatever it says: look */
    assert(watch->polling);
    watch->polling = false;
    take_events(watch);
    watch_start(watch);
}

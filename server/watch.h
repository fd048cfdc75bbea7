/* watch: has anything beneath the root changed? One inotify instance a worker, on the directories
 * that lead to cached files.
 *
 * It does not say what changed: any event makes every entry be compared with its file once more.
 * That is cheap, and leaves nothing to be mapped wrongly. What inotify cannot see (network file
 * systems, hard links and mappings from elsewhere, symlinks) is left to comparing in each batch, or
 * to `revalidate`.
 *
 * Order makes it exact: the kernel queues an event before the call that changed the file returns,
 * and watch_look() takes what is queued after all requests of a batch have been received. The poll
 * alone would not do: its event may come batches behind bytes that were sent later. It only keeps
 * the queue short while nothing is asked for. inotify(7). */
#ifndef GYRE_SERVER_WATCH_H
#define GYRE_SERVER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "uring/uring.h"

struct watch {
    struct uring *uring;
    int fd;                /* -1: there is no inotify here; entries are compared in each batch */
    bool polling;          /* OP_WATCH is in flight */
    uint64_t looked_batch; /* in which the queue was last emptied */
    uint64_t epoch;        /* grows with each change that was seen */
    uint64_t generation;   /* grows when a directory came, went or moved: watches are set anew */
    int descriptor_max;    /* of this instance; the kernel counts them upwards */
    uint32_t paths_count;
    uint64_t *paths; /* hashes of the directories watched in this generation; 0: free */
};

/* enabled: false leaves fd at -1. Never fails: without inotify it is off. */
void watch_create(struct watch *watch, struct uring *uring, bool enabled);
void watch_destroy(struct watch *watch);

/* Arms the poll: at the start. */
void watch_start(struct watch *watch);

/* Watches every directory on the way to `path` beneath the directory `root`. False: this path
 * cannot be watched: a symlink is on the way, there are too many directories, or inotify is off.
 * Whether the last name is a symlink is for the caller to see. */
bool watch_path(struct watch *watch, int root, const char *path);

/* Takes the events that have come, once a batch: from then on, epoch and generation tell of every
 * change that ended before a request of this batch was sent. batch: the worker's number for it. */
void watch_look(struct watch *watch, uint64_t batch);

/* Events are waiting: takes them, and arms the poll again. */
void watch_handle_poll(struct watch *watch, const struct uring_event *event);

#endif

/* eviction: which entry goes when the cache is full. S3-FIFO: Yang, Zhang, Qiu, Yue, Rashmi, "FIFO
 * queues are all you need for cache eviction", SOSP 2023.
 *
 * What is new enters a small queue, a tenth of what is there; what was asked for again by the time
 * it leaves that goes on into the main queue, the rest is evicted. So files that are asked for once
 * (a crawler, a backup, somebody's scan) pass through the small queue and push nothing out of the
 * main one. What was evicted from the small queue is remembered for a while, its name's hash only:
 * if it comes back soon, it enters the main queue at once.
 *
 * A hit costs no write beyond a counter that stops at 3, and no list is reordered. */
#ifndef GYRE_SERVER_EVICTION_H
#define GYRE_SERVER_EVICTION_H

#include <stdbool.h>
#include <stdint.h>

#include "server/list.h"

struct entry;

enum {
    EVICTION_SMALL_PART = 10,   /* the small queue's share is one in so many */
    EVICTION_FREQUENCY_MAX = 3, /* what a hit counts up to */
    EVICTION_FREQUENCY_STAY = 2 /* hits that lead from the small queue to the main one */
};

/* One name that was evicted lately. */
struct eviction_ghost {
    uint32_t fingerprint;
    uint32_t stamp; /* of `evicted_count` then; 0: never used */
};

struct eviction {
    struct list small; /* oldest first, both */
    struct list main;
    uint64_t small_units; /* bytes, or files: what its entries take of the room */
    uint64_t main_units;
    struct eviction_ghost *ghosts;
    uint32_t ghosts_count; /* a power of two */
    uint32_t ghosts_age_max;
    uint32_t evicted_count;
};

/* ghosts_max: how many evictions a name is remembered for; 0: none is. Returns 0 or -ENOMEM. */
int eviction_create(struct eviction *eviction, uint32_t ghosts_max);
void eviction_destroy(struct eviction *eviction);

bool eviction_is_empty(const struct eviction *eviction);

/* Takes an entry in; its hash is set, in `units` what it takes of the room for as long as it is in,
 * and in_main where it takes the place of one that was in the main queue. */
void eviction_insert(struct eviction *eviction, struct entry *entry);

/* Lets go of an entry that is in it. */
void eviction_remove(struct eviction *eviction, struct entry *entry);

/* The entry to evict next, and remembers it where that is called for; it is still in. There is one.
 */
struct entry *eviction_pick(struct eviction *eviction);

#endif

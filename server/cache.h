/* cache: a worker's entries by target. Bounded in bytes, entries and open files; what is asked for
 * once does not push out what is asked for often (eviction.h). Freshness is the caller's: it
 * compares an entry with the file (worker's batch).
 */
#ifndef GYRE_SERVER_CACHE_H
#define GYRE_SERVER_CACHE_H

#include "server/entry.h"
#include "server/eviction.h"

struct cache {
    struct entry **buckets; /* buckets_count of them, a power of two */
    uint32_t buckets_count;
    uint32_t entries_count;
    uint32_t entries_max;
    uint32_t files_count; /* entries that hold a descriptor */
    uint32_t files_max;
    uint64_t bytes;
    uint64_t bytes_max;
    struct eviction bodies; /* entries in memory, by bytes */
    struct eviction files;  /* entries with an open file, by their number */
};

/* entries_max 0: a cache that keeps nothing. Returns 0 or -ENOMEM. */
int cache_create(struct cache *cache, uint32_t entries_max, uint64_t bytes_max, uint32_t files_max);
void cache_destroy(struct cache *cache, struct uring *uring);

/* The entry for a target, marked as used, or NULL. Borrowed: acquire it to keep it. */
struct entry *cache_find(struct cache *cache, struct slice key);

/* Takes a reference of a filled entry, in place of one with the same key; evicts to stay within the
 * bounds. An entry too large for the cache is left out. */
void cache_insert(struct cache *cache, struct uring *uring, struct entry *entry);

void cache_remove(struct cache *cache, struct uring *uring, struct entry *entry);

/* Lets go of every cached open file: descriptors have run out. Returns how many. */
uint32_t cache_release_files(struct cache *cache, struct uring *uring);

#endif

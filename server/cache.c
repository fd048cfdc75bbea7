/* cache: a hash table with chains, and two sets of queues: one for bodies, one for open files,
 * because memory and descriptors run out apart. Invariant: an entry is in the table exactly when
 * `cached`, and then in exactly one queue; the cache holds one reference of it. */
#include "server/cache.h"

#include <errno.h>
#include <stdlib.h>

/* FNV-1a with a final mix: short keys, no attacker-chosen cost beyond a bounded table's chain. */
static uint64_t key_hash(struct slice key)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t i = 0; i < key.size; i++) {
        hash = (hash ^ (uint8_t)key.data[i]) * 0x100000001b3U;
    }
    return hash ^ hash >> 29;
}

int cache_create(struct cache *cache, uint32_t entries_max, uint64_t bytes_max, uint32_t files_max)
{
    *cache = (struct cache){ .entries_max = entries_max,
                             .bytes_max = bytes_max,
                             .files_max = files_max };
    int error = eviction_create(&cache->bodies, entries_max);
    if (error == 0) {
        error = eviction_create(&cache->files, files_max);
    }
    cache->buckets_count = 1;
    while (cache->buckets_count < entries_max) {
        cache->buckets_count *= 2;
    }
    cache->buckets = calloc(cache->buckets_count, sizeof(struct entry *));
    if (error == 0 && cache->buckets != NULL) {
        return 0;
    }
    eviction_destroy(&cache->bodies);
    eviction_destroy(&cache->files);
    free(cache->buckets);
    cache->buckets = NULL;
    return -ENOMEM;
}

static struct entry **bucket_of(struct cache *cache, uint64_t hash)
{
    return &cache->buckets[hash & (cache->buckets_count - 1)];
}

static struct eviction *queue_of(struct cache *cache, const struct entry *entry)
{
    return entry->file >= 0 ? &cache->files : &cache->bodies;
}

void cache_destroy(struct cache *cache, struct uring *uring)
{
    struct eviction *queues[] = { &cache->bodies, &cache->files };
    for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
        while (!eviction_is_empty(queues[i])) {
            cache_remove(cache, uring, eviction_pick(queues[i]));
        }
        eviction_destroy(queues[i]);
    }
    assert(cache->entries_count == 0);
    assert(cache->bytes == 0);
    free(cache->buckets);
    cache->buckets = NULL;
}

struct entry *cache_find(struct cache *cache, struct slice key)
{
    uint64_t hash = key_hash(key);
    struct entry *entry = *bucket_of(cache, hash);
    while (entry != NULL && (entry->hash != hash || !slice_equal(entry->key, key))) {
        entry = entry->hash_next;
    }
    if (entry != NULL && entry->frequency < EVICTION_FREQUENCY_MAX) {
        entry->frequency++;
    }
    return entry;
}

void cache_remove(struct cache *cache, struct uring *uring, struct entry *entry)
{
    assert(entry->cached);
    struct entry **link = bucket_of(cache, entry->hash);
    while (*link != entry) {
        assert(*link != NULL);
        link = &(*link)->hash_next;
    }
    *link = entry->hash_next;
    eviction_remove(queue_of(cache, entry), entry);
    entry->cached = false;
    cache->entries_count--;
    cache->files_count -= entry->file >= 0;
    cache->bytes -= entry->charge;
    entry_release(uring, entry);
}

static void evict(struct cache *cache, struct uring *uring, struct eviction *queue)
{
    cache_remove(cache, uring, eviction_pick(queue));
}

static void make_room(struct cache *cache, struct uring *uring, const struct entry *entry)
{
    while (entry->file >= 0 && cache->files_count >= cache->files_max) {
        evict(cache, uring, &cache->files);
    }
    while (cache->entries_count >= cache->entries_max ||
           cache->bytes + entry->charge > cache->bytes_max) {
        evict(cache, uring, eviction_is_empty(&cache->bodies) ? &cache->files : &cache->bodies);
    }
}

void cache_insert(struct cache *cache, struct uring *uring, struct entry *entry)
{
    assert(!entry->cached);
    if (cache->entries_max == 0 || entry->charge > cache->bytes_max ||
        (entry->file >= 0 && cache->files_max == 0)) {
        return;
    }
    struct entry *old = cache_find(cache, entry->key);
    if (old != NULL) {
        entry->in_main = old->in_main; /* the file has changed, not the interest in it */
        cache_remove(cache, uring, old);
    }
    make_room(cache, uring, entry);
    entry->hash = key_hash(entry->key);
    struct entry **bucket = bucket_of(cache, entry->hash);
    entry->hash_next = *bucket;
    *bucket = entry_acquire(entry);
    entry->cached = true;
    entry->units = entry->file >= 0 ? 1 : entry->charge;
    eviction_insert(queue_of(cache, entry), entry);
    cache->entries_count++;
    cache->files_count += entry->file >= 0;
    cache->bytes += entry->charge;
    assert(cache->bytes <= cache->bytes_max);
}

uint32_t cache_release_files(struct cache *cache, struct uring *uring)
{
    uint32_t count = 0;
    while (!eviction_is_empty(&cache->files)) {
        evict(cache, uring, &cache->files);
        count++;
    }
    return count;
}

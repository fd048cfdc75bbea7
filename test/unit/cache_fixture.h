/* cache_fixture: entries without files or bytes worth the name, and an engine that notes which
 * files were closed. */
#ifndef GYRE_TEST_CACHE_FIXTURE_H
#define GYRE_TEST_CACHE_FIXTURE_H

#include <stdio.h>

#include "server/cache.h"
#include "slice_assert.h"

enum {
    FILES_MAX = 64,
    BODY_SIZE = 1000,
    MUCH = 1000, /* entries and files that a case does not want to run out of */
    MANY_BYTES = 64 << 20,
};

struct uring {
    unsigned closed[FILES_MAX]; /* how often, by descriptor */
};

void uring_close(struct uring *uring, int fd)
{
    assert_true(fd >= 0);
    assert_true(fd < FILES_MAX);
    uring->closed[fd]++;
}

/* An entry with a body in memory when keeps_file is false. Its file is `file`. */
static inline struct entry *make(struct uring *uring, const char *key, int file, bool keeps_file)
{
    struct stat status = { .st_size = BODY_SIZE };
    struct entry *entry =
        entry_create(slice_from_string(key), "file", &status, file, keeps_file ? 0 : BODY_SIZE);
    assert_non_null(entry);
    if (!keeps_file) {
        entry_drop_file(uring, entry);
    }
    return entry;
}

/* Puts an entry into the cache and lets go of it. */
static inline struct entry *put(struct cache *cache, struct uring *uring, const char *key, int file,
                                bool keeps_file)
{
    struct entry *entry = make(uring, key, file, keeps_file);
    cache_insert(cache, uring, entry);
    struct entry *kept = entry->cached ? entry : NULL;
    entry_release(uring, entry);
    return kept;
}

static inline struct entry *put_body(struct cache *cache, struct uring *uring, const char *key)
{
    return put(cache, uring, key, 0, false);
}

static inline struct entry *put_file(struct cache *cache, struct uring *uring, const char *key,
                                     int file)
{
    return put(cache, uring, key, file, true);
}

static inline bool has(struct cache *cache, const char *key)
{
    return cache_find(cache, slice_from_string(key)) != NULL;
}

/* Bytes of memory that one body entry with a key of one byte stands for. */
static inline uint64_t body_charge(void)
{
    struct uring uring = { 0 };
    struct entry *entry = make(&uring, "a", 0, false);
    uint64_t charge = entry->charge;
    entry_release(&uring, entry);
    return charge;
}

#endif

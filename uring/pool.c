/* pool: chunks of one size, cut from slabs that are mapped and registered on demand.
 *
 * Duty: O(1) take and give, a hard bound, and memory that the kernel already knows (fixed buffers).
 *
 * Invariants: a chunk is either taken, or in the free list once; chunks_made grows slab by slab up
 * to chunks_max and never shrinks; a chunk never moves. The free list is a stack: the chunk given
 * back last is the one whose bytes are still in the processor's cache.
 *
 * Ownership: the pool owns slabs and descriptors; a taken chunk is its taker's until it is given
 * back. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "uring/uring.h"

enum {
    SLAB_SIZE_MIN = 1024 * 1024
};

struct uring_pool {
    struct uring *uring;
    struct uring_chunk *chunks; /* chunks_max of them; the first chunks_made are real */
    struct uring_chunk *free;
    uint32_t chunk_size;
    uint32_t chunks_max;
    uint32_t chunks_made;
    uint32_t taken_count;
    uint32_t slab_chunks; /* chunks in a full slab */
    bool registered;
};

static int pool_add_slab(struct uring_pool *pool)
{
    uint32_t left = pool->chunks_max - pool->chunks_made;
    uint32_t count = left < pool->slab_chunks ? left : pool->slab_chunks;
    if (count == 0) {
        return -ENOBUFS;
    }
    size_t size = (size_t)count * pool->chunk_size;
    char *slab = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (slab == MAP_FAILED) {
        return -errno;
    }
    /* A slab that cannot be registered still serves: reads and sends copy once more, that is all.
     */
    int registration = pool->registered ? uring_slab_register(pool->uring, slab, size) : -1;
    for (uint32_t i = count; i > 0; i--) {
        struct uring_chunk *chunk = &pool->chunks[pool->chunks_made + i - 1];
        *chunk = (struct uring_chunk){
            .data = slab + (size_t)(i - 1) * pool->chunk_size,
            .size = pool->chunk_size,
            .registration = registration >= 0 ? registration : -1,
            .index = pool->chunks_made + i - 1,
            .next_free = pool->free,
        };
        pool->free = chunk;
    }
    pool->chunks_made += count;
    return 0;
}

int uring_pool_create(struct uring *uring, uint32_t chunk_size, uint32_t chunks_max,
                      bool registered, struct uring_pool **result)
{
    assert(chunk_size > 0);
    assert(chunk_size % 4096 == 0);
    assert(chunks_max > 0);

    struct uring_pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL) {
        return -ENOMEM;
    }
    pool->chunks = calloc(chunks_max, sizeof(*pool->chunks));
    if (pool->chunks == NULL) {
        free(pool);
        return -ENOMEM;
    }
    pool->uring = uring;
    pool->chunk_size = chunk_size;
    pool->chunks_max = chunks_max;
    pool->registered = registered;
    pool->slab_chunks = chunk_size >= SLAB_SIZE_MIN ? 1 : SLAB_SIZE_MIN / chunk_size;
    int error = pool_add_slab(pool);
    if (error != 0) {
        free(pool->chunks);
        free(pool);
        return error;
    }
    *result = pool;
    return 0;
}

void uring_pool_destroy(struct uring_pool *pool)
{
    assert(pool->taken_count == 0);
    for (uint32_t i = 0; i < pool->chunks_made; i += pool->slab_chunks) {
        uint32_t left = pool->chunks_made - i;
        uint32_t count = left < pool->slab_chunks ? left : pool->slab_chunks;
        munmap(pool->chunks[i].data, (size_t)count * pool->chunk_size);
    }
    free(pool->chunks);
    free(pool);
}

struct uring_chunk *uring_chunk_take(struct uring_pool *pool)
{
    if (pool->free == NULL && pool_add_slab(pool) != 0) {
        return NULL;
    }
    struct uring_chunk *chunk = pool->free;
    assert(!chunk->taken);
    pool->free = chunk->next_free;
    chunk->next_free = NULL;
    chunk->taken = true;
    pool->taken_count++;
    assert(pool->taken_count <= pool->chunks_made);
    return chunk;
}

void uring_chunk_give(struct uring_pool *pool, struct uring_chunk *chunk)
{
    assert(chunk->taken);
    assert(chunk == &pool->chunks[chunk->index]);
    assert(pool->taken_count > 0);
    chunk->taken = false;
    chunk->next_free = pool->free;
    pool->free = chunk;
    pool->taken_count--;
}

struct uring_chunk *uring_pool_chunk(struct uring_pool *pool, uint32_t index)
{
    assert(index < pool->chunks_made);
    return &pool->chunks[index];
}

uint32_t uring_pool_taken_count(const struct uring_pool *pool)
{
    return pool->taken_count;
}

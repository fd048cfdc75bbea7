/* The chunk pool: last in, first out; a hard bound; slabs on demand, registered or not. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "slice_assert.h"
#include "uring/uring.h"

enum {
    CHUNK_SIZE = 256 * 1024,
    CHUNKS_A_SLAB = 4, /* a slab has 1 MiB */
    CHUNKS_MAX = 10,   /* the third slab is a short one */
    SLABS_MAX = 8,
};

/* In place of an engine: registers slabs until it has registered `accepted_max` of them. */
struct uring {
    unsigned accepted_max;
    unsigned asked_count;
    const char *slabs[SLABS_MAX];
    size_t sizes[SLABS_MAX];
};

int uring_slab_register(struct uring *uring, void *data, size_t size)
{
    assert_true(uring->asked_count < SLABS_MAX);
    unsigned index = uring->asked_count++;
    uring->slabs[index] = data;
    uring->sizes[index] = size;
    return index < uring->accepted_max ? (int)index : -12;
}

static struct uring_pool *create(struct uring *uring, uint32_t chunks_max, bool registered)
{
    struct uring_pool *pool = NULL;
    assert_int_equal(uring_pool_create(uring, CHUNK_SIZE, chunks_max, registered, &pool), 0);
    assert_non_null(pool);
    return pool;
}

/* Takes `count` chunks, which have to be there. */
static void take_all(struct uring_pool *pool, struct uring_chunk **chunks, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        chunks[i] = uring_chunk_take(pool);
        assert_non_null(chunks[i]);
        assert_int_equal(uring_pool_taken_count(pool), i + 1);
    }
}

static void give_all(struct uring_pool *pool, struct uring_chunk **chunks, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uring_chunk_give(pool, chunks[i]);
        assert_int_equal(uring_pool_taken_count(pool), count - 1 - i);
    }
}

static void the_chunk_given_back_last_is_taken_first(void **state)
{
    (void)state;
    struct uring uring = { .accepted_max = SLABS_MAX };
    struct uring_pool *pool = create(&uring, CHUNKS_MAX, true);
    struct uring_chunk *chunks[3];
    take_all(pool, chunks, 3);
    uring_chunk_give(pool, chunks[0]);
    uring_chunk_give(pool, chunks[2]);
    uring_chunk_give(pool, chunks[1]);
    assert_ptr_equal(uring_chunk_take(pool), chunks[1]);
    assert_ptr_equal(uring_chunk_take(pool), chunks[2]);
    assert_ptr_equal(uring_chunk_take(pool), chunks[0]);
    give_all(pool, chunks, 3);
    uring_pool_destroy(pool);
}

/* Below, at and above chunks_max. */
static void no_more_than_chunks_max_are_ever_out(void **state)
{
    (void)state;
    for (uint32_t chunks_max = 1; chunks_max <= CHUNKS_MAX; chunks_max++) {
        struct uring uring = { .accepted_max = SLABS_MAX };
        struct uring_pool *pool = create(&uring, chunks_max, true);
        struct uring_chunk *chunks[CHUNKS_MAX];
        take_all(pool, chunks, chunks_max);
        assert_null(uring_chunk_take(pool));
        assert_null(uring_chunk_take(pool));
        assert_int_equal(uring_pool_taken_count(pool), chunks_max);
        uring_chunk_give(pool, chunks[0]);
        assert_ptr_equal(uring_chunk_take(pool), chunks[0]);
        assert_null(uring_chunk_take(pool));
        give_all(pool, chunks, chunks_max);
        uring_pool_destroy(pool);
    }
}

static void slabs_are_added_when_the_chunks_of_the_last_are_out(void **state)
{
    (void)state;
    struct uring uring = { .accepted_max = SLABS_MAX };
    struct uring_pool *pool = create(&uring, CHUNKS_MAX, true);
    struct uring_chunk *chunks[CHUNKS_MAX];
    assert_int_equal(uring.asked_count, 1);
    for (uint32_t i = 0; i < CHUNKS_MAX; i++) {
        chunks[i] = uring_chunk_take(pool);
        assert_int_equal(uring.asked_count, i / CHUNKS_A_SLAB + 1);
    }
    assert_null(uring_chunk_take(pool));
    assert_int_equal(uring.asked_count, 3);
    assert_true(uring.sizes[0] == (size_t)CHUNKS_A_SLAB * CHUNK_SIZE);
    assert_true(uring.sizes[1] == (size_t)CHUNKS_A_SLAB * CHUNK_SIZE);
    assert_true(uring.sizes[2] == (size_t)(CHUNKS_MAX - 2 * CHUNKS_A_SLAB) * CHUNK_SIZE);
    give_all(pool, chunks, CHUNKS_MAX);
    uring_pool_destroy(pool);
}

static void chunks_that_come_back_are_used_before_a_slab_is_added(void **state)
{
    (void)state;
    struct uring uring = { .accepted_max = SLABS_MAX };
    struct uring_pool *pool = create(&uring, CHUNKS_MAX, true);
    struct uring_chunk *chunks[CHUNKS_A_SLAB];
    for (unsigned round = 0; round < 3; round++) {
        take_all(pool, chunks, CHUNKS_A_SLAB);
        give_all(pool, chunks, CHUNKS_A_SLAB);
    }
    assert_int_equal(uring.asked_count, 1);
    uring_pool_destroy(pool);
}

static void a_chunk_lies_in_its_slab_at_its_place(void **state)
{
    (void)state;
    struct uring uring = { .accepted_max = SLABS_MAX };
    struct uring_pool *pool = create(&uring, CHUNKS_MAX, true);
    struct uring_chunk *chunks[CHUNKS_MAX];
    take_all(pool, chunks, CHUNKS_MAX);
    for (uint32_t i = 0; i < CHUNKS_MAX; i++) {
        uint32_t index = chunks[i]->index;
        assert_ptr_equal(uring_pool_chunk(pool, index), chunks[i]);
        assert_int_equal(chunks[i]->registration, index / CHUNKS_A_SLAB);
        assert_ptr_equal(chunks[i]->data, uring.slabs[index / CHUNKS_A_SLAB] +
                                              (size_t)(index % CHUNKS_A_SLAB) * CHUNK_SIZE);
        assert_int_equal(chunks[i]->size, CHUNK_SIZE);
    }
    give_all(pool, chunks, CHUNKS_MAX);
    uring_pool_destroy(pool);
}

static void chunks_out_at_once_share_no_byte(void **state)
{
    (void)state;
    struct uring uring = { .accepted_max = SLABS_MAX };
    struct uring_pool *pool = create(&uring, CHUNKS_MAX, true);
    struct uring_chunk *chunks[CHUNKS_MAX];
    take_all(pool, chunks, CHUNKS_MAX);
    for (int i = 0; i < CHUNKS_MAX; i++) {
        memset(chunks[i]->data, 'a' + i, CHUNK_SIZE);
    }
    for (int i = 0; i < CHUNKS_MAX; i++) {
        for (uint32_t at = 0; at < CHUNK_SIZE; at++) {
            assert_true(chunks[i]->data[at] == 'a' + i);
        }
    }
    give_all(pool, chunks, CHUNKS_MAX);
    uring_pool_destroy(pool);
}

static void a_chunk_keeps_its_memory_and_registration_when_it_comes_back(void **state)
{
    (void)state;
    struct uring uring = { .accepted_max = SLABS_MAX };
    struct uring_pool *pool = create(&uring, CHUNKS_MAX, true);
    struct uring_chunk *chunk = uring_chunk_take(pool);
    struct uring_chunk before = *chunk;
    uring_chunk_give(pool, chunk);
    assert_false(chunk->taken);
    assert_ptr_equal(uring_chunk_take(pool), chunk);
    assert_true(chunk->taken);
    assert_ptr_equal(chunk->data, before.data);
    assert_int_equal(chunk->registration, before.registration);
    assert_int_equal(chunk->index, before.index);
    uring_chunk_give(pool, chunk);
    uring_pool_destroy(pool);
}

static void a_slab_that_cannot_be_registered_serves_as_plain_memory(void **state)
{
    (void)state;
    struct uring uring = { .accepted_max = 1 };
    struct uring_pool *pool = create(&uring, CHUNKS_MAX, true);
    struct uring_chunk *chunks[CHUNKS_MAX];
    take_all(pool, chunks, CHUNKS_MAX);
    assert_int_equal(uring.asked_count, 3);
    for (uint32_t i = 0; i < CHUNKS_MAX; i++) {
        assert_int_equal(chunks[i]->registration, chunks[i]->index < CHUNKS_A_SLAB ? 0 : -1);
        memset(chunks[i]->data, 'x', CHUNK_SIZE);
    }
    give_all(pool, chunks, CHUNKS_MAX);
    uring_pool_destroy(pool);
}

static void a_pool_of_plain_memory_asks_for_no_registration(void **state)
{
    (void)state;
    struct uring uring = { .accepted_max = SLABS_MAX };
    struct uring_pool *pool = create(&uring, CHUNKS_MAX, false);
    struct uring_chunk *chunks[CHUNKS_MAX];
    take_all(pool, chunks, CHUNKS_MAX);
    for (uint32_t i = 0; i < CHUNKS_MAX; i++) {
        assert_int_equal(chunks[i]->registration, -1);
    }
    assert_int_equal(uring.asked_count, 0);
    give_all(pool, chunks, CHUNKS_MAX);
    uring_pool_destroy(pool);
}

/* Chunks of 1 MiB and more have a slab each. */
static void large_chunks_are_mapped_one_by_one(void **state)
{
    (void)state;
    enum {
        LARGE = 1024 * 1024 + 4096
    };
    struct uring uring = { .accepted_max = SLABS_MAX };
    struct uring_pool *pool = NULL;
    assert_int_equal(uring_pool_create(&uring, LARGE, 2, true, &pool), 0);
    struct uring_chunk *chunks[2];
    take_all(pool, chunks, 2);
    assert_int_equal(uring.asked_count, 2);
    assert_true(uring.sizes[0] == LARGE);
    memset(chunks[0]->data, 'x', LARGE);
    memset(chunks[1]->data, 'y', LARGE);
    assert_null(uring_chunk_take(pool));
    give_all(pool, chunks, 2);
    uring_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chunk_given_back_last_is_taken_first),
        cmocka_unit_test(no_more_than_chunks_max_are_ever_out),
        cmocka_unit_test(slabs_are_added_when_the_chunks_of_the_last_are_out),
        cmocka_unit_test(chunks_that_come_back_are_used_before_a_slab_is_added),
        cmocka_unit_test(a_chunk_lies_in_its_slab_at_its_place),
        cmocka_unit_test(chunks_out_at_once_share_no_byte),
        cmocka_unit_test(a_chunk_keeps_its_memory_and_registration_when_it_comes_back),
        cmocka_unit_test(a_slab_that_cannot_be_registered_serves_as_plain_memory),
        cmocka_unit_test(a_pool_of_plain_memory_asks_for_no_registration),
        cmocka_unit_test(large_chunks_are_mapped_one_by_one),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("uring_pool", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* The cache: what is found, what is evicted at which bound, and who still holds what was replaced.
 * A fake engine notes which files were closed. */
#include "cache_fixture.h"

static void what_was_put_is_found_by_its_key_alone(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, MUCH, MANY_BYTES, MUCH), 0);
    struct entry *entry = put_body(&cache, &uring, "a/b");
    assert_ptr_equal(cache_find(&cache, SLICE("a/b")), entry);
    assert_null(cache_find(&cache, SLICE("a/")));
    assert_null(cache_find(&cache, SLICE("a/bc")));
    assert_null(cache_find(&cache, SLICE("A/B")));
    assert_null(cache_find(&cache, SLICE("")));
    cache_destroy(&cache, &uring);
}

static void the_empty_key_is_a_key(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, MUCH, MANY_BYTES, MUCH), 0);
    struct entry *entry = put_body(&cache, &uring, "");
    assert_ptr_equal(cache_find(&cache, SLICE("")), entry);
    cache_destroy(&cache, &uring);
}

static void a_cache_of_no_entries_keeps_nothing(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, 0, MANY_BYTES, MUCH), 0);
    assert_null(put_body(&cache, &uring, "a"));
    assert_false(has(&cache, "a"));
    cache_destroy(&cache, &uring);
}

static void entries_that_share_a_bucket_are_all_found_and_removed_apart(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    char key[16];
    assert_int_equal(cache_create(&cache, 1, MANY_BYTES, MUCH), 0);
    assert_int_equal(cache.buckets_count, 1);
    cache.entries_max = 9; /* all in the one bucket */
    for (int i = 0; i < 9; i++) {
        (void)snprintf(key, sizeof(key), "key-%d", i);
        assert_non_null(put_body(&cache, &uring, key));
    }
    static const int removed[] = { 4, 0, 8 }; /* middle, end and start of the chain */
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(key, sizeof(key), "key-%d", removed[i]);
        cache_remove(&cache, &uring, cache_find(&cache, slice_from_string(key)));
    }
    for (int i = 0; i < 9; i++) {
        (void)snprintf(key, sizeof(key), "key-%d", i);
        assert_int_equal(has(&cache, key), i != 4 && i != 0 && i != 8);
    }
    assert_int_equal(cache.entries_count, 6);
    cache_destroy(&cache, &uring);
}

static void two_entries_of_one_hash_are_told_apart_by_their_keys(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, MUCH, MANY_BYTES, MUCH), 0);
    struct entry *a = put_body(&cache, &uring, "a");
    struct entry *b = make(&uring, "b", 0, false);
    b->hash = a->hash; /* in front of it, in its chain, as a collision would be */
    b->hash_next = a;
    cache.buckets[a->hash & (cache.buckets_count - 1)] = b;
    assert_ptr_equal(cache_find(&cache, SLICE("a")), a);
    cache.buckets[a->hash & (cache.buckets_count - 1)] = a;
    entry_release(&uring, b);
    cache_destroy(&cache, &uring);
}

/* One below, at, and above entries_max. */
static void the_entry_above_the_bound_evicts_the_oldest(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, 3, MANY_BYTES, MUCH), 0);
    put_body(&cache, &uring, "a");
    put_body(&cache, &uring, "b");
    assert_int_equal(cache.entries_count, 2);
    put_body(&cache, &uring, "c");
    assert_int_equal(cache.entries_count, 3);
    assert_true(has(&cache, "a"));
    assert_true(has(&cache, "b"));
    assert_true(has(&cache, "c"));
    put_body(&cache, &uring, "d");
    assert_int_equal(cache.entries_count, 3);
    assert_false(has(&cache, "a"));
    assert_true(has(&cache, "b"));
    assert_true(has(&cache, "d"));
    cache_destroy(&cache, &uring);
}

/* Two entries' bytes: exactly, one byte less, one byte more. */
static void bytes_are_kept_up_to_the_bound_exactly(void **state)
{
    (void)state;
    for (int extra = -1; extra <= 1; extra++) {
        struct uring uring = { 0 };
        struct cache cache;
        uint64_t bytes_max = (uint64_t)((int64_t)(2 * body_charge()) + extra);
        assert_int_equal(cache_create(&cache, MUCH, bytes_max, MUCH), 0);
        put_body(&cache, &uring, "a");
        put_body(&cache, &uring, "b");
        assert_true(has(&cache, "b"));
        assert_int_equal(has(&cache, "a"), extra >= 0);
        assert_true(cache.bytes == (extra >= 0 ? 2 : 1) * body_charge());
        cache_destroy(&cache, &uring);
    }
}

static void an_entry_larger_than_the_cache_is_left_out_and_evicts_nothing(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, MUCH, body_charge(), MUCH), 0);
    assert_non_null(put_body(&cache, &uring, "a"));
    assert_null(put_body(&cache, &uring, "bb"));
    assert_true(has(&cache, "a"));
    assert_false(has(&cache, "bb"));
    cache_destroy(&cache, &uring);
}

/* One below, at, and above files_max. */
static void the_file_above_the_bound_closes_the_oldest_file_only(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, MUCH, MANY_BYTES, 2), 0);
    put_body(&cache, &uring, "body");
    put_file(&cache, &uring, "a", 1);
    assert_int_equal(cache.files_count, 1);
    put_file(&cache, &uring, "b", 2);
    assert_int_equal(cache.files_count, 2);
    assert_int_equal(uring.closed[1], 0);
    put_file(&cache, &uring, "c", 3);
    assert_int_equal(cache.files_count, 2);
    assert_int_equal(uring.closed[1], 1);
    assert_int_equal(uring.closed[2] + uring.closed[3], 0);
    assert_false(has(&cache, "a"));
    assert_true(has(&cache, "body"));
    cache_destroy(&cache, &uring);
    assert_int_equal(uring.closed[2], 1);
    assert_int_equal(uring.closed[3], 1);
}

static void without_room_for_files_bodies_are_kept_all_the_same(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, MUCH, MANY_BYTES, 0), 0);
    assert_null(put_file(&cache, &uring, "a", 1));
    assert_int_equal(uring.closed[1], 1);
    assert_non_null(put_body(&cache, &uring, "b"));
    cache_destroy(&cache, &uring);
}

static void memory_is_made_by_bodies_first_then_by_files(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, 2, MANY_BYTES, MUCH), 0);
    put_file(&cache, &uring, "a", 1);
    put_body(&cache, &uring, "b");
    put_file(&cache, &uring, "c", 2);
    assert_false(has(&cache, "b"));
    assert_true(has(&cache, "c"));
    assert_true(has(&cache, "a"));
    assert_true(has(&cache, "a"));
    put_file(&cache, &uring, "d", 3);
    assert_int_equal(uring.closed[2], 1); /* "a" was asked for again */
    cache_destroy(&cache, &uring);
}

static void an_entry_replaces_the_one_of_its_key(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, MUCH, MANY_BYTES, MUCH), 0);
    put_file(&cache, &uring, "a", 1);
    struct entry *second = put_file(&cache, &uring, "a", 2);
    assert_ptr_equal(cache_find(&cache, SLICE("a")), second);
    assert_int_equal(cache.entries_count, 1);
    assert_int_equal(cache.files_count, 1);
    assert_true(cache.bytes == second->charge);
    assert_int_equal(uring.closed[1], 1);
    assert_int_equal(uring.closed[2], 0);
    cache_destroy(&cache, &uring);
}

static void a_full_cache_replaces_without_evicting_another(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, 2, 2 * body_charge(), MUCH), 0);
    put_body(&cache, &uring, "a");
    put_body(&cache, &uring, "b");
    put_body(&cache, &uring, "b");
    assert_true(has(&cache, "a"));
    assert_true(has(&cache, "b"));
    cache_destroy(&cache, &uring);
}

static void a_response_keeps_what_was_replaced_evicted_or_removed(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, 1, MANY_BYTES, MUCH), 0);
    struct entry *replaced = entry_acquire(put_file(&cache, &uring, "a", 1));
    struct entry *evicted = entry_acquire(put_file(&cache, &uring, "a", 2));
    struct entry *removed = entry_acquire(put_file(&cache, &uring, "b", 3));
    cache_remove(&cache, &uring, removed);
    assert_int_equal(uring.closed[1] + uring.closed[2] + uring.closed[3], 0);
    assert_slice_equal("replaced", replaced->key, SLICE("a"));
    entry_release(&uring, replaced);
    entry_release(&uring, evicted);
    entry_release(&uring, removed);
    assert_int_equal(uring.closed[1], 1);
    assert_int_equal(uring.closed[2], 1);
    assert_int_equal(uring.closed[3], 1);
    cache_destroy(&cache, &uring);
}

static void releasing_files_spares_bodies(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, MUCH, MANY_BYTES, MUCH), 0);
    assert_int_equal(cache_release_files(&cache, &uring), 0);
    put_file(&cache, &uring, "a", 1);
    put_body(&cache, &uring, "b");
    put_file(&cache, &uring, "c", 2);
    assert_int_equal(cache_release_files(&cache, &uring), 2);
    assert_int_equal(uring.closed[1] + uring.closed[2], 2);
    assert_int_equal(cache.files_count, 0);
    assert_true(has(&cache, "b"));
    cache_destroy(&cache, &uring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_by_its_key_alone),
        cmocka_unit_test(the_empty_key_is_a_key),
        cmocka_unit_test(a_cache_of_no_entries_keeps_nothing),
        cmocka_unit_test(entries_that_share_a_bucket_are_all_found_and_removed_apart),
        cmocka_unit_test(two_entries_of_one_hash_are_told_apart_by_their_keys),
        cmocka_unit_test(the_entry_above_the_bound_evicts_the_oldest),
        cmocka_unit_test(bytes_are_kept_up_to_the_bound_exactly),
        cmocka_unit_test(an_entry_larger_than_the_cache_is_left_out_and_evicts_nothing),
        cmocka_unit_test(the_file_above_the_bound_closes_the_oldest_file_only),
        cmocka_unit_test(without_room_for_files_bodies_are_kept_all_the_same),
        cmocka_unit_test(memory_is_made_by_bodies_first_then_by_files),
        cmocka_unit_test(an_entry_replaces_the_one_of_its_key),
        cmocka_unit_test(a_full_cache_replaces_without_evicting_another),
        cmocka_unit_test(a_response_keeps_what_was_replaced_evicted_or_removed),
        cmocka_unit_test(releasing_files_spares_bodies),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_cache", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* What is evicted: S3-FIFO keeps what is asked for again, whatever passes by. */
#include "cache_fixture.h"

static void what_is_asked_for_again_stays(void **state)
{
    (void)state;
    for (int hits = 0; hits <= EVICTION_FREQUENCY_STAY + 1; hits++) {
        struct uring uring = { 0 };
        struct cache cache;
        assert_int_equal(cache_create(&cache, 3, MANY_BYTES, MUCH), 0);
        put_body(&cache, &uring, "a");
        put_body(&cache, &uring, "b");
        put_body(&cache, &uring, "c");
        for (int i = 0; i < hits; i++) {
            assert_true(has(&cache, "a"));
        }
        put_body(&cache, &uring, "d");
        assert_int_equal(has(&cache, "a"), hits >= EVICTION_FREQUENCY_STAY);
        assert_int_equal(has(&cache, "b"), hits < EVICTION_FREQUENCY_STAY);
        cache_destroy(&cache, &uring);
    }
}

/* Names that nobody asks for again, many times what fits. */
static void scan(struct cache *cache, struct uring *uring, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        char key[24];
        (void)snprintf(key, sizeof(key), "scan-%d", i);
        put_body(cache, uring, key);
    }
}

static void a_scan_pushes_out_nothing_that_is_wanted(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, 100, MANY_BYTES, MUCH), 0);
    static const char *const wanted[] = { "a", "b", "c", "d", "e" };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        put_body(&cache, &uring, wanted[i]);
        assert_true(has(&cache, wanted[i]));
        assert_true(has(&cache, wanted[i]));
    }
    scan(&cache, &uring, 0, 10000);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        assert_true(has(&cache, wanted[i]));
    }
    assert_int_equal(cache.entries_count, 100);
    cache_destroy(&cache, &uring);
}

static void what_comes_back_soon_after_its_eviction_stays(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, 4, 4 * body_charge(), MUCH), 0);
    put_body(&cache, &uring, "a");
    scan(&cache, &uring, 0, 4);
    assert_false(has(&cache, "a"));
    struct entry *back = put_body(&cache, &uring, "a");
    assert_non_null(back);
    assert_true(back->in_main);
    scan(&cache, &uring, 4, 100); /* others: the first four are remembered, too */
    assert_true(has(&cache, "a"));
    cache_destroy(&cache, &uring);
}

static void what_comes_back_late_is_new(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, 4, 4 * body_charge(), MUCH), 0);
    put_body(&cache, &uring, "a");
    scan(&cache, &uring, 0, 100);
    struct entry *back = put_body(&cache, &uring, "a");
    assert_non_null(back);
    assert_false(back->in_main);
    cache_destroy(&cache, &uring);
}

static void a_file_that_changes_keeps_its_place(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, 4, MANY_BYTES, MUCH), 0);
    put_body(&cache, &uring, "a");
    assert_true(has(&cache, "a"));
    assert_true(has(&cache, "a"));
    scan(&cache, &uring, 0, 8); /* now it is in the main queue */
    struct entry *renewed = put_body(&cache, &uring, "a");
    assert_non_null(renewed);
    assert_true(renewed->in_main);
    cache_destroy(&cache, &uring);
}

static void what_is_wanted_no_more_leaves_the_main_queue_too(void **state)
{
    (void)state;
    struct uring uring = { 0 };
    struct cache cache;
    assert_int_equal(cache_create(&cache, 4, 4 * body_charge(), MUCH), 0);
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        put_body(&cache, &uring, names[i]);
        assert_true(has(&cache, names[i]));
        assert_true(has(&cache, names[i]));
    }
    assert_int_equal(cache.entries_count, 4);
    assert_false(has(&cache, "a"));
    assert_true(has(&cache, "h"));
    assert_true(cache.bodies.small_units + cache.bodies.main_units == cache.bytes);
    cache_destroy(&cache, &uring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_again_stays),
        cmocka_unit_test(a_scan_pushes_out_nothing_that_is_wanted),
        cmocka_unit_test(what_comes_back_soon_after_its_eviction_stays),
        cmocka_unit_test(what_comes_back_late_is_new),
        cmocka_unit_test(a_file_that_changes_keeps_its_place),
        cmocka_unit_test(what_is_wanted_no_more_leaves_the_main_queue_too),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_eviction", tests, NULL, NULL) == 0 ? 0 : 1;
}

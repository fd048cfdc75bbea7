/* What was granted, and for how long that is remembered. */
#include <stdio.h>

#include "server/auth.h"
#include "slice_assert.h"

enum {
    NOW_MS = 5000
};

static const uint8_t SALT[AUTH_SALT_SIZE] = { 1, 2, 3 };
static const struct slice CREDENTIALS = { "Basic YWRhOnNlY3JldA==", 22 };

static struct auth_cache *new_cache(void)
{
    struct auth_cache *cache = test_malloc(sizeof(*cache));
    memset(cache, 0xa5, sizeof(*cache));
    auth_cache_init(cache, SALT);
    return cache;
}

/* Adds or looks up the value "Basic NUMBER". */
static void add_number(struct auth_cache *cache, unsigned number, uint64_t now_ms)
{
    char text[32];
    int size = snprintf(text, sizeof(text), "Basic %u", number);
    auth_cache_add(cache, "file", slice_of(text, (size_t)size), now_ms);
}

static bool holds_number(struct auth_cache *cache, unsigned number, uint64_t now_ms)
{
    char text[32];
    int size = snprintf(text, sizeof(text), "Basic %u", number);
    return auth_cache_holds(cache, "file", slice_of(text, (size_t)size), now_ms);
}

static void what_was_granted_is_held(void **state)
{
    (void)state;
    struct auth_cache *cache = new_cache();
    assert_false(auth_cache_holds(cache, "file", CREDENTIALS, NOW_MS));
    auth_cache_add(cache, "file", CREDENTIALS, NOW_MS);
    assert_true(auth_cache_holds(cache, "file", CREDENTIALS, NOW_MS));
    test_free(cache);
}

static void nothing_else_is_held(void **state)
{
    static const struct {
        const char *file;
        struct slice authorization;
    } ROWS[] = {
        { "other", { "Basic YWRhOnNlY3JldA==", 22 } },
        { "fil", { "Basic YWRhOnNlY3JldA==", 22 } },
        { "fileB", { "asic YWRhOnNlY3JldA==", 21 } },
        { "", { "Basic YWRhOnNlY3JldA==", 22 } },
        { "file", { "Basic YWRhOnNlY3JldA=", 21 } },
        { "file", { "basic YWRhOnNlY3JldA==", 22 } },
        { "file", { "", 0 } },
        { "file", { NULL, 0 } },
    };
    (void)state;
    struct auth_cache *cache = new_cache();
    auth_cache_add(cache, "file", CREDENTIALS, NOW_MS);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        assert_number_equal(ROWS[i].file,
                            auth_cache_holds(cache, ROWS[i].file, ROWS[i].authorization, NOW_MS),
                            false);
    }
    test_free(cache);
}

static void a_grant_ends_at_its_time(void **state)
{
    (void)state;
    struct auth_cache *cache = new_cache();
    add_number(cache, 1, NOW_MS);
    add_number(cache, 2, NOW_MS + 1);
    assert_true(holds_number(cache, 1, NOW_MS + AUTH_GRANT_MS - 1));
    assert_false(holds_number(cache, 1, NOW_MS + AUTH_GRANT_MS));
    assert_true(holds_number(cache, 2, NOW_MS + AUTH_GRANT_MS));
    assert_false(holds_number(cache, 2, NOW_MS + AUTH_GRANT_MS + 1));
    assert_int_equal(cache->count, 0);
    test_free(cache);
}

static void a_look_does_not_prolong_a_grant(void **state)
{
    (void)state;
    struct auth_cache *cache = new_cache();
    add_number(cache, 1, NOW_MS);
    assert_true(holds_number(cache, 1, NOW_MS + AUTH_GRANT_MS - 1));
    add_number(cache, 1, NOW_MS + AUTH_GRANT_MS - 1);
    assert_int_equal(cache->count, 1);
    assert_false(holds_number(cache, 1, NOW_MS + AUTH_GRANT_MS));
    add_number(cache, 1, NOW_MS + AUTH_GRANT_MS);
    assert_true(holds_number(cache, 1, NOW_MS + 2 * AUTH_GRANT_MS - 1));
    test_free(cache);
}

static void the_oldest_grant_makes_room(void **state)
{
    (void)state;
    struct auth_cache *cache = new_cache();
    for (unsigned i = 0; i < AUTH_CACHE_MAX; i++) {
        add_number(cache, i, NOW_MS + i);
    }
    uint64_t now_ms = NOW_MS + AUTH_CACHE_MAX;
    assert_int_equal(cache->count, AUTH_CACHE_MAX);
    assert_true(holds_number(cache, 0, now_ms));
    for (unsigned more = 0; more < AUTH_CACHE_MAX + 3; more++) {
        add_number(cache, AUTH_CACHE_MAX + more, now_ms);
        assert_int_equal(cache->count, AUTH_CACHE_MAX);
        assert_false(holds_number(cache, more, now_ms));
        assert_true(holds_number(cache, more + 1, now_ms));
        assert_true(holds_number(cache, AUTH_CACHE_MAX + more, now_ms));
    }
    test_free(cache);
}

/* Two workers, or two runs, do not have the same keys. */
static void keys_depend_on_the_salt(void **state)
{
    (void)state;
    static const uint8_t OTHER_SALT[AUTH_SALT_SIZE] = { 1, 2, 4 };
    struct auth_cache *one = new_cache();
    struct auth_cache *other = new_cache();
    auth_cache_init(other, OTHER_SALT);
    add_number(one, 1, NOW_MS);
    add_number(other, 1, NOW_MS);
    assert_memory_not_equal(one->grants[0].key, other->grants[0].key, AUTH_KEY_SIZE);
    test_free(one);
    test_free(other);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(what_was_granted_is_held),
        cmocka_unit_test(nothing_else_is_held),
        cmocka_unit_test(a_grant_ends_at_its_time),
        cmocka_unit_test(a_look_does_not_prolong_a_grant),
        cmocka_unit_test(the_oldest_grant_makes_room),
        cmocka_unit_test(keys_depend_on_the_salt),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_auth_cache", TESTS, NULL, NULL) == 0 ? 0 : 1;
}

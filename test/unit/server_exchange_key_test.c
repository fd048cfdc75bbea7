/* The cache's keys: of two targets, sites or codings no two are the same. */
#include "server/exchange.h"
#include "slice_assert.h"

struct key {
    char data[EXCHANGE_KEY_SIZE_MAX];
    size_t size;
};

static void keys_of_paths_sites_and_codings_never_collide(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "", "a", "a/", "ab", "a/b", "a\x01", "a\x01\x01", "a\x01\x02\x03", "br", "a-br", "\x01",
    };
    static const uint16_t sites[] = { 0, 1, 2, 3, 64, 255, 256, 257, 512, 0xfffe };
    enum {
        PATHS = sizeof(paths) / sizeof(paths[0]),
        SITES = sizeof(sites) / sizeof(sites[0]),
        KEYS_MAX = PATHS * SITES * HTTP_CODINGS_COUNT,
    };
    struct key *keys = test_calloc(KEYS_MAX, sizeof(*keys));
    size_t count = 0;
    for (size_t path = 0; path < PATHS; path++) {
        for (size_t site = 0; site < SITES; site++) {
            for (unsigned coding = 0; coding < HTTP_CODINGS_COUNT; coding++) {
                struct key *key = &keys[count++];
                key->size = exchange_write_key(slice_from_string(paths[path]), sites[site],
                                               (enum http_coding)coding, key->data);
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_false(slice_equal(slice_of(keys[i].data, keys[i].size),
                                     slice_of(keys[j].data, keys[j].size)));
        }
    }
    test_free(keys);
}

static void the_first_site_s_identity_is_known_by_its_path_alone(void **state)
{
    (void)state;
    char buffer[EXCHANGE_KEY_SIZE_MAX];
    size_t size = exchange_write_key(SLICE("a/b"), 0, HTTP_CODING_IDENTITY, buffer);
    assert_slice_equal("key", slice_of(buffer, size), SLICE("a/b"));
}

static void the_path_of_a_key_ends_at_its_first_nul(void **state)
{
    (void)state;
    char buffer[EXCHANGE_KEY_SIZE_MAX];
    for (unsigned coding = 0; coding < HTTP_CODINGS_COUNT; coding++) {
        size_t size = exchange_write_key(SLICE("a/b/"), 3, (enum http_coding)coding, buffer);
        assert_true(size > 4);
        assert_string_equal(buffer, "a/b/");
    }
}

static void the_longest_key_fits_its_bound(void **state)
{
    (void)state;
    char path[HTTP_PATH_SIZE_MAX + 1];
    memset(path, 'p', sizeof(path));
    char buffer[EXCHANGE_KEY_SIZE_MAX];
    size_t size =
        exchange_write_key(slice_of(path, sizeof(path)), 0xfffe, HTTP_CODING_GZIP, buffer);
    assert_int_equal(size, EXCHANGE_KEY_SIZE_MAX);
}

static void a_key_may_be_written_over_its_path(void **state)
{
    (void)state;
    struct exchange *exchange = test_calloc(1, sizeof(*exchange));
    memcpy(exchange->target.path, "a/b", 4);
    exchange->target.path_size = 3;
    exchange->target.is_directory = true;
    exchange->site = 7;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned coding = 0; coding < HTTP_CODINGS_COUNT; coding++) {
            char expected[EXCHANGE_KEY_SIZE_MAX];
            size_t size = exchange_write_key(SLICE("a/b/"), 7, (enum http_coding)coding, expected);
            assert_slice_equal("key", exchange_key(exchange, (enum http_coding)coding),
                               slice_of(expected, size));
            assert_slice_equal("path", exchange_path(exchange), SLICE("a/b/"));
        }
    }
    exchange->target.is_directory = false;
    assert_slice_equal("file", exchange_path(exchange), SLICE("a/b"));
    assert_string_equal(exchange->target.path, "a/b");
    test_free(exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_paths_sites_and_codings_never_collide),
        cmocka_unit_test(the_first_site_s_identity_is_known_by_its_path_alone),
        cmocka_unit_test(the_path_of_a_key_ends_at_its_first_nul),
        cmocka_unit_test(the_longest_key_fits_its_bound),
        cmocka_unit_test(a_key_may_be_written_over_its_path),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_exchange_key", tests, NULL, NULL) == 0 ? 0 : 1;
}

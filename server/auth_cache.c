/* auth_cache: the grants of one worker, see auth.h.
 *
 * Invariants: grants[oldest] to grants[oldest + count - 1] (around the end) are in the order in
 * which they were granted; those past their time are at the front, and dropped before each look. */
#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#include "server/auth.h"

_Static_assert((int)AUTH_KEY_SIZE == (int)SHA256_DIGEST_LENGTH, "a key is a SHA-256");

void auth_cache_init(struct auth_cache *cache, const uint8_t salt[AUTH_SALT_SIZE])
{
    *cache = (struct auth_cache){ 0 };
    memcpy(cache->salt, salt, AUTH_SALT_SIZE);
}

static bool digest(const void *data, size_t size, uint8_t key[AUTH_KEY_SIZE])
{
    return SHA256(data, size, key) != NULL;
}

/* Over salt, digest of the path, digest of the value: parts of one length each, so that no two
 * pairs of path and value run together. False: libcrypto is out of memory. */
static bool make_key(const struct auth_cache *cache, const char *file, struct slice authorization,
                     uint8_t key[AUTH_KEY_SIZE])
{
    uint8_t parts[AUTH_SALT_SIZE + 2 * AUTH_KEY_SIZE];
    memcpy(parts, cache->salt, AUTH_SALT_SIZE);
    bool made =
        digest(file, strlen(file), parts + AUTH_SALT_SIZE) &&
        digest(authorization.data, authorization.size, parts + AUTH_SALT_SIZE + AUTH_KEY_SIZE) &&
        digest(parts, sizeof(parts), key);
    explicit_bzero(parts, sizeof(parts));
    return made;
}

static void drop_oldest(struct auth_cache *cache)
{
    assert(cache->count > 0);
    explicit_bzero(&cache->grants[cache->oldest], sizeof(cache->grants[0]));
    cache->oldest = (cache->oldest + 1) % AUTH_CACHE_MAX;
    cache->count--;
}

static void drop_expired(struct auth_cache *cache, uint64_t now_ms)
{
    while (cache->count > 0 && now_ms - cache->grants[cache->oldest].granted_ms >= AUTH_GRANT_MS) {
        drop_oldest(cache);
    }
}

static bool has_key(const struct auth_cache *cache, const uint8_t key[AUTH_KEY_SIZE])
{
    for (uint32_t i = 0; i < cache->count; i++) {
        const struct auth_grant *grant = &cache->grants[(cache->oldest + i) % AUTH_CACHE_MAX];
        if (CRYPTO_memcmp(grant->key, key, AUTH_KEY_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

bool auth_cache_holds(struct auth_cache *cache, const char *file, struct slice authorization,
                      uint64_t now_ms)
{
    drop_expired(cache, now_ms);
    uint8_t key[AUTH_KEY_SIZE];
    return cache->count > 0 && make_key(cache, file, authorization, key) && has_key(cache, key);
}

void auth_cache_add(struct auth_cache *cache, const char *file, struct slice authorization,
                    uint64_t now_ms)
{
    drop_expired(cache, now_ms);
    uint8_t key[AUTH_KEY_SIZE];
    if (!make_key(cache, file, authorization, key) || has_key(cache, key)) {
        return;
    }
    if (cache->count == AUTH_CACHE_MAX) {
        drop_oldest(cache);
    }
    struct auth_grant *grant = &cache->grants[(cache->oldest + cache->count) % AUTH_CACHE_MAX];
    memcpy(grant->key, key, AUTH_KEY_SIZE);
    grant->granted_ms = now_ms;
    cache->count++;
    assert(cache->count <= AUTH_CACHE_MAX);
}

/* conf_same: whether two configurations say the same. Their texts may lie elsewhere, and their
 * sections stand in other lines. */
#ifndef GYRE_TEST_CONF_SAME_H
#define GYRE_TEST_CONF_SAME_H

#include <string.h>

#include "conf/conf.h"

struct conf_pair {
    const struct conf *a;
    const struct conf *b;
};

static inline bool conf_texts_same(struct conf_pair pair, uint32_t a, uint32_t b)
{
    return (a == 0) == (b == 0) && strcmp(conf_text(pair.a, a), conf_text(pair.b, b)) == 0;
}

static inline bool conf_rules_same(struct conf_pair pair, const struct conf_rule *a,
                                   const struct conf_rule *b)
{
    return a->host == b->host && conf_texts_same(pair, a->pattern, b->pattern) &&
           a->deny == b->deny && a->listing == b->listing && a->archive == b->archive &&
           conf_texts_same(pair, a->redirect, b->redirect) &&
           conf_texts_same(pair, a->cache, b->cache) && conf_texts_same(pair, a->cors, b->cors) &&
           conf_texts_same(pair, a->auth, b->auth) &&
           conf_texts_same(pair, a->auth_realm, b->auth_realm) &&
           conf_texts_same(pair, a->try, b->try) && conf_texts_same(pair, a->spa, b->spa) &&
           conf_texts_same(pair, a->headers, b->headers);
}

/* Whether the bytes of the fields that hold no texts are the same. */
static inline bool conf_bytes_same(struct conf_pair pair, size_t from, size_t to)
{
    return memcmp((const char *)pair.a + from, (const char *)pair.b + from, to - from) == 0;
}

static inline bool conf_same(const struct conf *a, const struct conf *b)
{
    struct conf_pair pair = { a, b };
    bool same = conf_bytes_same(pair, 0, offsetof(struct conf, files)) &&
                conf_bytes_same(pair, offsetof(struct conf, files) + sizeof(a->files),
                                offsetof(struct conf, hosts)) &&
                conf_rules_same(pair, &a->files, &b->files) && a->hosts_count == b->hosts_count &&
                a->mounts_count == b->mounts_count && a->rules_count == b->rules_count;
    for (uint32_t i = 0; same && i < a->hosts_count; i++) {
        same = conf_texts_same(pair, a->hosts[i].names, b->hosts[i].names) &&
               conf_texts_same(pair, a->hosts[i].root, b->hosts[i].root);
    }
    for (uint32_t i = 0; same && i < a->mounts_count; i++) {
        same = a->mounts[i].host == b->mounts[i].host &&
               conf_texts_same(pair, a->mounts[i].prefix, b->mounts[i].prefix) &&
               conf_texts_same(pair, a->mounts[i].root, b->mounts[i].root);
    }
    for (uint32_t i = 0; same && i < a->rules_count; i++) {
        same = conf_rules_same(pair, &a->rules[i], &b->rules[i]);
    }
    return same;
}

#endif

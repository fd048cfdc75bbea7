/* site: see the header. Everything is allocated here, at the start, and never changes after.
 *
 * A site has an index over the patterns of its rules: those before any [host], and its own. Its
 * mounts are sorted so that the first that fits is the one: the longest prefix, and of two equal
 * ones the host's own. */
#include "server/site.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/http_basic.h"
#include "http/http_glob_index.h"
#include "http/http_redirect.h"

enum {
    NAME_SLOTS = 2 * CONF_HOST_NAMES_MAX, /* open addressing, at most half full */
    HOST_SIZE_MAX = 255,
    SITE_NONE = 0xffff,
};
_Static_assert((NAME_SLOTS & (NAME_SLOTS - 1)) == 0, "indexed by masking");

struct site_root {
    const char *path;
    int fd;
};

struct site_name {
    struct slice name; /* of conf->strings; absent: a free slot */
    uint16_t site;
};

struct site {
    uint16_t root;
    uint16_t mounts_count;
    uint16_t mounts[CONF_MOUNTS_MAX];
    uint16_t mount_roots[CONF_MOUNTS_MAX];
    uint16_t rules_count;
    uint16_t *rules; /* indices into conf->rules, in the order of the file */
    struct slice *patterns;
    struct http_glob_index *index;
    struct policy base; /* what holds where no rule matches */
};

struct sites {
    const struct conf *conf;
    uint16_t roots_count;
    struct site_root roots[SITE_ROOTS_MAX];
    uint16_t count;
    uint16_t default_site;
    struct site sites[1 + CONF_HOSTS_MAX];
    struct site_name names[NAME_SLOTS];
};

/* --- roots -------------------------------------------------------------------------------------
 */

static int root_open(struct sites *sites, const char *path, FILE *errors, uint16_t *root)
{
    for (uint16_t i = 0; i < sites->roots_count; i++) {
        if (strcmp(sites->roots[i].path, path) == 0) {
            *root = i;
            return 0;
        }
    }
    assert(sites->roots_count < SITE_ROOTS_MAX);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        int error = -errno;
        fprintf(errors, "gyre: cannot serve '%s': %s\n", path, strerror(-error));
        return error;
    }
    *root = sites->roots_count;
    sites->roots[sites->roots_count++] = (struct site_root){ .path = path, .fd = fd };
    return 0;
}

int sites_root(const struct sites *sites, uint16_t root)
{
    assert(root < sites->roots_count);
    return sites->roots[root].fd;
}

const char *sites_root_path(const struct sites *sites, uint16_t root)
{
    assert(root < sites->roots_count);
    return sites->roots[root].path;
}

uint16_t sites_roots_count(const struct sites *sites)
{
    return sites->roots_count;
}

/* --- policies ----------------------------------------------------------------------------------
 */

const struct policy *sites_policy(const struct sites *sites, uint16_t site, struct slice path,
                                  struct policy *policy)
{
    assert(site < sites->count);
    const struct site *found = &sites->sites[site];
    if (found->rules_count == 0) {
        return &found->base;
    }
    assert(path.size > 0);
    assert(path.data[0] == '/');
    uint16_t matches[CONF_RULES_MAX];
    size_t count = http_glob_index_find(found->index, path, matches, CONF_RULES_MAX);
    if (count == 0) {
        return &found->base;
    }
    *policy = found->base;
    for (size_t i = 0; i < count; i++) {
        uint16_t index = found->rules[matches[i]];
        policy_stack(sites->conf, index, policy);
    }
    return policy;
}

const struct policy *sites_base_policy(const struct sites *sites)
{
    return &sites->sites[sites->default_site].base;
}

bool sites_has_rules(const struct sites *sites, uint16_t site)
{
    assert(site < sites->count);
    return sites->sites[site].rules_count > 0;
}

/* --- hosts -------------------------------------------------------------------------------------
 */

static size_t name_hash(struct slice name)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t i = 0; i < name.size; i++) {
        hash = (hash ^ (uint8_t)name.data[i]) * 0x100000001b3U;
    }
    return (size_t)(hash ^ hash >> 29);
}

/* The slot that holds the name, or the free one where it belongs. */
static struct site_name *name_slot(struct sites *sites, struct slice name)
{
    size_t index = name_hash(name) & (NAME_SLOTS - 1);
    while (sites->names[index].name.data != NULL && !slice_equal(sites->names[index].name, name)) {
        index = (index + 1) & (NAME_SLOTS - 1);
    }
    return &sites->names[index];
}

static uint16_t name_find(const struct sites *sites, struct slice name)
{
    const struct site_name *slot = name_slot((struct sites *)sites, name);
    return slot->name.data != NULL ? slot->site : SITE_NONE;
}

/* Without port and trailing dot, in lower case. Returns its size, 0 for what cannot be a name. */
static size_t host_normalize(struct slice host, char buffer[HOST_SIZE_MAX])
{
    size_t size = host.size;
    if (size > 0 && host.data[0] == '[') {
        const char *end = memchr(host.data, ']', size);
        size = end != NULL ? (size_t)(end - host.data) + 1 : 0;
    } else if (size > 0) {
        const char *colon = memchr(host.data, ':', size);
        size = colon != NULL ? (size_t)(colon - host.data) : size;
    }
    if (size > 1 && host.data[size - 1] == '.') {
        size--;
    }
    if (size > HOST_SIZE_MAX) {
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        buffer[i] = slice_lower(host.data[i]);
    }
    return size;
}

uint16_t sites_find(const struct sites *sites, struct slice host)
{
    char buffer[1 + HOST_SIZE_MAX] = "*"; /* room for the '*' of "*.example.org" */
    size_t size = sites->count > 1 ? host_normalize(host, buffer + 1) : 0;
    if (size == 0) {
        return sites->default_site;
    }
    uint16_t site = name_find(sites, slice_of(buffer + 1, size));
    for (size_t i = 0; i < size && site == SITE_NONE; i++) {
        if (buffer[1 + i] == '.' && i > 0) {
            buffer[i] = '*';
            site = name_find(sites, slice_of(buffer + i, 1 + size - i));
        }
    }
    return site != SITE_NONE ? site : sites->default_site;
}

static void names_add(struct sites *sites, const struct conf_host *host, uint16_t site)
{
    struct slice names = policy_text(sites->conf, host->names);
    while (names.size > 0) {
        const char *blank = memchr(names.data, ' ', names.size);
        size_t size = blank != NULL ? (size_t)(blank - names.data) : names.size;
        struct slice name = slice_of(names.data, size);
        if (slice_equal(name, SLICE("default"))) {
            sites->default_site = site;
        } else {
            struct site_name *slot = name_slot(sites, name);
            assert(slot->name.data == NULL); /* the configuration has each name once */
            *slot = (struct site_name){ .name = name, .site = site };
        }
        size_t taken = blank != NULL ? size + 1 : size;
        names = slice_of(names.data + taken, names.size - taken);
    }
}

/* --- places ------------------------------------------------------------------------------------
 */

/* The prefix of a mount without its slashes at either end. */
static struct slice mount_name(const struct conf *conf, const struct conf_mount *mount)
{
    struct slice prefix = policy_text(conf, mount->prefix);
    assert(prefix.size > 2);
    return slice_of(prefix.data + 1, prefix.size - 2);
}

struct site_place sites_place(const struct sites *sites, uint16_t site, struct slice path,
                              bool is_directory)
{
    assert(site < sites->count);
    const struct site *found = &sites->sites[site];
    for (uint16_t i = 0; i < found->mounts_count; i++) {
        struct slice name = mount_name(sites->conf, &sites->conf->mounts[found->mounts[i]]);
        if (path.size < name.size || memcmp(path.data, name.data, name.size) != 0) {
            continue;
        }
        bool is_whole = path.size == name.size;
        if (is_whole || path.data[name.size] == '/') {
            return (struct site_place){ .root = found->mount_roots[i],
                                        .offset = (uint16_t)(name.size + !is_whole),
                                        .is_mount = is_whole && !is_directory };
        }
    }
    return (struct site_place){ .root = found->root };
}

static bool belongs(uint16_t owner, uint16_t site)
{
    return owner == CONF_HOST_ALL || (site > 0 && owner == site - 1);
}

/* Whether mount a is to be tried before b. */
static bool mount_goes_before(const struct conf *conf, uint16_t a, uint16_t b)
{
    size_t a_size = mount_name(conf, &conf->mounts[a]).size;
    size_t b_size = mount_name(conf, &conf->mounts[b]).size;
    if (a_size != b_size) {
        return a_size > b_size;
    }
    return conf->mounts[a].host != CONF_HOST_ALL && conf->mounts[b].host == CONF_HOST_ALL;
}

static int mounts_open(struct sites *sites, uint16_t number, FILE *errors)
{
    const struct conf *conf = sites->conf;
    struct site *site = &sites->sites[number];
    for (uint16_t i = 0; i < conf->mounts_count; i++) {
        if (!belongs(conf->mounts[i].host, number)) {
            continue;
        }
        uint16_t root = 0;
        int error = root_open(sites, conf_text(conf, conf->mounts[i].root), errors, &root);
        if (error != 0) {
            return error;
        }
        uint16_t at = site->mounts_count++;
        for (; at > 0 && mount_goes_before(conf, i, site->mounts[at - 1]); at--) {
            site->mounts[at] = site->mounts[at - 1];
            site->mount_roots[at] = site->mount_roots[at - 1];
        }
        site->mounts[at] = i;
        site->mount_roots[at] = root;
    }
    return 0;
}

/* --- rules -------------------------------------------------------------------------------------
 */

/* The configuration has checked all of it by its own means; http/ must not meet what it does not
 * take. */
static const char *rule_check(const struct conf *conf, const struct conf_rule *rule)
{
    const char *expected = http_glob_check(policy_text(conf, rule->pattern));
    struct slice redirect = policy_text(conf, rule->redirect);
    struct slice realm = policy_text(conf, rule->auth_realm);
    if (expected == NULL && redirect.size > 4) { /* "STATUS TARGET", not "off" */
        expected = http_redirect_check(slice_of(redirect.data + 4, redirect.size - 4));
    }
    if (expected == NULL && realm.data != NULL) {
        expected = http_basic_check_realm(realm);
    }
    return expected;
}

static int rules_check(const struct site *site, const struct conf *conf, FILE *errors)
{
    for (uint16_t i = 0; i < site->rules_count; i++) {
        const struct conf_rule *rule = &conf->rules[site->rules[i]];
        const char *expected = rule_check(conf, rule);
        if (expected != NULL) {
            fprintf(errors, "gyre: the rule [path %s] of line %u: %s\n",
                    conf_text(conf, rule->pattern), rule->line, expected);
            return -EINVAL;
        }
    }
    return 0;
}

static int rules_compile(struct sites *sites, uint16_t number, FILE *errors)
{
    const struct conf *conf = sites->conf;
    struct site *site = &sites->sites[number];
    policy_start(conf, &site->base);
    if (conf->rules_count == 0) {
        return 0;
    }
    site->rules = calloc(conf->rules_count, sizeof(*site->rules));
    site->patterns = calloc(conf->rules_count, sizeof(*site->patterns));
    site->index = malloc(sizeof(*site->index));
    if (site->rules == NULL || site->patterns == NULL || site->index == NULL) {
        fprintf(errors, "gyre: out of memory\n");
        return -ENOMEM;
    }
    for (uint16_t i = 0; i < conf->rules_count; i++) {
        if (belongs(conf->rules[i].host, number)) {
            site->patterns[site->rules_count] = policy_text(conf, conf->rules[i].pattern);
            site->rules[site->rules_count++] = i;
        }
    }
    int error = rules_check(site, conf, errors);
    if (error != 0) {
        return error;
    }
    http_glob_index_build(site->index, site->patterns, site->rules_count);
    return 0;
}

static int site_create(struct sites *sites, uint16_t number, FILE *errors)
{
    const struct conf *conf = sites->conf;
    struct site *site = &sites->sites[number];
    const char *root = conf->root;
    if (number > 0) {
        const struct conf_host *host = &conf->hosts[number - 1];
        names_add(sites, host, number);
        root = host->root != 0 ? conf_text(conf, host->root) : root;
    }
    int error = root_open(sites, root, errors, &site->root);
    if (error == 0) {
        error = mounts_open(sites, number, errors);
    }
    return error != 0 ? error : rules_compile(sites, number, errors);
}

int sites_create(const struct conf *conf, FILE *errors, struct sites **result)
{
    struct sites *sites = calloc(1, sizeof(*sites));
    if (sites == NULL) {
        fprintf(errors, "gyre: out of memory\n");
        return -ENOMEM;
    }
    sites->conf = conf;
    sites->count = (uint16_t)(1 + conf->hosts_count);
    for (uint16_t i = 0; i < sites->count; i++) {
        int error = site_create(sites, i, errors);
        if (error != 0) {
            sites_destroy(sites);
            return error;
        }
    }
    *result = sites;
    return 0;
}

void sites_destroy(struct sites *sites)
{
    for (uint16_t i = 0; i < sites->count; i++) {
        free(sites->sites[i].rules);
        free(sites->sites[i].patterns);
        free(sites->sites[i].index);
    }
    for (uint16_t i = 0; i < sites->roots_count; i++) {
        close(sites->roots[i].fd);
    }
    free(sites);
}

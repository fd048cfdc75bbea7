/* site: hosts, mounts and rules, compiled once at the start; read-only then, shared by all workers.
 *
 * A site is what a Host name leads to: number 0 is what stands outside of any [host] section, or
 * [host default]. What a request's path means there (which directory, which rules) is worked out
 * when a file enters the cache, and kept with it: a hit asks nothing here but the host. */
#ifndef GYRE_SERVER_SITE_H
#define GYRE_SERVER_SITE_H

#include <stdio.h>

#include "conf/conf.h"
#include "http/slice.h"
#include "server/policy.h"

enum {
    SITE_ROOTS_MAX = 1 + CONF_HOSTS_MAX + CONF_MOUNTS_MAX,
};

struct sites;

/* Opens every root and compiles every rule. Returns 0, or -errno after one line to `errors` that
 * says what to do. conf is borrowed for as long as the sites live. */
int sites_create(const struct conf *conf, FILE *errors, struct sites **sites);
void sites_destroy(struct sites *sites);

/* The directory of a root, and its path as configured. */
int sites_root(const struct sites *sites, uint16_t root);
const char *sites_root_path(const struct sites *sites, uint16_t root);
uint16_t sites_roots_count(const struct sites *sites);

/* The site for a Host as sent, port and all; absent or unknown: the default. RFC 9110 7.2. */
uint16_t sites_find(const struct sites *sites, struct slice host);

/* Where a path is to be looked up. */
struct site_place {
    uint16_t root;
    uint16_t offset; /* of the path beneath that root, in the path asked for */
    bool is_mount;   /* the path is a mount's prefix without its slash: a directory, as it were */
};

/* path: as in struct http_target, relative and decoded. */
struct site_place sites_place(const struct sites *sites, uint16_t site, struct slice path,
                              bool is_directory);

/* What the rules say of a path: begins with '/', ends in one for a directory. The answer is the
 * site's own when no rule matches, else *policy, which must outlive its use. */
const struct policy *sites_policy(const struct sites *sites, uint16_t site, struct slice path,
                                  struct policy *policy);

/* What the default site says where no rule matches: for a request of which nothing is known yet. */
const struct policy *sites_base_policy(const struct sites *sites);

/* Whether the site has any rules: if not, sites_policy() need not be given a path. */
bool sites_has_rules(const struct sites *sites, uint16_t site);

#endif

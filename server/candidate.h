/* candidate: the places where a target is looked for, one after the other. Pure.
 *
 * They follow from configuration, policy and target alone, so that the cache can ask again, later,
 * whether a place that held nothing still does. */
#ifndef GYRE_SERVER_CANDIDATE_H
#define GYRE_SERVER_CANDIDATE_H

#include "conf/conf.h"
#include "http/http_target.h"
#include "server/site.h"

enum {
    /* A path, and behind it '/' or '.' and a name of the configuration. What is past PATH_MAX names
     * nothing: the kernel finds it missing. */
    CANDIDATE_PATH_SIZE_MAX = HTTP_PATH_SIZE_MAX + 1 + CONF_NAME_SIZE_MAX,
};

enum candidate_kind {
    CANDIDATE_FILE,          /* serve a regular file; else go on */
    CANDIDATE_FILE_OR_SLASH, /* the same, and redirect to a directory */
    CANDIDATE_SLASH,         /* redirect to a directory; else go on */
    CANDIDATE_DIRECTORY,     /* a directory itself: its listing, or 403; else go on */
};

struct candidate {
    enum candidate_kind kind;
    bool is_derived; /* its address is another one than the target's: an index, "$uri.html" */
    uint16_t root;
    uint16_t offset; /* of what follows in that address: what is before is a mount's */
    char path[CANDIDATE_PATH_SIZE_MAX + 1]; /* beneath that root; "" is the root itself */
};

/* A target as the sites see it. */
struct candidate_source {
    const struct sites *sites;
    const struct conf *conf;
    const struct policy *policy;
    uint16_t site;
    struct slice path; /* as in struct http_target */
    bool is_directory;
};

/* The candidate with that number, from 0. False: there are no more. */
bool candidate_get(const struct candidate_source *source, unsigned number,
                   struct candidate *candidate);

#endif

/* policy: what the rules together say of a path. By value, a hundred bytes; texts stay in the
 * configuration. Pure. */
#ifndef GYRE_SERVER_POLICY_H
#define GYRE_SERVER_POLICY_H

#include "conf/conf.h"
#include "http/slice.h"

enum {
    /* Rules with headers that count for one path: of more, the last ones. */
    POLICY_HEADER_RULES_MAX = 32,
};

/* Texts are offsets into conf->strings; 0: none. */
struct policy {
    uint32_t deny; /* enum conf_deny */
    bool listing;
    bool archive;
    uint32_t redirect;
    uint32_t redirect_pattern; /* of the rule that says so, for what its wildcards matched */
    uint32_t cache;
    uint32_t cors;
    uint32_t auth;
    uint32_t auth_realm;
    uint32_t try_list;
    uint32_t spa;
    uint8_t header_rules_count;
    uint16_t header_rules[POLICY_HEADER_RULES_MAX]; /* in the order of the file */
};

/* What holds where no rule matches: [files], and dev. */
void policy_start(const struct conf *conf, struct policy *policy);

/* Lays rule `index` over what the earlier ones have said. */
void policy_stack(const struct conf *conf, uint16_t index, struct policy *policy);

/* The header lines that a policy brings, each with its CRLF, those for every client alike: a later
 * rule's header takes the place of an earlier one's. own: the name of a header that the answer
 * brings itself, which the rules' lines are then without; SLICE_NONE: of none. Returns the bytes
 * needed, which may be more than size: then nothing useful is in buffer. */
size_t policy_write_lines(const struct conf *conf, const struct policy *policy, struct slice own,
                          char *buffer, size_t size);

/* The value of Cache-Control for a successful answer to a path; SLICE_NONE: none. */
struct slice policy_cache_control(const struct conf *conf, const struct policy *policy,
                                  struct slice path);

/* The same for what is made anew for each request: a listing, an archive. */
struct slice policy_cache_control_of_made(const struct conf *conf, const struct policy *policy);

/* The text of a policy's field; SLICE_NONE for none. */
struct slice policy_text(const struct conf *conf, uint32_t offset);

#endif

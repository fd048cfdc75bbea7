/* reach: how far what shows many files at once, a listing or an archive, may go into what the rules
 * keep back.
 *
 * Whoever asks for a directory has been admitted to that directory, and to no more. So what a rule
 * hides is not listed, and an archive leaves out what a request of its own would be refused: what
 * is denied, what asks for another password, and what lies behind a mount, where its address leads
 * elsewhere. Read-only, for helper threads too. */
#ifndef GYRE_SERVER_REACH_H
#define GYRE_SERVER_REACH_H

#include "conf/conf.h"
#include "http/slice.h"
#include "server/site.h"

struct reach {
    const struct conf *conf;
    const struct sites *sites;
    uint16_t site;
    uint16_t root;          /* beneath which the directory lies */
    struct slice directory; /* its address, as in struct http_target; borrowed */
    const char *users;      /* the password file whose users are admitted; NULL: everybody is */
};

/* path: from the directory, without a slash at either end, not empty. Longer addresses than a
 * request can have reach nothing. Takes 10 KiB of stack. */
bool reach_lists(const struct reach *reach, struct slice path, bool is_directory);
bool reach_archives(const struct reach *reach, struct slice path, bool is_directory);

#endif

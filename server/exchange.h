/* exchange: one request on its way to a response: decide, look up, open, read, answer.
 *
 * Pooled: a connection has one only while a request is being answered. */
#ifndef GYRE_SERVER_EXCHANGE_H
#define GYRE_SERVER_EXCHANGE_H

#include <sys/stat.h>

#include "conf/conf.h"
#include "http/http_coding.h"
#include "http/http_parse.h"
#include "http/http_respond.h"
#include "http/http_target.h"
#include "server/candidate.h"
#include "server/limits.h"
#include "server/list.h"
#include "server/op.h"

struct worker;
struct connection;
struct entry;
struct task;
struct archive_stream;

enum exchange_step {
    EXCHANGE_IDLE,
    EXCHANGE_OPENING,
    EXCHANGE_FILLING,
    EXCHANGE_TASK,   /* a helper works for it */
    EXCHANGE_FOUND,  /* entry is complete: answer with it */
    EXCHANGE_PARTS,  /* a multipart answer is on its way into the outbox */
    EXCHANGE_STREAM, /* an archive is: each piece is made when the one before has been sent */
    EXCHANGE_STATUS, /* answer with `status` and its body */
};

enum {
    EXCHANGE_GRANTS_MAX = 2, /* of what was asked for, and of the place that it led to */
};

struct exchange {
    struct http_request request;
    struct http_target target;
    enum exchange_step step;
    uint16_t status; /* EXCHANGE_STATUS, or of the error page being looked up; 0: none */
    uint16_t site;
    bool is_internal;    /* the target is not what was asked for: an error page, or the spa page */
    bool has_two_guards; /* address and place want different credentials: not to be cached */
    bool is_rule_redirect; /* status is of a rule's redirect, not of a missing slash */
    uint8_t candidate;     /* its number: the place being looked at */
    uint8_t open_attempts;
    uint8_t fill_attempts;
    uint8_t coding;         /* with resource: the one being looked for */
    uint8_t codings_missed; /* mask: siblings that could not be opened */
    uint8_t grants_count;
    uint32_t grants[EXCHANGE_GRANTS_MAX]; /* password files that the credentials are good for */
    const struct policy *policy; /* of what was asked for: own_policy, an entry's, or the site's */
    struct policy own_policy;
    struct entry *entry;    /* FILLING: being filled; FOUND: to be sent */
    struct entry *resource; /* whose sibling `coding` is being opened or filled; else NULL */
    struct task *task;      /* TASK: the helper's until its event */
    bool closing;           /* the answer says that the connection ends */
    uint8_t parts_sent;     /* PARTS: how many of the ranges are in the outbox */
    struct archive_stream *archive; /* STREAM */
    bool archive_is_begun;          /* its head is in the outbox */
    bool archive_has_piece;         /* made, and not in the outbox yet */
    uint64_t archive_bytes;
    struct http_ranges ranges;
    char boundary[BOUNDARY_SIZE];
    uint32_t filled_size;
    uint32_t wanted_size;
    struct candidate place; /* what is opened: its path must live until the event */
};

/* Answers connection->exchange->request, at once if nothing needs waiting for; else goes on when
 * the file operations end. Returns true when the response is in the outbox and the exchange is
 * over. */
bool exchange_advance(struct worker *worker, struct connection *connection);

/* Gives the connection an exchange, ready for its request to be filled in. */
void exchange_take(struct worker *worker, struct connection *connection);

/* Answers without a file and ends the connection: for a request that cannot be trusted or waited
 * for. exchange->request says what is known of it. There is room. */
void exchange_reject(struct worker *worker, struct connection *connection, unsigned status);

/* Lets go of what it holds; the file lane is free. */
void exchange_release(struct worker *worker, struct connection *connection);

void exchange_handle_open(struct worker *worker, struct connection *connection,
                          const struct uring_event *event);

/* --- for the files that share the steps: exchange_rules.c, fill.c, coding.c, task.c ----------- */

/* What the rules say of exchange->target; clobbers worker->path. */
const struct policy *exchange_policy(struct worker *worker, struct exchange *exchange);

/* Whether what the rules say lets the look-up go on. If not: it is concluded, or waits for the
 * credentials to be checked. */
bool exchange_admit(struct worker *worker, struct connection *connection);

/* The same for what was found in exchange->place: the rules for its own address deny and guard it,
 * too, when it is an index or an item of try. Else "/admin" would get past the guard of "/admin/",
 * were its index an item. */
bool exchange_admit_place(struct worker *worker, struct connection *connection);

/* The same for the page of a spa, whose address begins with '/'. */
bool exchange_admit_spa(struct worker *worker, struct connection *connection, struct slice page);

/* How a directory that was asked for without its slash is answered: 301; but what the rules deny
 * with the slash is not told of without it. */
unsigned exchange_slash_status(struct worker *worker, const struct exchange *exchange);

/* The credentials are good for the policies with this password file. */
void exchange_grant(struct exchange *exchange, uint32_t auth);

/* Room for the largest key: a target's path, and what tells sites and codings apart. */
enum {
    EXCHANGE_KEY_SIZE_MAX = HTTP_PATH_SIZE_MAX + 1 + 4,
};

/* Writes the key of a path in the cache: path, '/' for a directory, then site and coding where they
 * are not the first. No path holds a NUL. Returns its size. */
size_t exchange_write_key(struct slice path, uint16_t site, enum http_coding coding,
                          char buffer[EXCHANGE_KEY_SIZE_MAX]);

/* The path as it was asked for: '/' behind a directory's. */
struct slice exchange_path(struct exchange *exchange);

/* The key of the exchange's target in a coding; lies behind the target's path. */
struct slice exchange_key(struct exchange *exchange, enum http_coding coding);

/* Begins the look-up of exchange->target, from the cache on. */
void exchange_look_up(struct worker *worker, struct connection *connection);

/* Opens exchange->place. */
void exchange_open(struct worker *worker, struct connection *connection);

/* The look-up ended in a status. A page of [errors] is looked up in turn, once. */
void exchange_conclude(struct worker *worker, struct connection *connection, unsigned status);

/* exchange->entry is complete: it is answered with, or with another coding of it. */
void exchange_found(struct worker *worker, struct connection *connection);

/* Releases entry and resource, if any; what the policy says of them is kept. */
void exchange_drop_entry(struct worker *worker, struct exchange *exchange);

#endif

/* acceptor: new connections, and where they wait when there is no room.
 *
 * Multishot accept empties the backlog faster than it can be told to stop. What comes when every
 * slot is taken is parked: a descriptor, and nothing else of ours. */
#ifndef GYRE_SERVER_ACCEPTOR_H
#define GYRE_SERVER_ACCEPTOR_H

#include "conf/conf.h"
#include "uring/uring.h"

struct worker;

struct parked {
    int fd;
    uint8_t listener;
};

struct acceptor {
    bool accepting[CONF_LISTEN_MAX]; /* an accept is in flight */
    bool paused;                     /* no slot or no descriptor: nothing is armed anew */
    bool descriptors_short;          /* until something closes, or the next tick */
    struct parked *parked;           /* a ring of parked_max, oldest first */
    uint32_t parked_max;
    uint32_t parked_first;
    uint32_t parked_count;
};

/* Returns 0 or -ENOMEM. */
int acceptor_create(struct acceptor *acceptor, const struct conf *conf);
void acceptor_destroy(struct acceptor *acceptor);

/* Arms an accept at every listener. */
void acceptor_start(struct worker *worker);

void acceptor_handle(struct worker *worker, const struct uring_event *event);

/* After each batch: parked connections take free slots; idle ones make room for those that still
 * wait; accepting pauses and resumes. */
void acceptor_balance(struct worker *worker);

/* A descriptor was closed, or a second has passed: worth another try. */
void acceptor_retry(struct worker *worker);

/* No more connections: cancels what is armed, closes what is parked. */
void acceptor_stop(struct worker *worker);

/* Whether no accept is in flight. */
bool acceptor_is_joined(const struct worker *worker);

#endif

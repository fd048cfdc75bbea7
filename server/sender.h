/* sender: the one place that knows how bytes leave: send, sendmsg, zero-copy, MSG_MORE, and the
 * linked read in front of them. */
#ifndef GYRE_SERVER_SENDER_H
#define GYRE_SERVER_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "uring/uring.h"

struct worker;
struct connection;

enum {
    ZEROCOPY_COPIES_MAX = 4
};

/* What a listener's notices have said so far. */
struct zerocopy_policy {
    bool off; /* `auto` has found that the kernel copies here */
    uint32_t copies_in_row;
};

/* The connection whose bytes a chunk of the worker's pool carries. */
struct chunk_owner {
    struct connection *connection;
    uint16_t notices_owed;
    bool detached; /* the connection has moved on: home at the last notice */
};

/* Submits the next load or send of the outbox, unless one is in flight. Parks the connection when
 * no chunk is to be had. */
void sender_advance(struct worker *worker, struct connection *connection);

/* Makes sure that the connection has an outbuf; false: parked until one is given back. */
bool sender_take_outbuf(struct worker *worker, struct connection *connection);

/* Gives everything that a closing connection still holds for sending back. Its lanes are free. */
void sender_release(struct worker *worker, struct connection *connection);

void sender_handle_load(struct worker *worker, struct connection *connection,
                        const struct uring_event *event);
void sender_handle_send(struct worker *worker, struct connection *connection,
                        const struct uring_event *event);
void sender_handle_poll(struct worker *worker, struct connection *connection,
                        const struct uring_event *event);
/* Result and notice of a zero-copy send; the slot names the chunk. */
void sender_handle_zero_copy(struct worker *worker, const struct uring_event *event);

#endif

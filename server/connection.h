/* connection: one client. See connection.c for its life. */
#ifndef GYRE_SERVER_CONNECTION_H
#define GYRE_SERVER_CONNECTION_H

#include <netinet/in.h>

#include "http/http_parse.h"
#include "server/input.h"
#include "server/list.h"
#include "server/op.h"
#include "server/outbox.h"

struct worker;
struct exchange;

enum connection_state {
    CONNECTION_FREE,
    CONNECTION_OPEN,
    CONNECTION_DRAINING, /* last response sent, sending shut down: swallow what still comes */
    CONNECTION_CLOSING,  /* shut down both ways: wait for every operation and notice */
};

/* Where an OPEN connection is with its current request. */
enum connection_phase {
    PHASE_HEAD,      /* waiting for a head, or in the middle of one */
    PHASE_BODY,      /* head complete, reading the body */
    PHASE_ANSWERING, /* looking the file up, or waiting for room to answer */
    PHASE_LAST,      /* no further request is read: close when the outbox is empty */
};

/* The deadline a connection is under. Each class has one duration, so each is a FIFO. */
enum deadline {
    DEADLINE_IDLE,   /* keep-alive, no byte of a request yet: silent close */
    DEADLINE_HEAD,   /* the whole head: 408 */
    DEADLINE_BODY,   /* the whole body: 408 */
    DEADLINE_SEND,   /* progress of the response */
    DEADLINE_LINGER, /* draining */
    DEADLINES_COUNT,
};

struct connection {
    int fd;
    uint32_t slot;
    uint32_t generation;   /* of the slot: grows with each reuse */
    uint8_t state;         /* enum connection_state */
    uint8_t phase;         /* enum connection_phase */
    uint8_t deadline;      /* enum deadline; valid while in a deadline list */
    uint8_t lanes;         /* enum lane: operations in flight */
    uint8_t listener;      /* index of the listener it came from */
    bool asked_to_close;   /* the client said so, and will send nothing more */
    bool closes_uncleanly; /* the peer may still send: drain before closing */
    bool recv_cancelled;   /* a cancel is under way for LANE_RECV */
    bool aborted;          /* CLOSING: what is unsent is discarded */
    bool paced;            /* its last load waited for the peer: poll before the next */
    bool writable;         /* paced: the socket has room for a load */
    bool progressed;       /* bytes left since the last step: its deadline starts anew */
    uint16_t notices_owed; /* zero-copy notices that are still to come */
    uint32_t requests_count;
    uint64_t deadline_ms; /* when it expires */
    uint64_t opened_ms;
    uint64_t sent_bytes;
    uint64_t acknowledged_bytes; /* when its send deadline last ran out */

    struct input input;
    struct http_parser parser;
    struct exchange *exchange; /* the request being answered; NULL between requests */

    struct outbox outbox;
    struct uring_chunk *outbuf;
    uint32_t outbuf_used;
    uint32_t load_size;        /* bytes asked for by LANE_LOAD */
    struct uring_chunk *chunk; /* bytes on their way from file to socket */

    struct sockaddr_in6 peer; /* or a sockaddr_in; for the log */

    struct list_node ready_node;
    struct list_node deadline_node;
    struct list_node hold_node; /* holds receive buffers: the inbox is full */
    struct list_node wait_node; /* waiting for an outbuf, a chunk or a receive buffer */
};

/* Takes a slot, of which one is free, for an accepted descriptor, which it owns from then on. */
struct connection *connection_open(struct worker *worker, int fd, uint8_t listener);

/* Looks at the facts, submits what is missing, moves on, or frees the connection. Idempotent. */
void connection_advance(struct worker *worker, struct connection *connection);

/* Puts a connection among those to be advanced in this round. */
void connection_make_ready(struct worker *worker, struct connection *connection);

/* Makes room for one more response: an outbuf (else it is waited for), and places in the outbox. */
bool connection_make_room(struct worker *worker, struct connection *connection);

/* Ends it at once, without an answer. */
void connection_fail(struct worker *worker, struct connection *connection);

/* Its deadline has passed. */
void connection_expire(struct worker *worker, struct connection *connection);

/* Ends it with what it has received unused: others are waiting for its receive buffers. */
void connection_sacrifice(struct worker *worker, struct connection *connection);

/* Whether it is open between two requests, with nothing in flight but its recv. */
bool connection_is_idle(const struct connection *connection);

/* The token of an operation of this connection. */
struct uring_token connection_token(const struct connection *connection, enum op op);

/* Marks a lane as in use. */
void connection_occupy(struct connection *connection, enum lane lane);

void connection_handle_recv(struct worker *worker, struct connection *connection,
                            const struct uring_event *event);

#endif

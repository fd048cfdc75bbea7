/* op: the operations that the server has in flight, as data. The whole event vocabulary is here. */
#ifndef GYRE_SERVER_OP_H
#define GYRE_SERVER_OP_H

#include "uring/uring.h"

struct worker;
struct connection;

enum op {
    OP_ACCEPT, /* slot: listener */
    OP_TICK,
    OP_WAKE, /* slot: enum wake, from another thread */
    OP_LOG,
    OP_REPORT,
    OP_WATCH,  /* something beneath a root has changed */
    OP_CODING, /* slot: a coding that was being made */
    OP_RECV,   /* slot: connection, here and below */
    OP_OPEN,   /* the file of an exchange */
    OP_FILL,   /* file bytes into a new entry */
    OP_TASK,   /* what a helper did for an exchange */
    OP_LOAD,   /* file bytes into a chunk */
    OP_SEND,
    OP_POLL,           /* until the peer takes bytes again */
    OP_SEND_ZERO_COPY, /* slot: chunk; the worker knows whose */
    OPS_COUNT,
};

/* At most one operation a lane of a connection is in flight. */
enum lane {
    LANE_NONE = 0, /* not a connection's */
    LANE_RECV = 1 << 0,
    LANE_FILE = 1 << 1,
    LANE_LOAD = 1 << 2,
    LANE_SEND = 1 << 3,
};

enum op_shape {
    ONE_SHOT,  /* the lane is free on the result */
    MULTISHOT, /* the lane is free on an event without `more`: re-arm */
    ZERO_COPY, /* the lane is free on the result, the memory on the notice */
};

/* What a waker's token asks of a worker. */
enum wake {
    WAKE_STOP,
    WAKE_REOPEN_LOG,
    WAKE_REPORT,
};

struct op_description {
    const char *name;
    enum lane lane;
    enum op_shape shape;
    /* Exactly one of the two. They record what happened; connection_advance() decides. */
    void (*handle)(struct worker *worker, const struct uring_event *event);
    void (*handle_connection)(struct worker *worker, struct connection *connection,
                              const struct uring_event *event);
};

extern const struct op_description OP_TABLE[OPS_COUNT];

#endif

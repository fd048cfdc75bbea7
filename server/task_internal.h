/* task_internal: what the files of tasks share. */
#ifndef GYRE_SERVER_TASK_INTERNAL_H
#define GYRE_SERVER_TASK_INTERNAL_H

#include "server/auth.h"
#include "server/compress.h"
#include "server/digest.h"
#include "server/listing.h"

struct worker;
struct connection;
struct exchange;

enum task_kind {
    TASK_AUTHORIZE,
    TASK_DIGEST,
    TASK_LISTING,
    TASK_CODING,
    TASK_PIECE,
};

struct listing_job {
    struct uring_work work;
    struct reach reach;
    struct listing listing;
    bool has_digest;
    uint8_t digest[DIGEST_SIZE]; /* of its output */
};

struct task {
    enum task_kind kind;
    union {
        struct auth_job auth;
        struct digest_job digest;
        struct listing_job listing;
        struct compress_job coding;
    } job;
};

/* Allocates the exchange's task, which has none. NULL: out of memory. */
struct task *task_create(struct exchange *exchange, enum task_kind kind);

/* Frees it, if there is one; what it points to is the caller's. */
void task_free(struct exchange *exchange);

/* Hands the work to the helpers: its event is OP_TASK. False: they have too much to do. */
bool task_start(struct worker *worker, struct connection *connection, struct uring_work *work);

/* Frees the task and concludes with 503. */
void task_give_up(struct worker *worker, struct connection *connection);

/* A helper has checked the credentials. */
void task_end_authorize(struct worker *worker, struct connection *connection);

#endif

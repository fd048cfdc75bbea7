/* exchange: one request on its way to a response: decide, look up, open, read, answer.
 *
 * Pooled: a connection has one only while a request is being answered. */
#ifndef GYRE_SERVER_EXCHANGE_H
#define GYRE_SERVER_EXCHANGE_H

#include <sys/stat.h>

#include "conf/conf.h"
#include "http/http_parse.h"
#include "http/http_respond.h"
#include "http/http_target.h"
#include "server/limits.h"
#include "server/list.h"
#include "server/op.h"

struct worker;
struct connection;
struct entry;

enum exchange_step {
    EXCHANGE_IDLE,
    EXCHANGE_OPENING,
    EXCHANGE_FILLING,
    EXCHANGE_FOUND,  /* entry is complete: answer with it */
    EXCHANGE_PARTS,  /* a multipart answer is on its way into the outbox */
    EXCHANGE_STATUS, /* answer with `status` and its body */
};

struct exchange {
    struct http_request request;
    struct http_target target;
    enum exchange_step step;
    uint16_t status;     /* EXCHANGE_STATUS, or of the error page being looked up; 0: none */
    uint8_t index_tried; /* of the index list */
    uint8_t open_attempts;
    uint8_t fill_attempts;
    bool wants_directory; /* opening the directory itself, to tell 403 from 404 */
    struct entry *entry;  /* FILLING: being filled; FOUND: to be sent */
    bool closing;         /* the answer says that the connection ends */
    uint8_t parts_sent;   /* PARTS: how many of the ranges are in the outbox */
    struct http_ranges ranges;
    char boundary[BOUNDARY_SIZE];
    uint32_t filled_size;
    uint32_t wanted_size;
    /* What is opened: target, index name behind it; must live until the event. */
    char path[HTTP_PATH_SIZE_MAX + 1 + CONF_NAME_SIZE_MAX + 1];
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
void exchange_handle_fill(struct worker *worker, struct connection *connection,
                          const struct uring_event *event);

#endif

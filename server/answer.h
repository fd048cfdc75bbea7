/* answer: a decided exchange -> bytes in the connection's outbox. There is room for a response: see
 * connection_make_room(). */
#ifndef GYRE_SERVER_ANSWER_H
#define GYRE_SERVER_ANSWER_H

#include <stdbool.h>

struct worker;
struct connection;

/* Answers with exchange->entry: the whole, ranges of it, or what its preconditions say; under
 * exchange->status for a page of [errors]. False: not all parts of a multipart answer are in the
 * outbox yet: exchange->step is EXCHANGE_PARTS. */
bool answer_entry(struct worker *worker, struct connection *connection);

/* Goes on with the parts. Returns true when the last is in the outbox. */
bool answer_parts(struct connection *connection);

/* Answers with exchange->status and its built-in body. False: the outbuf is too full for a long
 * Location; it fits an empty one. */
bool answer_status(struct worker *worker, struct connection *connection);

/* Queues the interim 100 response. RFC 9110 section 15.2.1. */
void answer_continue(struct connection *connection);

#endif

/* answer: a decided exchange -> bytes in the connection's outbox. There is room for a response: see
 * connection_make_room(). */
#ifndef GYRE_SERVER_ANSWER_H
#define GYRE_SERVER_ANSWER_H

#include <stdbool.h>

struct worker;
struct connection;

/* Answers with exchange->entry, which it lets go of: 200, or under exchange->status for a page of
 * [errors].
 */
void answer_entry(struct worker *worker, struct connection *connection);

/* Answers with exchange->status and its built-in body. False: the outbuf is too full for a long
 * Location; it fits an empty one. */
bool answer_status(struct worker *worker, struct connection *connection);

/* Queues the interim 100 response. RFC 9110 section 15.2.1. */
void answer_continue(struct connection *connection);

#endif

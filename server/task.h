/* task: what an exchange waits for while a helper thread does it: credentials, digests, listings,
 * archives, a coding that has to be made before anything can be sent.
 *
 * One at a time, on LANE_FILE, in memory of its own that is allocated for it: none of this is on
 * the way of a request that the cache can answer. When the helpers' queue is full: 503. */
#ifndef GYRE_SERVER_TASK_H
#define GYRE_SERVER_TASK_H

#include <stdbool.h>

#include "http/http_coding.h"
#include "uring/uring.h"

struct worker;
struct connection;

/* Whether the request's credentials are known to be good for the policy's password file. If not,
 * the exchange is concluded, or they are being checked. RFC 7617. */
bool task_authorize(struct worker *worker, struct connection *connection);

/* Makes the digest of exchange->entry from its file; goes on in fill_take_digest(). */
void task_digest(struct worker *worker, struct connection *connection);

/* exchange->place is a directory, `directory`, which it takes over: its listing, an archive of it,
 * or 403, as the policy and the request say. */
void task_show_directory(struct worker *worker, struct connection *connection, int directory);

/* Makes a coding of exchange->entry and answers with that. */
void task_make_coding(struct worker *worker, struct connection *connection,
                      enum http_coding coding);

/* Makes the next piece of exchange->archive. False: the helpers have too much to do. */
bool task_next_piece(struct worker *worker, struct connection *connection);

void task_handle(struct worker *worker, struct connection *connection,
                 const struct uring_event *event);

#endif

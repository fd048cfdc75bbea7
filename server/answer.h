/* answer: a decided exchange -> bytes in the connection's outbox. There is room for a response: see
 * connection_make_room(). */
#ifndef GYRE_SERVER_ANSWER_H
#define GYRE_SERVER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "http/http_respond.h"
#include "http/http_target.h"
#include "http/slice.h"

struct worker;
struct connection;
struct exchange;

/* Answers with exchange->entry: the whole, ranges of it, or what its preconditions say; under
 * exchange->status for a page of [errors]. False: not all parts of a multipart answer are in the
 * outbox yet: exchange->step is EXCHANGE_PARTS. */
bool answer_entry(struct worker *worker, struct connection *connection);

/* Goes on with the parts. Returns true when the last is in the outbox. */
bool answer_parts(struct connection *connection);

/* Answers with exchange->status and its built-in body. False: the outbuf is too full for a long
 * Location; it fits an empty one. */
bool answer_status(struct worker *worker, struct connection *connection);

/* Goes on with an archive. Returns true when its last piece is in the outbox. */
bool answer_archive(struct worker *worker, struct connection *connection);

/* Logs the exchange's archive, if its head was sent, with the bytes of it that were: whole or not,
 * it is over. */
void answer_log_archive(struct worker *worker, const struct connection *connection);

/* Writes the Location of a rule's redirect into worker->location, and returns the bytes needed:
 * past HTTP_HEAD_LOCATION_SIZE_MAX it cannot be sent. */
size_t answer_write_redirect(struct worker *worker, struct exchange *exchange);

/* The name of the archive, and of the folder in it: the directory's own; that of the top is
 * nobody's business. */
void answer_write_archive_name(const struct exchange *exchange,
                               char name[HTTP_SEGMENT_SIZE_MAX + 1]);

/* --- what the files of the answers share -------------------------------------------------------
 */

/* Closes the head whose fixed half, `size` bytes, lies at outbuf_end(), and commits it. */
void answer_commit_head(struct worker *worker, struct connection *connection,
                        const struct http_request *request, size_t size);

void answer_log(struct worker *worker, const struct connection *connection,
                const struct http_request *request, const struct http_response *response);

/* The lines that the rules bring to an answer that is not an entry's own, in worker->lines. Too
 * many of them: none. own: as in policy_write_lines(). */
struct slice answer_policy_lines(struct worker *worker, const struct exchange *exchange,
                                 struct slice own);

/* Queues the interim 100 response. RFC 9110 section 15.2.1. */
void answer_continue(struct connection *connection);

#endif

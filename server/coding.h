/* coding: which coding of a resource a request gets, and the making of those that have no file.
 *
 * Precompressed siblings go first: where there is one, nothing is made. What is made is made once,
 * by a helper thread, and lies in the cache like anything else: bounded with it, evicted with it.
 * Whoever asks meanwhile gets the identity; who will not have that waits. */
#ifndef GYRE_SERVER_CODING_H
#define GYRE_SERVER_CODING_H

#include <stdbool.h>

#include "server/compress.h"

struct worker;
struct connection;
struct exchange;
struct entry;

enum {
    CODING_JOBS_MAX = 16, /* at once, of one worker; more are tried again with a later request */
};

/* One coding being made. */
struct coding_job {
    struct compress_job compress;
    struct entry *resource; /* counted; NULL: the place is free */
};

/* Whether codings of it may be made: worth it by type and size, and without a sibling. */
bool coding_is_makeable(const struct worker *worker, const struct entry *entry);

/* exchange->entry is a resource, identity coded: puts the coding that the request gets in its
 * place, if that is another; opens its file or waits for it where it has to; concludes with 406. */
void coding_select(struct worker *worker, struct connection *connection);

/* Makes `coded`, which the exchange holds as its entry, the one to be answered with, and lets go of
 * the resource. */
void coding_swap(struct worker *worker, struct exchange *exchange, struct entry *coded);

/* The sibling that was to be opened cannot be: another coding will do. */
void coding_miss_sibling(struct worker *worker, struct connection *connection);

/* What a helper needs to make a coding of the resource, which must live until it has. */
struct compress_job coding_job_for(const struct entry *resource, enum http_coding coding);

/* A coding was made: puts it into the cache. Returns its entry, which is the caller's to release,
 * or NULL; job->error is -EIO when the file changed meanwhile. */
struct entry *coding_take_result(struct worker *worker, struct entry *resource,
                                 struct compress_job *job);

/* The job with that number has ended. */
void coding_handle_job(struct worker *worker, const struct uring_event *event);

#endif

/* freshness: is what the cache holds what the file is now?
 *
 * An entry is compared with its file at most once a batch of events. Every request of the batch was
 * received before that look, so none of them can be answered with what the file was before it came.
 * Where the watch, looked at once a batch for all entries, would tell of a change and tells of
 * none, not even that is needed.
 *
 * Compared is all that the answer depends on: the file, its precompressed siblings, whether there
 * or not, and the places that go before it and held nothing. */
#ifndef GYRE_SERVER_FRESHNESS_H
#define GYRE_SERVER_FRESHNESS_H

#include <stdbool.h>

#include "conf/conf.h"
#include "http/slice.h"
#include "uring/uring.h"

struct worker;
struct entry;

/* Whether the entry is what its key leads to, as of the requests of this batch. */
bool freshness_holds(struct worker *worker, struct entry *entry);

/* A new entry, its file open: from now on a change shows in the watch, and what changed since it
 * was opened shows here. Finds its siblings. */
void freshness_start(struct worker *worker, struct entry *entry);

/* How the configuration wants symlinks treated, in the engine's terms. */
enum uring_symlinks freshness_symlinks(const struct conf *conf);

#endif

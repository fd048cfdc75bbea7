/* fill: from an open file to an entry: what of it is to be in memory, its type, tag and head. */
#ifndef GYRE_SERVER_FILL_H
#define GYRE_SERVER_FILL_H

#include <stdbool.h>
#include <sys/stat.h>

#include "uring/uring.h"

struct worker;
struct connection;
struct entry;

/* `file`, which it takes over, is a regular file: the one that was looked for, or the sibling of
 * exchange->resource. Ends in exchange_found(), or concludes. */
void fill_start(struct worker *worker, struct connection *connection, int file,
                const struct stat *status);

void fill_handle_read(struct worker *worker, struct connection *connection,
                      const struct uring_event *event);

/* The digest of exchange->entry has come. error: 0 or -errno. */
void fill_take_digest(struct worker *worker, struct connection *connection, const uint8_t *digest,
                      int error);

/* Whether the open file of an entry still is what the entry says. */
bool fill_file_is_unchanged(struct worker *worker, const struct entry *entry);

/* The file changed under a read: what was read may be half old, half new. Looks up again, a few
 * times; then concludes. */
void fill_again(struct worker *worker, struct connection *connection);

#endif

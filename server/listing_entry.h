/* listing_entry: a listing that was made, as what an answer is written from. */
#ifndef GYRE_SERVER_LISTING_ENTRY_H
#define GYRE_SERVER_LISTING_ENTRY_H

#include "server/entry.h"

struct worker;
struct exchange;
struct listing;

/* An entry with a copy of the listing's output, for the exchange that waits for it; it is never
 * cached. digest: of that output, HTTP_ETAG_HASH_SIZE bytes; NULL: none. One reference, the
 * caller's. NULL: memory is short, slow readers hold as much as they may, or the rules bring more
 * lines than a head holds. */
struct entry *listing_entry_create(struct worker *worker, const struct exchange *exchange,
                                   const struct listing *listing, const uint8_t *digest);

#endif

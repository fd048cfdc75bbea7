/* http_listing_parts: what the page and the JSON of a directory write alike. Pure. */
#ifndef GYRE_HTTP_LISTING_PARTS_H
#define GYRE_HTTP_LISTING_PARTS_H

#include "http/http_listing.h"

/* "./NAME", percent-encoded, with a '/' behind a directory's. A reference that begins so is a path,
 * whatever the name: never a scheme, never a host. RFC 3986 section 4.2. */
void http_listing_append_href(struct http_writer *writer, const struct http_listing_item *item);

/* In decimal. */
void http_listing_append_number(struct http_writer *writer, uint64_t number);

/* "2026-11-20T19:46:12Z" */
void http_listing_append_time(struct http_writer *writer, int64_t seconds);

#endif

/* http_listing: the page and the JSON of a directory. Pure: the names come from the caller, and may
 * hold any byte but NUL and '/'. Order, HTML (self-contained, no script), JSON (RFC 8259). */
#ifndef GYRE_HTTP_LISTING_H
#define GYRE_HTTP_LISTING_H

#include <stdint.h>

#include "http/http_writer.h"
#include "http/slice.h"

enum http_listing_kind {
    HTTP_LISTING_FILE,
    HTTP_LISTING_DIRECTORY,
};

struct http_listing_item {
    struct slice name; /* not empty */
    uint64_t size;     /* bytes; of a directory: not looked at */
    int64_t mtime_s;   /* UTC; shown within the years 1970 to 9999 */
    enum http_listing_kind kind;
    bool is_link; /* a symlink: the rest is of what it leads to */
};

enum http_listing_sort {
    HTTP_LISTING_SORT_NAME,
    HTTP_LISTING_SORT_SIZE,
    HTTP_LISTING_SORT_TIME,
};

enum http_listing_format {
    HTTP_LISTING_FORMAT_ANY, /* the query does not say: the caller decides, by Accept */
    HTTP_LISTING_FORMAT_HTML,
    HTTP_LISTING_FORMAT_JSON,
    HTTP_LISTING_FORMAT_TAR, /* an archive: nothing of this module */
};

/* All zero: by name, ascending, no format asked for. */
struct http_listing_query {
    enum http_listing_sort sort;
    bool is_descending;
    enum http_listing_format format;
};

struct http_listing {
    struct slice path; /* decoded, from the top of the site; no '/' at either end; "": the top */
    const struct http_listing_item *items;
    size_t items_count;
    uint64_t left_out_count;         /* entries that are not among the items, for they are many */
    struct http_listing_query query; /* how the items are sorted */
    bool archive_is_offered;
};

/* Reads `sort=name|size|time`, `order=asc|desc` and `format=html|json|tar` from a raw query, "&"
 * between. Unknown keys and values are passed over; of a key given twice the last known value
 * holds. An absent query is an empty one. */
void http_listing_query_parse(struct slice query, struct http_listing_query *parsed);

/* Sorts in place: directories before files, then by the key of the query, then by name. Names are
 * compared without regard to the case of ASCII letters, then byte by byte; directories have no
 * size. is_descending turns the key round, nothing else. O(n log n), no recursion. */
void http_listing_sort(struct http_listing_item *items, size_t count,
                       struct http_listing_query query);

/* Writes the page: UTF-8, HTML 5, hrefs only relative ("./NAME", "./NAME/", "../", "?..."), to be
 * served at an address that ends in '/', with http_listing_csp(). In names, what is no UTF-8, a
 * control character, or one that turns the direction of text is shown as U+FFFD. Counts on when the
 * writer is full: writer->needed grows by the size of the whole. */
void http_listing_write_html(const struct http_listing *listing, struct http_writer *writer);

/* Writes one object: "path" ("/docs/"), "entries", each {"name", "href", "type": "file" or
 * "directory", "size" of a file, "mtime" (UTC), "link": true of a symlink}, "left_out" (a count),
 * "truncated" (whether that is more than 0). A name's bytes that are no UTF-8 are U+FFFD; its href
 * is exact. Counts on as above. */
void http_listing_write_json(const struct http_listing *listing, struct http_writer *writer);

/* The value of Content-Security-Policy for the page: nothing but its own style. Static memory. CSP
 * Level 3. */
struct slice http_listing_csp(void);

/* The Content-Type of either form; the format is HTML or JSON. Static memory. */
struct slice http_listing_type(enum http_listing_format format);

#endif

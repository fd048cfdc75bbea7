/* http_type: file name -> media type. A table filled once at start, then read by every worker.
 * Pure: the texts of the ini and of mime.types are handed in. RFC 9110 section 8.3; WHATWG
 * mimesniff. */
#ifndef GYRE_HTTP_TYPE_H
#define GYRE_HTTP_TYPE_H

#include <stdint.h>

#include "http/slice.h"

enum {
    HTTP_TYPE_EXTENSION_SIZE_MAX = 31,
    HTTP_TYPE_SIZE_MAX = 127,     /* a type with its parameters */
    HTTP_TYPE_SLOTS_COUNT = 8192, /* power of two, hash table with open addressing */
    HTTP_TYPE_EXTENSIONS_MAX = HTTP_TYPE_SLOTS_COUNT / 2,
    HTTP_TYPE_TEXT_SIZE = 256 * 1024, /* where extensions and types are kept */
};

/* Large: allocate it once. Read-only after it is filled, so threads share it without a lock. */
struct http_type_table {
    uint32_t count;
    uint32_t text_used;
    struct {
        uint32_t extension_offset;
        uint32_t type_offset;
        uint8_t extension_size; /* 0: slot empty */
        uint8_t type_size;
    } slots[HTTP_TYPE_SLOTS_COUNT];
    char text[HTTP_TYPE_TEXT_SIZE];
};

enum http_type_result {
    HTTP_TYPE_OK,
    HTTP_TYPE_KEPT, /* the extension had a type already: the first one stays */
    HTTP_TYPE_BAD,  /* not an extension, or not a media type */
    HTTP_TYPE_FULL,
};

void http_type_table_init(struct http_type_table *table);

/* Adds one extension (with or without its leading dot, stored in lower case). First one wins: add
 * the ini's [types], then the built-in table, then mime.types. Texts without a charset parameter
 * get
 * "; charset=utf-8" when their type is text/..., or a script, JSON, XML or manifest type. */
enum http_type_result http_type_table_add(struct http_type_table *table, struct slice extension,
                                          struct slice type);

/* Adds the built-in table: web, image, audio, video, font, document and archive types. */
void http_type_table_add_builtin(struct http_type_table *table);

/* Adds the lines of a mime.types file ("type ext ext", '#' comments); bad lines are skipped. */
void http_type_table_add_mime_types(struct http_type_table *table, struct slice text);

/* The type for a path's last segment, by its extension, ignoring case: ".tar.gz" counts as "gz", a
 * name such as ".profile" or "README" has none. SLICE_NONE when unknown. Borrows from the table. */
struct slice http_type_by_name(const struct http_type_table *table, struct slice path);

/* One extension, lower case without its dot, and its type; both borrow from the table. */
struct http_type_row {
    struct slice extension;
    struct slice type;
};

/* Writes table->count rows, in no order. Returns that number. */
size_t http_type_table_rows(const struct http_type_table *table, struct http_type_row *rows);

/* What may be sent of a type that was guessed from the content (libmagic's "type/subtype"): types
 * that a browser would run (html, svg, xhtml, scripts, xml) become text/plain; text gets its
 * charset; nonsense and empty become application/octet-stream. Writes at most HTTP_TYPE_SIZE_MAX
 * bytes, returns the size. */
size_t http_type_from_guess(struct slice guess, char buffer[HTTP_TYPE_SIZE_MAX]);

#endif

/* http_coding: which content coding a client gets, and what is worth coding. Pure. RFC 9110 8.4.1
 * and 12.5.3. */
#ifndef GYRE_HTTP_CODING_H
#define GYRE_HTTP_CODING_H

#include "http/http_parse.h"

/* The codings after identity stand in the order in which the server prefers them. */
enum http_coding {
    HTTP_CODING_IDENTITY,
    HTTP_CODING_BR,
    HTTP_CODING_ZSTD,
    HTTP_CODING_GZIP,
    HTTP_CODINGS_COUNT,
    HTTP_CODING_NONE = HTTP_CODINGS_COUNT, /* nothing that is available is acceptable */
};

enum {
    HTTP_CODING_NAME_SIZE_MAX = 4
};

/* The value of Content-Encoding: "br", "zstd", "gzip"; SLICE_NONE for identity, which has none. */
struct slice http_coding_name(enum http_coding coding);

/* What the name of a precompressed sibling ends with: ".br", ".zst", ".gz"; SLICE_NONE for
 * identity. */
struct slice http_coding_suffix(enum http_coding coding);

/* Chooses among the codings of the bit mask `available` (1u << coding), which is not 0, by all
 * lines of Accept-Encoding: the highest quality, then br, zstd, gzip, identity. HTTP_CODING_NONE,
 * when every one is refused, asks for 406. Without the field everything is acceptable, and identity
 * is taken where it is available. "*" stands for all that is not named, identity too. Identity that
 * nothing stands for is acceptable, but comes after every coding that is. An element that is
 * malformed is passed over; of a coding that is named twice the last element counts; "x-gzip" is
 * gzip. RFC 9110 12.4.2 and 12.5.3. */
enum http_coding http_coding_choose(const struct http_request *request, unsigned available);

/* Whether content of this media type, parameters allowed, is likely to become smaller by a coding:
 * text, and binary formats that are not compressed themselves. False for what is unknown. */
bool http_coding_is_compressible(struct slice type);

#endif

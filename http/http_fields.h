/* http_fields: a complete, scanned head -> what its fields mean. Internal to http_parse. */
#ifndef GYRE_HTTP_FIELDS_H
#define GYRE_HTTP_FIELDS_H

#include "http/http_error.h"
#include "http/http_parse.h"

/* data: a head from its request line to its blank line, as http_scan accepted it; fields_start:
 * where its fields begin; fields_count: how many http_scan saw. request holds what http_line_read()
 * left; the rest of it is filled. RFC 9112 6 and 9.3; RFC 9110 7.2, 7.6.1, 8.6 and 10.1.1. */
struct http_error http_fields_read(struct slice data, size_t fields_start, unsigned fields_count,
                                   struct http_request *request);

#endif

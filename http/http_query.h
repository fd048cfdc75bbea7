/* http_query: one parameter of a query. Pure. WHATWG URL 5.1, application/x-www-form-urlencoded. */
#ifndef GYRE_HTTP_QUERY_H
#define GYRE_HTTP_QUERY_H

#include "http/slice.h"

/* Finds the first parameter of that name, which may be written with escapes. query:
 * http_request.query, may be absent. True: *value is its value, decoded into buffer, with '+' as a
 * blank; empty without '='; any byte may be in it. False: there is none, its value has a bad escape
 * or more than size bytes; those behind it are not looked at then. */
bool http_query_find(struct slice query, struct slice name, char *buffer, size_t size,
                     struct slice *value);

#endif

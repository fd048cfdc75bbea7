/* http_field_list: the lines of a field whose value is a list, and which may therefore come in
 * several lines: together they mean what one line with commas between them would. Pure. RFC 9110
 * 5.3.
 *
 * A request with one such line, and most are, pays for one look at a bit. */
#ifndef GYRE_HTTP_FIELD_LIST_H
#define GYRE_HTTP_FIELD_LIST_H

#include <assert.h>

#include "http/http_parse.h"

struct http_field_list {
    struct slice line; /* the next one's value; absent at the end */
    struct slice rest; /* the field lines behind it, none where it is the only one */
    struct slice name;
};

static inline bool http_field_is_repeated(const struct http_request *request,
                                          enum http_list_field field)
{
    return (request->repeated & 1u << field) != 0;
}

/* The value of the first line, as request has it; SLICE_NONE where there is none. */
struct slice http_field_list_first(const struct http_request *request, enum http_list_field field);

/* Starts at the first line. Borrows from the bytes that request borrows from. */
struct http_field_list http_field_list_of(const struct http_request *request,
                                          enum http_list_field field);

/* Moves list->line on to the next line of that name in list->rest. Internal. */
void http_field_list_seek(struct http_field_list *list);

/* Gives the next line's value, trimmed; false when there is none, then *line is untouched. */
static inline bool http_field_list_next(struct http_field_list *list, struct slice *line)
{
    if (list->line.data == NULL) {
        return false;
    }
    *line = list->line;
    if (list->rest.size == 0) {
        list->line = SLICE_NONE;
    } else {
        http_field_list_seek(list);
    }
    return true;
}

#endif

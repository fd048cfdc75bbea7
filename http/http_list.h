/* http_list: walking a comma-separated list of a field, whose elements may be empty. RFC 9110
 * 5.6.1.2. */
#ifndef GYRE_HTTP_LIST_H
#define GYRE_HTTP_LIST_H

#include "http/slice.h"

/* Moves *list past blanks and commas to the next element, or to its end: then it is empty. False
 * when an element follows another without a comma. is_first: no element has been taken yet. */
static inline bool http_list_advance(struct slice *list, bool is_first)
{
    bool is_separated = is_first;
    while (list->size > 0) {
        char c = list->data[0];
        if (c != ' ' && c != '\t' && c != ',') {
            break;
        }
        is_separated |= c == ',';
        list->data++;
        list->size--;
    }
    return is_separated || list->size == 0;
}

#endif

/* http_list: walking a comma-separated list of a field, whose elements may be empty. RFC 9110
 * 5.6.1.2 and 5.6.3. */
#ifndef GYRE_HTTP_LIST_H
#define GYRE_HTTP_LIST_H

#include <assert.h>

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

/* Without the blanks and tabs at both ends. What is left of blanks alone lies among them. */
static inline struct slice http_list_trim(struct slice text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

/* Cuts the first element, trimmed, off a list that is not empty. The element may be. */
static inline struct slice http_list_take(struct slice *list)
{
    assert(list->size > 0);
    const char *comma = memchr(list->data, ',', list->size);
    size_t size = comma != NULL ? (size_t)(comma - list->data) : list->size;
    struct slice element = slice_of(list->data, size);
    size_t skipped = comma != NULL ? size + 1 : size;
    *list = slice_of(list->data + skipped, list->size - skipped);
    return http_list_trim(element);
}

#endif

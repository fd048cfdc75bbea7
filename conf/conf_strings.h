/* conf_strings: the texts of struct conf, one behind another, each with its NUL. */
#ifndef GYRE_CONF_STRINGS_H
#define GYRE_CONF_STRINGS_H

#include "conf/conf.h"

/* What was expected instead of a text too many. */
#define CONF_STRINGS_FULL \
    "expected at most 512K of texts in all [host], [mount] and [path] together"

/* A text on its way into the strings. What is put there is never longer than a line of the ini
 * text, but for what a grammar adds, and that is bounded by its own limits. */
struct conf_draft {
    size_t size;
    char text[CONF_LINE_SIZE_MAX + 64]; /* no NUL counted, none needed */
};

void conf_draft_append(struct conf_draft *draft, const char *text, size_t size);

/* Keeps a text of at least one byte. Returns its offset, or 0 when the strings are full. */
uint32_t conf_string_add(struct conf *conf, const char *text, size_t size);

/* Makes *offset that of the text; where it is so already, nothing is used up. False when the
 * strings are full: *offset is as it was. */
bool conf_string_set(struct conf *conf, uint32_t *offset, const char *text, size_t size);

/* Puts a text behind that of *offset (0: none yet), which may move. False: as above. */
bool conf_string_append(struct conf *conf, uint32_t *offset, const char *text, size_t size);

#endif

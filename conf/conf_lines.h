/* conf_lines: the text, line by line, in a form that inih cannot misread. */
#ifndef GYRE_CONF_LINES_H
#define GYRE_CONF_LINES_H

#include "conf/conf_sections.h"

struct conf_lines {
    const char *text;
    size_t size;
    size_t offset; /* of the first byte not yet read */
    uint32_t line; /* the line last read, from 1; 0 before the first */
    struct conf_errors *errors;
    struct conf_sections *sections; /* told of each section's line */
    size_t value_size;
    size_t value_offset; /* what inih has of the value; == value_size: all of it */
    char value[CONF_LINE_SIZE_MAX];
};

void conf_lines_init(struct conf_lines *lines, const char *text, size_t size,
                     struct conf_errors *errors, struct conf_sections *sections);

/* inih's reader: like fgets(). stream is a struct conf_lines. */
char *conf_lines_read(char *buffer, int size, void *stream);

/* Whether a value has more pieces: inih will call its handler again for the same line. */
bool conf_lines_has_more(const struct conf_lines *lines);

/* Turns a piece of a value, as inih gives it to its handler, into what the text had. Writes at most
 * strlen(piece) bytes, no NUL; returns how many. */
size_t conf_lines_unmask(const char *piece, char *buffer);

#endif

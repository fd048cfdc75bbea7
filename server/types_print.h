/* types_print: the media types in force, for --print-types. */
#ifndef GYRE_SERVER_TYPES_PRINT_H
#define GYRE_SERVER_TYPES_PRINT_H

#include <stdio.h>

#include "conf/conf.h"

/* Writes one line an extension, ".EXT = TYPE", as [types] of an ini file would have it, in the
 * order of the extensions. Returns 0, or 1 after a line on standard error. */
int types_print(const struct conf *conf, FILE *stream);

#endif

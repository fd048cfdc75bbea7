/* conf_errors: the list of what is wrong, in the order of the lines. */
#ifndef GYRE_CONF_ERRORS_H
#define GYRE_CONF_ERRORS_H

#include "conf/conf.h"

/* Adds one; a text that is too long is cut. Past CONF_ERRORS_MAX it is only counted. */
void conf_errors_add(struct conf_errors *errors, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif

/* conf_errors: a bounded list, kept sorted by line as it grows. */
#include "conf/conf_errors.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void conf_errors_add(struct conf_errors *errors, uint32_t line, const char *format, ...)
{
    assert(line > 0);
    assert(errors->kept <= CONF_ERRORS_MAX);
    assert(errors->kept <= errors->count);
    errors->count++;
    if (errors->kept == CONF_ERRORS_MAX) {
        return;
    }
    /* What concerns several lines is found last but may belong further up. */
    uint32_t place = errors->kept;
    while (place > 0 && errors->errors[place - 1].line > line) {
        place--;
    }
    memmove(&errors->errors[place + 1], &errors->errors[place],
            (errors->kept - place) * sizeof(errors->errors[0]));
    errors->kept++;
    errors->errors[place].line = line;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(errors->errors[place].text, sizeof(errors->errors[place].text), format, arguments);
    va_end(arguments);
}

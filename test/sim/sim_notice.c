/* sim_notice: server/notice.h, linked in place of the real one: what the server says goes to the
 * stream, where a test can keep it, and not past it to the descriptor. */
#include "server/notice.h"

#include <stdarg.h>
#include <stdio.h>

void notice(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
}

/* notice: see the header. */
#include "server/notice.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum {
    LINE_SIZE = 1024
};
_Static_assert(LINE_SIZE <= 4096, "a pipe that is writable takes PIPE_BUF bytes at once");

void notice(const char *format, ...)
{
    char line[LINE_SIZE];
    int size = snprintf(line, sizeof(line), "gyre: ");
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(line + size, sizeof(line) - (size_t)size - 1, format, arguments);
    va_end(arguments);
    size += more < 0 ? 0 : more;
    if (size > LINE_SIZE - 2) {
        size = LINE_SIZE - 2;
    }
    for (int i = 0; i < size; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) {
            line[i] = '?';
        }
    }
    line[size++] = '\n';
    struct pollfd target = { .fd = STDERR_FILENO, .events = POLLOUT };
    if (poll(&target, 1, 0) == 1 && (target.revents & POLLOUT) != 0) {
        ssize_t written = write(STDERR_FILENO, line, (size_t)size);
        (void)written; /* there is nobody left to tell */
    }
}

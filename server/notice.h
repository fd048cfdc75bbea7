/* notice: a line on standard error from a thread that must not wait for it. */
#ifndef GYRE_SERVER_NOTICE_H
#define GYRE_SERVER_NOTICE_H

/* Prints one line, "gyre: " before and a newline behind it, with control bytes shown as '?'; cut at
 * 1 KiB, dropped when standard error does not take it at once. */
void notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

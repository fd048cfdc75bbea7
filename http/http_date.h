/* http_date: seconds since the epoch <-> IMF-fixdate. Pure: time is an argument. RFC 9110 5.6.7. */
#ifndef GYRE_HTTP_DATE_H
#define GYRE_HTTP_DATE_H

#include <stdint.h>

#include "http/slice.h"

enum {
    HTTP_DATE_SIZE = 29
}; /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/* Writes exactly HTTP_DATE_SIZE bytes, no NUL. seconds: UTC, clamped to 1970-01-01 .. 9999-12-31.
 */
void http_date_write(int64_t seconds, char buffer[HTTP_DATE_SIZE]);

/* "[20/Nov/2026:19:46:12 +0000]" without the brackets, as the combined log format wants it; UTC. */
enum {
    HTTP_LOG_DATE_SIZE = 26
};
void http_log_date_write(int64_t seconds, char buffer[HTTP_LOG_DATE_SIZE]);

#endif

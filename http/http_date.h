/* http_date: seconds since the epoch <-> dates of HTTP. Pure: time is an argument. RFC 9110 5.6.7.
 */
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

/* "2026-11-20T19:46:12Z"; UTC, clamped as above. RFC 3339 section 5.6. */
enum {
    HTTP_ISO_DATE_SIZE = 20
};
void http_iso_date_write(int64_t seconds, char buffer[HTTP_ISO_DATE_SIZE]);

/* Reads a date in any of the three formats: IMF-fixdate, RFC 850, asctime; letters in the case that
 * these have, nothing before or after. A weekday must be one, but need not be that of the date.
 * False for what is no date: 30 February, 24:00:00; the leap second 23:59:60 is the next midnight.
 * The two digits of an RFC 850 year mean the latest such year that is not more than 50 years after
 * now_s. Years 0 to 9999, so *seconds may be negative. */
bool http_date_parse(struct slice text, int64_t now_s, int64_t *seconds);

#endif

/* http_redirect: the target of a redirect rule -> Location. Pure. RFC 9110 10.2.2; RFC 3986 4.2.
 *
 * A template is path-absolute ("/new/$1") or a whole URI ("https://example.org/$1"). In it, $1 to
 * $9 stand for what the wildcards of the rule matched, $path for the request's path, $$ for '$'. */
#ifndef GYRE_HTTP_REDIRECT_H
#define GYRE_HTTP_REDIRECT_H

#include "http/http_glob.h"

/* NULL, or a static text that says what was expected: one '/', "http://" or "https://" first; a
 * plain authority, HOST or HOST:PORT, with nothing inserted but $path right behind it; bytes that a
 * URI may hold; two hexadecimal digits behind every '%'; no other use of '$' than those above. */
const char *http_redirect_check(struct slice template);

/* Writes a Location. template: one that http_redirect_check() accepts. captures: of the rule's
 * pattern; a number past them stands for nothing. path: decoded, begins with '/'. query:
 * http_request.query, kept as sent, before a '#' of the template; behind '?', or behind '&' when
 * the template has a '?'; an empty one is left out. What is inserted is percent-encoded but for its
 * slashes, and never doubles a '/' before it. A path-absolute result begins with exactly one '/':
 * no capture can lead to another host. Writes at most size bytes, returns the bytes needed. */
size_t http_redirect_write(struct slice template, const struct http_glob_captures *captures,
                           struct slice path, struct slice query, char *buffer, size_t size);

#endif

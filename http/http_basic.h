/* http_basic: credentials and challenge of the Basic scheme. Pure. RFC 7617. */
#ifndef GYRE_HTTP_BASIC_H
#define GYRE_HTTP_BASIC_H

#include "http/slice.h"

enum {
    HTTP_BASIC_SIZE_MAX = 512, /* user, ':' and password, decoded */
    HTTP_BASIC_REALM_SIZE_MAX = 127,
    HTTP_BASIC_CHALLENGE_SIZE_MAX = 13 + 2 * HTTP_BASIC_REALM_SIZE_MAX + 18,
};

/* Reads a value of Authorization (may be absent). True: *user and *password are slices of buffer;
 * either may be empty; user has no ':'. False: another scheme; base64 that is not canonical (RFC
 * 4648 4: padded, no other bytes, no bits left over); no ':'; a control byte; more than
 * HTTP_BASIC_SIZE_MAX bytes. The buffer holds a secret after either: the caller wipes it. */
bool http_basic_parse(struct slice authorization, char buffer[HTTP_BASIC_SIZE_MAX],
                      struct slice *user, struct slice *password);

/* NULL, or a static text that says what was expected of a realm: 1 to HTTP_BASIC_REALM_SIZE_MAX
 * bytes, no control bytes. */
const char *http_basic_check_realm(struct slice realm);

/* Writes the value of WWW-Authenticate for a realm that http_basic_check_realm() accepts:
 * `Basic realm="...", charset="UTF-8"`. Writes at most size bytes, returns the bytes needed, at
 * most HTTP_BASIC_CHALLENGE_SIZE_MAX. */
size_t http_basic_write_challenge(struct slice realm, char *buffer, size_t size);

#endif

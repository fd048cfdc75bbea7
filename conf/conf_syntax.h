/* conf_syntax: the small grammars that several keys share. Texts end with their NUL or a size. */
#ifndef GYRE_CONF_SYNTAX_H
#define GYRE_CONF_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONF_HOST_NAME_SIZE_MAX = 253,              /* RFC 1035 3.1, as text */
    CONF_WILDCARDS_MAX = 8,                     /* of a pattern: '*', '**', '?' and {} */
    CONF_CAPTURES_MAX = CONF_WILDCARDS_MAX + 1, /* and what is beneath a '/' at its end */
};

/* Moves *text past blanks, and returns the size of the word that stands there; 0: none is left. */
size_t conf_word_find(const char **text);

/* What follows the bytes of a token, RFC 9110 5.6.2, at the start of the text. */
const char *conf_token_skip(const char *text);

/* Whether a text of that size is the other one, ASCII letters in any case. */
bool conf_text_is(const char *text, size_t size, const char *other);

/* One name of a file in a folder: not empty, no slash, neither dot nor dot-dot. */
bool conf_name_is_plain(const char *name, size_t size);

/* "/a/b.html": at most 256 bytes of plain names, so that it cannot leave the root. */
bool conf_path_is_plain(const char *text, size_t size);

/* "/a/b/": the same with a slash at the end, and not "/" alone. */
bool conf_prefix_is_plain(const char *text, size_t size);

/* A name of letters, digits, '-' and '.' (RFC 1123 2.1), an IPv4 address, or an IPv6 address in
 * brackets. */
bool conf_host_name_is_valid(const char *name, size_t size);

/* HOST or HOST:PORT, port 1 to 65535. */
bool conf_authority_is_valid(const char *text, size_t size);

/* The pattern of a [path] section. Returns NULL and the count of what it captures: $1 to $COUNT; or
 * a static text that says what was expected. */
const char *conf_glob_check(const char *pattern, uint32_t *captures_count);

#endif

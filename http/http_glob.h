/* http_glob: the patterns of [path GLOB] rules, matched against decoded paths. Pure.
 *
 *     *        any run of bytes but '/'         {a,b}  one of these texts, the first that fits
 *     ?        one byte but '/'                 \      the next byte is meant as it is
 *     **       any run of bytes                 else   itself
 *
 * A pattern begins with '/'. One that ends in '/' (not in "\/") stands for that directory and all
 * beneath, as if "**" followed. As in gitignore, a name that is "**" and no more, between two
 * slashes, stands for any number of names, or none: with "x" behind it, "/x" and "/a/b/x" fit. But
 * "/docs" does not fit "/docs/" with "**" behind it, while "/docs/" does.
 *
 * Each wildcard takes as little as it can, those to the left first. */
#ifndef GYRE_HTTP_GLOB_H
#define GYRE_HTTP_GLOB_H

#include "http/http_target.h"
#include "http/slice.h"

enum {
    HTTP_GLOB_SIZE_MAX = 255,
    HTTP_GLOB_WILDCARDS_MAX = 8,                          /* written ones: *, ?, ** and {} */
    HTTP_GLOB_CAPTURES_MAX = HTTP_GLOB_WILDCARDS_MAX + 1, /* and the "**" behind a last '/' */
    HTTP_GLOB_PATH_SIZE_MAX = HTTP_PATH_SIZE_MAX + 2,     /* with the slashes at both ends */
};

/* What the wildcards matched, in their order; slices of the path. Of "**" that is a whole name: the
 * names, without the slash behind them. */
struct http_glob_captures {
    size_t count;
    struct slice items[HTTP_GLOB_CAPTURES_MAX];
};

/* The literal text at both ends of a pattern, as slices of it, up to the first wildcard or '\' and
 * from behind the last: whatever matches begins and ends so, without the two overlapping. */
struct http_glob_ends {
    struct slice prefix; /* begins with '/'; the whole pattern when there is nothing else */
    struct slice suffix; /* empty when prefix is the whole pattern */
};

/* NULL, or a static text that says what was expected: '/' first, at most HTTP_GLOB_SIZE_MAX bytes
 * and HTTP_GLOB_WILDCARDS_MAX wildcards, at most two '*' in a row, closed braces with plain text
 * within, a byte behind every '\', no "//", "/./" or "/../", which no decoded path has. */
const char *http_glob_check(struct slice pattern);

/* Whether the whole of path fits. pattern: one that http_glob_check() accepts. path: decoded,
 * begins with '/', ends with '/' when it names a directory, at most HTTP_GLOB_PATH_SIZE_MAX bytes.
 * captures may be NULL; they are set when it fits only. What follows a wildcard is tried at
 * most once at each offset of the path: at most (path.size + 1) * (pattern.size +
 * HTTP_GLOB_CAPTURES_MAX) comparisons of bytes, about a million, whatever both are. Takes 6 KiB of
 * stack. */
bool http_glob_match(struct slice pattern, struct slice path, struct http_glob_captures *captures);

/* The ends of a pattern that http_glob_check() accepts. */
struct http_glob_ends http_glob_find_ends(struct slice pattern);

#endif

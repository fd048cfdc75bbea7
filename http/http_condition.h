/* http_condition: preconditions, in the order of RFC 9110 13.2.2. Pure: time is an argument.
 *
 * What cannot be read decides nothing in the client's favour: a malformed list of tags matches no
 * tag (If-Match fails: 412; If-None-Match holds: 200), but the field is there all the same, so the
 * date that stands behind it is not looked at. A date that is none is ignored, as the RFC wants.
 * If-Match and If-None-Match are read in all their lines, as if these were one with commas between
 * them: one malformed line makes the list malformed, and so does "*" in company. */
#ifndef GYRE_HTTP_CONDITION_H
#define GYRE_HTTP_CONDITION_H

#include <stdint.h>

#include "http/http_parse.h"

/* What a representation is recognized by. */
struct http_validators {
    struct slice etag; /* as it is sent: `"..."` or `W/"..."`; SLICE_NONE when none is */
    bool has_mtime;    /* Last-Modified is sent */
    int64_t mtime_s;   /* meant only with has_mtime */
    int64_t now_s;
};

enum {
    /* A date is a strong validator once the second that it names is over. RFC 9110 8.8.2.2. */
    HTTP_DATE_STRONG_AGE_S = 1
};

enum http_condition_result {
    HTTP_CONDITION_PASS,         /* go on: Range is next */
    HTTP_CONDITION_NOT_MODIFIED, /* 304 */
    HTTP_CONDITION_FAILED,       /* 412 */
};

/* RFC 9110 13.1.1 to 13.1.4 and 13.2.2, for a representation that exists. */
enum http_condition_result http_condition_evaluate(const struct http_request *request,
                                                   const struct http_validators *validators);

/* Whether Range may be obeyed: if_range, which is present, names the very bytes that are here. Tags
 * are compared strongly. A date must be that of Last-Modified, to the second and in any of the
 * three formats, and be HTTP_DATE_STRONG_AGE_S old. RFC 9110 13.1.5. */
bool http_if_range_holds(struct slice if_range, const struct http_validators *validators);

enum http_tag_comparison {
    HTTP_TAG_STRONG, /* neither tag is weak */
    HTTP_TAG_WEAK,
};

/* Whether the field value `list` is "*", or a list of tags, empty elements allowed, that has etag
 * in it. False for a malformed list, whatever stands in its good part; etag may be absent: then
 * only "*" matches. RFC 9110 8.8.3. */
bool http_tags_match(struct slice list, struct slice etag, enum http_tag_comparison comparison);

#endif

/* A condition is a question to the validators; the order of the questions is the RFC's. */
#include "http/http_condition.h"

#include <assert.h>

#include "http/http_date.h"
#include "http/http_field_list.h"
#include "http/http_list.h"

struct tag {
    bool is_weak;
    struct slice opaque; /* with its quotes */
};

/* RFC 9110 8.8.3, etagc: no blanks, no control bytes, no quote. */
static bool is_tag_byte(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte > ' ' && byte != '"' && byte != 0x7f;
}

/* Cuts a tag off the front of text. "W/" is in upper case only. */
static bool tag_read(struct slice *text, struct tag *tag)
{
    size_t start = text->size >= 2 && memcmp(text->data, "W/", 2) == 0 ? 2 : 0;
    if (start >= text->size || text->data[start] != '"') {
        return false;
    }
    size_t end = start + 1;
    while (end < text->size && is_tag_byte(text->data[end])) {
        end++;
    }
    if (end >= text->size || text->data[end] != '"') {
        return false;
    }
    end++;
    tag->is_weak = start > 0;
    tag->opaque = slice_of(text->data + start, end - start);
    *text = slice_of(text->data + end, text->size - end);
    return true;
}

static bool tag_equal(const struct tag *a, const struct tag *b, enum http_tag_comparison comparison)
{
    if (comparison == HTTP_TAG_STRONG && (a->is_weak || b->is_weak)) {
        return false;
    }
    return slice_equal(a->opaque, b->opaque);
}

static struct tag tag_of_ours(struct slice etag)
{
    struct tag ours;
    bool is_tag = tag_read(&etag, &ours);
    assert(is_tag);
    assert(etag.size == 0);
    return ours;
}

/* Reads one line of a list of tags; false when it is malformed. *matches becomes true when ours is
 * among them, and is left alone otherwise. */
static bool tags_read(struct slice line, const struct tag *ours,
                      enum http_tag_comparison comparison, bool *matches)
{
    for (bool is_first = true; http_list_advance(&line, is_first) && line.size > 0;
         is_first = false) {
        struct tag theirs;
        if (!tag_read(&line, &theirs)) {
            return false;
        }
        *matches |= tag_equal(ours, &theirs, comparison);
    }
    return line.size == 0;
}

bool http_tags_match(struct slice list, struct slice etag, enum http_tag_comparison comparison)
{
    if (slice_equal(list, SLICE("*"))) {
        return true;
    }
    if (etag.data == NULL) {
        return false;
    }
    struct tag ours = tag_of_ours(etag);
    bool matches = false;
    return tags_read(list, &ours, comparison, &matches) && matches;
}

/* The same over all lines: "*" is no tag, so here, in company, it is malformed. */
static bool lines_match(const struct http_request *request, enum http_list_field field,
                        struct slice etag, enum http_tag_comparison comparison)
{
    if (etag.data == NULL) {
        return false;
    }
    struct tag ours = tag_of_ours(etag);
    bool matches = false;
    struct http_field_list lines = http_field_list_of(request, field);
    struct slice line;
    while (http_field_list_next(&lines, &line)) {
        if (!tags_read(line, &ours, comparison, &matches)) {
            return false;
        }
    }
    return matches;
}

static bool field_matches(const struct http_request *request, enum http_list_field field,
                          struct slice etag, enum http_tag_comparison comparison)
{
    return http_field_is_repeated(request, field)
               ? lines_match(request, field, etag, comparison)
               : http_tags_match(http_field_list_first(request, field), etag, comparison);
}

/* False where the date is absent, is none, or has nothing to be compared with. */
static bool date_read(struct slice field, const struct http_validators *validators, int64_t *date_s)
{
    return field.data != NULL && validators->has_mtime &&
           http_date_parse(field, validators->now_s, date_s);
}

static bool is_unchanged_as_client_wants(const struct http_request *request,
                                         const struct http_validators *validators)
{
    if (request->if_match.data != NULL) {
        return field_matches(request, HTTP_LIST_IF_MATCH, validators->etag, HTTP_TAG_STRONG);
    }
    int64_t date_s;
    return !date_read(request->if_unmodified_since, validators, &date_s) ||
           validators->mtime_s <= date_s;
}

static bool is_known_to_client(const struct http_request *request,
                               const struct http_validators *validators, bool is_read)
{
    if (request->if_none_match.data != NULL) {
        return field_matches(request, HTTP_LIST_IF_NONE_MATCH, validators->etag, HTTP_TAG_WEAK);
    }
    int64_t date_s;
    return is_read && date_read(request->if_modified_since, validators, &date_s) &&
           validators->mtime_s <= date_s;
}

enum http_condition_result http_condition_evaluate(const struct http_request *request,
                                                   const struct http_validators *validators)
{
    bool is_read = request->method == HTTP_METHOD_GET || request->method == HTTP_METHOD_HEAD;
    if (!is_unchanged_as_client_wants(request, validators)) {
        return HTTP_CONDITION_FAILED;
    }
    if (is_known_to_client(request, validators, is_read)) {
        return is_read ? HTTP_CONDITION_NOT_MODIFIED : HTTP_CONDITION_FAILED;
    }
    return HTTP_CONDITION_PASS;
}

bool http_if_range_holds(struct slice if_range, const struct http_validators *validators)
{
    assert(if_range.data != NULL);
    struct slice rest = if_range;
    struct tag theirs;
    if (tag_read(&rest, &theirs)) {
        if (rest.size > 0 || validators->etag.data == NULL) {
            return false;
        }
        struct tag ours = tag_of_ours(validators->etag);
        return tag_equal(&ours, &theirs, HTTP_TAG_STRONG);
    }
    int64_t date_s;
    return date_read(if_range, validators, &date_s) && date_s == validators->mtime_s &&
           validators->now_s - validators->mtime_s >= HTTP_DATE_STRONG_AGE_S;
}

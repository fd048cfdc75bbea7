/* sim_range: answers to a request with Range. Which bytes are to come is what http_range_parse()
 * says, which has tests of its own; that exactly these came, framed as promised, is judged here. */
#include <stdio.h>
#include <string.h>

#include "http/http_range.h"
#include "sim_check.h"

/* A body on its way through the comparison; it may end early. */
struct reader {
    const char *data;
    uint64_t left;
    bool is_mixed; /* edited while it streamed: the bytes are not compared */
};

static bool take_content(struct reader *reader, const struct sim_version *version,
                         struct http_range range)
{
    uint64_t size = range.length < reader->left ? range.length : reader->left;
    for (uint64_t i = 0; i < size && !reader->is_mixed; i++) {
        if (reader->data[i] != sim_byte(version->content, range.offset + i)) {
            return false;
        }
    }
    reader->data += size;
    reader->left -= size;
    return true;
}

static bool says_range(const char *head, size_t size, struct http_range range, uint64_t whole)
{
    char line[128];
    int line_size =
        snprintf(line, sizeof(line), "\r\nContent-Range: bytes %llu-%llu/%llu\r\n",
                 (unsigned long long)range.offset,
                 (unsigned long long)(range.offset + range.length - 1), (unsigned long long)whole);
    return memmem(head, size, line, (size_t)line_size) != NULL;
}

/* A delimiter and the head of a part. False: it is another part's; or too little is there. */
static bool take_part_head(struct reader *reader, struct http_range range, uint64_t whole)
{
    const char *end = memmem(reader->data, reader->left, "\r\n\r\n", 4);
    size_t size = end != NULL ? (size_t)(end - reader->data) + 4 : reader->left;
    bool is_right = end == NULL || says_range(reader->data, size, range, whole);
    reader->data += size;
    reader->left -= size;
    return is_right;
}

static bool take_parts(struct reader *reader, const struct sim_version *version,
                       const struct http_ranges *ranges)
{
    for (size_t i = 0; i < ranges->count && reader->left > 0; i++) {
        if (!take_part_head(reader, ranges->items[i], version->size) ||
            !take_content(reader, version, ranges->items[i])) {
            return false;
        }
    }
    /* "CRLF --BOUNDARY-- CRLF", or the beginning of it */
    return reader->left == 0 || reader->data[0] == '\r';
}

static bool fits_version(const struct sim_request *request, const struct sim_response *response,
                         const struct sim_version *version, struct reader reader)
{
    struct slice field = slice_from_string(request->range);
    struct http_ranges ranges;
    switch (http_range_parse(field, version->size, &ranges)) {
    case HTTP_RANGE_IGNORED:
        return response->status == 200 && response->length == version->size &&
               take_content(&reader, version, (struct http_range){ 0, version->size });
    case HTTP_RANGE_UNSATISFIABLE:
        return response->status == 416;
    case HTTP_RANGE_SATISFIABLE:
        break;
    }
    if (response->status != 206) {
        return false;
    }
    if (ranges.count > 1) {
        return take_parts(&reader, version, &ranges);
    }
    return response->length == ranges.items[0].length &&
           says_range(response->head, response->head_size, ranges.items[0], version->size) &&
           take_content(&reader, version, ranges.items[0]);
}

static bool node_answers(const struct sim_client *client, const struct sim_request *request,
                         const struct sim_node *node, const struct sim_response *response,
                         uint64_t size)
{
    bool has_changed = node->versions[node->versions_count - 1].stamp > request->stamp;
    for (uint32_t i = 0; i < node->versions_count; i++) {
        struct reader reader = {
            .data = response->body,
            .left = size,
            .is_mixed = client->has_loads && has_changed,
        };
        if (sim_version_is_possible(node, i, request->stamp) && node->versions[i].exists &&
            fits_version(request, response, &node->versions[i], reader)) {
            return true;
        }
    }
    return false;
}

bool sim_range_is_answered(const struct sim_client *client, const struct sim_request *request,
                           const struct sim_response *response, uint64_t size)
{
    for (uint32_t i = 0; i < request->places_count; i++) {
        if (sim_place_is_possible(request, i) &&
            node_answers(client, request, request->places[i], response, size)) {
            return true;
        }
    }
    return false;
}

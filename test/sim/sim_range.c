/* sim_range: answers to a request with Range. Which bytes are to come is what http_range_parse()
 * says, which has tests of its own; that exactly these came, framed as promised, is judged here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_range.h"
#include "sim_check.h"

/* A body on its way through the comparison; it may end early. */
struct reader {
    const char *data;
    uint64_t left;
    bool is_mixed; /* edited while it streamed: the bytes are not compared */
};

/* What the ranges are of: a version of a file, or what was made from it. */
struct whole {
    const struct sim_version *version;
    const char *made; /* NULL: the version itself */
    uint64_t size;
};

static char whole_byte(const struct whole *whole, uint64_t i)
{
    return whole->made != NULL ? whole->made[i] : sim_byte(whole->version->content, i);
}

static bool take_content(struct reader *reader, const struct whole *whole, struct http_range range)
{
    uint64_t size = range.length < reader->left ? range.length : reader->left;
    for (uint64_t i = 0; i < size && !reader->is_mixed; i++) {
        if (reader->data[i] != whole_byte(whole, range.offset + i)) {
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

static bool take_parts(struct reader *reader, const struct whole *whole,
                       const struct http_ranges *ranges)
{
    for (size_t i = 0; i < ranges->count && reader->left > 0; i++) {
        if (!take_part_head(reader, ranges->items[i], whole->size) ||
            !take_content(reader, whole, ranges->items[i])) {
            return false;
        }
    }
    /* "CRLF --BOUNDARY-- CRLF", or the beginning of it */
    return reader->left == 0 || reader->data[0] == '\r';
}

static bool fits(const struct sim_request *request, const struct sim_response *response,
                 const struct whole *whole, struct reader reader)
{
    struct slice field = slice_from_string(request->range);
    struct http_ranges ranges;
    switch (http_range_parse(field, whole->size, &ranges)) {
    case HTTP_RANGE_IGNORED:
        return response->status == 200 && response->length == whole->size &&
               take_content(&reader, whole, (struct http_range){ 0, whole->size });
    case HTTP_RANGE_UNSATISFIABLE:
        return response->status == 416;
    case HTTP_RANGE_SATISFIABLE:
        break;
    }
    if (response->status != 206) {
        return false;
    }
    if (ranges.count > 1) {
        return take_parts(&reader, whole, &ranges);
    }
    return response->length == ranges.items[0].length &&
           says_range(response->head, response->head_size, ranges.items[0], whole->size) &&
           take_content(&reader, whole, ranges.items[0]);
}

/* coding: that the server is to have made of the file; identity: nothing was made. */
static bool version_answers(const struct sim_request *request, const struct sim_response *response,
                            const struct sim_version *version, enum http_coding coding,
                            struct reader reader)
{
    struct whole whole = { .version = version, .size = version->size };
    if (coding == HTTP_CODING_IDENTITY) {
        return fits(request, response, &whole, reader);
    }
    size_t size = 0;
    char *made = sim_make(version, coding, &size);
    whole.made = made;
    whole.size = size;
    bool answers = made != NULL && fits(request, response, &whole, reader);
    free(made);
    return answers;
}

static bool node_answers(const struct sim_client *client, const struct sim_request *request,
                         const struct sim_node *node, enum http_coding coding,
                         const struct sim_response *response, uint64_t size)
{
    bool has_changed =
        node != NULL && node->versions[node->versions_count - 1].stamp > request->stamp;
    for (uint32_t i = 0; node != NULL && i < node->versions_count; i++) {
        struct reader reader = {
            .data = response->body,
            .left = size,
            .is_mixed = client->has_loads && has_changed,
        };
        if (sim_version_is_possible(node, i, request->stamp) && node->versions[i].exists &&
            version_answers(request, response, &node->versions[i], coding, reader)) {
            return true;
        }
    }
    return false;
}

/* A 416 does not say which coding it is about. */
static bool place_answers(const struct sim *sim, const struct sim_client *client,
                          const struct sim_request *request, const struct sim_node *node,
                          const struct sim_response *response, uint64_t size)
{
    for (unsigned i = 0; i < HTTP_CODINGS_COUNT; i++) {
        enum http_coding coding = (enum http_coding)i;
        if (!sim_takes_coding(request->wish.takes, coding) ||
            (response->status != 416 && response->coding != coding)) {
            continue;
        }
        if (node_answers(client, request, node, coding, response, size) ||
            (coding != HTTP_CODING_IDENTITY &&
             node_answers(client, request, sim_sibling(sim, node, coding), HTTP_CODING_IDENTITY,
                          response, size))) {
            return true;
        }
    }
    return false;
}

bool sim_range_is_answered(const struct sim *sim, const struct sim_client *client,
                           const struct sim_request *request, const struct sim_response *response,
                           uint64_t size)
{
    for (uint32_t i = 0; i < request->places_count; i++) {
        if (sim_place_is_possible(request, i) &&
            place_answers(sim, client, request, request->places[i], response, size)) {
            return true;
        }
    }
    return false;
}

/* sim_check: what a client received against what the model says it had to. Every response belongs
 * to the next request; a body is one version of the file that was there between the request and
 * its answer; what is missing has a reason. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_status.h"
#include "sim_check.h"

static const char *find(const char *data, size_t size, const char *text)
{
    return memmem(data, size, text, strlen(text));
}

/* False: the head is not all there. */
static bool parse_head(const char *data, size_t size, struct sim_response *response)
{
    const char *end = find(data, size, "\r\n\r\n");
    if (end == NULL) {
        return false;
    }
    *response = (struct sim_response){ .head_size = (size_t)(end - data) + 4, .head = data };
    sim_check(size > 13 && memcmp(data, "HTTP/1.1 ", 9) == 0, "a response begins with '%.12s'",
              data);
    response->status = (unsigned)strtoul(data + 9, NULL, 10);
    const char *length = find(data, response->head_size, "\r\nContent-Length: ");
    if (length != NULL) {
        response->has_length = true;
        response->length = strtoull(length + 18, NULL, 10);
    }
    const char *etag = find(data, response->head_size, "\r\nETag: ");
    if (etag != NULL) {
        response->etag = slice_of(etag + 8, (size_t)(strchr(etag + 8, '\r') - etag - 8));
    }
    const char *coding = find(data, response->head_size, "\r\nContent-Encoding: ");
    for (unsigned i = HTTP_CODING_BR; coding != NULL && i < HTTP_CODINGS_COUNT; i++) {
        struct slice name = http_coding_name((enum http_coding)i);
        if (memcmp(coding + 20, name.data, name.size) == 0) {
            response->coding = (enum http_coding)i;
        }
    }
    sim_check(coding == NULL || response->coding != HTTP_CODING_IDENTITY, "an unknown coding");
    response->says_close = find(data, response->head_size, "\r\nConnection: close\r\n") != NULL;
    response->body = data + response->head_size;
    return true;
}

bool sim_version_is_possible(const struct sim_node *node, uint32_t index, uint64_t stamp)
{
    return index + 1 == node->versions_count || node->versions[index + 1].stamp > stamp;
}

static bool body_is(const struct sim_response *response, uint64_t size,
                    const struct sim_version *version)
{
    for (uint64_t i = 0; i < size; i++) {
        if (response->body[i] != sim_byte(version->content, i)) {
            return false;
        }
    }
    return true;
}

static uint32_t changes_count(const struct sim_request *request, const struct sim_node *node)
{
    uint32_t count = 0;
    for (uint32_t i = 1; node != NULL && i < node->versions_count; i++) {
        count += node->versions[i].stamp > request->stamp;
    }
    return count;
}

static bool body_may_be_mixed(const struct sim_client *client, const struct sim_request *request,
                              const struct sim_node *node, const struct sim_response *response,
                              uint64_t size)
{
    if (!client->has_loads || changes_count(request, node) == 0) {
        return false;
    }
    for (uint64_t i = 0; i < size; i++) {
        bool found = false;
        for (uint32_t k = 0; k < node->versions_count && !found; k++) {
            found = sim_version_is_possible(node, k, request->stamp) && node->versions[k].exists &&
                    response->body[i] == sim_byte(node->versions[k].content, i);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

bool sim_version_is_body(const struct sim_client *client, const struct sim_request *request,
                         const struct sim_node *node, const struct sim_version *version,
                         const struct sim_response *response, uint64_t size)
{
    return version->size == response->length &&
           (body_is(response, size, version) ||
            body_may_be_mixed(client, request, node, response, size));
}

/* size: bytes of the body that are there. tagged: the run, where the tag is to be the version's. */
static bool is_file_of_time(const struct sim *tagged, const struct sim_client *client,
                            const struct sim_request *request, const struct sim_node *node,
                            const struct sim_response *response, uint64_t size)
{
    for (uint32_t i = 0; i < node->versions_count; i++) {
        const struct sim_version *version = &node->versions[i];
        if (sim_version_is_possible(node, i, request->stamp) && version->exists &&
            sim_version_is_body(client, request, node, version, response, size) &&
            (tagged == NULL || sim_tag_is_of_file(tagged, response, node, i))) {
            return true;
        }
    }
    return false;
}

static bool was_missing(const struct sim_request *request, const struct sim_node *node)
{
    for (uint32_t i = 0; i < node->versions_count; i++) {
        if (sim_version_is_possible(node, i, request->stamp) && !node->versions[i].exists) {
            return true;
        }
    }
    return false;
}

bool sim_place_is_possible(const struct sim_request *request, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (!was_missing(request, request->places[i])) {
            return false;
        }
    }
    return true;
}

/* Of all files that the answer may depend on. */
static uint32_t all_changes_count(const struct sim *sim, const struct sim_request *request)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < request->places_count; i++) {
        const struct sim_node *node = request->places[i];
        count += changes_count(request, node);
        for (unsigned coding = HTTP_CODING_BR; coding < HTTP_CODINGS_COUNT; coding++) {
            count += changes_count(request, sim_sibling(sim, node, (enum http_coding)coding));
        }
    }
    return count;
}

static bool status_is_possible(const struct sim *sim, const struct sim_client *client,
                               const struct sim_request *request, unsigned status)
{
    uint64_t took_ms = client->sent >= request->end ? request->complete_ms - request->started_ms
                                                    : sim->clock_ms - request->started_ms;
    if (status == 408) {
        return took_ms + 2000 >= sim->plan.conf->head_timeout_ms;
    }
    if (client->sent < request->end) {
        return status == 413 || status == 400;
    }
    if (status == 503 || status == 500) {
        return client->has_file_fault || (status == 503 && all_changes_count(sim, request) > 3);
    }
    if (request->places_count > 0 && status == 404) {
        return sim_place_is_possible(request, request->places_count);
    }
    bool refuses_identity = !sim_takes_coding(request->wish.takes, HTTP_CODING_IDENTITY);
    return status == request->status || (status == 406 && refuses_identity) ||
           (status == 200 && request->status == 304 && request->wish.tag[0] != '\0') ||
           (request->range[0] != '\0' && (status == 206 || status == 416));
}

/* Whether the body is that of a page of [errors]; it has to be, when there was one all the time. */
static bool is_page(struct sim *sim, const struct sim_client *client,
                    const struct sim_request *request, const struct sim_response *response,
                    uint64_t size)
{
    const struct conf *conf = sim->plan.conf;
    bool is_rejected = response->status == 408 || request->ask == SIM_BAD ||
                       request->ask == SIM_POST_LARGE || request->ask == SIM_POST_ENDLESS ||
                       request->ask == SIM_POST_BROKEN;
    bool is_other = request->wish.is_other_host && conf->hosts_count > 0; /* it has no pages */
    for (uint32_t i = 0; i < conf->error_pages_count && !is_rejected && !is_other; i++) {
        const struct sim_node *page = sim_files_find(&sim->files, conf->error_pages[i].path);
        if (conf->error_pages[i].status == response->status && page != NULL) {
            bool is_there = is_file_of_time(NULL, client, request, page, response, size);
            sim_check(is_there || client->has_file_fault || was_missing(request, page) ||
                          changes_count(request, page) > 3,
                      "client %u, request %u: %u without its page", client->index,
                      client->answered_count, response->status);
            return is_there;
        }
    }
    return false;
}

/* Exactly the file, in a coding or not, or that it has not changed. */
static bool is_answer(const struct sim *sim, const struct sim_client *client,
                      const struct sim_request *request, const struct sim_response *response,
                      uint64_t size)
{
    if (response->status == 304) {
        return sim_not_modified_is_right(sim, request, response);
    }
    if (request->ask == SIM_GET_IF_NEW && sim_tag_was_asked(request, response)) {
        return false;
    }
    if (response->coding != HTTP_CODING_IDENTITY) {
        return sim_coded_is_right(sim, client, request, response, size);
    }
    for (uint32_t i = 0; i < request->places_count; i++) {
        if (sim_place_is_possible(request, i) &&
            sim_takes_coding(request->wish.takes, HTTP_CODING_IDENTITY) &&
            is_file_of_time(sim, client, request, request->places[i], response, size)) {
            return true;
        }
    }
    return false;
}

/* The rules of the run are few: one line for scripts, another on the other host. */
static bool has_rule_lines(const struct sim *sim, const struct sim_request *request,
                           const struct sim_response *response)
{
    const struct conf *conf = sim->plan.conf;
    size_t size = strlen(request->name);
    bool is_script = size > 3 && strcmp(request->name + size - 3, ".js") == 0;
    bool has_rule = conf->rules_count > 0 && is_script;
    bool is_other = request->wish.is_other_host && conf->hosts_count > 0;
    bool has_line = find(response->head, response->head_size, "\r\nX-Rule: all\r\n") != NULL;
    bool has_other = find(response->head, response->head_size, "\r\nX-Rule: other\r\n") != NULL;
    return has_line == (has_rule && !is_other) && has_other == (has_rule && is_other);
}

static void check_response(struct sim *sim, const struct sim_client *client,
                           const struct sim_request *request, const struct sim_response *response,
                           uint64_t size)
{
    unsigned status = response->status;
    sim_check(status_is_possible(sim, client, request, status),
              "client %u, request %u: status %u instead of %u", client->index,
              client->answered_count, status, request->status);
    sim_check(response->has_length == !http_status_is_bodiless(status),
              "client %u, request %u: Content-Length with %u", client->index,
              client->answered_count, status);
    bool is_about_range = status == 200 || status == 206 || status == 416;
    if (is_about_range || status == 304) {
        sim_check(has_rule_lines(sim, request, response), "client %u, request %u: lines of rules",
                  client->index, client->answered_count);
    }
    if (request->places_count > 0 && request->range[0] != '\0' && is_about_range) {
        sim_check(sim_range_is_answered(sim, client, request, response, size),
                  "client %u, request %u: %u with %llu bytes is no answer to '%s' of '%s'",
                  client->index, client->answered_count, status, (unsigned long long)size,
                  request->range, request->name);
    } else if (status == 200 || status == 304) {
        sim_check(is_answer(sim, client, request, response, size),
                  "client %u, request %u: %u with %llu of %llu bytes is not '%s' as it was between "
                  "request and answer",
                  client->index, client->answered_count, status, (unsigned long long)size,
                  (unsigned long long)response->length, request->name);
    } else if (response->has_length && !is_page(sim, client, request, response, size)) {
        struct slice body = http_status_body(status);
        sim_check(response->length == body.size, "client %u, request %u: %llu bytes for %u",
                  client->index, client->answered_count, (unsigned long long)response->length,
                  status);
        sim_check(memcmp(response->body, body.data, size) == 0,
                  "client %u, request %u: the body for %u is another", client->index,
                  client->answered_count, status);
    }
}

/* Of an incomplete request the server cannot know that it is to be HEAD. */
static uint64_t body_size_of(const struct sim_client *client, const struct sim_request *request,
                             const struct sim_response *response)
{
    return request->ask == SIM_HEAD && client->sent >= request->end ? 0 : response->length;
}

void sim_check_responses(struct sim *sim, struct sim_client *client)
{
    for (;;) {
        const char *data = client->received + client->parsed_size;
        size_t size = client->read_size - client->parsed_size;
        struct sim_response response;
        if (size == 0 || !parse_head(data, size, &response)) {
            return;
        }
        sim_check(client->answered_count < client->requests_count,
                  "client %u got an answer that it did not ask for: %u", client->index,
                  response.status);
        sim_check(!client->says_close, "client %u got an answer after the last one", client->index);
        struct sim_request *request = &client->requests[client->answered_count];
        if (response.status == 100) {
            sim_check(request->continue_at > 0 && !request->is_continued,
                      "client %u got a 100 it did not ask for", client->index);
            request->is_continued = true;
            client->parsed_size += response.head_size;
            continue;
        }
        uint64_t body_size = body_size_of(client, request, &response);
        if (size - response.head_size < body_size) {
            return;
        }
        check_response(sim, client, request, &response, body_size);
        if (response.status == 200 && body_size == response.length) {
            sim_keep_tag(sim, request, &response);
        }
        request->answered_status = response.status;
        request->answered_coding = response.coding;
        request->body_size = body_size;
        client->says_close = response.says_close;
        client->parsed_size += response.head_size + body_size;
        client->answered_count++;
    }
}

/* What has come of the response that is not complete is right, as far as it goes. */
static void check_partial(struct sim *sim, const struct sim_client *client,
                          const struct sim_request *request)
{
    struct sim_response response;
    size_t size = client->read_size - client->parsed_size;
    if (size > 0 && parse_head(client->received + client->parsed_size, size, &response)) {
        check_response(sim, client, request, &response, size - response.head_size);
    }
}

static bool file_shrank(const struct sim_request *request, const struct sim_node *node)
{
    for (uint32_t i = 1; node != NULL && i < node->versions_count; i++) {
        if (node->versions[i].stamp > request->stamp &&
            node->versions[i].size < node->versions[i - 1].size) {
            return true;
        }
    }
    return false;
}

static bool any_place_shrank(const struct sim *sim, const struct sim_request *request)
{
    for (uint32_t i = 0; i < request->places_count; i++) {
        const struct sim_node *node = request->places[i];
        bool shrank = file_shrank(request, node);
        for (unsigned coding = HTTP_CODING_BR; coding < HTTP_CODINGS_COUNT; coding++) {
            shrank =
                shrank || file_shrank(request, sim_sibling(sim, node, (enum http_coding)coding));
        }
        if (shrank) {
            return true;
        }
    }
    return false;
}

/* A file that shrinks ends the connection, and with it what was not sent before it. */
static bool any_file_shrank(struct sim *sim, const struct sim_client *client)
{
    const struct conf *conf = sim->plan.conf;
    for (uint32_t i = client->answered_count; i < client->requests_count; i++) {
        const struct sim_request *request = &client->requests[i];
        if (client->told > request->start && any_place_shrank(sim, request)) {
            return true;
        }
        for (uint32_t k = 0; k < conf->error_pages_count; k++) {
            if (file_shrank(request, sim_files_find(&sim->files, conf->error_pages[k].path))) {
                return true;
            }
        }
    }
    return false;
}

/* More than the server takes in unanswered: it may end whoever holds receive buffers so. */
static bool is_flooding(const struct sim_client *client, const struct sim_request *request)
{
    return client->told > request->start + INBOX_SIZE;
}

void sim_check_end(struct sim *sim, struct sim_client *client)
{
    size_t rest = client->read_size - client->parsed_size;
    if (client->answered_count == client->requests_count) {
        sim_check(rest == 0, "client %u got %zu bytes behind the last answer", client->index, rest);
        return;
    }
    const struct sim_request *request = &client->requests[client->answered_count];
    check_partial(sim, client, request);
    bool asked_for_it =
        client->has_lost && client->requests[client->requests_count - 1].is_after_close;
    if (client->excuse != NULL || sim->worker->stop_forced || asked_for_it ||
        is_flooding(client, request)) {
        return;
    }
    if (client->says_close) {
        sim_check(rest == 0, "client %u got %zu bytes behind the last answer", client->index, rest);
        return;
    }
    if (client->has_load_fault || any_file_shrank(sim, client)) {
        return;
    }
    sim_check(rest == 0, "client %u, request %u: the answer ends after %zu bytes%s", client->index,
              client->answered_count, rest, client->has_lost ? ", eaten by a reset" : "");
    sim_check(client->sent < request->end || client->told <= request->start,
              "client %u, request %u was received and not answered%s", client->index,
              client->answered_count, client->has_lost ? ": a reset ate it" : "");
}

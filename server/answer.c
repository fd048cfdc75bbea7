/* answer: a decided exchange -> bytes in the connection's outbox.
 *
 * The head goes into the outbuf; a small body is copied behind it, so that both leave in one piece;
 * a larger one is referred to, in memory or in its file. */
#include "server/answer.h"

#include <string.h>

#include "http/http_basic.h"
#include "http/http_cors.h"
#include "http/http_redirect.h"
#include "http/http_status.h"
#include "server/answer_outbuf.h"
#include "server/worker.h"

static bool must_close(const struct worker *worker, const struct connection *connection,
                       const struct http_request *request)
{
    uint32_t requests_max = worker->settings.conf->requests_per_connection_max;
    return !request->keep_alive || worker->stopping || connection->phase == PHASE_LAST ||
           (requests_max > 0 && connection->requests_count + 1 >= requests_max);
}

/* Closes the head whose fixed half lies at outbuf_end(), and commits it. */
void answer_commit_head(struct worker *worker, struct connection *connection,
                        const struct http_request *request, size_t size)
{
    bool closing = must_close(worker, connection, request);
    struct exchange *exchange = connection->exchange;
    exchange->closing = closing;
    connection->asked_to_close = closing && !request->keep_alive;
    char *head = outbuf_end(connection);
    if (exchange->policy->cors != 0) { /* what it says depends on who asks */
        size += http_cors_write(policy_text(worker->settings.conf, exchange->policy->cors), request,
                                http_cors_is_preflight(request), head + size, HTTP_CORS_SIZE_MAX);
    }
    size +=
        http_head_write_tail(worker->date, http_respond_connection(request, closing), head + size);
    outbuf_commit(connection, size);
}

void answer_log(struct worker *worker, const struct connection *connection,
                const struct http_request *request, const struct http_response *response)
{
    if (!access_log_is_on(&worker->log)) {
        return;
    }
    bool known = connection->peer.sin6_family != AF_UNSPEC;
    struct access_record record = {
        .peer = known ? (const struct sockaddr *)(const void *)&connection->peer : NULL,
        .line = request->line,
        .referer = request->referer,
        .user_agent = request->user_agent,
        .status = response->status,
        .body_bytes = response->content == HTTP_CONTENT_NONE ? 0 : response->length,
    };
    access_log_add(&worker->log, &record, worker->now_s);
}

static void append_body(struct connection *connection, struct entry *entry, uint64_t offset,
                        uint64_t length)
{
    struct segment segment = { .entry = entry, .offset = offset, .length = length };
    if (entry->file >= 0) {
        segment.home = SEGMENT_IN_FILE;
    } else if (length <= COALESCE_BODY_MAX &&
               outbuf_append(connection, slice_of(entry->body + offset, length))) {
        return;
    } else {
        segment.home = SEGMENT_IN_ENTRY;
        segment.data = entry->body + offset;
    }
    entry_acquire(entry);
    outbox_append(&connection->outbox, segment);
}

struct slice answer_policy_lines(struct worker *worker, const struct exchange *exchange,
                                 struct slice own)
{
    size_t size = policy_write_lines(worker->settings.conf, exchange->policy, own, worker->lines,
                                     sizeof(worker->lines));
    return slice_of(worker->lines, size <= sizeof(worker->lines) ? size : 0);
}

/* The challenge of a 401, in `buffer`. */
static struct slice challenge(const struct worker *worker, const struct exchange *exchange,
                              char buffer[HTTP_HEAD_VALUE_SIZE_MAX])
{
    if (exchange->status != 401) {
        return SLICE_NONE;
    }
    struct slice realm = policy_text(worker->settings.conf, exchange->policy->auth_realm);
    size_t size = http_basic_write_challenge(realm.data != NULL ? realm : SLICE("gyre"), buffer,
                                             HTTP_HEAD_VALUE_SIZE_MAX);
    return slice_of(buffer, size);
}

/* Whether a condition holds or a range can be had depends on the coding that was selected, as 406
 * does. A missing page has none. */
static struct slice vary_of_status(const struct exchange *exchange)
{
    if (exchange->status == 406) {
        return SLICE("Accept-Encoding");
    }
    bool is_selected = exchange->status == 412 || exchange->status == 416;
    return is_selected && exchange->entry != NULL ? entry_vary(exchange->entry) : SLICE_NONE;
}

/* What every answer with exchange->status says, whatever its body. */
static struct http_head status_head(struct worker *worker, const struct exchange *exchange,
                                    char buffer[HTTP_HEAD_VALUE_SIZE_MAX])
{
    unsigned status = exchange->status;
    return (struct http_head){
        .status = (uint16_t)status,
        .no_store = status >= 400 || worker->settings.conf->dev == CONF_ON,
        .allow = status == 405 || status == 204 ? http_allow() : SLICE_NONE,
        .retry_after_s = status == 503 ? RETRY_AFTER_S : 0,
        .authenticate = challenge(worker, exchange, buffer),
        .vary = vary_of_status(exchange),
        .lines = answer_policy_lines(worker, exchange, SLICE_NONE),
    };
}

/* The fixed half for a page of [errors]: the entry's content under another status. */
static size_t write_page_head(struct worker *worker, const struct exchange *exchange, char *buffer)
{
    char value[HTTP_HEAD_VALUE_SIZE_MAX];
    struct http_head head = status_head(worker, exchange, value);
    head.has_content_length = true;
    head.content_length = exchange->entry->size;
    head.content_type = exchange->entry->type;
    return http_head_write_fixed(&head, buffer, HTTP_HEAD_FIXED_SIZE_MAX);
}

/* The page of a spa stands at many addresses, and the rules are those of the one that was asked
 * for.
 */
static void take_rules(struct worker *worker, const struct exchange *exchange,
                       struct http_head *head)
{
    if (exchange->is_internal) {
        head->lines = answer_policy_lines(worker, exchange, SLICE_NONE);
        head->cache_control =
            policy_cache_control(worker->settings.conf, exchange->policy, SLICE(""));
    }
}

/* The fixed half for a part of the representation (206), or for none of it (304). */
static size_t write_partial_head(struct worker *worker, const struct exchange *exchange,
                                 const struct http_conditional *conditional, struct slice type,
                                 char *buffer)
{
    const struct entry *entry = exchange->entry;
    bool partial = conditional->response.status == 206;
    char range[HTTP_CONTENT_RANGE_SIZE_MAX];
    size_t range_size = 0;
    if (partial && conditional->ranges.count == 1) {
        range_size = http_content_range_write(conditional->ranges.items[0], entry->size, range);
    }
    struct http_head head = entry_head(entry);
    head.status = conditional->response.status;
    if (partial) {
        head.has_content_length = true;
        head.content_length = conditional->response.length;
        head.content_range = range_size > 0 ? slice_of(range, range_size) : SLICE_NONE;
        head.content_type = type;
        head.content_encoding = http_coding_name((enum http_coding)entry->coding);
        head.accept_ranges = true;
    }
    take_rules(worker, exchange, &head);
    return http_head_write_fixed(&head, buffer, HTTP_HEAD_FIXED_SIZE_MAX);
}

static struct http_multipart multipart_of(const struct exchange *exchange)
{
    return (struct http_multipart){
        .boundary = slice_of(exchange->boundary, sizeof(exchange->boundary)),
        .type = exchange->entry->type,
        .size = exchange->entry->size,
        .ranges = &exchange->ranges,
    };
}

/* 206: one range of the representation, or all of them framed. */
static bool answer_ranges(struct worker *worker, struct connection *connection,
                          const struct http_conditional *conditional)
{
    struct exchange *exchange = connection->exchange;
    struct entry *entry = exchange->entry;
    char multipart_type[HTTP_MULTIPART_TYPE_SIZE_MAX];
    struct slice type = entry->type;
    bool several = conditional->response.content == HTTP_CONTENT_MULTIPART;
    if (several) {
        type.data = multipart_type;
        type.size = http_multipart_write_type(
            slice_of(exchange->boundary, sizeof(exchange->boundary)), multipart_type);
    }
    answer_commit_head(
        worker, connection, &exchange->request,
        write_partial_head(worker, exchange, conditional, type, outbuf_end(connection)));
    answer_log(worker, connection, &exchange->request, &conditional->response);
    if (several) {
        exchange->ranges = conditional->ranges;
        exchange->parts_sent = 0;
        exchange->step = EXCHANGE_PARTS;
        return answer_parts(connection);
    }
    if (conditional->response.content == HTTP_CONTENT_REPRESENTATION) {
        append_body(connection, entry, conditional->response.offset, conditional->response.length);
    }
    return true;
}

bool answer_parts(struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    struct http_multipart multipart = multipart_of(exchange);
    while (exchange->parts_sent < exchange->ranges.count) {
        if (!outbox_has_room(&connection->outbox, OUTBOX_SEGMENTS_A_RESPONSE) ||
            outbuf_room(connection) < OUTBUF_HEAD_ROOM) {
            return false;
        }
        size_t size = http_multipart_write_part_head(
            &multipart, exchange->parts_sent, outbuf_end(connection), HTTP_PART_HEAD_SIZE_MAX);
        assert(size > 0);
        outbuf_commit(connection, size);
        struct http_range range = exchange->ranges.items[exchange->parts_sent];
        append_body(connection, exchange->entry, range.offset, range.length);
        exchange->parts_sent++;
    }
    if (!outbox_has_room(&connection->outbox, 1) ||
        outbuf_room(connection) < HTTP_MULTIPART_END_SIZE_MAX) {
        return false;
    }
    size_t size =
        http_multipart_write_end(&multipart, outbuf_end(connection), HTTP_MULTIPART_END_SIZE_MAX);
    outbuf_commit(connection, size);
    return true;
}

static bool answer_page(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    const struct http_request *request = &exchange->request;
    struct http_response response;
    http_respond_status(request, exchange->status, &response);
    response.length = exchange->entry->size;
    answer_commit_head(worker, connection, request,
                       write_page_head(worker, exchange, outbuf_end(connection)));
    if (response.content != HTTP_CONTENT_NONE && response.length > 0) {
        append_body(connection, exchange->entry, 0, response.length);
    }
    answer_log(worker, connection, request, &response);
    return true;
}

/* The fixed half for a 200. */
static size_t write_whole_head(struct worker *worker, const struct exchange *exchange, char *buffer)
{
    const struct entry *entry = exchange->entry;
    if (!exchange->is_internal) {
        memcpy(buffer, entry->head, entry->head_size);
        return entry->head_size;
    }
    struct http_head head = entry_head_whole(entry);
    take_rules(worker, exchange, &head);
    return http_head_write_fixed(&head, buffer, HTTP_HEAD_FIXED_SIZE_MAX);
}

static bool answer_whole(struct worker *worker, struct connection *connection,
                         const struct http_response *response)
{
    struct exchange *exchange = connection->exchange;
    struct entry *entry = exchange->entry;
    answer_commit_head(worker, connection, &exchange->request,
                       write_whole_head(worker, exchange, outbuf_end(connection)));
    if (response->content == HTTP_CONTENT_REPRESENTATION && response->length > 0) {
        append_body(connection, entry, response->offset, response->length);
    }
    answer_log(worker, connection, &exchange->request, response);
    return true;
}

bool answer_entry(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    const struct entry *entry = exchange->entry;
    if (exchange->status != 0) {
        return answer_page(worker, connection);
    }
    struct http_selection selection = {
        .size = entry->size,
        .type = entry->type,
        .boundary = slice_of(exchange->boundary, sizeof(exchange->boundary)),
        .validators = { .etag = entry->etag_size > 0 ? slice_of(entry->etag, entry->etag_size)
                                                     : SLICE_NONE,
                        .has_mtime = entry->has_mtime,
                        .mtime_s = entry->identity.modified_s,
                        .now_s = worker->now_s },
    };
    if (exchange->request.range.data != NULL) {
        worker_make_boundary(worker, exchange->boundary);
    }
    struct http_conditional conditional;
    http_respond_conditional(&exchange->request, &selection, &conditional);
    switch (conditional.response.status) {
    case 200:
        return answer_whole(worker, connection, &conditional.response);
    case 206:
    case 304:
        return answer_ranges(worker, connection, &conditional);
    default:
        exchange->status = conditional.response.status;
        return answer_status(worker, connection);
    }
}

/* Where a redirect leads; SLICE_NONE for other answers. In worker->location. */
static struct slice location_of(struct worker *worker, struct exchange *exchange)
{
    size_t size = 0;
    if (exchange->is_rule_redirect) {
        size = answer_write_redirect(worker, exchange);
    } else if (exchange->status == 301) {
        size = http_target_write_slash_redirect(exchange->request.path, &exchange->target,
                                                exchange->request.query, worker->location,
                                                sizeof(worker->location));
    } else {
        return SLICE_NONE;
    }
    assert(size <= sizeof(worker->location));
    return slice_of(worker->location, size);
}

/* Returns 0 when it does not fit. */
static size_t write_status_head(struct worker *worker, struct exchange *exchange, struct slice body,
                                char *buffer, size_t size)
{
    unsigned status = exchange->status;
    char value[HTTP_HEAD_VALUE_SIZE_MAX];
    char range[HTTP_CONTENT_RANGE_SIZE_MAX];
    struct http_head head = status_head(worker, exchange, value);
    if (status == 416) {
        head.content_range =
            slice_of(range, http_content_range_write_unsatisfied(exchange->entry->size, range));
    }
    if (!http_status_is_bodiless(status)) {
        head.has_content_length = true;
        head.content_length = body.size;
        head.content_type = http_status_body_type();
    }
    head.location = location_of(worker, exchange);
    return http_head_write_fixed(&head, buffer, size);
}

bool answer_status(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    const struct http_request *request = &exchange->request;
    struct http_response response = { .status = exchange->status };
    if (!http_status_is_bodiless(exchange->status)) {
        http_respond_status(request, exchange->status, &response);
    }
    struct slice body = http_status_is_bodiless(exchange->status)
                            ? slice_of("", 0)
                            : http_status_body(exchange->status);

    size_t room = outbuf_room(connection);
    size_t reserved = HTTP_CORS_SIZE_MAX + HTTP_HEAD_TAIL_SIZE_MAX + body.size;
    assert(room > reserved + HTTP_HEAD_FIXED_SIZE_MAX);
    size_t fixed_size =
        write_status_head(worker, exchange, body, outbuf_end(connection), room - reserved);
    if (fixed_size == 0) {
        return false;
    }
    answer_commit_head(worker, connection, request, fixed_size);
    if (response.content == HTTP_CONTENT_STATUS) {
        bool appended = outbuf_append(connection, body);
        assert(appended);
    }
    answer_log(worker, connection, request, &response);
    return true;
}

void answer_continue(struct connection *connection)
{
    bool appended = outbuf_append(connection, http_head_continue());
    assert(appended);
}

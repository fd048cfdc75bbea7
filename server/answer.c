/* answer: a decided exchange -> bytes in the connection's outbox.
 *
 * The head goes into the outbuf; a small body is copied behind it, so that both leave in one piece;
 * a larger one is referred to, in memory or in its file. */
#include "server/answer.h"

#include <string.h>

#include "http/http_status.h"
#include "server/worker.h"

static char *outbuf_end(struct connection *connection)
{
    return connection->outbuf->data + connection->outbuf_used;
}

static uint32_t outbuf_room(const struct connection *connection)
{
    return connection->outbuf->size - connection->outbuf_used;
}

/* Bytes [outbuf_used, outbuf_used + size) have been written: they are to be sent. */
static void outbuf_commit(struct connection *connection, size_t size)
{
    assert(size <= outbuf_room(connection));
    outbox_append(&connection->outbox, (struct segment){ .home = SEGMENT_IN_OUTBUF,
                                                         .data = outbuf_end(connection),
                                                         .length = size });
    connection->outbuf_used += (uint32_t)size;
}

static bool outbuf_append(struct connection *connection, struct slice bytes)
{
    if (bytes.size > outbuf_room(connection)) {
        return false;
    }
    memcpy(outbuf_end(connection), bytes.data, bytes.size);
    outbuf_commit(connection, bytes.size);
    return true;
}

static bool must_close(const struct worker *worker, const struct connection *connection,
                       const struct http_request *request)
{
    uint32_t requests_max = worker->settings.conf->requests_per_connection_max;
    return !request->keep_alive || worker->stopping || connection->phase == PHASE_LAST ||
           (requests_max > 0 && connection->requests_count + 1 >= requests_max);
}

/* Closes the head whose fixed half lies at outbuf_end(), and commits it. */
static void commit_head(struct worker *worker, struct connection *connection,
                        const struct http_request *request, size_t fixed_size)
{
    bool closing = must_close(worker, connection, request);
    connection->exchange->closing = closing;
    connection->asked_to_close = closing && !request->keep_alive;
    size_t tail_size = http_head_write_tail(worker->date, http_respond_connection(request, closing),
                                            outbuf_end(connection) + fixed_size);
    outbuf_commit(connection, fixed_size + tail_size);
}

static void log_response(struct worker *worker, const struct connection *connection,
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

/* The fixed half for a page of [errors]: the entry's content under another status. */
static size_t write_page_head(const struct exchange *exchange, char *buffer)
{
    const struct entry *entry = exchange->entry;
    struct http_head head = {
        .status = exchange->status,
        .has_content_length = true,
        .content_length = entry->identity.size,
        .content_type = entry->type,
        .no_store = true,
        .allow = exchange->status == 405 ? http_allow() : SLICE_NONE,
        .retry_after_s = exchange->status == 503 ? RETRY_AFTER_S : 0,
    };
    return http_head_write_fixed(&head, buffer, HTTP_HEAD_FIXED_SIZE_MAX);
}

/* The fixed half for a part of the representation (206), or for none of it (304). */
static size_t write_partial_head(const struct exchange *exchange,
                                 const struct http_conditional *conditional, struct slice type,
                                 char *buffer)
{
    const struct entry *entry = exchange->entry;
    bool partial = conditional->response.status == 206;
    char range[HTTP_CONTENT_RANGE_SIZE_MAX];
    size_t range_size = 0;
    if (partial && conditional->ranges.count == 1) {
        range_size =
            http_content_range_write(conditional->ranges.items[0], entry->identity.size, range);
    }
    struct http_head head = {
        .status = conditional->response.status,
        .has_content_length = partial,
        .content_length = conditional->response.length,
        .content_range = range_size > 0 ? slice_of(range, range_size) : SLICE_NONE,
        .content_type = partial ? type : SLICE_NONE,
        .etag = slice_of(entry->etag, entry->etag_size),
        .last_modified = entry_last_modified(entry),
        .accept_ranges = partial,
    };
    return http_head_write_fixed(&head, buffer, HTTP_HEAD_FIXED_SIZE_MAX);
}

static struct http_multipart multipart_of(const struct exchange *exchange)
{
    return (struct http_multipart){
        .boundary = slice_of(exchange->boundary, sizeof(exchange->boundary)),
        .type = exchange->entry->type,
        .size = exchange->entry->identity.size,
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
    commit_head(worker, connection, &exchange->request,
                write_partial_head(exchange, conditional, type, outbuf_end(connection)));
    log_response(worker, connection, &exchange->request, &conditional->response);
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
    response.length = exchange->entry->identity.size;
    commit_head(worker, connection, request, write_page_head(exchange, outbuf_end(connection)));
    if (response.content != HTTP_CONTENT_NONE && response.length > 0) {
        append_body(connection, exchange->entry, 0, response.length);
    }
    log_response(worker, connection, request, &response);
    return true;
}

static bool answer_whole(struct worker *worker, struct connection *connection,
                         const struct http_response *response)
{
    struct exchange *exchange = connection->exchange;
    struct entry *entry = exchange->entry;
    memcpy(outbuf_end(connection), entry->head, entry->head_size);
    commit_head(worker, connection, &exchange->request, entry->head_size);
    if (response->content == HTTP_CONTENT_REPRESENTATION && response->length > 0) {
        append_body(connection, entry, response->offset, response->length);
    }
    log_response(worker, connection, &exchange->request, response);
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
        .size = entry->identity.size,
        .type = entry->type,
        .boundary = slice_of(exchange->boundary, sizeof(exchange->boundary)),
        .validators = { .etag = slice_of(entry->etag, entry->etag_size),
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

/* Returns 0 when it does not fit. */
static size_t write_status_head(struct worker *worker, const struct exchange *exchange,
                                struct slice body, char *buffer, size_t size)
{
    unsigned status = exchange->status;
    char range[HTTP_CONTENT_RANGE_SIZE_MAX];
    size_t range_size =
        status == 416 ? http_content_range_write_unsatisfied(exchange->entry->identity.size, range)
                      : 0;
    struct slice location = SLICE_NONE;
    if (status == 301) {
        size_t location_size = http_target_write_slash_redirect(
            exchange->request.path, &exchange->target, exchange->request.query, worker->location,
            sizeof(worker->location));
        assert(location_size <= sizeof(worker->location));
        location = slice_of(worker->location, location_size);
    }
    struct http_head head = {
        .status = (uint16_t)status,
        .has_content_length = !http_status_is_bodiless(status),
        .content_length = body.size,
        .content_type = http_status_is_bodiless(status) ? SLICE_NONE : http_status_body_type(),
        .location = location,
        .allow = status == 405 || status == 204 ? http_allow() : SLICE_NONE,
        .content_range = range_size > 0 ? slice_of(range, range_size) : SLICE_NONE,
        .retry_after_s = status == 503 ? RETRY_AFTER_S : 0,
        .no_store = status >= 400,
    };
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
    size_t reserved = HTTP_HEAD_TAIL_SIZE_MAX + body.size;
    assert(room > reserved + HTTP_HEAD_FIXED_SIZE_MAX);
    size_t fixed_size =
        write_status_head(worker, exchange, body, outbuf_end(connection), room - reserved);
    if (fixed_size == 0) {
        return false;
    }
    commit_head(worker, connection, request, fixed_size);
    if (response.content == HTTP_CONTENT_STATUS) {
        bool appended = outbuf_append(connection, body);
        assert(appended);
    }
    log_response(worker, connection, request, &response);
    return true;
}

void answer_continue(struct connection *connection)
{
    bool appended = outbuf_append(connection, http_head_continue());
    assert(appended);
}

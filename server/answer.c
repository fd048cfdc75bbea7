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
    if (closing) {
        connection->phase = PHASE_LAST;
        connection->asked_to_close = !request->keep_alive;
    }
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

void answer_entry(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    const struct http_request *request = &exchange->request;
    struct entry *entry = exchange->entry;
    struct http_response response;
    size_t fixed_size = entry->head_size;
    if (exchange->status == 0) {
        struct http_representation representation = { .size = entry->identity.size };
        http_respond(request, &representation, &response);
        memcpy(outbuf_end(connection), entry->head, fixed_size);
    } else {
        http_respond_status(request, exchange->status, &response);
        response.length = entry->identity.size;
        fixed_size = write_page_head(exchange, outbuf_end(connection));
    }
    commit_head(worker, connection, request, fixed_size);
    if (response.content != HTTP_CONTENT_NONE && response.length > 0) {
        append_body(connection, entry, response.offset, response.length);
    }
    log_response(worker, connection, request, &response);
    entry_release(worker->uring, entry);
    exchange->entry = NULL;
}

/* Returns 0 when it does not fit. */
static size_t write_status_head(struct worker *worker, const struct exchange *exchange,
                                struct slice body, char *buffer, size_t size)
{
    unsigned status = exchange->status;
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

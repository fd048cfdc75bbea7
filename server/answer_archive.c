/* answer_archive: an archive on its way into the outbox, a piece at a time.
 *
 * Its length is not known before its end: it is chunked (RFC 9112 7.1), and ends with the
 * connection for HTTP/1.0. A piece is made when the one before it has been sent, so that one is all
 * the memory it takes, however slow its reader. */
#include <stdio.h>

#include "http/http_class.h"
#include "http/http_writer.h"
#include "server/answer.h"
#include "server/answer_outbuf.h"
#include "server/archive.h"
#include "server/task.h"

enum {
    CHUNK_HEAD_SIZE_MAX = 20,
    DISPOSITION_SIZE_MAX = 64 + 4 * HTTP_SEGMENT_SIZE_MAX + 16,
};

static bool is_chunked(const struct exchange *exchange)
{
    return exchange->request.version_minor > 0;
}

void answer_write_archive_name(const struct exchange *exchange,
                               char name[HTTP_SEGMENT_SIZE_MAX + 1])
{
    size_t size = exchange->target.path_size;
    size_t start = size;
    while (start > 0 && exchange->target.path[start - 1] != '/') {
        start--;
    }
    struct slice last = slice_of(exchange->target.path + start, size - start);
    if (last.size == 0) {
        last = SLICE("files");
    }
    memcpy(name, last.data, last.size);
    name[last.size] = '\0';
}

/* To be saved as NAME.tar: as it is where that is plain, and percent-encoded (RFC 8187) for those
 * that read it. RFC 6266. */
static struct slice write_disposition(struct exchange *exchange, char buffer[DISPOSITION_SIZE_MAX])
{
    struct http_writer writer = { .data = buffer, .size = DISPOSITION_SIZE_MAX };
    char name[HTTP_SEGMENT_SIZE_MAX + 1];
    char encoded[3 * HTTP_SEGMENT_SIZE_MAX];
    answer_write_archive_name(exchange, name);
    size_t size = http_target_encode(slice_from_string(name), encoded, sizeof(encoded));
    http_writer_append(&writer, SLICE("attachment; "));
    size_t name_size = strlen(name);
    if (http_class_skip(name, 0, name_size, HTTP_CLASS_TOKEN) == name_size) {
        http_writer_append(&writer, SLICE("filename=\""));
        http_writer_append(&writer, slice_of(name, name_size));
        http_writer_append(&writer, SLICE(".tar\"; "));
    }
    http_writer_append(&writer, SLICE("filename*=UTF-8''"));
    http_writer_append(&writer, slice_of(encoded, size));
    http_writer_append(&writer, SLICE(".tar"));
    assert(writer.needed <= writer.size);
    return slice_of(buffer, writer.needed);
}

static void begin(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    char disposition[DISPOSITION_SIZE_MAX];
    struct http_head head = {
        .status = 200,
        .content_type = SLICE("application/x-tar"),
        .cache_control = policy_cache_control_of_made(worker->settings.conf, exchange->policy),
        .content_disposition = write_disposition(exchange, disposition),
        .is_chunked = is_chunked(exchange),
        .lines = answer_policy_lines(worker, exchange, SLICE("Content-Disposition")),
    };
    bool goes_on = exchange->request.keep_alive; /* for all that the client knows */
    exchange->request.keep_alive = goes_on && is_chunked(exchange);
    size_t size = http_head_write_fixed(&head, outbuf_end(connection), HTTP_HEAD_FIXED_SIZE_MAX);
    assert(size > 0);
    answer_commit_head(worker, connection, &exchange->request, size);
    connection->asked_to_close = !goes_on;
    exchange->archive_is_begun = true;
}

static void append_piece(struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    const struct archive_stream *archive = exchange->archive;
    if (is_chunked(exchange)) {
        char line[CHUNK_HEAD_SIZE_MAX];
        int size = snprintf(line, sizeof(line), "%zx\r\n", archive->size);
        bool appended = outbuf_append(connection, slice_of(line, (size_t)size));
        assert(appended);
    }
    outbox_append(&connection->outbox, (struct segment){ .home = SEGMENT_IN_PIECE,
                                                         .data = archive->data,
                                                         .length = archive->size });
    if (is_chunked(exchange)) {
        bool appended = outbuf_append(connection, SLICE("\r\n"));
        assert(appended);
    }
    exchange->archive_has_piece = false;
    exchange->archive_bytes += archive->size;
}

static void finish(struct connection *connection, bool has_body)
{
    if (has_body && is_chunked(connection->exchange)) {
        bool appended = outbuf_append(connection, SLICE("0\r\n\r\n"));
        assert(appended);
    }
}

void answer_log_archive(struct worker *worker, const struct connection *connection)
{
    const struct exchange *exchange = connection->exchange;
    if (exchange->archive_is_begun) {
        struct http_response response = {
            .status = 200,
            .content = HTTP_CONTENT_REPRESENTATION,
            .length = exchange->archive_bytes,
        };
        answer_log(worker, connection, &exchange->request, &response);
    }
}

bool answer_archive(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    bool has_body = exchange->request.method != HTTP_METHOD_HEAD;
    if (!exchange->archive_is_begun) {
        begin(worker, connection);
    }
    if (has_body && exchange->archive_has_piece) {
        if (outbox_has_room(&connection->outbox, 3)) {
            append_piece(connection);
        }
        return false;
    }
    if (has_body && !outbox_is_empty(&connection->outbox)) {
        return false;
    }
    if (!has_body || exchange->archive->ended) {
        finish(connection, has_body);
        return true;
    }
    if (!task_next_piece(worker, connection)) {
        connection->aborted = true; /* the client can tell: the last chunk is missing */
        connection_fail(worker, connection);
    }
    return false;
}

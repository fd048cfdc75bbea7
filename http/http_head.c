/* Heads are appended piece by piece to a bounded buffer; no other file writes one. */
#include "http/http_head.h"

#include <assert.h>

#include "http/http_status.h"
#include "http/http_writer.h"

/* Whoever fills a struct http_head has validated or encoded its values: a line end in one would let
 * a request write fields of its own. */
static bool value_is_one_line(struct slice value)
{
    for (size_t i = 0; i < value.size; i++) {
        char c = value.data[i];
        if (c == '\r' || c == '\n' || c == '\0') {
            return false;
        }
    }
    return true;
}

/* name: with ": ". */
static void field_append(struct http_writer *writer, struct slice name, struct slice value)
{
    if (value.data == NULL) {
        return;
    }
    assert(value_is_one_line(value));
    http_writer_append(writer, name);
    http_writer_append(writer, value);
    http_writer_append(writer, SLICE("\r\n"));
}

static void decimal_field_append(struct http_writer *writer, struct slice name, uint64_t value)
{
    char digits[20];
    field_append(writer, name, slice_of(digits, http_decimal_write(value, digits)));
}

static void status_line_append(struct http_writer *writer, unsigned status)
{
    char digits[20];
    size_t digits_size = http_decimal_write(status, digits);
    assert(digits_size == 3);
    http_writer_append(writer, SLICE("HTTP/1.1 "));
    http_writer_append(writer, slice_of(digits, digits_size));
    http_writer_append(writer, SLICE(" "));
    http_writer_append(writer, http_status_reason(status));
    http_writer_append(writer, SLICE("\r\n"));
}

static void content_append(struct http_writer *writer, const struct http_head *head)
{
    if (head->content_type.data != NULL) {
        field_append(writer, SLICE("Content-Type: "), head->content_type);
        http_writer_append(writer, SLICE("X-Content-Type-Options: nosniff\r\n"));
    }
    field_append(writer, SLICE("Content-Encoding: "), head->content_encoding);
    field_append(writer, SLICE("Content-Disposition: "), head->content_disposition);
    if (head->has_content_length) {
        decimal_field_append(writer, SLICE("Content-Length: "), head->content_length);
    }
    if (head->is_chunked) {
        assert(!head->has_content_length);
        http_writer_append(writer, SLICE("Transfer-Encoding: chunked\r\n"));
    }
    field_append(writer, SLICE("Content-Range: "), head->content_range);
    if (head->accept_ranges) {
        http_writer_append(writer, SLICE("Accept-Ranges: bytes\r\n"));
    }
}

size_t http_head_write_fixed(const struct http_head *head, char *buffer, size_t size)
{
    assert(!head->has_content_length || !http_status_is_bodiless(head->status));
    assert(head->last_modified.data == NULL || head->last_modified.size == HTTP_DATE_SIZE);
    assert(head->content_range.data == NULL || head->status == 206 || head->status == 416);
    assert(head->cache_control.size <= HTTP_HEAD_VALUE_SIZE_MAX);
    assert(head->lines.size <= HTTP_HEAD_LINES_SIZE_MAX);
    assert(head->lines.size == 0 || head->lines.data[head->lines.size - 1] == '\n');
    struct http_writer writer = { .data = buffer, .size = size };
    status_line_append(&writer, head->status);
    http_writer_append(&writer, SLICE("Server: gyre\r\n"));
    content_append(&writer, head);
    field_append(&writer, SLICE("ETag: "), head->etag);
    field_append(&writer, SLICE("Last-Modified: "), head->last_modified);
    field_append(&writer, SLICE("Vary: "), head->vary);
    field_append(&writer, SLICE("Location: "), head->location);
    field_append(&writer, SLICE("Allow: "), head->allow);
    if (head->retry_after_s > 0) {
        decimal_field_append(&writer, SLICE("Retry-After: "), head->retry_after_s);
    }
    field_append(&writer, SLICE("WWW-Authenticate: "), head->authenticate);
    field_append(&writer, SLICE("Cache-Control: "),
                 head->no_store ? SLICE("no-store") : head->cache_control);
    http_writer_append(&writer, head->lines);
    return writer.needed <= size ? writer.needed : 0;
}

/* Constant sizes throughout: the compiler turns each copy into a few moves. */
size_t http_head_write_tail(const char date[HTTP_DATE_SIZE], enum http_connection connection,
                            char *buffer)
{
    char *end = buffer;
    memcpy(end, "Date: ", 6);
    memcpy(end + 6, date, HTTP_DATE_SIZE);
    end += 6 + HTTP_DATE_SIZE;
    switch (connection) {
    case HTTP_CONNECTION_UNSAID:
        memcpy(end, "\r\n\r\n", 4);
        end += 4;
        break;
    case HTTP_CONNECTION_KEEP_ALIVE:
        memcpy(end, "\r\nConnection: keep-alive\r\n\r\n", 28);
        end += 28;
        break;
    case HTTP_CONNECTION_CLOSE:
        memcpy(end, "\r\nConnection: close\r\n\r\n", 23);
        end += 23;
        break;
    }
    assert(end - buffer <= HTTP_HEAD_TAIL_SIZE_MAX);
    return (size_t)(end - buffer);
}

struct slice http_head_continue(void)
{
    return SLICE("HTTP/1.1 100 Continue\r\n\r\n");
}

size_t http_decimal_write(uint64_t value, char *buffer)
{
    char digits[20];
    size_t start = sizeof(digits);
    do {
        assert(start > 0);
        digits[--start] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    size_t size = sizeof(digits) - start;
    memcpy(buffer, digits + start, size);
    return size;
}

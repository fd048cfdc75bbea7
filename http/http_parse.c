/* http_parse: see the header.
 *
 * A parser goes through phases, one request after the other:
 *
 *     LINE -> FIELDS -> (BODY ->) DONE -> reset -> LINE ...      any of them -> ERROR, for good
 *
 * LINE and FIELDS scan bytes as they come and keep offsets from the first byte of the head, no
 * pointers: between two calls the caller may move what it has received. The meaning of the request
 * line is judged as soon as the line is whole, so that a line nobody can answer is refused before
 * its fields arrive, and once more when the head is whole, for by then the bytes may lie elsewhere.
 */
#include "http/http_parse.h"

#include <assert.h>

#include "http/http_fields.h"
#include "http/http_line.h"

enum {
    PHASE_LINE,
    PHASE_FIELDS,
    PHASE_BODY,
    PHASE_DONE,
    PHASE_ERROR,
};

void http_parser_init(struct http_parser *parser)
{
    *parser = (struct http_parser){ .phase = PHASE_LINE, .body_kind = HTTP_BODY_NONE };
    http_line_scan_init(&parser->line);
    http_field_scan_init(&parser->fields, HTTP_FIELDS_SIZE_MAX);
}

void http_parser_reset(struct http_parser *parser)
{
    assert(parser->phase == PHASE_DONE);
    http_parser_init(parser);
}

static enum http_parse_result parse_refuse(struct http_parser *parser, struct http_error error)
{
    assert(parser->phase != PHASE_ERROR);
    assert(error.text != NULL);
    assert(error.status >= 400);
    parser->phase = PHASE_ERROR;
    parser->error = error.text;
    parser->error_status = error.status;
    return HTTP_PARSE_ERROR;
}

/* After an error nothing of the request may be used but its line, for the log, and its method,
 * which decides whether the answer may have a body. */
static enum http_parse_result parse_head_refuse(struct http_parser *parser, struct http_error error,
                                                struct http_request *request)
{
    struct slice line = request->line;
    *request = (struct http_request){ .method = request->method, .line = line };
    return parse_refuse(parser, error);
}

static enum http_parse_result parse_line(struct http_parser *parser, const char *data, size_t size,
                                         struct http_request *request)
{
    struct http_error error = http_error_none();
    switch (http_line_scan_read(&parser->line, data, size, &error)) {
    case HTTP_SCAN_MORE:
        assert(parser->line.size == size);
        return HTTP_PARSE_MORE;
    case HTTP_SCAN_ERROR:
        return parse_head_refuse(parser, error, request);
    case HTTP_SCAN_DONE:
        break;
    }
    parser->phase = PHASE_FIELDS;
    parser->head_size = parser->line.size;
    error = http_line_read(&parser->line, data, request);
    return http_error_is(error) ? parse_head_refuse(parser, error, request) : HTTP_PARSE_DONE;
}

static void parse_arm_body(struct http_parser *parser, const struct http_request *request)
{
    parser->body_kind = (uint8_t)request->body_kind;
    parser->phase = PHASE_BODY;
    switch (request->body_kind) {
    case HTTP_BODY_NONE:
        parser->phase = PHASE_DONE;
        break;
    case HTTP_BODY_LENGTH:
        assert(request->content_length > 0);
        parser->body_left = request->content_length;
        break;
    case HTTP_BODY_CHUNKED:
        http_chunked_init(&parser->chunked);
        break;
    }
}

/* The bytes of the head are all there: data[0, parser->head_size). */
static enum http_parse_result parse_complete(struct http_parser *parser, const char *data,
                                             struct http_request *request)
{
    assert(parser->head_size <= HTTP_HEAD_SIZE_MAX);
    struct http_error error = http_error_none();
    if (request->line.data == NULL) {
        error = http_line_read(&parser->line, data, request);
        assert(error.text == NULL); /* it has been judged when it was complete */
    }
    size_t start = parser->line.line_start;
    struct slice head = slice_of(data + start, parser->head_size - start);
    error = http_fields_read(head, parser->line.size - start, parser->fields.count, request);
    if (http_error_is(error)) {
        return parse_head_refuse(parser, error, request);
    }
    parse_arm_body(parser, request);
    return HTTP_PARSE_DONE;
}

static enum http_parse_result parse_fields(struct http_parser *parser, const char *data,
                                           size_t size, struct http_request *request)
{
    assert(parser->head_size <= size);
    struct http_error error = http_error_none();
    size_t consumed = 0;
    enum http_scan_result result = http_field_scan_read(
        &parser->fields, data + parser->head_size, size - parser->head_size, &consumed, &error);
    parser->head_size += (uint32_t)consumed;
    assert(parser->head_size <= size);
    switch (result) {
    case HTTP_SCAN_MORE:
        assert(parser->head_size == size);
        return HTTP_PARSE_MORE;
    case HTTP_SCAN_ERROR:
        if (request->line.data == NULL) {
            (void)http_line_read(&parser->line, data, request); /* for the log */
        }
        return parse_head_refuse(parser, error, request);
    case HTTP_SCAN_DONE:
        break;
    }
    return parse_complete(parser, data, request);
}

enum http_parse_result http_parse_head(struct http_parser *parser, const char *data, size_t size,
                                       struct http_request *request)
{
    assert(size > 0);
    assert(parser->phase == PHASE_LINE || parser->phase == PHASE_FIELDS);
    *request = (struct http_request){ .method = HTTP_METHOD_UNKNOWN };
    if (parser->phase == PHASE_LINE) {
        enum http_parse_result result = parse_line(parser, data, size, request);
        if (result != HTTP_PARSE_DONE) {
            return result;
        }
    }
    return parse_fields(parser, data, size, request);
}

static enum http_parse_result parse_body_length(struct http_parser *parser, size_t size,
                                                size_t *consumed)
{
    assert(parser->body_left > 0);
    *consumed = parser->body_left < size ? (size_t)parser->body_left : size;
    parser->body_left -= *consumed;
    parser->body_size += *consumed;
    if (parser->body_left > 0) {
        return HTTP_PARSE_MORE;
    }
    parser->phase = PHASE_DONE;
    return HTTP_PARSE_DONE;
}

enum http_parse_result http_parse_body(struct http_parser *parser, const char *data, size_t size,
                                       size_t *consumed)
{
    assert(size > 0);
    assert(parser->phase == PHASE_BODY);
    if (parser->body_kind == HTTP_BODY_LENGTH) {
        return parse_body_length(parser, size, consumed);
    }
    assert(parser->body_kind == HTTP_BODY_CHUNKED);
    struct http_error error = http_error_none();
    enum http_scan_result result =
        http_chunked_read(&parser->chunked, data, size, consumed, &error);
    parser->body_size = parser->chunked.payload_size;
    switch (result) {
    case HTTP_SCAN_MORE:
        assert(*consumed == size);
        return HTTP_PARSE_MORE;
    case HTTP_SCAN_ERROR:
        return parse_refuse(parser, error);
    case HTTP_SCAN_DONE:
        break;
    }
    parser->phase = PHASE_DONE;
    return HTTP_PARSE_DONE;
}

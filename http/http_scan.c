/* http_scan: see the header.
 *
 * Each state has one function that eats as many bytes as it can and returns the offset it reached.
 * A function that meets a byte it cannot take records the error and sets STATE_ERROR; the offset
 * then is that of the bad byte. Invariants: in every state before STATE_END at most the limit's
 * bytes have been accepted, so a limit is checked before a byte is looked at and never depends on
 * the cut. */
#include "http/http_scan.h"

#include <assert.h>

#include "http/http_class.h"
#include "http/http_parse.h"

enum {
    STATE_START, /* before the method: blank lines are let through */
    STATE_START_LF,
    STATE_METHOD,
    STATE_TARGET,
    STATE_VERSION, /* and the CRLF */
    STATE_FIELD,   /* first byte of a field line, or of the blank line */
    STATE_NAME,
    STATE_VALUE,
    STATE_VALUE_LF,
    STATE_BLANK_LF,
    STATE_END,
    STATE_ERROR,
};

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t refuse(uint8_t *state, size_t at, struct http_error *error, uint16_t status,
                     const char *text)
{
    assert(*state != STATE_ERROR);
    assert(status >= 400);
    *state = STATE_ERROR;
    *error = http_error_of(status, text);
    return at;
}

void http_line_scan_init(struct http_line_scan *scan)
{
    *scan = (struct http_line_scan){ .state = STATE_START };
}

static size_t scan_start(struct http_line_scan *scan, const char *data, size_t at,
                         struct http_error *error)
{
    char byte = data[at];
    if (http_class_has(byte, HTTP_CLASS_TOKEN)) {
        scan->line_start = (uint32_t)at;
        scan->state = STATE_METHOD;
        return at;
    }
    if (byte != '\r') {
        return refuse(&scan->state, at, error, 400,
                      byte == '\n' ? "line ends in a bare LF" : "not an HTTP request");
    }
    if (scan->blank_lines == HTTP_LEADING_CRLF_COUNT_MAX) {
        return refuse(&scan->state, at, error, 400, "too many blank lines before the request");
    }
    scan->blank_lines++;
    scan->state = STATE_START_LF;
    return at + 1;
}

static size_t scan_start_lf(struct http_line_scan *scan, const char *data, size_t at,
                            struct http_error *error)
{
    if (data[at] != '\n') {
        return refuse(&scan->state, at, error, 400, "CR without LF");
    }
    scan->state = STATE_START;
    return at + 1;
}

static size_t scan_method(struct http_line_scan *scan, const char *data, size_t at, size_t size,
                          struct http_error *error)
{
    size_t stop = (size_t)scan->line_start + HTTP_METHOD_SIZE_MAX + 1;
    at = http_class_skip(data, at, min_size(size, stop), HTTP_CLASS_TOKEN);
    if (at == stop) {
        return refuse(&scan->state, at - 1, error, 400, "method too long");
    }
    if (at == size) {
        return at;
    }
    if (data[at] != ' ') {
        return refuse(&scan->state, at, error, 400, "bad byte in the method");
    }
    assert(at > scan->line_start);
    scan->target_start = (uint32_t)at + 1;
    scan->state = STATE_TARGET;
    return at + 1;
}

static const char *target_error(char byte, bool is_first)
{
    if (byte == ' ' || byte == '\t') {
        return is_first ? "more than one space in the request line" : "tab in the request line";
    }
    if (byte == '\r' || byte == '\n') {
        return "no HTTP version in the request line";
    }
    return byte == '#' ? "fragment in the target" : "bad byte in the target";
}

static size_t scan_target(struct http_line_scan *scan, const char *data, size_t at, size_t size,
                          struct http_error *error)
{
    size_t stop = (size_t)scan->line_start + HTTP_REQUEST_LINE_SIZE_MAX;
    at = http_class_skip(data, at, min_size(size, stop), HTTP_CLASS_TARGET);
    if (at == stop) {
        return refuse(&scan->state, at - 1, error, 414, "request line too long");
    }
    if (at == size) {
        return at;
    }
    bool is_first = at == scan->target_start;
    if (data[at] != ' ' || is_first) {
        return refuse(&scan->state, at, error, 400, target_error(data[at], is_first));
    }
    scan->target_end = (uint32_t)at;
    scan->state = STATE_VERSION;
    return at + 1;
}

static size_t scan_version(struct http_line_scan *scan, const char *data, size_t at, size_t size,
                           struct http_error *error)
{
    static const char shape[] = "HTTP/0.0\r\n"; /* '0' is any digit */
    enum {
        VERSION_SIZE = 8,
        SHAPE_SIZE = 10
    };

    for (size_t index = at - scan->target_end - 1; at < size; at++, index++) {
        assert(index < SHAPE_SIZE);
        if (index < VERSION_SIZE && at - scan->line_start == HTTP_REQUEST_LINE_SIZE_MAX) {
            return refuse(&scan->state, at, error, 414, "request line too long");
        }
        bool is_good = shape[index] == '0' ? http_class_has(data[at], HTTP_CLASS_DIGIT)
                                           : data[at] == shape[index];
        if (!is_good) {
            return refuse(&scan->state, at, error, 400,
                          index < VERSION_SIZE ? "bad HTTP version"
                                               : "request line does not end in CRLF");
        }
        if (index == SHAPE_SIZE - 1) {
            scan->state = STATE_END;
            return at + 1;
        }
    }
    return at;
}

enum http_scan_result http_line_scan_read(struct http_line_scan *scan, const char *data,
                                          size_t size, struct http_error *error)
{
    assert(scan->state < STATE_FIELD);
    assert(scan->size <= size);
    size_t at = scan->size;
    while (at < size && scan->state < STATE_FIELD) {
        switch (scan->state) {
        case STATE_START:
            at = scan_start(scan, data, at, error);
            break;
        case STATE_START_LF:
            at = scan_start_lf(scan, data, at, error);
            break;
        case STATE_METHOD:
            at = scan_method(scan, data, at, size, error);
            break;
        case STATE_TARGET:
            at = scan_target(scan, data, at, size, error);
            break;
        default:
            assert(scan->state == STATE_VERSION);
            at = scan_version(scan, data, at, size, error);
            break;
        }
    }
    scan->size = (uint32_t)at;
    if (scan->state == STATE_ERROR) {
        return HTTP_SCAN_ERROR;
    }
    return scan->state == STATE_END ? HTTP_SCAN_DONE : HTTP_SCAN_MORE;
}

void http_field_scan_init(struct http_field_scan *scan, uint32_t size_max)
{
    assert(size_max > 0);
    *scan = (struct http_field_scan){ .size_max = size_max, .state = STATE_FIELD };
}

static const char *field_start_error(char byte)
{
    switch (byte) {
    case ' ':
    case '\t':
        return "folded field, or blank before a field name";
    case ':':
        return "empty field name";
    case '\n':
        return "line ends in a bare LF";
    default:
        return "bad byte in a field name";
    }
}

/* room: how many more bytes of data the limit lets through as field lines. */
static size_t scan_field(struct http_field_scan *scan, const char *data, size_t at, size_t room,
                         struct http_error *error)
{
    char byte = data[at];
    if (byte == '\r') {
        scan->state = STATE_BLANK_LF;
        return at + 1;
    }
    if (!http_class_has(byte, HTTP_CLASS_TOKEN)) {
        return refuse(&scan->state, at, error, 400, field_start_error(byte));
    }
    if (scan->count == HTTP_FIELDS_COUNT_MAX) {
        return refuse(&scan->state, at, error, 431, "too many fields");
    }
    if (at == room) {
        return refuse(&scan->state, at, error, 431, "fields too large");
    }
    scan->count++;
    scan->state = STATE_NAME;
    return at + 1;
}

static size_t scan_name(struct http_field_scan *scan, const char *data, size_t at, size_t size,
                        size_t room, struct http_error *error)
{
    at = http_class_skip(data, at, min_size(size, room), HTTP_CLASS_TOKEN);
    if (at == size) {
        return at;
    }
    if (at == room) {
        return refuse(&scan->state, at, error, 431, "fields too large");
    }
    if (data[at] != ':') {
        return refuse(&scan->state, at, error, 400,
                      data[at] == '\r' || data[at] == '\n' ? "field without a colon"
                                                           : "bad byte in a field name");
    }
    scan->state = STATE_VALUE;
    return at + 1;
}

static size_t scan_value(struct http_field_scan *scan, const char *data, size_t at, size_t size,
                         size_t room, struct http_error *error)
{
    at = http_class_skip(data, at, min_size(size, room), HTTP_CLASS_VALUE);
    if (at == size) {
        return at;
    }
    if (at == room) {
        return refuse(&scan->state, at, error, 431, "fields too large");
    }
    if (data[at] != '\r') {
        return refuse(&scan->state, at, error, 400,
                      data[at] == '\n' ? "line ends in a bare LF" : "bad byte in a field value");
    }
    scan->state = STATE_VALUE_LF;
    return at + 1;
}

static size_t scan_lf(struct http_field_scan *scan, const char *data, size_t at, size_t room,
                      struct http_error *error)
{
    bool is_blank = scan->state == STATE_BLANK_LF;
    if (!is_blank && at == room) {
        return refuse(&scan->state, at, error, 431, "fields too large");
    }
    if (data[at] != '\n') {
        return refuse(&scan->state, at, error, 400, "CR without LF");
    }
    scan->state = is_blank ? STATE_END : STATE_FIELD;
    return at + 1;
}

enum http_scan_result http_field_scan_read(struct http_field_scan *scan, const char *data,
                                           size_t size, size_t *consumed, struct http_error *error)
{
    assert(scan->state >= STATE_FIELD);
    assert(scan->state < STATE_END);
    size_t room = scan->size < scan->size_max ? scan->size_max - scan->size : 0;
    size_t at = 0;
    while (at < size && scan->state < STATE_END) {
        switch (scan->state) {
        case STATE_FIELD:
            at = scan_field(scan, data, at, room, error);
            break;
        case STATE_NAME:
            at = scan_name(scan, data, at, size, room, error);
            break;
        case STATE_VALUE:
            at = scan_value(scan, data, at, size, room, error);
            break;
        default:
            at = scan_lf(scan, data, at, room, error);
            break;
        }
    }
    *consumed = at;
    scan->size += (uint32_t)at;
    if (scan->state == STATE_ERROR) {
        return HTTP_SCAN_ERROR;
    }
    return scan->state == STATE_END ? HTTP_SCAN_DONE : HTTP_SCAN_MORE;
}

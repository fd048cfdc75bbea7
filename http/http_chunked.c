/* http_chunked: see the header.
 *
 * The only reader of chunked bodies: llhttp is not asked. Its 8.1 takes what gyre must refuse
 * (blanks after the size, junk in extensions), so it could only say yes to what this grammar says
 * yes to, and it would cost each connection its state and each body a second pass.
 *
 * Stricter than RFC 9112 in one way: the "bad whitespace" that a recipient may find around the ';'
 * and
 * '=' of an extension is refused. No known client sends it, and parsers that differ about it have
 * been used to smuggle requests.
 *
 * The framing is read byte by byte (a few bytes a chunk), the payload and the trailers in bulk.
 * Invariant: left > 0 exactly in the states that have a size or its data before them. */
#include "http/http_chunked.h"

#include <assert.h>

#include "http/http_class.h"
#include "http/http_parse.h"

enum {
    STATE_SIZE_FIRST,
    STATE_SIZE,
    STATE_EXTENSION, /* after ';' */
    STATE_NAME,
    STATE_EXTENSION_VALUE, /* after '=' */
    STATE_TOKEN,
    STATE_QUOTED,
    STATE_ESCAPE, /* after '\' in a quoted value */
    STATE_QUOTED_END,
    STATE_SIZE_LF,
    STATE_DATA,
    STATE_DATA_CR,
    STATE_DATA_LF,
    STATE_TRAILERS,
    STATE_END,
    STATE_ERROR,
};

enum {
    SIZE_DIGITS_MAX = 16 /* so that shifting digits in never overflows 64 bits */
};

void http_chunked_init(struct http_chunked *chunked)
{
    *chunked = (struct http_chunked){ .state = STATE_SIZE_FIRST };
    http_field_scan_init(&chunked->trailers, HTTP_TRAILERS_SIZE_MAX);
}

static unsigned hex_value(char digit)
{
    assert(http_class_has(digit, HTTP_CLASS_HEX));
    return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)((digit | 0x20) - 'a') + 10;
}

static const char *add_digit(struct http_chunked *chunked, char digit)
{
    if (chunked->size_digits == SIZE_DIGITS_MAX) {
        return "chunk size too large";
    }
    chunked->size_digits++;
    chunked->left = chunked->left << 4 | hex_value(digit);
    if (chunked->left > INT64_MAX - chunked->payload_size) {
        return "chunk size too large";
    }
    return NULL;
}

/* What may follow a chunk size, or a complete extension. */
static const char *end_size(struct http_chunked *chunked, char byte, const char *text)
{
    if (byte == ';') {
        chunked->state = STATE_EXTENSION;
        return NULL;
    }
    if (byte == '\r') {
        chunked->state = STATE_SIZE_LF;
        return NULL;
    }
    return text;
}

static const char *step_size(struct http_chunked *chunked, char byte)
{
    if (http_class_has(byte, HTTP_CLASS_HEX)) {
        chunked->state = STATE_SIZE;
        return add_digit(chunked, byte);
    }
    if (chunked->state == STATE_SIZE_FIRST) {
        return "chunk size expected";
    }
    return end_size(chunked, byte, "bad byte after a chunk size");
}

static const char *step_token(struct http_chunked *chunked, char byte)
{
    static const char text[] = "bad chunk extension";
    bool is_first = chunked->state == STATE_EXTENSION || chunked->state == STATE_EXTENSION_VALUE;
    bool is_name = chunked->state == STATE_EXTENSION || chunked->state == STATE_NAME;
    if (http_class_has(byte, HTTP_CLASS_TOKEN)) {
        chunked->state = is_name ? STATE_NAME : STATE_TOKEN;
        return NULL;
    }
    if (chunked->state == STATE_EXTENSION_VALUE && byte == '"') {
        chunked->state = STATE_QUOTED;
        return NULL;
    }
    if (chunked->state == STATE_NAME && byte == '=') {
        chunked->state = STATE_EXTENSION_VALUE;
        return NULL;
    }
    return is_first ? text : end_size(chunked, byte, text);
}

static const char *step_quoted(struct http_chunked *chunked, char byte)
{
    if (chunked->state == STATE_ESCAPE) {
        bool is_good = http_class_has(byte, HTTP_CLASS_VALUE) && byte != '\t';
        chunked->state = STATE_QUOTED;
        return is_good ? NULL : "bad chunk extension";
    }
    if (byte == '"') {
        chunked->state = STATE_QUOTED_END;
        return NULL;
    }
    if (byte == '\\') {
        chunked->state = STATE_ESCAPE;
        return NULL;
    }
    return http_class_has(byte, HTTP_CLASS_QUOTED) ? NULL : "bad chunk extension";
}

static const char *step_line_end(struct http_chunked *chunked, char byte)
{
    char expected = chunked->state == STATE_DATA_CR ? '\r' : '\n';
    if (byte != expected) {
        return chunked->state == STATE_SIZE_LF ? "CR without LF" : "no CRLF after a chunk's data";
    }
    switch (chunked->state) {
    case STATE_SIZE_LF:
        chunked->state = chunked->left > 0 ? STATE_DATA : STATE_TRAILERS;
        break;
    case STATE_DATA_CR:
        chunked->state = STATE_DATA_LF;
        break;
    default:
        assert(chunked->state == STATE_DATA_LF);
        assert(chunked->left == 0);
        chunked->size_digits = 0;
        chunked->state = STATE_SIZE_FIRST;
        break;
    }
    return NULL;
}

/* One byte of framing: everything but data and trailers. Returns what is wrong, or NULL. */
static const char *step(struct http_chunked *chunked, char byte)
{
    switch (chunked->state) {
    case STATE_SIZE_FIRST:
    case STATE_SIZE:
        return step_size(chunked, byte);
    case STATE_EXTENSION:
    case STATE_NAME:
    case STATE_EXTENSION_VALUE:
    case STATE_TOKEN:
        return step_token(chunked, byte);
    case STATE_QUOTED:
    case STATE_ESCAPE:
        return step_quoted(chunked, byte);
    case STATE_QUOTED_END:
        return end_size(chunked, byte, "bad chunk extension");
    default:
        return step_line_end(chunked, byte);
    }
}

/* Returns what is wrong, or NULL. Counts the byte to the extensions when it belongs to one. */
static const char *step_counted(struct http_chunked *chunked, char byte)
{
    const char *text = step(chunked, byte);
    bool is_extension = chunked->state >= STATE_EXTENSION && chunked->state <= STATE_QUOTED_END;
    if (text != NULL || !is_extension) {
        return text;
    }
    if (chunked->extensions_size == HTTP_CHUNK_EXTENSIONS_SIZE_MAX) {
        return "chunk extensions too large";
    }
    chunked->extensions_size++;
    return NULL;
}

static size_t skip_data(struct http_chunked *chunked, size_t size)
{
    assert(chunked->left > 0);
    size_t taken = chunked->left < size ? (size_t)chunked->left : size;
    chunked->left -= taken;
    chunked->payload_size += taken;
    if (chunked->left == 0) {
        chunked->state = STATE_DATA_CR;
    }
    return taken;
}

static enum http_scan_result read_trailers(struct http_chunked *chunked, const char *data,
                                           size_t size, size_t *consumed, struct http_error *error)
{
    enum http_scan_result result =
        http_field_scan_read(&chunked->trailers, data, size, consumed, error);
    if (result != HTTP_SCAN_MORE) {
        chunked->state = result == HTTP_SCAN_DONE ? STATE_END : STATE_ERROR;
    }
    return result;
}

enum http_scan_result http_chunked_read(struct http_chunked *chunked, const char *data, size_t size,
                                        size_t *consumed, struct http_error *error)
{
    assert(chunked->state < STATE_END);
    size_t at = 0;
    *consumed = 0;
    while (at < size) {
        if (chunked->state == STATE_DATA) {
            at += skip_data(chunked, size - at);
            continue;
        }
        if (chunked->state == STATE_TRAILERS) {
            enum http_scan_result result =
                read_trailers(chunked, data + at, size - at, consumed, error);
            *consumed += at;
            assert(*consumed <= size);
            return result;
        }
        const char *text = step_counted(chunked, data[at]);
        if (text != NULL) {
            chunked->state = STATE_ERROR;
            *error = http_error_of(400, text);
            *consumed = at;
            return HTTP_SCAN_ERROR;
        }
        at++;
    }
    *consumed = at;
    return HTTP_SCAN_MORE;
}

/* A template is walked once: text goes through byte by byte, a '$' inserts. What was written last
 * is kept beside the writer, whose buffer may be full: whether a slash would be doubled hangs on
 * it. */
#include "http/http_redirect.h"

#include <assert.h>

#include "http/http_authority.h"
#include "http/http_class.h"
#include "http/http_writer.h"

struct location {
    struct http_writer writer;
    bool is_path; /* path-absolute */
    char last;
};

static bool slice_begins_with(struct slice text, struct slice prefix)
{
    return text.size >= prefix.size && memcmp(text.data, prefix.data, prefix.size) == 0;
}

static struct slice slice_from(struct slice text, size_t offset)
{
    assert(offset <= text.size);
    return slice_of(text.data + offset, text.size - offset);
}

/* Bytes that RFC 3986 2 allows somewhere; '[' and ']' stand in an authority only, but are taken
 * elsewhere by all. */
static bool byte_is_of_uri(char byte)
{
    return byte == '#' ||
           (http_class_has(byte, HTTP_CLASS_TARGET) && memchr("\"<>\\^`{|}", byte, 9) == NULL);
}

/* The size of the '$' sequence that text begins with, or 0. */
static size_t insertion_size(struct slice text)
{
    assert(text.data[0] == '$');
    if (text.size < 2) {
        return 0;
    }
    if (text.data[1] == '$' || (text.data[1] >= '1' && text.data[1] <= '9')) {
        return 2;
    }
    return slice_begins_with(text, SLICE("$path")) ? SLICE("$path").size : 0;
}

static const char *bytes_check(struct slice text)
{
    for (size_t at = 0; at < text.size; at++) {
        if (!byte_is_of_uri(text.data[at])) {
            return "expected a target of bytes that a URI may hold, others escaped as %XX";
        }
        if (text.data[at] == '%' &&
            (text.size - at < 3 || !http_class_has(text.data[at + 1], HTTP_CLASS_HEX) ||
             !http_class_has(text.data[at + 2], HTTP_CLASS_HEX))) {
            return "expected two hexadecimal digits behind '%'";
        }
        if (text.data[at] == '$') {
            size_t size = insertion_size(slice_from(text, at));
            if (size == 0) {
                return "expected $1 to $9, $path or $$";
            }
            at += size - 1;
        }
    }
    return NULL;
}

/* rest: what stands behind "//". */
static const char *authority_check(struct slice rest)
{
    size_t size = 0;
    while (size < rest.size && memchr("/?#$", rest.data[size], 4) == NULL) {
        size++;
    }
    struct http_authority authority;
    if (!http_authority_parse(slice_of(rest.data, size), &authority)) {
        return "expected HOST or HOST:PORT behind http:// or https://";
    }
    struct slice behind = slice_from(rest, size);
    if (behind.size > 0 && behind.data[0] == '$' && !slice_begins_with(behind, SLICE("$path"))) {
        return "expected '/' or $path behind the host, before any other '$'";
    }
    return NULL;
}

const char *http_redirect_check(struct slice template)
{
    const char *expected = NULL;
    if (slice_begins_with(template, SLICE("http://"))) {
        expected = authority_check(slice_from(template, SLICE("http://").size));
    } else if (slice_begins_with(template, SLICE("https://"))) {
        expected = authority_check(slice_from(template, SLICE("https://").size));
    } else if (!slice_begins_with(template, SLICE("/")) ||
               slice_begins_with(template, SLICE("//"))) {
        expected = "expected a target that begins with one '/', with http:// or with https://";
    }
    return expected != NULL ? expected : bytes_check(template);
}

/* A text that begins with '/' behind nothing but "/" would make a host of what follows. */
static void text_append(struct location *location, char byte)
{
    if (location->is_path && location->writer.needed == 1 && byte == '/') {
        return;
    }
    http_writer_append_byte(&location->writer, byte);
    location->last = byte;
}

static void value_append(struct location *location, struct slice value)
{
    while (location->last == '/' && value.size > 0 && value.data[0] == '/') {
        value = slice_from(value, 1);
    }
    if (value.size == 0) {
        return;
    }
    struct http_writer *writer = &location->writer;
    size_t room = writer->needed < writer->size ? writer->size - writer->needed : 0;
    writer->needed +=
        http_target_encode(value, room > 0 ? writer->data + writer->needed : NULL, room);
    location->last = value.data[value.size - 1];
}

/* text: begins with a '$' sequence of this size. */
static void insertion_append(struct location *location, struct slice text, size_t size,
                             const struct http_glob_captures *captures, struct slice path)
{
    if (size > 2) {
        value_append(location, path);
    } else if (text.data[1] == '$') {
        text_append(location, '$');
    } else {
        size_t index = (size_t)(text.data[1] - '1');
        if (index < captures->count) {
            value_append(location, captures->items[index]);
        }
    }
}

static void query_append(struct location *location, struct slice query, bool has_query)
{
    if (query.size == 0) {
        return;
    }
    if (!has_query) {
        text_append(location, '?');
    } else if (location->last != '?' && location->last != '&') {
        text_append(location, '&');
    }
    http_writer_append(&location->writer, query);
}

size_t http_redirect_write(struct slice template, const struct http_glob_captures *captures,
                           struct slice path, struct slice query, char *buffer, size_t size)
{
    assert(http_redirect_check(template) == NULL);
    assert(path.size > 0);
    assert(path.data[0] == '/');
    struct location location = {
        .writer = { .data = buffer, .size = size },
        .is_path = template.data[0] == '/',
    };
    bool has_query = false;
    bool has_fragment = false;
    for (size_t at = 0; at < template.size; at++) {
        char byte = template.data[at];
        if (byte == '$') {
            struct slice text = slice_from(template, at);
            size_t insertion = insertion_size(text);
            insertion_append(&location, text, insertion, captures, path);
            at += insertion - 1;
            continue;
        }
        if (byte == '#' && !has_fragment) {
            has_fragment = true;
            query_append(&location, query, has_query);
        }
        has_query |= byte == '?' && !has_fragment;
        text_append(&location, byte);
    }
    if (!has_fragment) {
        query_append(&location, query, has_query);
    }
    return location.writer.needed;
}

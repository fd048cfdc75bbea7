/* request_oracle: the rules for requests once more, written naively from the RFCs and sharing no
 * code with the parser. It judges what the parser accepted; every function aborts when a rule is
 * broken. */
#ifndef GYRE_TEST_REQUEST_ORACLE_H
#define GYRE_TEST_REQUEST_ORACLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/http_parse.h"

#define ORACLE(condition) oracle(condition, #condition, __FILE__, __LINE__)

static inline void oracle(bool holds, const char *rule, const char *file, int line)
{
    if (!holds) {
        fprintf(stderr, "%s:%d: broken: %s\n", file, line, rule);
        abort();
    }
}

static inline bool oracle_is_token(const char *text, size_t size)
{
    static const char set[] = "!#$%&'*+-.^_`|~0123456789"
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (size_t i = 0; i < size; i++) {
        if (memchr(set, text[i], sizeof(set) - 1) == NULL) {
            return false;
        }
    }
    return size > 0;
}

/* The size of the line at text, without its CRLF. Aborts on a bare CR, a bare LF, or no line end.
 */
static inline size_t oracle_line_size(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ORACLE(text[i] != '\n');
        if (text[i] == '\r') {
            ORACLE(i + 1 < size);
            ORACLE(text[i + 1] == '\n');
            return i;
        }
    }
    oracle(false, "a line has an end", __FILE__, __LINE__);
    return 0;
}

struct oracle_head {
    unsigned minor;
    unsigned hosts;
    unsigned lengths;
    unsigned codings;
    unsigned fields;
    uint64_t length;
    bool is_close;
    bool is_keep_alive;
};

static inline struct slice oracle_trim(struct slice text)
{
    while (text.size > 0 && memchr(" \t", text.data[0], 2) != NULL) {
        text = slice_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && memchr(" \t", text.data[text.size - 1], 2) != NULL) {
        text.size--;
    }
    return text;
}

static inline bool oracle_list_has(struct slice list, const char *token)
{
    size_t start = 0;
    for (size_t end = 0; end <= list.size; end++) {
        if (end < list.size && list.data[end] != ',') {
            continue;
        }
        struct slice element = oracle_trim(slice_of(list.data + start, end - start));
        if (element.size == strlen(token) && strncasecmp(element.data, token, element.size) == 0) {
            return true;
        }
        start = end + 1;
    }
    return false;
}

static inline void oracle_length(struct oracle_head *head, struct slice value)
{
    head->lengths++;
    ORACLE(value.size >= 1);
    ORACLE(value.size <= 20);
    for (size_t i = 0; i < value.size; i++) {
        ORACLE(value.data[i] >= '0');
        ORACLE(value.data[i] <= '9');
        ORACLE(head->length <= INT64_MAX / 10);
        head->length = head->length * 10 + (uint64_t)(value.data[i] - '0');
    }
    ORACLE(head->length <= INT64_MAX);
}

static inline void oracle_host(struct slice value)
{
    static const char never[] = "@/,\\?#<>\"{}|^` \t";
    for (size_t i = 0; i < value.size; i++) {
        ORACLE(value.data[i] > ' ');
        ORACLE(value.data[i] < 0x7f);
        ORACLE(memchr(never, value.data[i], sizeof(never) - 1) == NULL);
    }
}

static inline void oracle_field(struct oracle_head *head, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    ORACLE(colon != NULL);
    size_t name = (size_t)(colon - line);
    ORACLE(oracle_is_token(line, name));
    for (size_t i = name; i < size; i++) {
        unsigned char byte = (unsigned char)line[i];
        ORACLE(byte == '\t' || (byte >= ' ' && byte != 0x7f));
    }
    struct slice value = oracle_trim(slice_of(colon + 1, size - name - 1));
    head->fields++;
    if (name == 4 && strncasecmp(line, "host", name) == 0) {
        head->hosts++;
        oracle_host(value);
    } else if (name == 14 && strncasecmp(line, "content-length", name) == 0) {
        oracle_length(head, value);
    } else if (name == 17 && strncasecmp(line, "transfer-encoding", name) == 0) {
        head->codings++;
        ORACLE(value.size == 7);
        ORACLE(strncasecmp(value.data, "chunked", 7) == 0);
    } else if (name == 10 && strncasecmp(line, "connection", name) == 0) {
        head->is_close |= oracle_list_has(value, "close");
        head->is_keep_alive |= oracle_list_has(value, "keep-alive");
    }
}

/* Returns the minor version. */
static inline unsigned oracle_request_line(const char *line, size_t size)
{
    const char *first = memchr(line, ' ', size);
    ORACLE(size <= HTTP_REQUEST_LINE_SIZE_MAX);
    ORACLE(first != NULL);
    size_t method = (size_t)(first - line);
    ORACLE(method <= HTTP_METHOD_SIZE_MAX);
    ORACLE(oracle_is_token(line, method));
    ORACLE(size >= method + sizeof("  HTTP/1.1") - 1 + 1);
    const char *version = line + size - 8;
    ORACLE(memcmp(version - 1, " HTTP/1.", 8) == 0);
    ORACLE(version[7] >= '0');
    ORACLE(version[7] <= '9');
    for (const char *at = first + 1; at < version - 1; at++) {
        ORACLE(*at > ' ');
        ORACLE(*at < 0x7f);
        ORACLE(*at != '#');
    }
    bool is_path = first[1] == '/';
    bool is_asterisk = first[1] == '*' && first + 2 == version - 1;
    bool is_uri =
        strncasecmp(first + 1, "http://", 7) == 0 || strncasecmp(first + 1, "https://", 8) == 0;
    ORACLE(is_path || is_uri || is_asterisk);
    ORACLE(!is_asterisk || (method == 7 && memcmp(line, "OPTIONS", 7) == 0));
    ORACLE(method != 7 || memcmp(line, "CONNECT", 7) != 0);
    return (unsigned)(version[7] - '0');
}

/* text: exactly the bytes that the parser took for a head. */
static inline void oracle_accepted_head(const char *text, size_t size,
                                        const struct http_request *request)
{
    struct oracle_head head = { 0 };
    size_t at = 0;
    ORACLE(size <= HTTP_HEAD_SIZE_MAX);
    while (at < 4 && text[at] == '\r') {
        ORACLE(text[at + 1] == '\n');
        at += 2;
    }
    size_t line = oracle_line_size(text + at, size - at);
    ORACLE(request->line.data == text + at);
    ORACLE(request->line.size == line);
    head.minor = oracle_request_line(text + at, line);
    at += line + 2;
    size_t fields_start = at;
    while ((line = oracle_line_size(text + at, size - at)) > 0) {
        oracle_field(&head, text + at, line);
        at += line + 2;
    }
    ORACLE(at + 2 == size);
    ORACLE(at - fields_start <= HTTP_FIELDS_SIZE_MAX);
    ORACLE(request->fields.data == text + fields_start);
    ORACLE(request->fields.size == at - fields_start);
    ORACLE(head.fields <= HTTP_FIELDS_COUNT_MAX);
    ORACLE(head.hosts <= 1);
    ORACLE(head.hosts == 1 || head.minor == 0);
    ORACLE(head.lengths + head.codings <= 1);
    ORACLE(head.codings == 0 || head.minor > 0);
    ORACLE(request->version_minor == (head.minor > 0));
    ORACLE(request->content_length == head.length);
    ORACLE((request->body_kind == HTTP_BODY_CHUNKED) == (head.codings == 1));
    ORACLE((request->body_kind == HTTP_BODY_LENGTH) == (head.length > 0));
    ORACLE(request->keep_alive == (!head.is_close && (head.minor > 0 || head.is_keep_alive)));
}

/* text: exactly the bytes that the parser took for a chunked body. Returns the payload's size. */
static inline uint64_t oracle_accepted_chunked(const char *text, size_t size)
{
    uint64_t payload = 0;
    size_t at = 0;
    for (;;) {
        size_t line = oracle_line_size(text + at, size - at);
        size_t digits = strspn(text + at, "0123456789abcdefABCDEF");
        ORACLE(digits >= 1);
        ORACLE(digits <= 16);
        ORACLE(digits == line || text[at + digits] == ';');
        uint64_t chunk = strtoull(text + at, NULL, 16);
        at += line + 2;
        if (chunk == 0) {
            break;
        }
        ORACLE(chunk + 2 <= size - at);
        payload += chunk;
        at += (size_t)chunk;
        ORACLE(text[at] == '\r');
        ORACLE(text[at + 1] == '\n');
        at += 2;
    }
    struct oracle_head trailers = { 0 };
    size_t line;
    while ((line = oracle_line_size(text + at, size - at)) > 0) {
        const char *colon = memchr(text + at, ':', line);
        ORACLE(colon != NULL);
        ORACLE(oracle_is_token(text + at, (size_t)(colon - text) - at));
        trailers.fields++;
        at += line + 2;
    }
    ORACLE(trailers.fields <= HTTP_FIELDS_COUNT_MAX);
    ORACLE(at + 2 == size);
    return payload;
}

#endif

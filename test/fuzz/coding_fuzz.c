/* Fuzzes what depends on fields in several lines. Input lines: the codings at hand as a number, a
 * CORS policy, and then the field lines of a head.
 *
 * The head is parsed. The lines of each list, and the choice of a coding, are compared with what a
 * slow model says of the lines joined to one; conditions over several lines with those over one; a
 * field that must occur once is there only when it does; and what CORS says is lines of known names
 * whose values are the policy's or tokens. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/http_coding.h"
#include "http/http_condition.h"
#include "http/http_cors.h"
#include "http/http_field_list.h"
#include "test/fuzz/fuzz.h"

enum {
    INPUT_SIZE_MAX = 4 * 1024,
    HEAD_SIZE_MAX = 3 * INPUT_SIZE_MAX, /* a line end of one byte becomes two, and a join's */
};

static const char own_etag[] = "\"a\"";

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static struct slice line_take(struct slice *input)
{
    const char *end = input->size > 0 ? memchr(input->data, '\n', input->size) : NULL;
    if (end == NULL) {
        struct slice last = *input;
        *input = SLICE("");
        return last;
    }
    struct slice line = slice_of(input->data, (size_t)(end - input->data));
    *input = slice_of(end + 1, input->size - line.size - 1);
    return line;
}

static unsigned codings_read(struct slice line)
{
    unsigned number = 0;
    for (size_t i = 0; i < line.size; i++) {
        number = number * 10 + (unsigned char)line.data[i] % 16 % 10;
    }
    number %= 1u << HTTP_CODINGS_COUNT;
    return number > 0 ? number : (1u << HTTP_CODINGS_COUNT) - 1;
}

static struct slice trimmed(struct slice text)
{
    while (text.size > 0 && memchr(" \t", text.data[0], 2) != NULL) {
        text = slice_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && memchr(" \t", text.data[text.size - 1], 2) != NULL) {
        text.size--;
    }
    return text;
}

/* --- the model of lines ------------------------------------------------------------------------
 */

struct text {
    char data[HEAD_SIZE_MAX];
    size_t size;
};

static void text_append(struct text *text, struct slice bytes)
{
    check(bytes.size <= sizeof(text->data) - text->size);
    if (bytes.size > 0) {
        memcpy(text->data + text->size, bytes.data, bytes.size);
    }
    text->size += bytes.size;
}

static void head_write(struct text *head, struct slice input)
{
    text_append(head, SLICE("OPTIONS / HTTP/1.0\r\n"));
    while (input.size > 0) {
        text_append(head, line_take(&input));
        text_append(head, SLICE("\r\n"));
    }
    text_append(head, SLICE("\r\n"));
}

/* Joins the values of all lines of that name; returns how many there are. */
static size_t lines_join(struct slice input, const char *name, struct text *joined)
{
    size_t count = 0;
    joined->size = 0;
    while (input.size > 0) {
        struct slice line = line_take(&input);
        size_t name_size = strlen(name);
        if (line.size <= name_size || line.data[name_size] != ':' ||
            strncasecmp(line.data, name, name_size) != 0) {
            continue;
        }
        if (count++ > 0) {
            text_append(joined, SLICE(", "));
        }
        text_append(joined,
                    trimmed(slice_of(line.data + name_size + 1, line.size - name_size - 1)));
    }
    return count;
}

static void check_lines(const struct http_request *request, enum http_list_field field,
                        const char *name, struct slice input)
{
    struct text expected;
    struct text got = { .size = 0 };
    size_t count = lines_join(input, name, &expected);
    struct http_field_list list = http_field_list_of(request, field);
    struct slice line = SLICE_NONE;
    check(http_field_is_repeated(request, field) == (count > 1));
    for (size_t i = 0; i < count; i++) {
        check(http_field_list_next(&list, &line));
        text_append(&got, i > 0 ? SLICE(", ") : SLICE(""));
        text_append(&got, line);
    }
    check(!http_field_list_next(&list, &line));
    check(slice_equal(slice_of(got.data, got.size), slice_of(expected.data, expected.size)));
}

static void check_once(struct slice value, const char *name, struct slice input)
{
    struct text joined;
    size_t count = lines_join(input, name, &joined);
    check((value.data != NULL) == (count == 1));
    check(count != 1 || slice_equal(value, slice_of(joined.data, joined.size)));
}

static void check_fields(const struct http_request *request, struct slice input)
{
    struct text joined;
    check_lines(request, HTTP_LIST_ACCEPT, "accept", input);
    check_lines(request, HTTP_LIST_ACCEPT_ENCODING, "accept-encoding", input);
    check_lines(request, HTTP_LIST_IF_MATCH, "if-match", input);
    check_lines(request, HTTP_LIST_IF_NONE_MATCH, "if-none-match", input);
    check_lines(request, HTTP_LIST_REQUEST_HEADERS, "access-control-request-headers", input);
    check_once(request->if_modified_since, "if-modified-since", input);
    check_once(request->if_unmodified_since, "if-unmodified-since", input);
    check_once(request->authorization, "authorization", input);
    check_once(request->origin, "origin", input);
    check_once(request->if_range, "if-range", input);
    if (lines_join(input, "if-range", &joined) <= 1) {
        check_once(request->range, "range", input);
    } else {
        check(request->range.data == NULL);
    }
}

/* --- the model of Accept-Encoding --------------------------------------------------------------
 */

/* Thousandths; -1: no qvalue. */
static int model_quality(struct slice text)
{
    char copy[6] = "";
    if (text.size < 1 || text.size > 5) {
        return -1;
    }
    memcpy(copy, text.data, text.size);
    bool is_good = (copy[0] == '0' || copy[0] == '1') && (copy[1] == '\0' || copy[1] == '.');
    for (size_t i = 2; i < text.size; i++) {
        is_good &= copy[i] >= '0' && copy[i] <= (copy[0] == '1' ? '0' : '9');
    }
    return is_good ? (int)(strtod(copy, NULL) * 1000 + 0.5) : -1;
}

/* What the last good element of that name says; -1: there is none. */
static int model_named(struct slice list, const char *name)
{
    int found = -1;
    for (size_t start = 0; start <= list.size;) {
        size_t end = start;
        while (end < list.size && list.data[end] != ',') {
            end++;
        }
        struct slice element = trimmed(slice_of(list.data + start, end - start));
        start = end + 1;
        size_t cut = 0;
        while (cut < element.size && element.data[cut] != ';') {
            cut++;
        }
        int quality = 1000;
        if (cut < element.size) {
            struct slice weight = trimmed(slice_of(element.data + cut + 1, element.size - cut - 1));
            bool is_weight = weight.size > 2 && strncasecmp(weight.data, "q=", 2) == 0;
            quality = is_weight ? model_quality(slice_of(weight.data + 2, weight.size - 2)) : -1;
        }
        struct slice coding = trimmed(slice_of(element.data, cut));
        bool is_it =
            slice_equal_ignoring_case(coding, slice_from_string(name)) ||
            (strcmp(name, "gzip") == 0 && slice_equal_ignoring_case(coding, SLICE("x-gzip")));
        found = is_it && quality >= 0 ? quality : found;
    }
    return found;
}

/* From the one that the server prefers to the one that it does not. */
static enum http_coding model_choose(struct slice list, unsigned available)
{
    static const struct {
        enum http_coding coding;
        const char *name;
    } codings[] = {
        { HTTP_CODING_BR, "br" },
        { HTTP_CODING_ZSTD, "zstd" },
        { HTTP_CODING_GZIP, "gzip" },
        { HTTP_CODING_IDENTITY, "identity" },
    };
    enum http_coding best = HTTP_CODING_NONE;
    double best_quality = 0;
    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
        int named = model_named(list, codings[i].name);
        int any = model_named(list, "*");
        double quality = named >= 0 ? named : any >= 0 ? any : 0;
        if (codings[i].coding == HTTP_CODING_IDENTITY && named < 0 && any < 0) {
            quality = 0.1;
        }
        if ((available >> codings[i].coding & 1) != 0 && quality > best_quality) {
            best = codings[i].coding;
            best_quality = quality;
        }
    }
    return best;
}

static void check_choice(const struct http_request *request, struct slice input, unsigned available)
{
    struct text joined;
    enum http_coding chosen = http_coding_choose(request, available);
    check(chosen == HTTP_CODING_NONE || (available >> chosen & 1) != 0);
    if (lines_join(input, "accept-encoding", &joined) == 0) {
        check((available & 1) == 0 || chosen == HTTP_CODING_IDENTITY);
        check(chosen != HTTP_CODING_NONE);
        return;
    }
    struct slice list = slice_of(joined.data, joined.size);
    struct http_request one = { .accept_encoding = list };
    check(chosen == model_choose(list, available));
    check(chosen == http_coding_choose(&one, available));
}

/* --- conditions and CORS -----------------------------------------------------------------------
 */

static void check_conditions(const struct http_request *request, struct slice input)
{
    struct text joined;
    const struct http_validators validators = { .etag = slice_from_string(own_etag) };
    struct http_request many = { .fields = request->fields, .repeated = request->repeated };
    struct http_request one = { .method = HTTP_METHOD_GET };
    if (lines_join(input, "if-match", &joined) > 0) {
        one.if_match = slice_of(joined.data, joined.size);
        many.if_match = request->if_match;
        check(http_condition_evaluate(&one, &validators) ==
              http_condition_evaluate(&many, &validators));
    }
    one.if_match = many.if_match = SLICE_NONE;
    if (lines_join(input, "if-none-match", &joined) > 0) {
        one.if_none_match = slice_of(joined.data, joined.size);
        many.if_none_match = request->if_none_match;
        check(http_condition_evaluate(&one, &validators) ==
              http_condition_evaluate(&many, &validators));
    }
}

static bool is_of(struct slice text, const char *bytes)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\0' || strchr(bytes, text.data[i]) == NULL) {
            return false;
        }
    }
    return true;
}

static void check_cors_line(struct slice line, struct slice policy)
{
    static const char names[] = "!#$%&'*+-.^_`|~0123456789, "
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char *const constant[] = {
        "Access-Control-Allow-Origin: *",
        "Access-Control-Allow-Methods: GET, HEAD, OPTIONS",
        "Access-Control-Expose-Headers: ETag, Content-Length, Content-Range, Accept-Ranges",
        "Access-Control-Max-Age: 86400",
        "Vary: Origin",
        "Vary: Access-Control-Request-Headers",
    };
    for (size_t i = 0; i < sizeof(constant) / sizeof(constant[0]); i++) {
        if (slice_equal(line, slice_from_string(constant[i]))) {
            return;
        }
    }
    const char *colon = memchr(line.data, ':', line.size);
    check(colon != NULL);
    struct slice name = slice_of(line.data, (size_t)(colon - line.data));
    struct slice value = slice_of(colon + 2, line.size - name.size - 2);
    check(value.size > 0);
    if (slice_equal(name, SLICE("Access-Control-Allow-Headers"))) {
        check(value.size <= HTTP_CORS_HEADERS_SIZE_MAX);
        check(is_of(value, names));
        return;
    }
    check(slice_equal(name, SLICE("Access-Control-Allow-Origin")));
    bool is_found = false;
    for (size_t start = 0; start + value.size <= policy.size; start++) {
        is_found |= strncasecmp(policy.data + start, value.data, value.size) == 0;
    }
    check(is_found);
}

static void check_cors(const struct http_request *request, struct slice policy, bool is_preflight)
{
    char buffer[HTTP_CORS_SIZE_MAX];
    size_t size = http_cors_write(policy, request, is_preflight, buffer, sizeof(buffer));
    check((size == 0) == (policy.size == 0));
    size_t start = 0;
    while (start < size) {
        size_t end = start;
        while (end < size && buffer[end] != '\r' && buffer[end] != '\n') {
            end++;
        }
        check(end + 2 <= size);
        check(memcmp(buffer + end, "\r\n", 2) == 0);
        check_cors_line(slice_of(buffer + start, end - start), policy);
        start = end + 2;
    }
    char cut[HTTP_CORS_SIZE_MAX];
    check(size == 0 || http_cors_write(policy, request, is_preflight, cut, size) == size);
    check(size == 0 || http_cors_write(policy, request, is_preflight, cut, size - 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_SIZE_MAX) {
        return 0;
    }
    struct slice input = slice_of((const char *)data, size);
    unsigned available = codings_read(line_take(&input));
    struct slice policy = line_take(&input);
    struct text head = { .size = 0 };
    struct http_parser parser;
    struct http_request request;
    head_write(&head, input);
    http_parser_init(&parser);
    if (http_parse_head(&parser, head.data, head.size, &request) != HTTP_PARSE_DONE) {
        return 0;
    }
    if (parser.head_size < head.size) {
        return 0; /* an empty line has ended the head */
    }
    check_fields(&request, input);
    check_choice(&request, input, available);
    check_conditions(&request, input);
    check_cors(&request, policy, true);
    check_cors(&request, policy, false);
    return 0;
}

/* Lines are appended as they are decided. The names of a preflight are read while they are written,
 * and taken back when one of them turns out to be none. */
#include "http/http_cors.h"

#include "http/http_class.h"
#include "http/http_field_list.h"
#include "http/http_list.h"
#include "http/http_writer.h"

enum http_cors_result http_cors_evaluate(struct slice policy, struct slice origin)
{
    if (slice_equal(policy, SLICE("*"))) {
        return HTTP_CORS_ANY;
    }
    if (origin.size == 0 || origin.size > HTTP_CORS_ORIGIN_SIZE_MAX) {
        return HTTP_CORS_NONE;
    }
    while (policy.size > 0) {
        const char *space = memchr(policy.data, ' ', policy.size);
        size_t size = space != NULL ? (size_t)(space - policy.data) : policy.size;
        if (slice_equal_ignoring_case(slice_of(policy.data, size), origin)) {
            return HTTP_CORS_ORIGIN;
        }
        size_t taken = space != NULL ? size + 1 : size;
        policy = slice_of(policy.data + taken, policy.size - taken);
    }
    return HTTP_CORS_NONE;
}

bool http_cors_is_preflight(const struct http_request *request)
{
    return request->method == HTTP_METHOD_OPTIONS && request->origin.size > 0 &&
           request->access_control_request_method.size > 0;
}

static bool is_token(struct slice text)
{
    return text.size > 0 && http_class_skip(text.data, 0, text.size, HTTP_CLASS_TOKEN) == text.size;
}

/* Appends the names of one line, with ", " before each but the first. Returns false at what is no
 * token, or beyond size_max. value_start: where in the writer the first name of all lines began. */
static bool names_append(struct http_writer *writer, size_t value_start, struct slice line)
{
    while (line.size > 0) {
        struct slice name = http_list_take(&line);
        if (name.size == 0) {
            continue;
        }
        if (!is_token(name)) {
            return false;
        }
        if (writer->needed > value_start) {
            http_writer_append(writer, SLICE(", "));
        }
        http_writer_append(writer, name);
        if (writer->needed - value_start > HTTP_CORS_HEADERS_SIZE_MAX) {
            return false;
        }
    }
    return true;
}

static void allow_headers_append(struct http_writer *writer, const struct http_request *request)
{
    struct http_writer before = *writer;
    http_writer_append(writer, SLICE("Access-Control-Allow-Headers: "));
    size_t value_start = writer->needed;
    struct http_field_list lines = http_field_list_of(request, HTTP_LIST_REQUEST_HEADERS);
    struct slice line;
    bool is_good = true;
    while (is_good && http_field_list_next(&lines, &line)) {
        is_good = names_append(writer, value_start, line);
    }
    if (!is_good || writer->needed == value_start) {
        *writer = before;
        return;
    }
    http_writer_append(writer, SLICE("\r\n"));
}

static void preflight_append(struct http_writer *writer, const struct http_request *request)
{
    http_writer_append(writer, SLICE("Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"));
    allow_headers_append(writer, request);
    http_writer_append(writer, SLICE("Access-Control-Max-Age: 86400\r\n"
                                     "Vary: Access-Control-Request-Headers\r\n"));
}

static void allow_origin_append(struct http_writer *writer, enum http_cors_result result,
                                struct slice origin)
{
    http_writer_append(writer, SLICE("Access-Control-Allow-Origin: "));
    http_writer_append(writer, result == HTTP_CORS_ANY ? SLICE("*") : origin);
    http_writer_append(writer, SLICE("\r\n"));
}

size_t http_cors_write(struct slice policy, const struct http_request *request, bool is_preflight,
                       char *buffer, size_t size)
{
    struct http_writer writer = { .data = buffer, .size = size };
    if (policy.size == 0) {
        return 0;
    }
    enum http_cors_result result = http_cors_evaluate(policy, request->origin);
    if (result != HTTP_CORS_NONE) {
        allow_origin_append(&writer, result, request->origin);
    }
    if (result != HTTP_CORS_ANY) {
        http_writer_append(&writer, SLICE("Vary: Origin\r\n"));
    }
    if (result != HTTP_CORS_NONE && is_preflight) {
        preflight_append(&writer, request);
    } else if (result != HTTP_CORS_NONE) {
        http_writer_append(&writer, SLICE("Access-Control-Expose-Headers: ETag, Content-Length, "
                                          "Content-Range, Accept-Ranges\r\n"));
    }
    return writer.needed <= size ? writer.needed : 0;
}

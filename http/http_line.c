/* http_line: see the header. */
#include "http/http_line.h"

#include <assert.h>

#include "http/http_authority.h"
#include "http/http_class.h"

enum {
    PORT_HTTP = 80,
    PORT_HTTPS = 443,
    VERSION_SIZE = sizeof("HTTP/1.1") - 1
};

/* The registry of RFC 9110 16.1.1, less the three that gyre serves. */
static const struct slice methods_known[] = {
    { "POST", 4 },
    { "PUT", 3 },
    { "DELETE", 6 },
    { "PATCH", 5 },
    { "TRACE", 5 },
    { "CONNECT", 7 },
    { "PROPFIND", 8 },
    { "PROPPATCH", 9 },
    { "MKCOL", 5 },
    { "COPY", 4 },
    { "MOVE", 4 },
    { "LOCK", 4 },
    { "UNLOCK", 6 },
    { "REPORT", 6 },
    { "SEARCH", 6 },
    { "ACL", 3 },
    { "BASELINE-CONTROL", 16 },
    { "BIND", 4 },
    { "CHECKIN", 7 },
    { "CHECKOUT", 8 },
    { "LABEL", 5 },
    { "LINK", 4 },
    { "MERGE", 5 },
    { "MKACTIVITY", 10 },
    { "MKCALENDAR", 10 },
    { "MKREDIRECTREF", 13 },
    { "MKWORKSPACE", 11 },
    { "ORDERPATCH", 10 },
    { "PRI", 3 },
    { "REBIND", 6 },
    { "UNBIND", 6 },
    { "UNCHECKOUT", 10 },
    { "UNLINK", 6 },
    { "UPDATE", 6 },
    { "UPDATEREDIRECTREF", 17 },
    { "VERSION-CONTROL", 15 },
};

static enum http_method method_of(struct slice token)
{
    assert(token.size > 0);
    assert(token.size <= HTTP_METHOD_SIZE_MAX);
    if (slice_equal(token, SLICE("GET"))) {
        return HTTP_METHOD_GET;
    }
    if (slice_equal(token, SLICE("HEAD"))) {
        return HTTP_METHOD_HEAD;
    }
    if (slice_equal(token, SLICE("OPTIONS"))) {
        return HTTP_METHOD_OPTIONS;
    }
    for (size_t i = 0; i < sizeof(methods_known) / sizeof(methods_known[0]); i++) {
        if (slice_equal(token, methods_known[i])) {
            return HTTP_METHOD_OTHER;
        }
    }
    return HTTP_METHOD_UNKNOWN;
}

/* The size of "http://" or "https://" at the beginning of a target, or 0. */
static size_t scheme_size(struct slice target)
{
    static const struct slice schemes[] = { { "http://", 7 }, { "https://", 8 } };
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t size = schemes[i].size;
        if (target.size >= size &&
            slice_equal_ignoring_case(slice_of(target.data, size), schemes[i])) {
            return size;
        }
    }
    return 0;
}

static void split_path(struct slice rest, struct http_request *request)
{
    request->path = rest;
    const char *mark = rest.size > 0 ? memchr(rest.data, '?', rest.size) : NULL;
    if (mark != NULL) {
        request->path.size = (size_t)(mark - rest.data);
        request->query = slice_of(mark + 1, rest.size - request->path.size - 1);
    }
    if (request->path.size == 0) {
        request->path = SLICE("/");
    }
    assert(request->path.data[0] == '/');
}

static struct http_error read_absolute_form(struct http_request *request)
{
    struct slice target = request->target;
    size_t start = scheme_size(target);
    if (start == 0) {
        return http_error_of(400, "target is neither a path nor an http URI");
    }
    size_t end = start;
    while (end < target.size && target.data[end] != '/' && target.data[end] != '?') {
        end++;
    }
    struct http_authority authority;
    request->host = slice_of(target.data + start, end - start);
    if (!http_authority_parse(request->host, &authority)) {
        return http_error_of(400, "bad authority in the target");
    }
    split_path(slice_of(target.data + end, target.size - end), request);
    return http_error_none();
}

static struct http_error read_target(struct http_request *request)
{
    assert(request->target.size > 0);
    if (request->target.data[0] == '/') {
        split_path(request->target, request);
        return http_error_none();
    }
    if (slice_equal(request->target, SLICE("*"))) {
        return http_error_none();
    }
    return read_absolute_form(request);
}

struct http_error http_line_read(const struct http_line_scan *scan, const char *data,
                                 struct http_request *request)
{
    assert(scan->line_start < scan->target_start);
    assert(scan->target_start < scan->target_end);
    const char *version = data + scan->target_end + 1;
    request->line =
        slice_of(data + scan->line_start, scan->target_end + 1 + VERSION_SIZE - scan->line_start);
    assert(request->line.size <= HTTP_REQUEST_LINE_SIZE_MAX);
    request->method_token =
        slice_of(data + scan->line_start, scan->target_start - 1 - scan->line_start);
    request->target = slice_of(data + scan->target_start, scan->target_end - scan->target_start);
    request->method = method_of(request->method_token);
    request->version_minor = version[VERSION_SIZE - 1] == '0' ? 0 : 1;

    /* The preface of HTTP/2 (`PRI * HTTP/2.0`) is refused here, before its version is looked at. */
    if (slice_equal(request->target, SLICE("*")) && request->method != HTTP_METHOD_OPTIONS) {
        return http_error_of(400, "target * without OPTIONS");
    }
    if (version[sizeof("HTTP/") - 1] != '1') {
        return http_error_of(505, "HTTP version other than 1");
    }
    if (slice_equal(request->method_token, SLICE("CONNECT"))) {
        return http_error_of(405, "CONNECT, and this is no proxy");
    }
    return read_target(request);
}

int http_line_port_default(const struct http_request *request)
{
    return scheme_size(request->target) == sizeof("https://") - 1 ? PORT_HTTPS : PORT_HTTP;
}

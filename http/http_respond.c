/* Decisions only: what is found or refused goes in, status and extent of the content come out. */
#include "http/http_respond.h"

#include <assert.h>
#include <errno.h>

#include "http/http_status.h"

/* HEAD is decided as GET is, then sent without its content: the heads cannot come to differ. */
static void content_withhold_for_head(const struct http_request *request,
                                      struct http_response *response)
{
    bool is_head = request != NULL && request->method == HTTP_METHOD_HEAD;
    if (is_head || response->length == 0) {
        response->content = HTTP_CONTENT_NONE;
    }
}

bool http_respond_early(const struct http_request *request, struct http_response *response)
{
    switch (request->method) {
    case HTTP_METHOD_GET:
    case HTTP_METHOD_HEAD:
        return false;
    case HTTP_METHOD_OPTIONS:
        *response = (struct http_response){ .status = 204, .content = HTTP_CONTENT_NONE };
        return true;
    case HTTP_METHOD_OTHER:
        http_respond_status(request, 405, response);
        return true;
    case HTTP_METHOD_UNKNOWN:
        http_respond_status(request, 501, response);
        return true;
    }
    assert(false);
    return false;
}

void http_respond(const struct http_request *request,
                  const struct http_representation *representation, struct http_response *response)
{
    assert(request->method == HTTP_METHOD_GET || request->method == HTTP_METHOD_HEAD);
    *response = (struct http_response){
        .status = 200,
        .content = HTTP_CONTENT_REPRESENTATION,
        .offset = 0,
        .length = representation->size,
    };
    content_withhold_for_head(request, response);
}

/* Range comes last, and only for GET: RFC 9110 13.2.2, step 5, and 14.2. */
static enum http_range_result range_evaluate(const struct http_request *request,
                                             const struct http_selection *selection,
                                             struct http_ranges *ranges)
{
    ranges->count = 0;
    if (request->method != HTTP_METHOD_GET || request->range.data == NULL) {
        return HTTP_RANGE_IGNORED;
    }
    if (request->if_range.data != NULL &&
        !http_if_range_holds(request->if_range, &selection->validators)) {
        return HTTP_RANGE_IGNORED;
    }
    return http_range_parse(request->range, selection->size, ranges);
}

static struct http_response partial_content(const struct http_selection *selection,
                                            const struct http_ranges *ranges)
{
    assert(ranges->count > 0);
    struct http_response response = { .status = 206 };
    if (ranges->count == 1) {
        response.content = HTTP_CONTENT_REPRESENTATION;
        response.offset = ranges->items[0].offset;
        response.length = ranges->items[0].length;
        return response;
    }
    struct http_multipart multipart = {
        .boundary = selection->boundary,
        .type = selection->type,
        .size = selection->size,
        .ranges = ranges,
    };
    response.content = HTTP_CONTENT_MULTIPART;
    response.length = http_multipart_length(&multipart);
    return response;
}

static void respond_passed(const struct http_request *request,
                           const struct http_selection *selection,
                           struct http_conditional *conditional)
{
    struct http_representation whole = { .size = selection->size };
    switch (range_evaluate(request, selection, &conditional->ranges)) {
    case HTTP_RANGE_IGNORED:
        http_respond(request, &whole, &conditional->response);
        break;
    case HTTP_RANGE_SATISFIABLE:
        conditional->response = partial_content(selection, &conditional->ranges);
        break;
    case HTTP_RANGE_UNSATISFIABLE:
        http_respond_status(request, 416, &conditional->response);
        break;
    }
}

void http_respond_conditional(const struct http_request *request,
                              const struct http_selection *selection,
                              struct http_conditional *conditional)
{
    assert(request->method == HTTP_METHOD_GET || request->method == HTTP_METHOD_HEAD);
    conditional->ranges.count = 0;
    switch (http_condition_evaluate(request, &selection->validators)) {
    case HTTP_CONDITION_PASS:
        respond_passed(request, selection, conditional);
        break;
    case HTTP_CONDITION_NOT_MODIFIED:
        conditional->response =
            (struct http_response){ .status = 304, .content = HTTP_CONTENT_NONE };
        break;
    case HTTP_CONDITION_FAILED:
        http_respond_status(request, 412, &conditional->response);
        break;
    }
}

void http_respond_status(const struct http_request *request, unsigned status,
                         struct http_response *response)
{
    assert(status >= 300);
    assert(!http_status_is_bodiless(status));
    *response = (struct http_response){
        .status = (uint16_t)status,
        .content = HTTP_CONTENT_STATUS,
        .length = http_status_body(status).size,
    };
    content_withhold_for_head(request, response);
}

unsigned http_status_from_errno(int error)
{
    assert(error < 0);
    switch (-error) {
    case EACCES:
    case EPERM:
    case ENXIO: /* a socket, or a device without a driver */
        return 403;
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EXDEV: /* a link that leaves the root */
        return 404;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
        return 503;
    default:
        return 500;
    }
}

struct slice http_allow(void)
{
    return SLICE("GET, HEAD, OPTIONS");
}

enum http_connection http_respond_connection(const struct http_request *request, bool closing)
{
    if (closing || !request->keep_alive) {
        return HTTP_CONNECTION_CLOSE;
    }
    return request->version_minor == 0 ? HTTP_CONNECTION_KEEP_ALIVE : HTTP_CONNECTION_UNSAID;
}

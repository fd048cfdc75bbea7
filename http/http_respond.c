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

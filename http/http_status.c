/* Statuses: one table row each, with the phrase and the page that go with it. */
#include "http/http_status.h"

#include <assert.h>

/* clang-format off */
#define TEXT(literal) { "" literal, sizeof(literal) - 1 } /* SLICE() is no constant expression */

/* A page is one literal, sent as it lies in memory: no file, no font, no script. */
#define PAGE(title, sentence) TEXT( \
    "<!doctype html>\n" \
    "<html lang=\"en\">\n" \
    "<head>\n" \
    "<meta charset=\"utf-8\">\n" \
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n" \
    "<meta name=\"color-scheme\" content=\"light dark\">\n" \
    "<title>" title "</title>\n" \
    "<style>\n" \
    ":root { --paper: #fbfaf7; --ink: #24262b; --soft: #666b73; --mark: #0b7285 }\n" \
    "@media (prefers-color-scheme: dark) {\n" \
    "  :root { --paper: #16181d; --ink: #e6e4df; --soft: #969ba5; --mark: #66d9e8 }\n" \
    "}\n" \
    "* { margin: 0; box-sizing: border-box }\n" \
    "body { min-height: 100vh; display: flex; flex-direction: column; padding: 2rem;\n" \
    "  background: var(--paper); color: var(--ink);\n" \
    "  font: 1.125rem/1.6 system-ui, -apple-system, \"Segoe UI\", sans-serif }\n" \
    "main { margin: auto; max-width: 34rem; width: 100%; padding-left: 1.5rem;\n" \
    "  border-left: .25rem solid var(--mark) }\n" \
    "h1 { font-size: clamp(1.6rem, 6vw, 2.4rem); line-height: 1.2; margin-bottom: .75rem }\n" \
    "footer { color: var(--soft); font-size: .875rem; text-align: center }\n" \
    "</style>\n" \
    "</head>\n" \
    "<body>\n" \
    "<main>\n" \
    "<h1>" title "</h1>\n" \
    "<p>" sentence "</p>\n" \
    "</main>\n" \
    "<footer>gyre</footer>\n" \
    "</body>\n" \
    "</html>\n")

struct status {
    unsigned status;
    struct slice reason;
    struct slice body; /* absent: never sent with a page */
};

static const struct status statuses[] = {
    { 200, TEXT("OK"), { NULL, 0 } },
    { 204, TEXT("No Content"), { NULL, 0 } },
    { 206, TEXT("Partial Content"), { NULL, 0 } },
    { 301, TEXT("Moved Permanently"),
      PAGE("301 Moved Permanently", "This page has a new address, for good.") },
    { 302, TEXT("Found"),
      PAGE("302 Found", "This page is at another address for now.") },
    { 304, TEXT("Not Modified"), { NULL, 0 } },
    { 307, TEXT("Temporary Redirect"),
      PAGE("307 Temporary Redirect", "This page is at another address for now.") },
    { 308, TEXT("Permanent Redirect"),
      PAGE("308 Permanent Redirect", "This page has a new address, for good.") },
    { 400, TEXT("Bad Request"),
      PAGE("400 Bad Request", "The request is not valid HTTP, so the server did not act on it.") },
    { 401, TEXT("Unauthorized"),
      PAGE("401 Unauthorized", "Sign in to see this page.") },
    { 403, TEXT("Forbidden"),
      PAGE("403 Forbidden", "This page exists, but it is not for everybody to see.") },
    { 404, TEXT("Not Found"),
      PAGE("404 Not Found", "There is nothing at this address. Check its spelling, or start"
                            " from the front page.") },
    { 405, TEXT("Method Not Allowed"),
      PAGE("405 Method Not Allowed", "This address can be read, but not written to.") },
    { 406, TEXT("Not Acceptable"),
      PAGE("406 Not Acceptable", "This page does not come in any form that was asked for.") },
    { 408, TEXT("Request Timeout"),
      PAGE("408 Request Timeout", "The request took too long to arrive. Please try again.") },
    { 412, TEXT("Precondition Failed"),
      PAGE("412 Precondition Failed", "The page has changed since you last saw it. Reload it,"
                                      " then try again.") },
    { 413, TEXT("Content Too Large"),
      PAGE("413 Content Too Large", "The request carries more than this server is willing to"
                                    " read.") },
    { 414, TEXT("URI Too Long"),
      PAGE("414 URI Too Long", "The address is longer than this server is willing to read.") },
    { 416, TEXT("Range Not Satisfiable"),
      PAGE("416 Range Not Satisfiable", "The part that was asked for lies past the end of the"
                                        " file.") },
    { 417, TEXT("Expectation Failed"),
      PAGE("417 Expectation Failed", "The request expects something that this server does not"
                                     " do.") },
    { 431, TEXT("Request Header Fields Too Large"),
      PAGE("431 Request Header Fields Too Large", "The request's header is too large. Clearing"
                                                  " the cookies of this site may help.") },
    { 500, TEXT("Internal Server Error"),
      PAGE("500 Internal Server Error", "Something went wrong here, not with you. The server's"
                                        " log may say what.") },
    { 501, TEXT("Not Implemented"),
      PAGE("501 Not Implemented", "The request asks for something that this server does not"
                                  " know.") },
    { 503, TEXT("Service Unavailable"),
      PAGE("503 Service Unavailable", "The server is too busy just now. Please try again in a"
                                      " moment.") },
    { 505, TEXT("HTTP Version Not Supported"),
      PAGE("505 HTTP Version Not Supported", "This server speaks HTTP/1.0 and HTTP/1.1.") },
};
/* clang-format on */

static const struct status *status_find(unsigned status)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (statuses[i].status == status) {
            return &statuses[i];
        }
    }
    return NULL;
}

struct slice http_status_reason(unsigned status)
{
    const struct status *found = status_find(status);
    assert(found != NULL);
    return found->reason;
}

struct slice http_status_body(unsigned status)
{
    const struct status *found = status_find(status);
    assert(found != NULL);
    assert(found->body.data != NULL);
    return found->body;
}

struct slice http_status_body_type(void)
{
    return SLICE("text/html; charset=utf-8");
}

bool http_status_is_bodiless(unsigned status)
{
    return status < 200 || status == 204 || status == 304;
}

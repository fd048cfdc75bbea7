/* Whatever leaves a doubt about where the request ends is refused: RFC 9112 6.3, 11.2. */
#include "http/http_framing.h"

#include "http/http_class.h"
#include "http/http_list.h"

enum {
    CONTENT_LENGTH_DIGITS_MAX = 20
};

static struct http_error read_content_length(struct http_request *request, struct slice text)
{
    if (text.size == 0 || text.size > CONTENT_LENGTH_DIGITS_MAX) {
        return http_error_of(400, "bad Content-Length");
    }
    uint64_t value = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (!http_class_has(text.data[i], HTTP_CLASS_DIGIT)) {
            return http_error_of(400, "bad Content-Length");
        }
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (value > (INT64_MAX - digit) / 10) {
            return http_error_of(400, "Content-Length too large");
        }
        value = value * 10 + digit;
    }
    request->content_length = value;
    request->body_kind = value > 0 ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
    return http_error_none();
}

/* The registered codings other than chunked. */
static bool coding_is_known(struct slice coding)
{
    static const struct slice known[] = {
        { "gzip", 4 }, { "x-gzip", 6 }, { "deflate", 7 }, { "compress", 8 }, { "x-compress", 10 },
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (slice_equal_ignoring_case(coding, known[i])) {
            return true;
        }
    }
    return false;
}

static struct http_error read_transfer_encoding(struct http_request *request, struct slice list)
{
    if (slice_equal_ignoring_case(list, SLICE("chunked"))) {
        request->body_kind = HTTP_BODY_CHUNKED;
        return http_error_none();
    }
    unsigned known_count = 0;
    while (list.size > 0) {
        bool is_last = memchr(list.data, ',', list.size) == NULL;
        struct slice coding = http_list_take(&list);
        if (coding_is_known(coding)) {
            known_count++;
        } else if (!is_last || !slice_equal_ignoring_case(coding, SLICE("chunked"))) {
            return http_error_of(400, "bad Transfer-Encoding");
        }
    }
    return known_count > 0 ? http_error_of(501, "transfer coding not supported")
                           : http_error_of(400, "bad Transfer-Encoding");
}

struct http_error http_framing_read(struct slice content_length, struct slice transfer_encoding,
                                    struct http_request *request)
{
    bool has_length = content_length.data != NULL;
    if (transfer_encoding.data == NULL) {
        return has_length ? read_content_length(request, content_length) : http_error_none();
    }
    if (has_length) {
        return http_error_of(400, "Content-Length with Transfer-Encoding");
    }
    if (request->version_minor == 0) {
        return http_error_of(400, "Transfer-Encoding in HTTP/1.0");
    }
    return read_transfer_encoding(request, transfer_encoding);
}

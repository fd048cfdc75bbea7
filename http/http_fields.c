/* http_fields: see the header.
 *
 * llhttp parses the head, which lies whole and contiguous in memory, in one go; its state lives on
 * the stack for that long. Its callbacks collect the fields; when it reports the end of the head it
 * is paused there and dropped: bodies are http_chunked's. What it refuses is refused, and it must
 * see the same number of fields and the same end as the scanner did.
 *
 * llhttp knows a closed list of methods, which differs between its versions, and of versions. So it
 * gets the request line itself only where that line is GET, HEAD or OPTIONS with HTTP/1.0 or 1.1:
 * all that gyre serves. Before the fields of any other request it gets a stand-in line: such a
 * request is answered 405 or 501 whatever its line says, but its framing must be right all the
 * same.
 *
 * Rules are checked after all fields are collected, so that their order in the head does not
 * matter, and what makes the framing doubtful (400) goes before what is only not supported (501,
 * 417). */
#include "http/http_fields.h"

#include <assert.h>
#include <llhttp/llhttp.h>

#include "http/http_authority.h"
#include "http/http_class.h"
#include "http/http_line.h"

enum {
    CONTENT_LENGTH_DIGITS_MAX = 20
};

enum field_kind {
    FIELD_KEPT, /* its value goes to the request, as it is */
    FIELD_HOST,
    FIELD_CONTENT_LENGTH,
    FIELD_TRANSFER_ENCODING,
    FIELD_CONNECTION,
    FIELD_EXPECT,
};

struct field {
    const char *name; /* lower case */
    size_t name_size;
    enum field_kind kind;
    size_t offset; /* FIELD_KEPT: of the slice in struct http_request */
};

#define KEPT(name, member)                                                        \
    {                                                                             \
        name, sizeof(name) - 1, FIELD_KEPT, offsetof(struct http_request, member) \
    }
#define RULED(name, kind)               \
    {                                   \
        name, sizeof(name) - 1, kind, 0 \
    }

static const struct field fields[] = {
    RULED("host", FIELD_HOST),
    RULED("connection", FIELD_CONNECTION),
    KEPT("user-agent", user_agent),
    KEPT("accept", accept),
    KEPT("accept-encoding", accept_encoding),
    KEPT("referer", referer),
    KEPT("if-none-match", if_none_match),
    KEPT("if-modified-since", if_modified_since),
    KEPT("range", range),
    KEPT("if-range", if_range),
    KEPT("origin", origin),
    KEPT("authorization", authorization),
    KEPT("if-match", if_match),
    KEPT("if-unmodified-since", if_unmodified_since),
    RULED("content-length", FIELD_CONTENT_LENGTH),
    RULED("transfer-encoding", FIELD_TRANSFER_ENCODING),
    RULED("expect", FIELD_EXPECT),
};

/* What the callbacks know; llhttp.data points to it. */
struct collection {
    struct http_request *request;
    struct slice name; /* of the field being read */
    struct slice value;
    struct slice host;
    struct slice content_length;
    struct slice transfer_encoding;
    unsigned count;
    const char *repeated; /* why, when a field occurs twice that must not */
    bool asks_close;
    bool asks_keep_alive;
    bool expects_continue;
    bool expects_other;
    bool is_complete;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static struct slice trim(struct slice text)
{
    while (text.size > 0 && is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

/* Cuts the first element, trimmed, off a comma-separated list. */
static struct slice list_take(struct slice *list)
{
    assert(list->size > 0);
    const char *comma = memchr(list->data, ',', list->size);
    size_t size = comma != NULL ? (size_t)(comma - list->data) : list->size;
    struct slice element = slice_of(list->data, size);
    size_t skipped = comma != NULL ? size + 1 : size;
    *list = slice_of(list->data + skipped, list->size - skipped);
    return trim(element);
}

/* Names are tokens, and known ones are letters and '-' only: for these, bit 5 is the case. */
static bool name_equal(const char *name, const char *known, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((name[i] | 0x20) != known[i]) {
            return false;
        }
    }
    return true;
}

static const struct field *field_find(struct slice name)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].name_size == name.size && name_equal(name.data, fields[i].name, name.size)) {
            return &fields[i];
        }
    }
    return NULL;
}

static void read_connection(struct collection *collection, struct slice list)
{
    while (list.size > 0) {
        struct slice token = list_take(&list);
        if (slice_equal_ignoring_case(token, SLICE("close"))) {
            collection->asks_close = true;
        } else if (slice_equal_ignoring_case(token, SLICE("keep-alive"))) {
            collection->asks_keep_alive = true;
        }
    }
}

static void read_expect(struct collection *collection, struct slice list)
{
    while (list.size > 0) {
        struct slice expectation = list_take(&list);
        if (slice_equal_ignoring_case(expectation, SLICE("100-continue"))) {
            collection->expects_continue = true;
        } else if (expectation.size > 0) {
            collection->expects_other = true;
        }
    }
}

static void read_once(struct collection *collection, struct slice *kept, struct slice value,
                      const char *repeated)
{
    if (kept->data != NULL) {
        collection->repeated = repeated;
    }
    *kept = value;
}

static void keep_first(struct http_request *request, size_t offset, struct slice value)
{
    struct slice *kept = (struct slice *)(void *)((char *)request + offset);
    if (kept->data == NULL) {
        *kept = value;
    }
}

static void read_field(struct collection *collection, const struct field *field, struct slice value)
{
    assert(value.data != NULL);
    switch (field->kind) {
    case FIELD_KEPT:
        keep_first(collection->request, field->offset, value);
        break;
    case FIELD_HOST:
        read_once(collection, &collection->host, value, "more than one Host");
        break;
    case FIELD_CONTENT_LENGTH:
        read_once(collection, &collection->content_length, value, "more than one Content-Length");
        break;
    case FIELD_TRANSFER_ENCODING:
        read_once(collection, &collection->transfer_encoding, value,
                  "more than one Transfer-Encoding");
        break;
    case FIELD_CONNECTION:
        read_connection(collection, value);
        break;
    case FIELD_EXPECT:
        read_expect(collection, value);
        break;
    }
}

/* llhttp may report one value in several spans; they are neighbours, as the head is contiguous. */
static void extend(struct slice *span, const char *at, size_t size)
{
    if (span->data == NULL) {
        span->data = at;
    }
    span->size = (size_t)(at - span->data) + size;
}

static int on_header_field(llhttp_t *llhttp, const char *at, size_t size)
{
    struct collection *collection = llhttp->data;
    extend(&collection->name, at, size);
    return 0;
}

static int on_header_value(llhttp_t *llhttp, const char *at, size_t size)
{
    struct collection *collection = llhttp->data;
    extend(&collection->value, at, size);
    return 0;
}

static int on_header_value_complete(llhttp_t *llhttp)
{
    struct collection *collection = llhttp->data;
    const struct field *field = field_find(collection->name);
    if (field != NULL) {
        /* An empty value may come without a span: it is present all the same. */
        struct slice value = collection->value.data != NULL
                                 ? trim(collection->value)
                                 : slice_of(collection->name.data + collection->name.size, 0);
        read_field(collection, field, value);
    }
    collection->name = SLICE_NONE;
    collection->value = SLICE_NONE;
    collection->count++;
    return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
    struct collection *collection = llhttp->data;
    assert(!collection->is_complete);
    collection->is_complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t llhttp_settings = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
};

/* Whether llhttp gets the request line as it was sent. */
static bool line_is_served(const struct http_request *request)
{
    char minor = request->line.data[request->line.size - 1];
    return request->method <= HTTP_METHOD_OPTIONS && (minor == '0' || minor == '1');
}

static struct http_error collect(struct slice data, size_t fields_start, unsigned fields_count,
                                 struct collection *collection)
{
    static const char stand_in[] = "GET / HTTP/1.1\r\n";
    llhttp_t llhttp;
    llhttp_init(&llhttp, HTTP_REQUEST, &llhttp_settings);
    llhttp.data = collection;
    if (!line_is_served(collection->request)) {
        llhttp_errno_t result = llhttp_execute(&llhttp, stand_in, sizeof(stand_in) - 1);
        assert(result == HPE_OK);
        data = slice_of(data.data + fields_start, data.size - fields_start);
    }
    llhttp_errno_t result = llhttp_execute(&llhttp, data.data, data.size);
    if (result != HPE_PAUSED) {
        const char *reason = llhttp_get_error_reason(&llhttp);
        return http_error_of(400, reason != NULL ? reason : "refused by llhttp");
    }
    /* Versions differ in whether they pause at the last LF or past it. */
    const char *end = data.data + data.size;
    const char *stopped = llhttp_get_error_pos(&llhttp);
    if (!collection->is_complete || collection->count != fields_count || stopped < end - 1 ||
        stopped > end) {
        return http_error_of(400, "two parsers disagree about the head");
    }
    return http_error_none();
}

static struct http_error read_host(const struct collection *collection)
{
    struct http_request *request = collection->request;
    struct slice host = collection->host;
    if (host.data == NULL) {
        return request->version_minor > 0 ? http_error_of(400, "no Host") : http_error_none();
    }
    struct http_authority authority = { SLICE_NONE, HTTP_AUTHORITY_PORT_NONE };
    if (host.size > 0 && !http_authority_parse(host, &authority)) {
        return http_error_of(400, "bad Host");
    }
    if (request->host.data == NULL) {
        request->host = host;
        return http_error_none();
    }
    struct http_authority target;
    bool is_good = http_authority_parse(request->host, &target);
    assert(is_good);
    if (!http_authority_equal(&target, &authority, http_line_port_default(request))) {
        return http_error_of(400, "Host differs from the target");
    }
    return http_error_none();
}

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
        struct slice coding = list_take(&list);
        if (coding_is_known(coding)) {
            known_count++;
        } else if (!is_last || !slice_equal_ignoring_case(coding, SLICE("chunked"))) {
            return http_error_of(400, "bad Transfer-Encoding");
        }
    }
    return known_count > 0 ? http_error_of(501, "transfer coding not supported")
                           : http_error_of(400, "bad Transfer-Encoding");
}

static struct http_error read_framing(const struct collection *collection)
{
    struct http_request *request = collection->request;
    bool has_length = collection->content_length.data != NULL;
    if (collection->transfer_encoding.data == NULL) {
        return has_length ? read_content_length(request, collection->content_length)
                          : http_error_none();
    }
    if (has_length) {
        return http_error_of(400, "Content-Length with Transfer-Encoding");
    }
    if (request->version_minor == 0) {
        return http_error_of(400, "Transfer-Encoding in HTTP/1.0");
    }
    return read_transfer_encoding(request, collection->transfer_encoding);
}

struct http_error http_fields_read(struct slice data, size_t fields_start, unsigned fields_count,
                                   struct http_request *request)
{
    assert(fields_start < data.size);
    assert(request->line.data == data.data);
    struct collection collection = { .request = request };
    struct http_error error = collect(data, fields_start, fields_count, &collection);
    if (!http_error_is(error) && collection.repeated != NULL) {
        error = http_error_of(400, collection.repeated);
    }
    if (!http_error_is(error)) {
        error = read_host(&collection);
    }
    if (!http_error_is(error)) {
        error = read_framing(&collection);
    }
    if (!http_error_is(error) && collection.expects_other) {
        error = http_error_of(417, "unknown expectation");
    }
    bool is_persistent = request->version_minor > 0 || collection.asks_keep_alive;
    request->keep_alive = is_persistent && !collection.asks_close;
    request->expects_continue = collection.expects_continue && request->version_minor > 0 &&
                                request->body_kind != HTTP_BODY_NONE;
    return error;
}

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
#include "http/http_framing.h"
#include "http/http_line.h"
#include "http/http_list.h"

enum field_kind {
    /* Its value goes to the request, as it is. Of several lines: */
    FIELD_FIRST, /* the first */
    FIELD_ONCE,  /* none */
    FIELD_LIST,  /* the first, and that there are more */
    /* Its value is read here. */
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
    size_t offset; /* of the slice in struct http_request, where the value goes there */
    enum http_list_field list;
};

#define KEPT(kind, name, member, list)                                            \
    {                                                                             \
        name, sizeof(name) - 1, kind, offsetof(struct http_request, member), list \
    }
#define FIRST(name, member)      KEPT(FIELD_FIRST, name, member, HTTP_LIST_FIELDS_COUNT)
#define ONCE(name, member)       KEPT(FIELD_ONCE, name, member, HTTP_LIST_FIELDS_COUNT)
#define LIST(name, member, list) KEPT(FIELD_LIST, name, member, list)
#define RULED(name, kind)                                       \
    {                                                           \
        name, sizeof(name) - 1, kind, 0, HTTP_LIST_FIELDS_COUNT \
    }

static const struct field fields[] = {
    RULED("host", FIELD_HOST),
    RULED("connection", FIELD_CONNECTION),
    FIRST("user-agent", user_agent),
    LIST("accept", accept, HTTP_LIST_ACCEPT),
    LIST("accept-encoding", accept_encoding, HTTP_LIST_ACCEPT_ENCODING),
    FIRST("referer", referer),
    LIST("if-none-match", if_none_match, HTTP_LIST_IF_NONE_MATCH),
    ONCE("if-modified-since", if_modified_since),
    ONCE("range", range),
    ONCE("if-range", if_range),
    ONCE("origin", origin),
    ONCE("authorization", authorization),
    LIST("if-match", if_match, HTTP_LIST_IF_MATCH),
    ONCE("if-unmodified-since", if_unmodified_since),
    ONCE("access-control-request-method", access_control_request_method),
    LIST("access-control-request-headers", access_control_request_headers,
         HTTP_LIST_REQUEST_HEADERS),
    RULED("content-length", FIELD_CONTENT_LENGTH),
    RULED("transfer-encoding", FIELD_TRANSFER_ENCODING),
    RULED("expect", FIELD_EXPECT),
};

#define FIELDS_COUNT (sizeof(fields) / sizeof(fields[0]))
_Static_assert(FIELDS_COUNT <= 32, "`ambiguous` has a bit for each");

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
    uint32_t ambiguous;   /* 1u << index of a FIELD_ONCE that occurs twice */
    bool asks_close;
    bool asks_keep_alive;
    bool expects_continue;
    bool expects_other;
    bool is_complete;
};

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
    for (size_t i = 0; i < FIELDS_COUNT; i++) {
        if (fields[i].name_size == name.size && name_equal(name.data, fields[i].name, name.size)) {
            return &fields[i];
        }
    }
    return NULL;
}

static void read_connection(struct collection *collection, struct slice list)
{
    while (list.size > 0) {
        struct slice token = http_list_take(&list);
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
        struct slice expectation = http_list_take(&list);
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

static struct slice *kept_of(struct http_request *request, const struct field *field)
{
    return (struct slice *)(void *)((char *)request + field->offset);
}

static void keep(struct collection *collection, const struct field *field, struct slice value)
{
    struct http_request *request = collection->request;
    struct slice *kept = kept_of(request, field);
    if (kept->data == NULL) {
        *kept = value;
    } else if (field->kind == FIELD_LIST) {
        request->repeated |= (uint8_t)(1u << field->list);
    } else if (field->kind == FIELD_ONCE) {
        collection->ambiguous |= 1u << (field - fields);
    }
}

/* Not before all lines were read: a third one must not take the place of two. */
static void drop_ambiguous(const struct collection *collection)
{
    struct http_request *request = collection->request;
    if (collection->ambiguous == 0) {
        return;
    }
    bool has_if_range = request->if_range.data != NULL;
    for (size_t i = 0; i < FIELDS_COUNT; i++) {
        if ((collection->ambiguous & 1u << i) != 0) {
            *kept_of(request, &fields[i]) = SLICE_NONE;
        }
    }
    if (has_if_range && request->if_range.data == NULL) {
        request->range = SLICE_NONE;
    }
}

static void read_field(struct collection *collection, const struct field *field, struct slice value)
{
    assert(value.data != NULL);
    switch (field->kind) {
    case FIELD_FIRST:
    case FIELD_ONCE:
    case FIELD_LIST:
        keep(collection, field, value);
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
        struct slice value = http_list_trim(collection->value);
        if (value.size == 0) {
            /* Present all the same, and on its line: it may come without a span, or with one on
             * the line behind. */
            value = slice_of(collection->name.data + collection->name.size, 0);
        }
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

struct http_error http_fields_read(struct slice data, size_t fields_start, unsigned fields_count,
                                   struct http_request *request)
{
    assert(fields_start < data.size);
    assert(request->line.data == data.data);
    struct collection collection = { .request = request };
    size_t fields_end = data.size - (sizeof("\r\n") - 1);
    request->fields = slice_of(data.data + fields_start, fields_end - fields_start);
    struct http_error error = collect(data, fields_start, fields_count, &collection);
    if (!http_error_is(error) && collection.repeated != NULL) {
        error = http_error_of(400, collection.repeated);
    }
    if (!http_error_is(error)) {
        error = read_host(&collection);
    }
    if (!http_error_is(error)) {
        error = http_framing_read(collection.content_length, collection.transfer_encoding, request);
    }
    if (!http_error_is(error) && collection.expects_other) {
        error = http_error_of(417, "unknown expectation");
    }
    drop_ambiguous(&collection);
    bool is_persistent = request->version_minor > 0 || collection.asks_keep_alive;
    request->keep_alive = is_persistent && !collection.asks_close;
    request->expects_continue = collection.expects_continue && request->version_minor > 0 &&
                                request->body_kind != HTTP_BODY_NONE;
    return error;
}

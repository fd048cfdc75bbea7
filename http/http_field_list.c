/* Only the first line of a field is kept when a head is parsed. The others are searched in the head
 * once more, on the rare day that there are some. */
#include "http/http_field_list.h"

#include "http/http_list.h"

static const struct slice names[HTTP_LIST_FIELDS_COUNT] = {
    [HTTP_LIST_ACCEPT] = { "accept", 6 },
    [HTTP_LIST_ACCEPT_ENCODING] = { "accept-encoding", 15 },
    [HTTP_LIST_IF_MATCH] = { "if-match", 8 },
    [HTTP_LIST_IF_NONE_MATCH] = { "if-none-match", 13 },
    [HTTP_LIST_REQUEST_HEADERS] = { "access-control-request-headers", 30 },
};

struct slice http_field_list_first(const struct http_request *request, enum http_list_field field)
{
    switch (field) {
    case HTTP_LIST_ACCEPT:
        return request->accept;
    case HTTP_LIST_ACCEPT_ENCODING:
        return request->accept_encoding;
    case HTTP_LIST_IF_MATCH:
        return request->if_match;
    case HTTP_LIST_IF_NONE_MATCH:
        return request->if_none_match;
    case HTTP_LIST_REQUEST_HEADERS:
        return request->access_control_request_headers;
    case HTTP_LIST_FIELDS_COUNT:
        break;
    }
    assert(false);
    return SLICE_NONE;
}

/* Cuts off what is left of a line, and its end. The parser has seen that every line has one. */
static struct slice line_take(struct slice *lines)
{
    const char *end = memchr(lines->data, '\r', lines->size);
    assert(end != NULL);
    struct slice line = slice_of(lines->data, (size_t)(end - lines->data));
    assert(lines->size >= line.size + 2);
    *lines = slice_of(end + 2, lines->size - line.size - 2);
    return line;
}

struct http_field_list http_field_list_of(const struct http_request *request,
                                          enum http_list_field field)
{
    struct slice first = http_field_list_first(request, field);
    struct http_field_list list = { .line = first, .name = names[field] };
    if (http_field_is_repeated(request, field)) {
        struct slice fields = request->fields;
        assert(first.data > fields.data);
        assert(first.data + first.size < fields.data + fields.size);
        size_t read = (size_t)(first.data + first.size - fields.data);
        list.rest = slice_of(fields.data + read, fields.size - read);
        (void)line_take(&list.rest);
    }
    return list;
}

void http_field_list_seek(struct http_field_list *list)
{
    size_t name_size = list->name.size;
    while (list->rest.size > 0) {
        struct slice line = line_take(&list->rest);
        if (line.size > name_size && line.data[name_size] == ':' &&
            slice_equal_ignoring_case(slice_of(line.data, name_size), list->name)) {
            size_t start = name_size + 1;
            list->line = http_list_trim(slice_of(line.data + start, line.size - start));
            return;
        }
    }
    list->line = SLICE_NONE;
}

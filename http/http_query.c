/* http_query: see the header. */
#include "http/http_query.h"

#include "http/http_class.h"

static struct slice until(struct slice text, char end)
{
    const char *found = text.size > 0 ? memchr(text.data, end, text.size) : NULL;
    return slice_of(text.data, found != NULL ? (size_t)(found - text.data) : text.size);
}

/* What stands behind the first part and the byte that ended it. */
static struct slice behind(struct slice text, struct slice part)
{
    size_t size = part.size < text.size ? part.size + 1 : text.size;
    return size == 0 ? text : slice_of(text.data + size, text.size - size);
}

static unsigned hex_value(char digit)
{
    char lower = slice_lower(digit);
    return (unsigned)(lower >= 'a' ? lower - 'a' + 10 : lower - '0');
}

/* Takes one byte, decoded, off the front of a text that is not empty. False: a bad escape. */
static bool byte_decode(struct slice *text, char *byte)
{
    size_t taken = 1;
    *byte = text->data[0] == '+' ? ' ' : text->data[0];
    if (*byte == '%') {
        if (text->size < 3 || !http_class_has(text->data[1], HTTP_CLASS_HEX) ||
            !http_class_has(text->data[2], HTTP_CLASS_HEX)) {
            return false;
        }
        taken = 3;
        *byte = (char)(hex_value(text->data[1]) * 16 + hex_value(text->data[2]));
    }
    *text = slice_of(text->data + taken, text->size - taken);
    return true;
}

static bool name_is(struct slice written, struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        char byte;
        if (written.size == 0 || !byte_decode(&written, &byte) || byte != name.data[i]) {
            return false;
        }
    }
    return written.size == 0;
}

static bool value_decode(struct slice written, char *buffer, size_t size, struct slice *value)
{
    size_t used = 0;
    while (written.size > 0) {
        char byte;
        if (!byte_decode(&written, &byte) || used == size) {
            return false;
        }
        buffer[used++] = byte;
    }
    *value = slice_of(buffer, used);
    return true;
}

bool http_query_find(struct slice query, struct slice name, char *buffer, size_t size,
                     struct slice *value)
{
    while (query.size > 0) {
        struct slice parameter = until(query, '&');
        query = behind(query, parameter);
        struct slice written = until(parameter, '=');
        if (parameter.size > 0 && name_is(written, name)) {
            return value_decode(behind(parameter, written), buffer, size, value);
        }
    }
    return false;
}

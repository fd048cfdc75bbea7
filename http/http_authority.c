/* http_authority: see the header. */
#include "http/http_authority.h"

#include <assert.h>

#include "http/http_class.h"

enum {
    PORT_MAX = 65535,
    GROUP_DIGITS_MAX = 4, /* hexadecimal digits of one group of an IPv6 address */
    GROUPS_COUNT = 8,
    OCTET_MAX = 255,
    OCTET_DIGITS_MAX = 3,
};

/* Returns the offset past a reg-name, or 0 when a percent sign begins no escape. */
static size_t name_end(struct slice text)
{
    size_t at = 0;
    for (;;) {
        at = http_class_skip(text.data, at, text.size, HTTP_CLASS_HOST);
        if (at == text.size || text.data[at] != '%') {
            return at;
        }
        if (text.size - at < 3 || !http_class_has(text.data[at + 1], HTTP_CLASS_HEX) ||
            !http_class_has(text.data[at + 2], HTTP_CLASS_HEX)) {
            return 0;
        }
        at += 3;
    }
}

static bool ipv4_is_valid(struct slice text)
{
    size_t at = 0;
    for (unsigned octets = 1;; octets++) {
        size_t start = at;
        unsigned value = 0;
        while (at < text.size && at - start <= OCTET_DIGITS_MAX &&
               http_class_has(text.data[at], HTTP_CLASS_DIGIT)) {
            value = value * 10 + (unsigned)(text.data[at] - '0');
            at++;
        }
        size_t digits = at - start;
        if (digits == 0 || value > OCTET_MAX || (digits > 1 && text.data[start] == '0')) {
            return false;
        }
        if (octets == 4) {
            return at == text.size;
        }
        if (at == text.size || text.data[at] != '.') {
            return false;
        }
        at++;
    }
}

/* text: what stands between the brackets. Groups are counted; "::" stands for one or more. */
static bool ipv6_is_valid(struct slice text)
{
    unsigned groups = 0;
    bool is_elided = false;
    size_t at = 0;
    if (text.size >= 2 && text.data[0] == ':' && text.data[1] == ':') {
        is_elided = true;
        at = 2;
    }
    while (at < text.size) {
        size_t end = http_class_skip(text.data, at, text.size, HTTP_CLASS_HEX);
        if (end < text.size && text.data[end] == '.') {
            groups += 2;
            return ipv4_is_valid(slice_of(text.data + at, text.size - at)) &&
                   (is_elided ? groups < GROUPS_COUNT : groups == GROUPS_COUNT);
        }
        if (end == at || end - at > GROUP_DIGITS_MAX || ++groups > GROUPS_COUNT) {
            return false;
        }
        at = end;
        if (at == text.size) {
            break;
        }
        if (text.data[at++] != ':' || at == text.size) {
            return false;
        }
        if (text.data[at] == ':') {
            if (is_elided) {
                return false;
            }
            is_elided = true;
            at++;
        }
    }
    return is_elided ? groups < GROUPS_COUNT : groups == GROUPS_COUNT;
}

/* Returns the size of the host that text begins with, or 0 when there is no valid one. */
static size_t host_size(struct slice text)
{
    if (text.size == 0 || text.data[0] != '[') {
        return name_end(text);
    }
    const char *close = memchr(text.data, ']', text.size);
    if (close == NULL) {
        return 0;
    }
    size_t size = (size_t)(close - text.data) + 1;
    return ipv6_is_valid(slice_of(text.data + 1, size - 2)) ? size : 0;
}

/* text: what follows the host, a colon first. */
static bool port_parse(struct slice text, int32_t *port)
{
    assert(text.size > 0);
    if (text.data[0] != ':') {
        return false;
    }
    int32_t value = 0;
    for (size_t i = 1; i < text.size; i++) {
        if (!http_class_has(text.data[i], HTTP_CLASS_DIGIT)) {
            return false;
        }
        value = value * 10 + (text.data[i] - '0');
        if (value > PORT_MAX) {
            return false;
        }
    }
    *port = text.size == 1 ? HTTP_AUTHORITY_PORT_NONE : value;
    return true;
}

bool http_authority_parse(struct slice text, struct http_authority *authority)
{
    size_t size = host_size(text);
    if (size == 0) {
        return false;
    }
    assert(size <= text.size);
    *authority = (struct http_authority){ slice_of(text.data, size), HTTP_AUTHORITY_PORT_NONE };
    if (size == text.size) {
        return true;
    }
    return port_parse(slice_of(text.data + size, text.size - size), &authority->port);
}

bool http_authority_equal(const struct http_authority *a, const struct http_authority *b,
                          int32_t port_default)
{
    assert(port_default >= 0);
    assert(port_default <= PORT_MAX);
    int32_t port_a = a->port == HTTP_AUTHORITY_PORT_NONE ? port_default : a->port;
    int32_t port_b = b->port == HTTP_AUTHORITY_PORT_NONE ? port_default : b->port;
    return port_a == port_b && slice_equal_ignoring_case(a->host, b->host);
}

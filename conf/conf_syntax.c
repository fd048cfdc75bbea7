/* conf_syntax: words, tokens, names of files and of hosts. */
#include "conf/conf_syntax.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "conf/conf_value.h"

enum {
    LABEL_SIZE_MAX = 63, /* RFC 1035 2.3.4 */
    PORT_SIZE_MAX = 5,
};

size_t conf_word_find(const char **text)
{
    *text += strspn(*text, " \t");
    return strcspn(*text, " \t");
}

static bool is_token_byte(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

const char *conf_token_skip(const char *text)
{
    while (is_token_byte(*text)) {
        text++;
    }
    return text;
}

bool conf_text_is(const char *text, size_t size, const char *other)
{
    if (strlen(other) != size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (tolower((unsigned char)text[i]) != tolower((unsigned char)other[i])) {
            return false;
        }
    }
    return true;
}

bool conf_name_is_plain(const char *name, size_t size)
{
    if (size == 0 || size > CONF_NAME_SIZE_MAX || memchr(name, '/', size) != NULL) {
        return false;
    }
    bool is_dots = size <= 2 && name[0] == '.' && name[size - 1] == '.';
    return !is_dots;
}

bool conf_path_is_plain(const char *text, size_t size)
{
    if (size == 0 || size > CONF_NAME_SIZE_MAX + 1 || text[0] != '/') {
        return false;
    }
    const char *end = text + size;
    while (text < end) {
        const char *name = text + 1;
        const char *slash = memchr(name, '/', (size_t)(end - name));
        text = slash != NULL ? slash : end;
        if (!conf_name_is_plain(name, (size_t)(text - name))) {
            return false;
        }
    }
    return true;
}

bool conf_prefix_is_plain(const char *text, size_t size)
{
    return size > 1 && size <= CONF_PATTERN_SIZE_MAX && text[size - 1] == '/' &&
           conf_path_is_plain(text, size - 1);
}

static bool label_is_valid(const char *label, size_t size)
{
    if (size == 0 || size > LABEL_SIZE_MAX || label[0] == '-' || label[size - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)label[i]) && label[i] != '-') {
            return false;
        }
    }
    return true;
}

static bool ipv6_is_valid(const char *text, size_t size)
{
    char literal[INET6_ADDRSTRLEN] = "";
    if (size < 2 || text[size - 1] != ']' || size - 2 >= sizeof(literal)) {
        return false;
    }
    memcpy(literal, text + 1, size - 2);
    struct in6_addr address;
    return inet_pton(AF_INET6, literal, &address) == 1;
}

bool conf_host_name_is_valid(const char *name, size_t size)
{
    if (size > 0 && name[0] == '[') {
        return ipv6_is_valid(name, size);
    }
    if (size == 0 || size > CONF_HOST_NAME_SIZE_MAX) {
        return false;
    }
    const char *end = name + size;
    for (;;) {
        const char *dot = memchr(name, '.', (size_t)(end - name));
        if (!label_is_valid(name, (size_t)((dot != NULL ? dot : end) - name))) {
            return false;
        }
        if (dot == NULL) {
            return true;
        }
        name = dot + 1;
    }
}

static bool port_is_valid(const char *text, size_t size)
{
    char digits[PORT_SIZE_MAX + 1] = "";
    uint64_t port = 0;
    if (size > PORT_SIZE_MAX) {
        return false;
    }
    memcpy(digits, text, size);
    return conf_number_parse(digits, &port) && port >= 1 && port <= UINT16_MAX;
}

bool conf_authority_is_valid(const char *text, size_t size)
{
    size_t host_size = size;
    const char *bracket = memrchr(text, ']', size);
    const char *host_end = bracket != NULL ? bracket : text;
    const char *colon = memchr(host_end, ':', (size_t)(text + size - host_end));
    if (colon != NULL) {
        host_size = (size_t)(colon - text);
        if (!port_is_valid(colon + 1, size - host_size - 1)) {
            return false;
        }
    }
    return conf_host_name_is_valid(text, host_size);
}

/* conf_listen: an address to listen on, taken apart without asking any resolver. */
#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "conf/conf_value.h"

enum {
    UNIX_PATH_SIZE_MAX = 107, /* sun_path, with its NUL, is 108 */
    SCOPE_SIZE_MAX = 15,      /* IF_NAMESIZE - 1 */
};

static const char unix_prefix[] = "unix:";

static const char *unix_parse(const char *path, struct conf_endpoint *endpoint)
{
    size_t size = strlen(path);
    if (size == 0 || size > UNIX_PATH_SIZE_MAX) {
        return "expected unix: and the path of a socket, 1 to 107 bytes";
    }
    for (const char *c = path; *c != '\0'; c++) {
        if (iscntrl((unsigned char)*c)) {
            return "expected no control byte in the path of a socket";
        }
    }
    endpoint->family = CONF_FAMILY_UNIX;
    memcpy(endpoint->host, path, size);
    return NULL;
}

/* "fe80::1%eth0": inet_pton() wants it without the scope. */
static bool ipv6_is_valid(const char *host)
{
    char literal[CONF_ADDRESS_SIZE_MAX + 1] = { 0 };
    size_t size = strcspn(host, "%");
    assert(size < sizeof(literal));
    memcpy(literal, host, size);
    if (host[size] == '%') {
        const char *scope = host + size + 1;
        size_t scope_size = strlen(scope);
        if (scope_size == 0 || scope_size > SCOPE_SIZE_MAX) {
            return false;
        }
        for (const char *c = scope; *c != '\0'; c++) {
            if (!isgraph((unsigned char)*c) || strchr("/%[]:", *c) != NULL) {
                return false;
            }
        }
    }
    struct in6_addr address;
    return inet_pton(AF_INET6, literal, &address) == 1;
}

static const char *host_parse(const char *host, size_t size, struct conf_endpoint *endpoint)
{
    assert(size < sizeof(endpoint->host));
    if (size >= 2 && host[0] == '[' && host[size - 1] == ']') {
        endpoint->family = CONF_FAMILY_IPV6;
        memcpy(endpoint->host, host + 1, size - 2);
        return ipv6_is_valid(endpoint->host) ? NULL : "expected an IPv6 address in the brackets";
    }
    if (memchr(host, ':', size) != NULL) {
        return "expected brackets around an IPv6 address, such as [::1]:8080";
    }
    if (size == 0 || (size == 1 && host[0] == '*')) {
        endpoint->family = CONF_FAMILY_DUAL;
        memcpy(endpoint->host, "::", sizeof("::"));
        return NULL;
    }
    endpoint->family = CONF_FAMILY_IPV4;
    memcpy(endpoint->host, host, size);
    if (strcmp(endpoint->host, "localhost") == 0) {
        memset(endpoint->host, 0, sizeof(endpoint->host));
        memcpy(endpoint->host, "127.0.0.1", sizeof("127.0.0.1"));
    }
    struct in_addr address;
    if (inet_pton(AF_INET, endpoint->host, &address) != 1) {
        return "expected a literal address (names are not looked up) before the port, such as "
               "127.0.0.1:8080, [::1]:8080, *:8080 or localhost:8080";
    }
    return NULL;
}

const char *conf_listen_parse(const char *address, struct conf_endpoint *endpoint)
{
    memset(endpoint, 0, sizeof(*endpoint));
    if (strlen(address) > CONF_ADDRESS_SIZE_MAX) {
        return "expected an address of at most 127 bytes";
    }
    if (strncmp(address, unix_prefix, sizeof(unix_prefix) - 1) == 0) {
        return unix_parse(address + sizeof(unix_prefix) - 1, endpoint);
    }
    const char *colon = strrchr(address, ':');
    if (colon == NULL || strchr(colon, ']') != NULL) {
        return "expected ADDR:PORT, such as 127.0.0.1:8080, [::1]:8080 or *:8080, or unix:PATH";
    }
    uint64_t port = 0;
    if (strlen(colon + 1) > 5 || !conf_number_parse(colon + 1, &port) || port > UINT16_MAX) {
        return "expected a port from 0 to 65535 after the last colon";
    }
    endpoint->port = (uint16_t)port;
    return host_parse(address, (size_t)(colon - address), endpoint);
}
_Static_assert(CONF_ADDRESS_SIZE_MAX == 127, "a text above names it");

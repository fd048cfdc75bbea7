/* listener: see the header. Options set here are inherited by the accepted sockets. */
#include "server/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/limits.h"

enum {
    USER_TIMEOUT_MS_MIN = 30000
};

_Static_assert(sizeof(((struct listener *)0)->sockets) / sizeof(int) == WORKERS_MAX,
               "one socket a worker");

union address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_un local;
    struct sockaddr_storage storage;
};

/* "fe80::1%eth0": a link-local address with the interface that it belongs to. */
static void set_ipv6_host(const char *host, struct sockaddr_in6 *address)
{
    char literal[CONF_ADDRESS_SIZE_MAX + 1];
    size_t size = strcspn(host, "%");
    memcpy(literal, host, size);
    literal[size] = '\0';
    (void)inet_pton(AF_INET6, literal, &address->sin6_addr);
    if (host[size] == '%') {
        const char *scope = host + size + 1;
        unsigned index = if_nametoindex(scope);
        address->sin6_scope_id = index != 0 ? index : (uint32_t)strtoul(scope, NULL, 10);
    }
}

static socklen_t address_of(const struct conf_endpoint *endpoint, uint16_t port,
                            union address *address)
{
    memset(address, 0, sizeof(*address));
    switch (endpoint->family) {
    case CONF_FAMILY_IPV4:
        address->ipv4.sin_family = AF_INET;
        address->ipv4.sin_port = htons(port);
        (void)inet_pton(AF_INET, endpoint->host, &address->ipv4.sin_addr);
        return sizeof(address->ipv4);
    case CONF_FAMILY_DUAL:
        address->ipv6.sin6_family = AF_INET6;
        address->ipv6.sin6_port = htons(port);
        address->ipv6.sin6_addr = in6addr_any;
        return sizeof(address->ipv6);
    case CONF_FAMILY_IPV6:
        address->ipv6.sin6_family = AF_INET6;
        address->ipv6.sin6_port = htons(port);
        set_ipv6_host(endpoint->host, &address->ipv6);
        return sizeof(address->ipv6);
    case CONF_FAMILY_UNIX:
        break;
    }
    address->local.sun_family = AF_UNIX;
    memcpy(address->local.sun_path, endpoint->host,
           strnlen(endpoint->host, sizeof(address->local.sun_path) - 1));
    return sizeof(address->local);
}

static int set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0 ? 0 : -errno;
}

static void set_tcp_options(int fd, const struct conf_endpoint *endpoint, const struct conf *conf)
{
    if (endpoint->family == CONF_FAMILY_UNIX) {
        return;
    }
    (void)set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    (void)set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    /* A peer that is gone must not keep memory for long; one that only does not read is for the
     * send deadline, and outlives this. */
    (void)set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
                     (int)(2 * conf->send_timeout_ms + USER_TIMEOUT_MS_MIN));
    if (endpoint->family != CONF_FAMILY_IPV4) {
        (void)set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, endpoint->family == CONF_FAMILY_IPV6);
    }
}

/* A socket file that nobody listens on is left over from a server that was killed: take it over. */
static void remove_stale_socket(const union address *address, socklen_t size)
{
    struct stat status;
    const char *path = address->local.sun_path;
    if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return;
    }
    /* Without waiting: a full backlog is somebody's, too. */
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe >= 0) {
        if (connect(probe, &address->any, size) != 0 && errno == ECONNREFUSED) {
            (void)unlink(path);
        }
        close(probe);
    }
}

/* Binds; with `shared`, so that the other workers can bind the same port. Returns the socket or
 * -errno. */
static int bind_socket(const struct listener *listener, uint16_t port, bool shared,
                       const struct conf *conf)
{
    union address address;
    socklen_t size = address_of(&listener->endpoint, port, &address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    set_tcp_options(fd, &listener->endpoint, conf);
    int error = shared ? set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) : 0;
    if (error == 0 && bind(fd, &address.any, size) != 0) {
        error = -errno;
    }
    if (error != 0) {
        close(fd);
        return error;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    union address address;
    socklen_t size = sizeof(address);
    if (getsockname(fd, &address.any, &size) != 0) {
        return 0;
    }
    return ntohs(address.any.sa_family == AF_INET6 ? address.ipv6.sin6_port
                                                   : address.ipv4.sin_port);
}

static int open_tcp(struct listener *listener, uint32_t workers_count, const struct conf *conf)
{
    /* SO_REUSEPORT would let a second gyre share the port unnoticed: find out first who has it. */
    int first = bind_socket(listener, listener->endpoint.port, false, conf);
    if (first < 0) {
        return first;
    }
    listener->port = port_of(first);
    if (workers_count == 1) {
        listener->sockets[0] = first;
        listener->count = 1;
        return listen(first, (int)conf->backlog) == 0 ? 0 : -errno;
    }
    close(first);
    for (uint32_t i = 0; i < workers_count; i++) {
        int fd = bind_socket(listener, listener->port, true, conf);
        if (fd < 0) {
            return fd;
        }
        listener->sockets[listener->count++] = fd;
    }
    /* Listen only when all are bound, so that no connection waits on a socket nobody reads. */
    for (uint32_t i = 0; i < workers_count; i++) {
        if (listen(listener->sockets[i], (int)conf->backlog) != 0) {
            return -errno;
        }
    }
    return 0;
}

static int open_unix(struct listener *listener, const struct conf *conf)
{
    union address address;
    socklen_t size = address_of(&listener->endpoint, 0, &address);
    remove_stale_socket(&address, size);
    int fd = bind_socket(listener, 0, false, conf);
    if (fd < 0) {
        return fd;
    }
    listener->sockets[listener->count++] = fd;
    listener->has_name = true;
    return listen(fd, (int)conf->backlog) == 0 ? 0 : -errno;
}

static const char *advice_for(int error)
{
    switch (error) {
    case -EADDRINUSE:
        return "; another program listens there: stop it, or choose another address with -l "
               "(port 0 lets the system choose)";
    case -EACCES:
    case -EPERM:
        return "; ports below 1024 need root or CAP_NET_BIND_SERVICE, and a unix socket a writable "
               "directory";
    case -EINVAL:
    case -ENODEV:
        return "; a link-local address needs its interface: [fe80::1%eth0]:8080";
    case -EADDRNOTAVAIL:
        return "; no interface of this machine has that address";
    default:
        return "";
    }
}

int listener_open(struct listener *listener, const char *address, uint32_t workers_count,
                  const struct conf *conf, FILE *errors)
{
    *listener = (struct listener){ 0 };
    const char *expected = conf_listen_parse(address, &listener->endpoint);
    if (expected != NULL) {
        fprintf(errors, "gyre: '%s': %s\n", address, expected);
        return -EINVAL;
    }
    bool local = listener->endpoint.family == CONF_FAMILY_UNIX;
    int error = local ? open_unix(listener, conf) : open_tcp(listener, workers_count, conf);
    if (error == -EAFNOSUPPORT && listener->endpoint.family == CONF_FAMILY_DUAL) {
        /* No IPv6 in this kernel: both families are then IPv4. */
        listener->endpoint.family = CONF_FAMILY_IPV4;
        memcpy(listener->endpoint.host, "0.0.0.0", sizeof("0.0.0.0"));
        error = open_tcp(listener, workers_count, conf);
    }
    if (error != 0) {
        fprintf(errors, "gyre: cannot listen on '%s': %s%s\n", address, strerror(-error),
                advice_for(error));
        listener_close(listener);
    }
    return error;
}

int listener_socket(const struct listener *listener, uint32_t index)
{
    return listener->sockets[listener->count == 1 ? 0 : index];
}

void listener_print(const struct listener *listener, const char *directory, FILE *stream)
{
    const struct conf_endpoint *endpoint = &listener->endpoint;
    switch (endpoint->family) {
    case CONF_FAMILY_IPV4:
        fprintf(stream, "gyre: serving %s at http://%s:%u/\n", directory, endpoint->host,
                listener->port);
        break;
    case CONF_FAMILY_IPV6:
        fprintf(stream, "gyre: serving %s at http://[%s]:%u/\n", directory, endpoint->host,
                listener->port);
        break;
    case CONF_FAMILY_DUAL:
        fprintf(stream, "gyre: serving %s at http://[::]:%u/\n", directory, listener->port);
        break;
    case CONF_FAMILY_UNIX:
        fprintf(stream, "gyre: serving %s at unix:%s\n", directory, endpoint->host);
        break;
    }
}

void listener_stop(struct listener *listener)
{
    if (listener->has_name) { /* once: later the name may be a successor's */
        (void)unlink(listener->endpoint.host);
        listener->has_name = false;
    }
    for (uint32_t i = 0; i < listener->count; i++) {
        (void)shutdown(listener->sockets[i], SHUT_RDWR);
    }
}

void listener_close(struct listener *listener)
{
    listener_stop(listener);
    for (uint32_t i = 0; i < listener->count; i++) {
        close(listener->sockets[i]);
    }
    listener->count = 0;
}

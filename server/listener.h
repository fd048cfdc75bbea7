/* listener: addresses -> listening sockets. Blocking set-up, before any ring exists. */
#ifndef GYRE_SERVER_LISTENER_H
#define GYRE_SERVER_LISTENER_H

#include <stdio.h>

#include "conf/conf.h"

/* The listening sockets of one address. */
struct listener {
    struct conf_endpoint endpoint;
    uint16_t port;    /* the real one, when the endpoint said 0 */
    bool has_name;    /* a unix socket's path is ours to remove */
    uint32_t count;   /* one a worker (SO_REUSEPORT); one for all of them on a unix socket */
    int sockets[256]; /* WORKERS_MAX */
};

/* Opens one listening socket a worker. Returns 0, or -errno after one line to `errors` that says
 * what to do. socket(7), ip(7), ipv6(7), unix(7). */
int listener_open(struct listener *listener, const char *address, uint32_t workers_count,
                  const struct conf *conf, FILE *errors);

/* The socket that worker `index` accepts from. */
int listener_socket(const struct listener *listener, uint32_t index);

/* Writes "gyre: serving DIR at http://ADDR:PORT/". */
void listener_print(const struct listener *listener, const char *directory, FILE *stream);

/* Refuses new connections from now on, and removes a unix socket's name: accepting ends in every
 * worker, and a successor can take the address. */
void listener_stop(struct listener *listener);

/* Stops, and closes the sockets. */
void listener_close(struct listener *listener);

#endif

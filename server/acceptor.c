/* acceptor: see the header.
 *
 * Invariants: connections never exceed the slots, which are connections_max; accepting is paused
 * while anything is parked or descriptors are short; a parked descriptor is adopted in order, or
 * closed when the worker stops. Who is closed for a newcomer is the one that has been idle longest;
 * one that has just come is given time for its first request, else newcomers would only chase each
 * other away. */
#include "server/acceptor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/worker.h"

int acceptor_create(struct acceptor *acceptor, const struct conf *conf)
{
    acceptor->parked_max = conf->backlog + EVENTS_MAX;
    acceptor->parked = calloc(acceptor->parked_max, sizeof(*acceptor->parked));
    return acceptor->parked != NULL ? 0 : -ENOMEM;
}

void acceptor_destroy(struct acceptor *acceptor)
{
    assert(acceptor->parked_count == 0);
    free(acceptor->parked);
    acceptor->parked = NULL;
}

static void arm(struct worker *worker, uint32_t listener)
{
    assert(!worker->acceptor.accepting[listener]);
    worker->acceptor.accepting[listener] = true;
    uring_accept(worker->uring, (struct uring_token){ .op = OP_ACCEPT, .slot = listener },
                 worker->settings.listeners[listener]);
}

void acceptor_start(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->settings.listeners_count; i++) {
        if (!worker->acceptor.accepting[i]) {
            arm(worker, i);
        }
    }
}

static void pause_accept(struct worker *worker)
{
    if (worker->acceptor.paused) {
        return;
    }
    worker->acceptor.paused = true;
    for (uint32_t i = 0; i < worker->settings.listeners_count; i++) {
        if (worker->acceptor.accepting[i]) {
            uring_cancel(worker->uring, (struct uring_token){ .op = OP_ACCEPT, .slot = i });
        }
    }
}

static void park(struct worker *worker, int fd, uint8_t listener)
{
    struct acceptor *acceptor = &worker->acceptor;
    if (acceptor->parked_count == acceptor->parked_max || worker->stopping) {
        worker->counters.connections_refused++;
        uring_close(worker->uring, fd);
        return;
    }
    uint32_t index = (acceptor->parked_first + acceptor->parked_count) % acceptor->parked_max;
    acceptor->parked[index] = (struct parked){ .fd = fd, .listener = listener };
    acceptor->parked_count++;
}

static struct parked unpark(struct acceptor *acceptor)
{
    assert(acceptor->parked_count > 0);
    struct parked parked = acceptor->parked[acceptor->parked_first];
    acceptor->parked_first = (acceptor->parked_first + 1) % acceptor->parked_max;
    acceptor->parked_count--;
    return parked;
}

static void adopt(struct worker *worker, int fd, uint8_t listener)
{
    struct connection *connection = connection_open(worker, fd, listener);
    worker->counters.connections_accepted++;
    if (access_log_is_on(&worker->log)) {
        struct sockaddr_storage peer = { 0 };
        (void)uring_peer(worker->uring, fd, &peer);
        memcpy(&connection->peer, &peer, sizeof(connection->peer));
    }
}

void acceptor_handle(struct worker *worker, const struct uring_event *event)
{
    struct acceptor *acceptor = &worker->acceptor;
    uint32_t listener = event->token.slot;
    assert(listener < worker->settings.listeners_count);
    acceptor->accepting[listener] = event->more;
    if (event->result >= 0) {
        park(worker, event->result, (uint8_t)listener);
    }
    if (event->more || acceptor->paused || worker->stopping) {
        return;
    }
    switch (event->result) {
    case -ECANCELED:
    case -ECONNABORTED:
    case -EINTR:
    case -EAGAIN:
    case -EPROTO:
        arm(worker, listener);
        break;
    default:
        if (event->result >= 0) {
            arm(worker, listener);
        } else {
            /* EMFILE, ENFILE: the backlog is kept. Whatever it is: never spin. */
            pause_accept(worker);
            acceptor->descriptors_short = true;
            (void)cache_release_files(&worker->cache, worker->uring);
        }
        break;
    }
}

static bool evict_idle(struct worker *worker)
{
    struct list_node *node = list_first(&worker->deadlines[DEADLINE_IDLE]);
    if (node == NULL) {
        return false;
    }
    struct connection *connection = LIST_ITEM(node, struct connection, deadline_node);
    if (connection->requests_count == 0 &&
        worker->now_ms - connection->opened_ms < FIRST_REQUEST_MS) {
        return false;
    }
    worker->counters.connections_evicted++;
    connection_fail(worker, connection);
    return true;
}

void acceptor_balance(struct worker *worker)
{
    struct acceptor *acceptor = &worker->acceptor;
    if (worker->stopping) {
        return;
    }
    while (acceptor->parked_count > 0 && worker->slots_free_count > 0) {
        struct parked parked = unpark(acceptor);
        adopt(worker, parked.fd, parked.listener);
    }
    /* Slots that are about to be free are spoken for first. */
    uint32_t wanted =
        acceptor->parked_count > 0 ? acceptor->parked_count : (uint32_t)acceptor->descriptors_short;
    for (uint32_t coming = worker->closing_count; coming < wanted; coming++) {
        if (!evict_idle(worker)) {
            break;
        }
    }
    if (acceptor->parked_count > 0) {
        pause_accept(worker);
    } else if (acceptor->paused && !acceptor->descriptors_short) {
        acceptor->paused = false;
        acceptor_start(worker);
    }
}

void acceptor_retry(struct worker *worker)
{
    worker->acceptor.descriptors_short = false;
}

void acceptor_stop(struct worker *worker)
{
    pause_accept(worker);
    while (worker->acceptor.parked_count > 0) {
        uring_close(worker->uring, unpark(&worker->acceptor).fd);
    }
}

bool acceptor_is_joined(const struct worker *worker)
{
    for (uint32_t i = 0; i < worker->settings.listeners_count; i++) {
        if (worker->acceptor.accepting[i]) {
            return false;
        }
    }
    return true;
}

/* epoll_endpoint: what is known of a descriptor, and its registration with epoll.
 *
 * A socket of a connection is registered once, edge-triggered, when it first has to be waited for;
 * closing it ends that. So no request costs an epoll_ctl. What is waited for rarely, or may be
 * closed by others (listeners, inotify, pipes), is registered level-triggered for the one operation
 * and taken out again.
 *
 * Invariants: an edge that was reported stays in `seen` until a system call has said EAGAIN. A
 * descriptor in the list of ready ones may have been closed since: then it has nothing pending, or
 * is another, and looking at it is harmless. */
#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

#include "uring/epoll_internal.h"

enum {
    ENDPOINTS_MIN = 1024
};

static bool grow(struct epoll *epoll, uint32_t count)
{
    size_t size = (size_t)count * sizeof(struct endpoint);
    size_t size_before = (size_t)epoll->endpoints_count * sizeof(struct endpoint);
    void *memory = size_before == 0 ? mmap(NULL, size, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                    : mremap(epoll->endpoints, size_before, size, MREMAP_MAYMOVE);
    if (memory == MAP_FAILED) {
        return false;
    }
    epoll->endpoints = memory;
    epoll->endpoints_count = count;
    return true;
}

struct endpoint *endpoint_get(struct epoll *epoll, int fd)
{
    assert(fd >= 0);
    uint32_t count = epoll->endpoints_count > 0 ? epoll->endpoints_count : ENDPOINTS_MIN;
    while (count <= (uint32_t)fd) {
        count *= 2;
    }
    if (count > epoll->endpoints_count && !grow(epoll, count)) {
        return NULL;
    }
    return &epoll->endpoints[fd];
}

void endpoints_free(struct epoll *epoll)
{
    if (epoll->endpoints != NULL) {
        munmap(epoll->endpoints, epoll->endpoints_count * sizeof(struct endpoint));
    }
}

/* --- registration ------------------------------------------------------------------------------
 */

static int control(const struct epoll *epoll, int action, int fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.fd = fd };
    return epoll_ctl(epoll->epoll_fd, action, fd, &event) == 0 ? 0 : -errno;
}

int endpoint_require(struct epoll *epoll, int fd, uint32_t interest)
{
    struct endpoint *endpoint = &epoll->endpoints[fd];
    assert(!endpoint->is_temporary);
    if ((endpoint->interest & interest) == interest) {
        return 0;
    }
    uint32_t wanted = endpoint->interest | interest;
    int action = endpoint->interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    int error = control(epoll, action, fd, wanted | EPOLLET);
    if (error == 0) {
        endpoint->interest = wanted;
    }
    return error;
}

int endpoint_watch(struct epoll *epoll, int fd, uint32_t events)
{
    struct endpoint *endpoint = &epoll->endpoints[fd];
    assert(!endpoint->is_temporary);
    assert(endpoint->interest == 0);
    int error = control(epoll, EPOLL_CTL_ADD, fd, events);
    endpoint->is_temporary = error == 0;
    return error;
}

void endpoint_unwatch(struct epoll *epoll, int fd)
{
    struct endpoint *endpoint = &epoll->endpoints[fd];
    assert(endpoint->is_temporary);
    (void)control(epoll, EPOLL_CTL_DEL, fd, 0);
    endpoint->is_temporary = false;
    endpoint->seen = 0;
}

/* --- the list of those with something to do ----------------------------------------------------
 */

void endpoint_make_ready(struct epoll *epoll, int fd)
{
    struct endpoint *endpoint = &epoll->endpoints[fd];
    if (endpoint->is_ready) {
        return;
    }
    endpoint->is_ready = true;
    endpoint->next_ready = -1;
    if (epoll->ready_first < 0) {
        epoll->ready_first = fd;
    } else {
        epoll->endpoints[epoll->ready_last].next_ready = fd;
    }
    epoll->ready_last = fd;
}

int endpoint_take_ready(struct epoll *epoll)
{
    int fd = epoll->ready_first;
    if (fd >= 0) {
        epoll->ready_first = epoll->endpoints[fd].next_ready;
        epoll->endpoints[fd].is_ready = false;
    }
    return fd;
}

/* --- the end -----------------------------------------------------------------------------------
 */

void endpoint_detach(struct epoll *epoll, struct operation *operation)
{
    struct endpoint *endpoint = &epoll->endpoints[operation->fd];
    if (endpoint->in == operation) {
        endpoint->in = NULL;
    } else {
        assert(endpoint->out == operation);
        endpoint->out = NULL;
    }
    if (endpoint->is_temporary) {
        endpoint_unwatch(epoll, operation->fd);
    }
}

void endpoint_forget(struct epoll *epoll, int fd)
{
    if ((uint32_t)fd < epoll->endpoints_count) {
        struct endpoint *endpoint = &epoll->endpoints[fd];
        assert(endpoint->in == NULL); /* join before close */
        assert(endpoint->out == NULL);
        assert(!endpoint->is_temporary);
        endpoint->interest = 0;
        endpoint->seen = 0;
    }
}

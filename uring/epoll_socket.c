/* epoll_socket: operations that may have to wait: tried at once, and again when epoll says so. */
#include <assert.h>
#include <errno.h>
#include <poll.h>

#include "uring/epoll_internal.h"

enum {
    ACCEPTS_MAX = 64, /* of one listener in a row */
};

static const uint32_t READABLE = EPOLLIN | EPOLLRDHUP;
static const uint32_t BROKEN = EPOLLERR | EPOLLHUP;

static void end(struct epoll *epoll, struct operation *operation, int32_t result)
{
    endpoint_detach(epoll, operation);
    operation_finish(epoll, operation, result);
}

/* Waits for an edge, or ends where epoll refuses. */
static void wait_for(struct epoll *epoll, struct operation *operation, uint32_t interest)
{
    int error = endpoint_require(epoll, operation->fd, interest);
    if (error != 0) {
        end(epoll, operation, error);
    }
}

/* --- accept ------------------------------------------------------------------------------------
 */

static void advance_accept(struct epoll *epoll, struct operation *operation)
{
    for (uint32_t i = 0; i < ACCEPTS_MAX && has_room(epoll); i++) {
        int fd = accept4(operation->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            operation_tell(epoll, operation->token, fd)->more = true;
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            end(epoll, operation, -errno);
            return;
        }
    }
}

/* --- recv --------------------------------------------------------------------------------------
 */

static void try_again(struct epoll *epoll, struct endpoint *endpoint, int fd)
{
    endpoint->seen |= EPOLLIN;
    endpoint_make_ready(epoll, fd);
}

/* After bytes have come. A socket is registered only after the first try: else epoll would report
 * what has been taken already. */
static void settle_recv(struct epoll *epoll, const struct operation *operation, ssize_t size)
{
    struct endpoint *endpoint = &epoll->endpoints[operation->fd];
    bool is_full = size == (ssize_t)epoll->base.buffer_size;
    bool is_ended = (endpoint->seen & (EPOLLRDHUP | BROKEN)) != 0; /* perhaps behind the bytes */
    if (is_full || is_ended || endpoint_require(epoll, operation->fd, READABLE) != 0) {
        try_again(epoll, endpoint, operation->fd);
    } else {
        endpoint->seen &= ~(uint32_t)EPOLLIN;
    }
}

static void advance_recv(struct epoll *epoll, struct operation *operation)
{
    struct uring *base = &epoll->base;
    if (base->buffers_out == base->buffers_count) {
        end(epoll, operation, -ENOBUFS);
        return;
    }
    uint16_t buffer = epoll->buffers_free[base->buffers_count - base->buffers_out - 1];
    ssize_t size = recv(operation->fd, base->buffers + (size_t)buffer * base->buffer_size,
                        base->buffer_size, MSG_DONTWAIT);
    struct endpoint *endpoint = &epoll->endpoints[operation->fd];
    if (size > 0) {
        base->buffers_out++;
        struct uring_event *event = operation_tell(epoll, operation->token, (int32_t)size);
        event->buffer = buffer;
        event->more = true;
        settle_recv(epoll, operation, size);
    } else if (size == 0) {
        end(epoll, operation, 0);
    } else if (errno == EAGAIN) {
        endpoint->seen &= ~(uint32_t)EPOLLIN;
        wait_for(epoll, operation, READABLE);
    } else if (errno == EINTR) {
        try_again(epoll, endpoint, operation->fd);
    } else {
        end(epoll, operation, -errno);
    }
}

/* --- send --------------------------------------------------------------------------------------
 */

static ssize_t send_rest(struct operation *operation)
{
    struct operation_pieces *pieces = operation->pieces;
    if (pieces == NULL) {
        return send(operation->fd, operation->data + operation->done,
                    operation->size - operation->done, operation->flags);
    }
    struct msghdr header = { .msg_iov = pieces->list + pieces->first,
                             .msg_iovlen = pieces->count - pieces->first };
    return sendmsg(operation->fd, &header, operation->flags);
}

static void note_sent(struct operation *operation, size_t size)
{
    operation->done += (uint32_t)size;
    assert(operation->done <= operation->size);
    struct operation_pieces *pieces = operation->pieces;
    while (pieces != NULL && size > 0) {
        struct iovec *piece = &pieces->list[pieces->first];
        size_t taken = size < piece->iov_len ? size : piece->iov_len;
        piece->iov_base = (char *)piece->iov_base + taken;
        piece->iov_len -= taken;
        size -= taken;
        pieces->first += piece->iov_len == 0;
    }
}

static void advance_send(struct epoll *epoll, struct operation *operation)
{
    for (;;) {
        ssize_t size = send_rest(operation);
        if (size >= 0) {
            note_sent(operation, (size_t)size);
            if (operation->done == operation->size || operation->is_hasty) {
                end(epoll, operation, (int32_t)operation->done);
                return;
            }
        } else if (errno == EAGAIN && !operation->is_hasty) {
            epoll->endpoints[operation->fd].seen &= ~(uint32_t)EPOLLOUT;
            wait_for(epoll, operation, EPOLLOUT);
            return;
        } else if (errno != EINTR) {
            end(epoll, operation, operation->done > 0 ? (int32_t)operation->done : -errno);
            return;
        }
    }
}

/* --- poll --------------------------------------------------------------------------------------
 */

static void advance_poll(struct epoll *epoll, struct operation *operation)
{
    struct pollfd target = { .fd = operation->fd, .events = (short)operation->flags };
    int count = poll(&target, 1, 0);
    if (count > 0) {
        end(epoll, operation, target.revents);
    } else if (operation->flags == POLLOUT) {
        epoll->endpoints[operation->fd].seen &= ~(uint32_t)EPOLLOUT;
        wait_for(epoll, operation, EPOLLOUT);
    }
}

/* --- all of them -------------------------------------------------------------------------------
 */

static bool receives(const struct operation *operation)
{
    return operation->kind == OPERATION_ACCEPT || operation->kind == OPERATION_RECV ||
           (operation->kind == OPERATION_POLL && operation->flags == POLLIN);
}

static int watch(struct epoll *epoll, const struct operation *operation)
{
    switch (operation->kind) {
    case OPERATION_ACCEPT:
        /* Workers share a unix socket's listener: one of them is enough. */
        return endpoint_watch(epoll, operation->fd, EPOLLIN | EPOLLEXCLUSIVE);
    case OPERATION_POLL:
        return operation->flags == POLLIN ? endpoint_watch(epoll, operation->fd, EPOLLIN) : 0;
    default:
        return 0; /* when it has to */
    }
}

void operation_start(struct epoll *epoll, struct operation *operation)
{
    struct endpoint *endpoint = endpoint_get(epoll, operation->fd);
    if (endpoint == NULL) {
        operation_finish(epoll, operation, -ENOMEM);
        return;
    }
    struct operation **place = receives(operation) ? &endpoint->in : &endpoint->out;
    assert(*place == NULL); /* one in each direction */
    *place = operation;
    int error = watch(epoll, operation);
    if (error != 0) {
        end(epoll, operation, error);
        return;
    }
    operation_advance(epoll, operation);
}

void operation_advance(struct epoll *epoll, struct operation *operation)
{
    switch (operation->kind) {
    case OPERATION_ACCEPT:
        advance_accept(epoll, operation);
        break;
    case OPERATION_RECV:
        advance_recv(epoll, operation);
        break;
    case OPERATION_SEND:
        advance_send(epoll, operation);
        break;
    case OPERATION_POLL:
        advance_poll(epoll, operation);
        break;
    case OPERATION_WRITE:
        operation_write(epoll, operation);
        break;
    default:
        assert(false);
    }
}

/* epoll_ops: one function an operation: from gyre's terms to the queue. Nothing is tried before the
 * next wait, but that cancelling takes effect at once. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "uring/epoll_internal.h"

static void queue_accept(struct uring *uring, struct uring_token token, int listener)
{
    (void)operation_queue_tagged(epoll_of(uring), OPERATION_ACCEPT, token, listener);
}

static void queue_recv(struct uring *uring, struct uring_token token, int fd)
{
    (void)operation_queue_tagged(epoll_of(uring), OPERATION_RECV, token, fd);
}

static void recv_release(struct uring *uring, uint16_t buffer)
{
    epoll_of(uring)->buffers_free[uring->buffers_count - uring->buffers_out - 1] = buffer;
}

static struct operation *queue_any_send(struct uring *uring, struct uring_token token, int fd,
                                        unsigned flags)
{
    struct operation *send = operation_queue_tagged(epoll_of(uring), OPERATION_SEND, token, fd);
    send->flags = MSG_NOSIGNAL | MSG_DONTWAIT | ((flags & URING_SEND_MORE) != 0 ? MSG_MORE : 0);
    send->is_hasty = (flags & URING_SEND_NOWAIT) != 0;
    return send;
}

static void queue_send(struct uring *uring, struct uring_token token, int fd, const void *data,
                       uint32_t size, unsigned flags)
{
    struct operation *send = queue_any_send(uring, token, fd, flags);
    send->data = (char *)(uintptr_t)data;
    send->size = size;
}

static void queue_send_vector(struct uring *uring, struct uring_token token, int fd,
                              const struct iovec *pieces, uint32_t count, unsigned flags)
{
    struct operation *send = queue_any_send(uring, token, fd, flags);
    send->pieces = operation_take_pieces(epoll_of(uring));
    send->pieces->first = 0;
    send->pieces->count = count;
    memcpy(send->pieces->list, pieces, count * sizeof(*pieces));
    for (uint32_t i = 0; i < count; i++) {
        send->size += (uint32_t)pieces[i].iov_len;
    }
}

static void queue_send_zero_copy(struct uring *uring, struct uring_token token, int fd,
                                 const struct uring_chunk *chunk, uint32_t chunk_offset,
                                 uint32_t size)
{
    queue_send(uring, token, fd, chunk->data + chunk_offset, size, 0);
}

static void queue_poll(struct uring *uring, struct uring_token token, int fd, short events)
{
    assert(events == POLLIN || events == POLLOUT);
    operation_queue_tagged(epoll_of(uring), OPERATION_POLL, token, fd)->flags = events;
}

static void queue_close(struct uring *uring, int fd)
{
    (void)operation_queue(epoll_of(uring), OPERATION_CLOSE, fd);
}

static void queue_open(struct uring *uring, struct uring_token token, int directory,
                       const char *path, const struct open_how *how)
{
    struct operation *open =
        operation_queue_tagged(epoll_of(uring), OPERATION_OPEN, token, directory);
    open->path = path;
    open->how = how;
}

static struct operation *queue_any_read(struct uring *uring, struct uring_token token, int fd,
                                        void *data, uint32_t size, uint64_t file_offset)
{
    struct operation *read = operation_queue_tagged(epoll_of(uring), OPERATION_READ, token, fd);
    read->data = data;
    read->size = size;
    read->file_offset = file_offset;
    return read;
}

static void queue_read(struct uring *uring, struct uring_token token, int fd, void *data,
                       uint32_t size, uint64_t file_offset)
{
    (void)queue_any_read(uring, token, fd, data, size, file_offset);
}

static void queue_read_chunk(struct uring *uring, struct uring_token token, int fd,
                             struct uring_chunk *chunk, uint32_t chunk_offset, uint32_t size,
                             uint64_t file_offset, bool linked)
{
    struct operation *read =
        queue_any_read(uring, token, fd, chunk->data + chunk_offset, size, file_offset);
    read->is_linked = linked;
}

static void queue_write(struct uring *uring, struct uring_token token, int fd, const void *data,
                        uint32_t size)
{
    struct operation *write = operation_queue_tagged(epoll_of(uring), OPERATION_WRITE, token, fd);
    write->data = (char *)(uintptr_t)data;
    write->size = size;
}

static void queue_timer(struct uring *uring, struct uring_token token, uint32_t milliseconds)
{
    operation_queue_tagged(epoll_of(uring), OPERATION_TIMER, token, -1)->size = milliseconds;
}

static bool is_pending(const struct epoll *epoll, const struct operation *operation)
{
    if (operation->fd < 0 || (uint32_t)operation->fd >= epoll->endpoints_count) {
        return false;
    }
    const struct endpoint *endpoint = &epoll->endpoints[operation->fd];
    return endpoint->in == operation || endpoint->out == operation;
}

static void cancel(struct uring *uring, struct uring_token token)
{
    struct epoll *epoll = epoll_of(uring);
    struct operation *operation = operation_find(epoll, uring_token_pack(token));
    if (operation == NULL) {
        return;
    }
    int32_t result = -ECANCELED;
    if (is_pending(epoll, operation)) {
        endpoint_detach(epoll, operation);
        bool has_sent = operation->kind == OPERATION_SEND && operation->done > 0;
        operation_queue_ended(epoll, operation, has_sent ? (int32_t)operation->done : result);
    } else if (operation == epoll->timer) {
        epoll->timer = NULL;
        operation_queue_ended(epoll, operation, result);
    } else { /* still in the queue */
        operation->kind = OPERATION_ENDED;
        operation->result = result;
    }
}

/* Nothing is known to this kernel beforehand; the chunks are plain memory, and none is missed. */
static int slab_register(struct uring *uring, void *data, size_t size)
{
    (void)uring;
    (void)data;
    (void)size;
    return -EOPNOTSUPP;
}

/* clang-format off */
const struct engine_ops EPOLL_OPS = {
    .kind           = URING_EPOLL,
    .destroy        = engine_epoll_destroy,
    .wait           = engine_epoll_wait,
    .slab_register  = slab_register,
    .work_done      = engine_epoll_work_done,
    .wake           = engine_epoll_wake,
    .accept         = queue_accept,
    .recv           = queue_recv,
    .recv_release   = recv_release,
    .send           = queue_send,
    .send_vector    = queue_send_vector,
    .send_zero_copy = queue_send_zero_copy,
    .poll           = queue_poll,
    .close          = queue_close,
    .open           = queue_open,
    .read           = queue_read,
    .read_chunk     = queue_read_chunk,
    .write          = queue_write,
    .timer          = queue_timer,
    .cancel         = cancel,
};
/* clang-format on */

/* ring_ops: one function an operation: from gyre's terms to a submission entry. */
#include <assert.h>
#include <poll.h>
#include <string.h>

#include "uring/ring_internal.h"

static struct io_uring_sqe *entry_for(struct uring *uring)
{
    return ring_entry(ring_of(uring));
}

static void entry_tag(struct io_uring_sqe *entry, struct uring_token token)
{
    io_uring_sqe_set_data64(entry, uring_token_pack(token));
}

/* Success is silent; a failure posts an event that only the engine sees. */
static void entry_tag_silent(struct io_uring_sqe *entry, enum engine_own own)
{
    struct uring_token token = { .op = ENGINE_OP_OWN, .slot = own };
    io_uring_sqe_set_data64(entry, uring_token_pack(token));
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

static void queue_accept(struct uring *uring, struct uring_token token, int listener)
{
    struct io_uring_sqe *entry = entry_for(uring);
    io_uring_prep_multishot_accept(entry, listener, NULL, NULL, SOCK_CLOEXEC);
    entry_tag(entry, token);
}

static void queue_recv(struct uring *uring, struct uring_token token, int fd)
{
    struct io_uring_sqe *entry = entry_for(uring);
    io_uring_prep_recv_multishot(entry, fd, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = RING_BUFFER_GROUP;
    entry_tag(entry, token);
}

static void recv_release(struct uring *uring, uint16_t buffer)
{
    struct io_uring_buf_ring *buffer_ring = ring_of(uring)->buffer_ring;
    io_uring_buf_ring_add(buffer_ring, uring->buffers + (size_t)buffer * uring->buffer_size,
                          uring->buffer_size, buffer, io_uring_buf_ring_mask(uring->buffers_count),
                          0);
    io_uring_buf_ring_advance(buffer_ring, 1);
}

static int message_flags(unsigned flags)
{
    return MSG_NOSIGNAL | ((flags & URING_SEND_NOWAIT) != 0 ? MSG_DONTWAIT : MSG_WAITALL) |
           ((flags & URING_SEND_MORE) != 0 ? MSG_MORE : 0);
}

static void queue_send(struct uring *uring, struct uring_token token, int fd, const void *data,
                       uint32_t size, unsigned flags)
{
    struct io_uring_sqe *entry = entry_for(uring);
    io_uring_prep_send(entry, fd, data, size, message_flags(flags));
    entry_tag(entry, token);
}

static void queue_send_vector(struct uring *uring, struct uring_token token, int fd,
                              const struct iovec *pieces, uint32_t count, unsigned flags)
{
    struct ring *ring = ring_of(uring);
    struct io_uring_sqe *entry = ring_entry(ring);
    /* The slot beside the entry: free again exactly when the kernel has taken the entry. */
    struct ring_message *message = &ring->messages[entry - ring->io.sq.sqes];
    memcpy(message->pieces, pieces, count * sizeof(*pieces));
    message->header = (struct msghdr){ .msg_iov = message->pieces, .msg_iovlen = count };
    io_uring_prep_sendmsg(entry, fd, &message->header, (unsigned)message_flags(flags));
    entry_tag(entry, token);
}

static void queue_send_zero_copy(struct uring *uring, struct uring_token token, int fd,
                                 const struct uring_chunk *chunk, uint32_t chunk_offset,
                                 uint32_t size)
{
    struct ring *ring = ring_of(uring);
    struct io_uring_sqe *entry = ring_entry(ring);
    unsigned usage = ring->reports_usage ? IORING_SEND_ZC_REPORT_USAGE : 0;
    const char *data = chunk->data + chunk_offset;
    if (chunk->registration >= 0) {
        io_uring_prep_send_zc_fixed(entry, fd, data, size, message_flags(0), usage,
                                    (unsigned)chunk->registration);
    } else {
        io_uring_prep_send_zc(entry, fd, data, size, message_flags(0), usage);
    }
    entry_tag(entry, token);
}

static void queue_poll(struct uring *uring, struct uring_token token, int fd, short events)
{
    struct io_uring_sqe *entry = entry_for(uring);
    io_uring_prep_poll_add(entry, fd, (unsigned)events);
    entry_tag(entry, token);
}

static void queue_close(struct uring *uring, int fd)
{
    struct io_uring_sqe *entry = entry_for(uring);
    io_uring_prep_close(entry, fd);
    entry_tag_silent(entry, ENGINE_OWN_COUNTED);
}

/* The kernel reads `how` while it takes the entry, and never again. */
static void queue_open(struct uring *uring, struct uring_token token, int directory,
                       const char *path, const struct open_how *how)
{
    struct io_uring_sqe *entry = entry_for(uring);
    io_uring_prep_openat2(entry, directory, path, (struct open_how *)(uintptr_t)how);
    entry_tag(entry, token);
}

static void queue_read(struct uring *uring, struct uring_token token, int fd, void *data,
                       uint32_t size, uint64_t file_offset)
{
    struct io_uring_sqe *entry = entry_for(uring);
    io_uring_prep_read(entry, fd, data, size, file_offset);
    entry_tag(entry, token);
}

static void queue_read_chunk(struct uring *uring, struct uring_token token, int fd,
                             struct uring_chunk *chunk, uint32_t chunk_offset, uint32_t size,
                             uint64_t file_offset, bool linked)
{
    ring_reserve(ring_of(uring), linked ? 2 : 1);
    struct io_uring_sqe *entry = entry_for(uring);
    char *data = chunk->data + chunk_offset;
    if (chunk->registration >= 0) {
        io_uring_prep_read_fixed(entry, fd, data, size, file_offset, chunk->registration);
    } else {
        io_uring_prep_read(entry, fd, data, size, file_offset);
    }
    if (linked) {
        entry->flags |= IOSQE_IO_LINK;
    }
    entry_tag(entry, token);
}

static void queue_write(struct uring *uring, struct uring_token token, int fd, const void *data,
                        uint32_t size)
{
    struct io_uring_sqe *entry = entry_for(uring);
    io_uring_prep_write(entry, fd, data, size, (uint64_t)-1);
    entry_tag(entry, token);
}

static void queue_timer(struct uring *uring, struct uring_token token, uint32_t milliseconds)
{
    struct ring *ring = ring_of(uring);
    ring->timer = (struct __kernel_timespec){
        .tv_sec = milliseconds / 1000,
        .tv_nsec = (long long)(milliseconds % 1000) * 1000000,
    };
    struct io_uring_sqe *entry = ring_entry(ring);
    io_uring_prep_timeout(entry, &ring->timer, 0, 0);
    entry_tag(entry, token);
}

static void queue_cancel(struct uring *uring, struct uring_token token)
{
    struct io_uring_sqe *entry = entry_for(uring);
    io_uring_prep_cancel64(entry, uring_token_pack(token), 0);
    entry_tag_silent(entry, ENGINE_OWN_SILENT);
}

/* clang-format off */
const struct engine_ops RING_OPS = {
    .kind           = URING_RING,
    .destroy        = ring_destroy,
    .wait           = ring_wait,
    .slab_register  = ring_slab_register,
    .work_done      = ring_work_done,
    .wake           = ring_wake,
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
    .cancel         = queue_cancel,
};
/* clang-format on */

/* ring_ops: one function an operation: from gyre's terms to a submission entry. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uring/ring_internal.h"

static struct io_uring_sqe *entry_for(struct uring *uring, struct uring_token token)
{
    assert(token.op != RING_OP_OWN);
    return ring_entry(uring);
}

static void entry_tag(struct io_uring_sqe *entry, struct uring_token token)
{
    io_uring_sqe_set_data64(entry, uring_token_pack(token));
}

/* Success is silent; a failure posts an event that only the engine sees. */
static void entry_tag_silent(struct io_uring_sqe *entry, enum ring_own own)
{
    struct uring_token token = { .op = RING_OP_OWN, .slot = own };
    io_uring_sqe_set_data64(entry, uring_token_pack(token));
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

void uring_accept(struct uring *uring, struct uring_token token, int listener)
{
    struct io_uring_sqe *entry = entry_for(uring, token);
    io_uring_prep_multishot_accept(entry, listener, NULL, NULL, SOCK_CLOEXEC);
    entry_tag(entry, token);
}

void uring_recv(struct uring *uring, struct uring_token token, int fd)
{
    struct io_uring_sqe *entry = entry_for(uring, token);
    io_uring_prep_recv_multishot(entry, fd, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = RING_BUFFER_GROUP;
    entry_tag(entry, token);
}

const char *uring_recv_data(const struct uring *uring, uint16_t buffer)
{
    assert(buffer < uring->buffers_count);
    return uring->buffers + (size_t)buffer * uring->buffer_size;
}

void uring_recv_release(struct uring *uring, uint16_t buffer)
{
    assert(buffer < uring->buffers_count);
    assert(uring->buffers_out > 0);
    uring->buffers_out--;
    io_uring_buf_ring_add(uring->buffer_ring, uring->buffers + (size_t)buffer * uring->buffer_size,
                          uring->buffer_size, buffer, io_uring_buf_ring_mask(uring->buffers_count),
                          0);
    io_uring_buf_ring_advance(uring->buffer_ring, 1);
}

uint32_t uring_recv_free_count(const struct uring *uring)
{
    return uring->buffers_count - uring->buffers_out;
}

static int message_flags(unsigned flags)
{
    return MSG_NOSIGNAL | ((flags & URING_SEND_NOWAIT) != 0 ? MSG_DONTWAIT : MSG_WAITALL) |
           ((flags & URING_SEND_MORE) != 0 ? MSG_MORE : 0);
}

void uring_send(struct uring *uring, struct uring_token token, int fd, const void *data,
                uint32_t size, unsigned flags)
{
    assert(size > 0);
    struct io_uring_sqe *entry = entry_for(uring, token);
    io_uring_prep_send(entry, fd, data, size, message_flags(flags));
    entry_tag(entry, token);
}

void uring_send_vector(struct uring *uring, struct uring_token token, int fd,
                       const struct iovec *pieces, uint32_t count, unsigned flags)
{
    assert(count > 0);
    assert(count <= URING_IOVECS_MAX);
    struct io_uring_sqe *entry = entry_for(uring, token);
    /* The slot beside the entry: free again exactly when the kernel has taken the entry. */
    struct ring_message *message = &uring->messages[entry - uring->ring.sq.sqes];
    memcpy(message->pieces, pieces, count * sizeof(*pieces));
    message->header = (struct msghdr){ .msg_iov = message->pieces, .msg_iovlen = count };
    io_uring_prep_sendmsg(entry, fd, &message->header, (unsigned)message_flags(flags));
    entry_tag(entry, token);
}

void uring_poll_writable(struct uring *uring, struct uring_token token, int fd)
{
    struct io_uring_sqe *entry = entry_for(uring, token);
    io_uring_prep_poll_add(entry, fd, POLLOUT);
    entry_tag(entry, token);
}

void uring_poll_readable(struct uring *uring, struct uring_token token, int fd)
{
    struct io_uring_sqe *entry = entry_for(uring, token);
    io_uring_prep_poll_add(entry, fd, POLLIN);
    entry_tag(entry, token);
}

void uring_shutdown(struct uring *uring, int fd, int how)
{
    (void)uring;
    (void)shutdown(fd, how); /* ENOTCONN: the peer was faster */
}

void uring_abort(struct uring *uring, int fd)
{
    struct linger discard = { .l_onoff = 1, .l_linger = 0 };
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &discard, sizeof(discard));
    uring_close(uring, fd);
}

void uring_close(struct uring *uring, int fd)
{
    struct io_uring_sqe *entry = ring_entry(uring);
    io_uring_prep_close(entry, fd);
    entry_tag_silent(entry, RING_OWN_COUNTED);
}

int uring_peer(struct uring *uring, int fd, struct sockaddr_storage *address)
{
    (void)uring;
    socklen_t size = sizeof(*address);
    return getpeername(fd, (struct sockaddr *)address, &size) == 0 ? 0 : -errno;
}

uint64_t uring_unsent(struct uring *uring, int fd)
{
    (void)uring;
    int bytes = 0;
    return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? (uint64_t)bytes : 0;
}

uint64_t uring_acknowledged(struct uring *uring, int fd)
{
    struct tcp_info info = { 0 };
    socklen_t size = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
        return info.tcpi_bytes_acked;
    }
    return UINT64_MAX - uring_unsent(uring, fd); /* a unix socket: what has left the queue */
}

/* The kernel reads these while it takes the entry, and never again. */
static struct open_how *open_how_for(enum uring_symlinks symlinks)
{
    static const struct open_how TABLE[] = {
        [URING_SYMLINKS_WITHIN] = { .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
                                    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS },
        [URING_SYMLINKS_NONE] = { .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
                                  .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS },
        [URING_SYMLINKS_ALL] = { .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY },
    };
    return (struct open_how *)(uintptr_t)&TABLE[symlinks];
}

/* An empty path names the directory itself; openat2 calls that ".". */
static const char *path_or_dot(const char *path)
{
    return path[0] != '\0' ? path : ".";
}

void uring_open(struct uring *uring, struct uring_token token, int directory, const char *path,
                enum uring_symlinks symlinks)
{
    struct io_uring_sqe *entry = entry_for(uring, token);
    io_uring_prep_openat2(entry, directory, path_or_dot(path), open_how_for(symlinks));
    entry_tag(entry, token);
}

int uring_stat(struct uring *uring, int fd, struct stat *status)
{
    (void)uring;
    return fstat(fd, status) == 0 ? 0 : -errno;
}

int uring_stat_path(struct uring *uring, int directory, const char *path,
                    enum uring_symlinks symlinks, struct stat *status)
{
    (void)uring;
    struct open_how how = *open_how_for(symlinks);
    how.flags = O_PATH | O_CLOEXEC;
    int fd = (int)syscall(__NR_openat2, directory, path_or_dot(path), &how, sizeof(how));
    if (fd < 0) {
        return -errno;
    }
    int error = fstat(fd, status) == 0 ? 0 : -errno;
    close(fd);
    return error;
}

void uring_allow_waiting(struct uring *uring, int fd)
{
    (void)uring;
    (void)fcntl(fd, F_SETFL, 0);
}

void uring_read(struct uring *uring, struct uring_token token, int fd, void *data, uint32_t size,
                uint64_t file_offset)
{
    assert(size > 0);
    struct io_uring_sqe *entry = entry_for(uring, token);
    io_uring_prep_read(entry, fd, data, size, file_offset);
    entry_tag(entry, token);
}

void uring_write(struct uring *uring, struct uring_token token, int fd, const void *data,
                 uint32_t size)
{
    assert(size > 0);
    struct io_uring_sqe *entry = entry_for(uring, token);
    io_uring_prep_write(entry, fd, data, size, (uint64_t)-1);
    entry_tag(entry, token);
}

void uring_read_chunk(struct uring *uring, struct uring_token token, int fd,
                      struct uring_chunk *chunk, uint32_t chunk_offset, uint32_t size,
                      uint64_t file_offset, bool linked)
{
    assert(chunk->taken);
    assert(size > 0);
    assert(chunk_offset <= chunk->size);
    assert(size <= chunk->size - chunk_offset);
    ring_reserve(uring, linked ? 2 : 1);
    struct io_uring_sqe *entry = entry_for(uring, token);
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

void uring_send_zero_copy(struct uring *uring, struct uring_token token, int fd,
                          const struct uring_chunk *chunk, uint32_t chunk_offset, uint32_t size)
{
    assert(chunk->taken);
    assert(size > 0);
    assert(chunk_offset <= chunk->size);
    assert(size <= chunk->size - chunk_offset);
    struct io_uring_sqe *entry = entry_for(uring, token);
    unsigned usage = uring->reports_usage ? IORING_SEND_ZC_REPORT_USAGE : 0;
    const char *data = chunk->data + chunk_offset;
    if (chunk->registration >= 0) {
        io_uring_prep_send_zc_fixed(entry, fd, data, size, message_flags(0), usage,
                                    (unsigned)chunk->registration);
    } else {
        io_uring_prep_send_zc(entry, fd, data, size, message_flags(0), usage);
    }
    entry_tag(entry, token);
}

void uring_timer(struct uring *uring, struct uring_token token, uint32_t milliseconds)
{
    uring->timer = (struct __kernel_timespec){
        .tv_sec = milliseconds / 1000,
        .tv_nsec = (long long)(milliseconds % 1000) * 1000000,
    };
    struct io_uring_sqe *entry = entry_for(uring, token);
    io_uring_prep_timeout(entry, &uring->timer, 0, 0);
    entry_tag(entry, token);
}

void uring_cancel(struct uring *uring, struct uring_token token)
{
    struct io_uring_sqe *entry = ring_entry(uring);
    io_uring_prep_cancel64(entry, uring_token_pack(token), 0);
    entry_tag_silent(entry, RING_OWN_SILENT);
}

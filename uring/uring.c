/* uring: the interface. What every engine does alike is done here, at once; all else goes to the
 * engine that was chosen when this one was created. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "uring/engine.h"

/* --- life --------------------------------------------------------------------------------------
 */

int uring_create(const struct uring_options *options, struct uring **uring)
{
    assert((options->entries & (options->entries - 1)) == 0);
    assert((options->recv_buffers & (options->recv_buffers - 1)) == 0);
    assert(options->recv_buffers <= URING_RECV_BUFFERS_MAX);
    assert(options->completions >= 4 * options->entries);
    return options->kind == URING_RING ? ring_create(options, uring)
                                       : epoll_create_engine(options, uring);
}

int engine_init(struct uring *uring, const struct engine_ops *ops,
                const struct uring_options *options)
{
    uring->ops = ops;
    pthread_mutex_init(&uring->works_lock, NULL);
    uring->works_done_end = &uring->works_done;
    uring->helpers = options->helpers;
    uring->buffers_count = options->recv_buffers;
    uring->buffer_size = options->recv_buffer_size;
    size_t size = (size_t)options->recv_buffers * options->recv_buffer_size;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    uring->buffers = memory;
    return 0;
}

void engine_release(struct uring *uring)
{
    if (uring->buffers != NULL) {
        munmap(uring->buffers, (size_t)uring->buffers_count * uring->buffer_size);
    }
    pthread_mutex_destroy(&uring->works_lock);
}

void uring_destroy(struct uring *uring)
{
    assert(uring->works_pending == 0); /* a helper would write to an engine that is gone */
    assert(uring->works_done == NULL);
    uring->ops->destroy(uring);
}

int uring_wait(struct uring *uring, struct uring_event *events, size_t events_max)
{
    assert(events_max > 0);
    return uring->ops->wait(uring, events, events_max);
}

enum uring_kind uring_kind_of(const struct uring *uring)
{
    return uring->ops->kind;
}

const struct uring_counters *uring_counters(const struct uring *uring)
{
    return &uring->counters;
}

struct uring_work *engine_take_done(struct uring *uring)
{
    pthread_mutex_lock(&uring->works_lock);
    struct uring_work *work = uring->works_done;
    if (work != NULL) {
        uring->works_done = work->next;
        if (uring->works_done == NULL) {
            uring->works_done_end = &uring->works_done;
        }
    }
    pthread_mutex_unlock(&uring->works_lock);
    return work;
}

int uring_slab_register(struct uring *uring, void *data, size_t size)
{
    return uring->ops->slab_register(uring, data, size);
}

int uring_waker_wake(struct uring_waker *waker, struct uring *target, struct uring_token token,
                     uint32_t result)
{
    return target->ops->wake(target, waker, token, result);
}

static struct timespec clock_read(clockid_t clock)
{
    struct timespec now;
    int error = clock_gettime(clock, &now);
    assert(error == 0);
    return now;
}

uint64_t uring_clock_ms(struct uring *uring)
{
    (void)uring;
    struct timespec now = clock_read(CLOCK_MONOTONIC);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int64_t uring_clock_utc_s(struct uring *uring)
{
    (void)uring;
    return clock_read(CLOCK_REALTIME_COARSE).tv_sec;
}

/* --- sockets -----------------------------------------------------------------------------------
 */

void uring_accept(struct uring *uring, struct uring_token token, int listener)
{
    assert(token.op != ENGINE_OP_OWN);
    uring->ops->accept(uring, token, listener);
}

void uring_recv(struct uring *uring, struct uring_token token, int fd)
{
    assert(token.op != ENGINE_OP_OWN);
    uring->ops->recv(uring, token, fd);
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
    uring->ops->recv_release(uring, buffer);
}

uint32_t uring_recv_free_count(const struct uring *uring)
{
    return uring->buffers_count - uring->buffers_out;
}

void uring_send(struct uring *uring, struct uring_token token, int fd, const void *data,
                uint32_t size, unsigned flags)
{
    assert(token.op != ENGINE_OP_OWN);
    assert(size > 0);
    uring->ops->send(uring, token, fd, data, size, flags);
}

void uring_send_vector(struct uring *uring, struct uring_token token, int fd,
                       const struct iovec *pieces, uint32_t count, unsigned flags)
{
    assert(token.op != ENGINE_OP_OWN);
    assert(count > 0);
    assert(count <= URING_IOVECS_MAX);
    uring->ops->send_vector(uring, token, fd, pieces, count, flags);
}

static void check_chunk(const struct uring_chunk *chunk, uint32_t chunk_offset, uint32_t size)
{
    assert(chunk->taken);
    assert(size > 0);
    assert(chunk_offset <= chunk->size);
    assert(size <= chunk->size - chunk_offset);
}

void uring_send_zero_copy(struct uring *uring, struct uring_token token, int fd,
                          const struct uring_chunk *chunk, uint32_t chunk_offset, uint32_t size)
{
    assert(token.op != ENGINE_OP_OWN);
    check_chunk(chunk, chunk_offset, size);
    uring->ops->send_zero_copy(uring, token, fd, chunk, chunk_offset, size);
}

void uring_poll_writable(struct uring *uring, struct uring_token token, int fd)
{
    assert(token.op != ENGINE_OP_OWN);
    uring->ops->poll(uring, token, fd, POLLOUT);
}

void uring_poll_readable(struct uring *uring, struct uring_token token, int fd)
{
    assert(token.op != ENGINE_OP_OWN);
    uring->ops->poll(uring, token, fd, POLLIN);
}

void uring_shutdown(struct uring *uring, int fd, int how)
{
    (void)uring;
    (void)shutdown(fd, how); /* ENOTCONN: the peer was faster */
}

void uring_close(struct uring *uring, int fd)
{
    uring->ops->close(uring, fd);
}

void uring_abort(struct uring *uring, int fd)
{
    struct linger discard = { .l_onoff = 1, .l_linger = 0 };
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &discard, sizeof(discard));
    uring_close(uring, fd);
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

/* --- files -------------------------------------------------------------------------------------
 */

static const struct open_how *open_how_for(enum uring_symlinks symlinks)
{
    static const struct open_how TABLE[] = {
        [URING_SYMLINKS_WITHIN] = { .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
                                    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS },
        [URING_SYMLINKS_NONE] = { .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
                                  .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS },
        [URING_SYMLINKS_ALL] = { .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY },
    };
    return &TABLE[symlinks];
}

/* An empty path names the directory itself; openat2 calls that ".". */
static const char *path_or_dot(const char *path)
{
    return path[0] != '\0' ? path : ".";
}

void uring_open(struct uring *uring, struct uring_token token, int directory, const char *path,
                enum uring_symlinks symlinks)
{
    assert(token.op != ENGINE_OP_OWN);
    uring->ops->open(uring, token, directory, path_or_dot(path), open_how_for(symlinks));
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
    assert(token.op != ENGINE_OP_OWN);
    assert(size > 0);
    uring->ops->read(uring, token, fd, data, size, file_offset);
}

void uring_read_chunk(struct uring *uring, struct uring_token token, int fd,
                      struct uring_chunk *chunk, uint32_t chunk_offset, uint32_t size,
                      uint64_t file_offset, bool linked)
{
    assert(token.op != ENGINE_OP_OWN);
    check_chunk(chunk, chunk_offset, size);
    uring->ops->read_chunk(uring, token, fd, chunk, chunk_offset, size, file_offset, linked);
}

void uring_write(struct uring *uring, struct uring_token token, int fd, const void *data,
                 uint32_t size)
{
    assert(token.op != ENGINE_OP_OWN);
    assert(size > 0);
    uring->ops->write(uring, token, fd, data, size);
}

/* --- control -----------------------------------------------------------------------------------
 */

void uring_timer(struct uring *uring, struct uring_token token, uint32_t milliseconds)
{
    assert(token.op != ENGINE_OP_OWN);
    uring->ops->timer(uring, token, milliseconds);
}

void uring_cancel(struct uring *uring, struct uring_token token)
{
    uring->ops->cancel(uring, token);
}

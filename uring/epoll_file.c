/* epoll_file: operations on files. They are plain system calls, and the thread waits for the disk
 * where it has to; only a pipe or terminal that does not take any more is waited for in epoll. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "uring/epoll_internal.h"

enum {
    WRITE_PIECE_SIZE = 512, /* whatever is writable takes so much at once */
};

void operation_open(struct epoll *epoll, struct operation *operation)
{
    long fd = syscall(__NR_openat2, operation->fd, operation->path, operation->how,
                      sizeof(*operation->how));
    operation_finish(epoll, operation, fd >= 0 ? (int32_t)fd : -errno);
}

/* The next in the queue is what was queued behind this read. */
static void sever_link(struct epoll *epoll)
{
    struct operation *next = epoll->queue_first;
    assert(next != NULL);
    next->kind = OPERATION_ENDED;
    next->result = -ECANCELED;
}

void operation_end(struct epoll *epoll, struct operation *operation)
{
    if (operation->is_linked) {
        sever_link(epoll);
    }
    operation_finish(epoll, operation, operation->result);
}

void operation_read(struct epoll *epoll, struct operation *operation)
{
    ssize_t size;
    do {
        size =
            pread(operation->fd, operation->data, operation->size, (off_t)operation->file_offset);
    } while (size < 0 && errno == EINTR);
    int32_t result = size >= 0 ? (int32_t)size : -errno;
    epoll->read_bytes += size > 0 ? (uint32_t)size : 0;
    if (operation->is_linked && result != (int32_t)operation->size) {
        sever_link(epoll);
    }
    operation_finish(epoll, operation, result);
}

/* Where the kernel cannot be asked not to wait: no more than what is taken at once. */
static ssize_t write_pieces(const struct operation *operation)
{
    uint32_t done = 0;
    while (done < operation->size) {
        struct pollfd target = { .fd = operation->fd, .events = POLLOUT };
        if (poll(&target, 1, 0) != 1) {
            break;
        }
        uint32_t left = operation->size - done;
        ssize_t size = write(operation->fd, operation->data + done,
                             left < WRITE_PIECE_SIZE ? left : WRITE_PIECE_SIZE);
        if (size < 0) {
            return done > 0 ? (ssize_t)done : size;
        }
        done += (uint32_t)size;
    }
    errno = EAGAIN;
    return done > 0 ? (ssize_t)done : -1;
}

static ssize_t write_without_waiting(const struct operation *operation)
{
    struct stat status;
    if (fstat(operation->fd, &status) != 0) {
        return -1;
    }
    if (S_ISREG(status.st_mode)) {
        return write(operation->fd, operation->data, operation->size);
    }
    if (S_ISSOCK(status.st_mode)) {
        return send(operation->fd, operation->data, operation->size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    struct iovec piece = { .iov_base = operation->data, .iov_len = operation->size };
    ssize_t size = pwritev2(operation->fd, &piece, 1, -1, RWF_NOWAIT);
    return size < 0 && errno == EOPNOTSUPP ? write_pieces(operation) : size;
}

void operation_write(struct epoll *epoll, struct operation *operation)
{
    ssize_t size = write_without_waiting(operation);
    int32_t result = size >= 0 ? (int32_t)size : -errno;
    if (result == -EAGAIN) {
        bool is_watched = epoll->endpoints[operation->fd].is_temporary;
        result = is_watched ? 0 : endpoint_watch(epoll, operation->fd, EPOLLOUT);
        if (result == 0) {
            return;
        }
    }
    endpoint_detach(epoll, operation);
    operation_finish(epoll, operation, result);
}

void operation_close(struct epoll *epoll, struct operation *operation)
{
    endpoint_forget(epoll, operation->fd);
    epoll->base.counters.close_failures += close(operation->fd) != 0;
    operation_discard(epoll, operation);
}

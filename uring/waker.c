/* waker: from a thread that has no engine of its own to one that sleeps in its engine. To a ring it
 * speaks by a ring of its own; the epoll engine has a mailbox, and its waker is but a name.
 *
 * Invariant: between two wakes nothing is left of the first. The ring has one entry, so a message
 * that the kernel would not take is overwritten by the next one, never sent behind its back. */
#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>

#include "uring/engine.h"

struct uring_waker {
    enum uring_kind kind;
    struct io_uring ring; /* when the kind is URING_RING */
};

int uring_waker_create(enum uring_kind kind, struct uring_waker **result)
{
    struct uring_waker *waker = calloc(1, sizeof(*waker));
    if (waker == NULL) {
        return -ENOMEM;
    }
    waker->kind = kind;
    int error = kind == URING_RING ? io_uring_queue_init(1, &waker->ring, 0) : 0;
    if (error != 0) {
        free(waker);
        return error;
    }
    *result = waker;
    return 0;
}

void uring_waker_destroy(struct uring_waker *waker)
{
    if (waker->kind == URING_RING) {
        io_uring_queue_exit(&waker->ring);
    }
    free(waker);
}

int engine_message_send(struct uring_waker *waker, int ring_fd, struct uring_token token,
                        uint32_t result)
{
    assert(waker->kind == URING_RING);
    struct io_uring_sqe *entry = io_uring_get_sqe(&waker->ring);
    if (entry == NULL) {
        entry = &waker->ring.sq.sqes[0];
    }
    io_uring_prep_msg_ring(entry, ring_fd, result, uring_token_pack(token), 0);
    int submitted = io_uring_submit(&waker->ring);
    if (submitted < 1) {
        return submitted < 0 ? submitted : -EAGAIN;
    }
    struct io_uring_cqe *cqe;
    int error;
    do {
        error = io_uring_wait_cqe(&waker->ring, &cqe);
    } while (error == -EINTR); /* taken it is: its completion must not be left for the next one */
    if (error != 0) {
        return error;
    }
    int status = cqe->res < 0 ? cqe->res : 0;
    io_uring_cqe_seen(&waker->ring, cqe);
    return status;
}

/* waker: from a thread that has no ring of its own to one that sleeps in its ring.
 *
 * Invariant: between two wakes nothing is left of the first. The ring has one entry, so a message
 * that the kernel would not take is overwritten by the next one, never sent behind its back. */
#include <errno.h>
#include <stdlib.h>

#include "uring/ring_internal.h"

struct uring_waker {
    struct io_uring ring;
};

int uring_waker_create(struct uring_waker **result)
{
    struct uring_waker *waker = calloc(1, sizeof(*waker));
    if (waker == NULL) {
        return -ENOMEM;
    }
    int error = io_uring_queue_init(1, &waker->ring, 0);
    if (error != 0) {
        free(waker);
        return error;
    }
    *result = waker;
    return 0;
}

void uring_waker_destroy(struct uring_waker *waker)
{
    io_uring_queue_exit(&waker->ring);
    free(waker);
}

int ring_message_send(struct uring_waker *waker, int ring_fd, struct uring_token token,
                      uint32_t result)
{
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

int uring_waker_wake(struct uring_waker *waker, const struct uring *target,
                     struct uring_token token, uint32_t result)
{
    return ring_message_send(waker, target->ring.ring_fd, token, result);
}

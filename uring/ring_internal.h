/* ring_internal: what the files of the io_uring engine share. Seen by nobody else. */
#ifndef GYRE_URING_RING_INTERNAL_H
#define GYRE_URING_RING_INTERNAL_H

#include <liburing.h>
#include <pthread.h>

#include "uring/uring.h"

/* UAPI that came after the headers of Debian 12's liburing 2.3. Values from <linux/io_uring.h>. */
#ifndef IORING_SEND_ZC_REPORT_USAGE
#define IORING_SEND_ZC_REPORT_USAGE (1U << 3)
#endif
#ifndef IORING_NOTIF_USAGE_ZC_COPIED
#define IORING_NOTIF_USAGE_ZC_COPIED (1U << 31)
#endif

enum {
    RING_OP_OWN = 255,     /* tokens of operations whose events the caller never sees */
    RING_BUFFER_GROUP = 0, /* the one buffer ring */
};

/* What an event of RING_OP_OWN is about: the slot of its token. */
enum ring_own {
    RING_OWN_SILENT,    /* nothing: an operation whose failure does not matter */
    RING_OWN_COUNTED,   /* a close that failed */
    RING_OWN_WORK_DONE, /* a work has been put into works_done */
};

/* A message header lives here from queueing to submission; the kernel then has its own copy. */
struct ring_message {
    struct msghdr header;
    struct iovec pieces[URING_IOVECS_MAX];
};

struct uring {
    struct io_uring ring;
    struct uring_counters counters;

    struct io_uring_buf_ring *buffer_ring;
    char *buffers; /* recv_buffers x recv_buffer_size */
    uint32_t buffers_count;
    uint32_t buffer_size;
    uint32_t buffers_out; /* in the caller's hands */

    struct ring_message *messages; /* one beside each submission entry */

    struct __kernel_timespec timer;
    uint32_t slabs_count;
    int sparse_error;   /* why there is no table for fixed buffers, 0: there is one */
    bool reports_usage; /* 6.2: notices tell whether the bytes were copied */

    struct uring_helpers *helpers; /* NULL: none */
    uint32_t works_pending;        /* offloaded, and their event not yet told */
    pthread_mutex_t works_lock;    /* guards the two below */
    struct uring_work *works_done; /* that have run, oldest first */
    struct uring_work **works_done_end;
};

/* uring_waker_wake(), for who may not look at the target any more. */
int ring_message_send(struct uring_waker *waker, int ring_fd, struct uring_token token,
                      uint32_t result);

/* Takes the work that has been waiting longest in works_done; there is one for each event of
 * RING_OWN_WORK_DONE. */
struct uring_work *ring_take_done(struct uring *uring);

/* The next free submission entry, cleared; submits first when there is none. */
struct io_uring_sqe *ring_entry(struct uring *uring);

/* Makes sure that `count` entries can be queued without a submission in between: links need it. */
void ring_reserve(struct uring *uring, uint32_t count);

/* Locks the ring to the operations and registrations that gyre uses, then enables it. 0 or -errno.
 */
int ring_lock(struct io_uring *ring);

#endif

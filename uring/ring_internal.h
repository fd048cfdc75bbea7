/* ring_internal: what the files of the io_uring engine share. Seen by nobody else. */
#ifndef GYRE_URING_RING_INTERNAL_H
#define GYRE_URING_RING_INTERNAL_H

#include <liburing.h>

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
};

/* The next free submission entry, cleared; submits first when there is none. */
struct io_uring_sqe *ring_entry(struct uring *uring);

/* Makes sure that `count` entries can be queued without a submission in between: links need it. */
void ring_reserve(struct uring *uring, uint32_t count);

/* Locks the ring to the operations and registrations that gyre uses, then enables it. 0 or -errno.
 */
int ring_lock(struct io_uring *ring);

#endif

/* ring_internal: what the files of the io_uring engine share. Seen by nobody else. */
#ifndef GYRE_URING_RING_INTERNAL_H
#define GYRE_URING_RING_INTERNAL_H

#include <liburing.h>

#include "uring/engine.h"

/* UAPI that came after the headers of Debian 12's liburing 2.3. Values from <linux/io_uring.h>. */
#ifndef IORING_SEND_ZC_REPORT_USAGE
#define IORING_SEND_ZC_REPORT_USAGE (1U << 3)
#endif
#ifndef IORING_NOTIF_USAGE_ZC_COPIED
#define IORING_NOTIF_USAGE_ZC_COPIED (1U << 31)
#endif

enum {
    RING_BUFFER_GROUP = 0, /* the one buffer ring */
};

/* A message header lives here from queueing to submission; the kernel then has its own copy. */
struct ring_message {
    struct msghdr header;
    struct iovec pieces[URING_IOVECS_MAX];
};

struct ring {
    struct uring base;
    struct io_uring io;
    struct io_uring_buf_ring *buffer_ring;
    struct ring_message *messages; /* one beside each submission entry */
    struct __kernel_timespec timer;
    uint32_t slabs_count;
    int sparse_error;   /* why there is no table for fixed buffers, 0: there is one */
    bool reports_usage; /* 6.2: notices tell whether the bytes were copied */
};

static inline struct ring *ring_of(struct uring *uring)
{
    return (struct ring *)(void *)uring;
}

extern const struct engine_ops RING_OPS;

/* Of RING_OPS. */
void ring_destroy(struct uring *uring);
int ring_wait(struct uring *uring, struct uring_event *events, size_t events_max);
int ring_slab_register(struct uring *uring, void *data, size_t size);
int ring_work_done(struct uring *uring);
int ring_wake(struct uring *target, struct uring_waker *waker, struct uring_token token,
              uint32_t result);

/* The next free submission entry, cleared; submits first when there is none. */
struct io_uring_sqe *ring_entry(struct ring *ring);

/* Makes sure that `count` entries can be queued without a submission in between: links need it. */
void ring_reserve(struct ring *ring, uint32_t count);

/* Locks the ring to the operations and registrations that gyre uses, then enables it. 0 or -errno.
 */
int ring_lock(struct io_uring *ring);

#endif

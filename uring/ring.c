/* ring: the io_uring engine's life: set-up, submit and wait, decode.
 *
 * Duty: one ring for one thread (SINGLE_ISSUER), completions processed only inside our own wait
 * (DEFER_TASKRUN), so that handlers never race with the kernel. Created in the thread that uses it,
 * after privileges were dropped: the ring keeps the credentials of its creation.
 *
 * Invariants: every provided buffer is either in the kernel's ring or in the caller's hands
 * (buffers_out); an entry is submitted at the latest by the next wait; the completion queue is
 * sized so that it does not overflow, and should it (NODROP), the kernel keeps the rest and we
 * count it. What was offloaded is in works_pending until its event is decoded: this thread alone
 * counts it.
 *
 * Ownership: the engine owns ring, buffer ring, buffers and message headers. Memory given to an
 * operation stays the caller's, and must stay put until its event. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "uring/ring_internal.h"

enum {
    RESERVE_ATTEMPTS_MAX = 10000
}; /* the latter half with a pause of a millisecond */

static int ring_setup_sized(struct ring *ring, const struct uring_options *options,
                            uint32_t entries, uint32_t completions)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SINGLE_ISSUER |
                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED,
        .cq_entries = completions,
    };
    if (options->sqpoll) {
        params.flags |= IORING_SETUP_SQPOLL;
        params.sq_thread_idle = 1000;
        if (options->sqpoll_cpu != UINT32_MAX) {
            params.flags |= IORING_SETUP_SQ_AFF;
            params.sq_thread_cpu = options->sqpoll_cpu;
        }
    } else {
        params.flags |= IORING_SETUP_DEFER_TASKRUN;
    }
    return io_uring_queue_init_params(entries, &ring->io, &params);
}

/* The queues count against RLIMIT_MEMLOCK, for all processes of the user together. */
static int ring_setup(struct ring *ring, const struct uring_options *options)
{
    uint32_t entries = options->entries;
    uint32_t completions = options->completions;
    int error;
    while ((error = ring_setup_sized(ring, options, entries, completions)) == -ENOMEM) {
        ring->base.counters.is_reduced = true;
        if (completions > 4 * entries) {
            completions /= 2;
        } else if (entries > URING_ENTRIES_MIN) {
            entries /= 2;
        } else {
            break;
        }
    }
    return error;
}

static int ring_setup_buffers(struct ring *ring, uint32_t count)
{
    size_t size = count * sizeof(struct io_uring_buf);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    ring->buffer_ring = memory;
    struct io_uring_buf_reg registration = {
        .ring_addr = (uint64_t)(uintptr_t)ring->buffer_ring,
        .ring_entries = count,
        .bgid = RING_BUFFER_GROUP,
    };
    int error = io_uring_register_buf_ring(&ring->io, &registration, 0);
    if (error != 0) {
        return error;
    }
    const struct uring *base = &ring->base;
    io_uring_buf_ring_init(ring->buffer_ring);
    for (uint32_t i = 0; i < count; i++) {
        io_uring_buf_ring_add(ring->buffer_ring, base->buffers + (size_t)i * base->buffer_size,
                              base->buffer_size, (unsigned short)i, io_uring_buf_ring_mask(count),
                              (int)i);
    }
    io_uring_buf_ring_advance(ring->buffer_ring, (int)count);
    return 0;
}

static void ring_free_memory(struct ring *ring)
{
    if (ring->buffer_ring != NULL) {
        munmap(ring->buffer_ring, ring->base.buffers_count * sizeof(struct io_uring_buf));
    }
    engine_release(&ring->base);
    free(ring->messages);
    free(ring);
}

int ring_create(const struct uring_options *options, struct uring **result)
{
    struct ring *ring = calloc(1, sizeof(*ring));
    if (ring == NULL) {
        return -ENOMEM;
    }
    int error = engine_init(&ring->base, &RING_OPS, options);
    if (error == 0) {
        error = ring_setup(ring, options);
    }
    if (error != 0) {
        goto fail_memory;
    }
    error = -ENOMEM;
    ring->messages = calloc(ring->io.sq.ring_entries, sizeof(*ring->messages));
    if (ring->messages == NULL) {
        goto fail_ring;
    }
    ring->reports_usage = engine_kernel_is_at_least(6, 2);
    error = ring_setup_buffers(ring, options->recv_buffers);
    if (error != 0) {
        goto fail_ring;
    }
    /* Without a table for fixed buffers (RLIMIT_MEMLOCK) the pools fall back to plain memory. */
    ring->sparse_error = io_uring_register_buffers_sparse(&ring->io, URING_SLABS_MAX);
    unsigned limits[2] = { options->workers_max, options->workers_max };
    (void)io_uring_register_iowq_max_workers(&ring->io, limits);
    error = ring_lock(&ring->io);
    if (error != 0) {
        goto fail_ring;
    }
    *result = &ring->base;
    return 0;

fail_ring:
    io_uring_queue_exit(&ring->io);
fail_memory:
    ring_free_memory(ring);
    return error;
}

void ring_destroy(struct uring *uring)
{
    struct ring *ring = ring_of(uring);
    (void)io_uring_submit(&ring->io); /* the last closes may still be queued */
    /* Else locked memory is given back long after the ring is gone, and a restart would miss it. */
    (void)io_uring_unregister_buffers(&ring->io);
    io_uring_queue_exit(&ring->io);
    ring_free_memory(ring);
}

int ring_slab_register(struct uring *uring, void *data, size_t size)
{
    struct ring *ring = ring_of(uring);
    int error = ring->sparse_error;
    if (error == 0 && ring->slabs_count == URING_SLABS_MAX) {
        error = -ENOBUFS;
    }
    if (error == 0) {
        struct iovec slab = { .iov_base = data, .iov_len = size };
        __u64 tag = 0;
        int updated =
            io_uring_register_buffers_update_tag(&ring->io, ring->slabs_count, &slab, &tag, 1);
        error = updated == 1 ? 0 : updated < 0 ? updated : -ENOMEM;
    }
    if (error != 0) {
        ring->base.counters.slabs_plain++;
        return error;
    }
    ring->base.counters.slabs_registered++;
    return (int)ring->slabs_count++;
}

static void ring_submit(struct ring *ring)
{
    int submitted = io_uring_submit(&ring->io);
    if (submitted > 0) {
        ring->base.counters.submissions += (uint64_t)submitted;
    }
}

void ring_reserve(struct ring *ring, uint32_t count)
{
    /* A full completion queue (EBUSY) and want of memory (EAGAIN) pass: the kernel flushes on
     * entry, and memory comes back while we pause. Not for ever: a ring that takes nothing for
     * seconds is broken. */
    for (uint32_t attempts = 0; io_uring_sq_space_left(&ring->io) < count; attempts++) {
        assert(attempts < RESERVE_ATTEMPTS_MAX);
        ring_submit(ring);
        if ((ring->io.flags & IORING_SETUP_SQPOLL) != 0) {
            (void)io_uring_sqring_wait(&ring->io);
        } else if (attempts >= RESERVE_ATTEMPTS_MAX / 2) {
            (void)poll(NULL, 0, 1);
        }
    }
}

struct io_uring_sqe *ring_entry(struct ring *ring)
{
    ring_reserve(ring, 1);
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring->io);
    assert(entry != NULL);
    return entry;
}

static struct uring_token take_done_token(struct uring *uring)
{
    struct uring_work *work = engine_take_done(uring);
    assert(work != NULL);
    assert(uring->works_pending > 0);
    uring->works_pending--;
    return work->token;
}

/* Returns false for the completions of the engine's own operations. */
static bool event_decode(struct uring *uring, const struct io_uring_cqe *cqe,
                         struct uring_event *event)
{
    event->token = uring_token_unpack(cqe->user_data);
    if (event->token.op == ENGINE_OP_OWN && event->token.slot == ENGINE_OWN_WORK_DONE) {
        event->token = take_done_token(uring);
    } else if (event->token.op == ENGINE_OP_OWN) {
        uring->counters.close_failures += event->token.slot == ENGINE_OWN_COUNTED && cqe->res < 0;
        return false;
    }
    event->result = cqe->res;
    event->more = (cqe->flags & IORING_CQE_F_MORE) != 0;
    event->notice = (cqe->flags & IORING_CQE_F_NOTIF) != 0;
    event->copied = event->notice && (cqe->res & (int32_t)IORING_NOTIF_USAGE_ZC_COPIED) != 0;
    event->buffer = URING_BUFFER_NONE;
    if ((cqe->flags & IORING_CQE_F_BUFFER) != 0) {
        event->buffer = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
        assert(event->buffer < uring->buffers_count);
        uring->buffers_out++;
        assert(uring->buffers_out <= uring->buffers_count);
    }
    return true;
}

int ring_wait(struct uring *uring, struct uring_event *events, size_t events_max)
{
    struct ring *ring = ring_of(uring);
    int submitted = io_uring_submit_and_wait(&ring->io, 1);
    uring->counters.waits++;
    if (submitted >= 0) {
        uring->counters.submissions += (uint64_t)submitted;
    } else if (submitted != -EINTR && submitted != -EBUSY && submitted != -EAGAIN) {
        return submitted;
    }
    if (io_uring_cq_has_overflow(&ring->io)) {
        uring->counters.overflows++;
    }
    struct io_uring_cqe *cqe;
    unsigned head;
    unsigned seen = 0;
    size_t count = 0;
    io_uring_for_each_cqe(&ring->io, head, cqe)
    {
        if (count == events_max) {
            break;
        }
        seen++;
        count += event_decode(uring, cqe, &events[count]);
    }
    io_uring_cq_advance(&ring->io, seen);
    uring->counters.events += count;
    return (int)count;
}

int ring_work_done(struct uring *uring)
{
    return ring_of(uring)->io.ring_fd;
}

int ring_wake(struct uring *target, struct uring_waker *waker, struct uring_token token,
              uint32_t result)
{
    return engine_message_send(waker, ring_of(target)->io.ring_fd, token, result);
}

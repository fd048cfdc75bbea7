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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>

#include "uring/ring_internal.h"

enum {
    RESERVE_ATTEMPTS_MAX = 10000
}; /* the latter half with a pause of a millisecond */

static bool kernel_is_at_least(unsigned major, unsigned minor)
{
    struct utsname name;
    unsigned has_major = 0;
    unsigned has_minor = 0;
    if (uname(&name) != 0 || sscanf(name.release, "%u.%u", &has_major, &has_minor) != 2) {
        return false;
    }
    return has_major > major || (has_major == major && has_minor >= minor);
}

static int read_disabled_sysctl(void)
{
    int value = 0;
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (file != NULL) {
        if (fscanf(file, "%d", &value) != 1) {
            value = 0;
        }
        fclose(file);
    }
    return value;
}

enum uring_refusal uring_probe(int *error)
{
    struct io_uring ring;
    struct io_uring_params params = { .flags =
                                          IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };
    *error = io_uring_queue_init_params(8, &ring, &params);
    if (*error == 0) {
        io_uring_queue_exit(&ring);
        return kernel_is_at_least(URING_KERNEL_MAJOR_MIN, URING_KERNEL_MINOR_MIN)
                   ? URING_REFUSAL_NONE
                   : URING_REFUSAL_KERNEL;
    }
    if (*error == -ENOMEM || *error == -EMFILE || *error == -ENFILE) {
        return URING_REFUSAL_RESOURCE;
    }
    if (*error == -EPERM && read_disabled_sysctl() != 0) {
        return URING_REFUSAL_SYSCTL;
    }
    if (!kernel_is_at_least(URING_KERNEL_MAJOR_MIN, URING_KERNEL_MINOR_MIN) || *error == -EINVAL) {
        return URING_REFUSAL_KERNEL;
    }
    return URING_REFUSAL_SECCOMP;
}

static int ring_setup_sized(struct uring *uring, const struct uring_options *options,
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
    return io_uring_queue_init_params(entries, &uring->ring, &params);
}

/* The queues count against RLIMIT_MEMLOCK, for all processes of the user together. */
static int ring_setup(struct uring *uring, const struct uring_options *options)
{
    uint32_t entries = options->entries;
    uint32_t completions = options->completions;
    int error;
    while ((error = ring_setup_sized(uring, options, entries, completions)) == -ENOMEM) {
        uring->counters.is_reduced = true;
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

static int ring_setup_buffers(struct uring *uring, const struct uring_options *options)
{
    uring->buffers_count = options->recv_buffers;
    uring->buffer_size = options->recv_buffer_size;
    size_t ring_size = options->recv_buffers * sizeof(struct io_uring_buf);
    size_t size = (size_t)options->recv_buffers * options->recv_buffer_size;
    const int protection = PROT_READ | PROT_WRITE;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;

    void *memory = mmap(NULL, ring_size, protection, flags, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    uring->buffer_ring = memory;
    memory = mmap(NULL, size, protection, flags, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    uring->buffers = memory;
    struct io_uring_buf_reg registration = {
        .ring_addr = (uint64_t)(uintptr_t)uring->buffer_ring,
        .ring_entries = options->recv_buffers,
        .bgid = RING_BUFFER_GROUP,
    };
    int error = io_uring_register_buf_ring(&uring->ring, &registration, 0);
    if (error != 0) {
        return error;
    }
    io_uring_buf_ring_init(uring->buffer_ring);
    for (uint32_t i = 0; i < uring->buffers_count; i++) {
        io_uring_buf_ring_add(uring->buffer_ring, uring->buffers + (size_t)i * uring->buffer_size,
                              uring->buffer_size, (unsigned short)i,
                              io_uring_buf_ring_mask(uring->buffers_count), (int)i);
    }
    io_uring_buf_ring_advance(uring->buffer_ring, (int)uring->buffers_count);
    return 0;
}

static void ring_free_memory(struct uring *uring)
{
    if (uring->buffers != NULL) {
        munmap(uring->buffers, (size_t)uring->buffers_count * uring->buffer_size);
    }
    if (uring->buffer_ring != NULL) {
        munmap(uring->buffer_ring, uring->buffers_count * sizeof(struct io_uring_buf));
    }
    pthread_mutex_destroy(&uring->works_lock);
    free(uring->messages);
    free(uring);
}

int uring_create(const struct uring_options *options, struct uring **result)
{
    assert((options->entries & (options->entries - 1)) == 0);
    assert((options->recv_buffers & (options->recv_buffers - 1)) == 0);
    assert(options->recv_buffers <= URING_RECV_BUFFERS_MAX);
    assert(options->completions >= 4 * options->entries);

    struct uring *uring = calloc(1, sizeof(*uring));
    if (uring == NULL) {
        return -ENOMEM;
    }
    pthread_mutex_init(&uring->works_lock, NULL);
    uring->works_done_end = &uring->works_done;
    uring->helpers = options->helpers;
    int error = ring_setup(uring, options);
    if (error != 0) {
        goto fail_memory;
    }
    error = -ENOMEM;
    uring->messages = calloc(uring->ring.sq.ring_entries, sizeof(*uring->messages));
    if (uring->messages == NULL) {
        goto fail_ring;
    }
    uring->reports_usage = kernel_is_at_least(6, 2);
    error = ring_setup_buffers(uring, options);
    if (error != 0) {
        goto fail_ring;
    }
    /* Without a table for fixed buffers (RLIMIT_MEMLOCK) the pools fall back to plain memory. */
    uring->sparse_error = io_uring_register_buffers_sparse(&uring->ring, URING_SLABS_MAX);
    unsigned limits[2] = { options->workers_max, options->workers_max };
    (void)io_uring_register_iowq_max_workers(&uring->ring, limits);
    error = ring_lock(&uring->ring);
    if (error != 0) {
        goto fail_ring;
    }
    *result = uring;
    return 0;

fail_ring:
    io_uring_queue_exit(&uring->ring);
fail_memory:
    ring_free_memory(uring);
    return error;
}

void uring_destroy(struct uring *uring)
{
    assert(uring->works_pending == 0); /* a helper would write to a ring that is gone */
    assert(uring->works_done == NULL);
    (void)io_uring_submit(&uring->ring); /* the last closes may still be queued */
    /* Else locked memory is given back long after the ring is gone, and a restart would miss it. */
    (void)io_uring_unregister_buffers(&uring->ring);
    io_uring_queue_exit(&uring->ring);
    ring_free_memory(uring);
}

int uring_slab_register(struct uring *uring, void *data, size_t size)
{
    int error = uring->sparse_error;
    if (error == 0 && uring->slabs_count == URING_SLABS_MAX) {
        error = -ENOBUFS;
    }
    if (error == 0) {
        struct iovec slab = { .iov_base = data, .iov_len = size };
        __u64 tag = 0;
        int updated =
            io_uring_register_buffers_update_tag(&uring->ring, uring->slabs_count, &slab, &tag, 1);
        error = updated == 1 ? 0 : updated < 0 ? updated : -ENOMEM;
    }
    if (error != 0) {
        uring->counters.slabs_plain++;
        return error;
    }
    uring->counters.slabs_registered++;
    return (int)uring->slabs_count++;
}

static void ring_submit(struct uring *uring)
{
    int submitted = io_uring_submit(&uring->ring);
    if (submitted > 0) {
        uring->counters.submissions += (uint64_t)submitted;
    }
}

void ring_reserve(struct uring *uring, uint32_t count)
{
    /* A full completion queue (EBUSY) and want of memory (EAGAIN) pass: the kernel flushes on
     * entry, and memory comes back while we pause. Not for ever: a ring that takes nothing for
     * seconds is broken. */
    for (uint32_t attempts = 0; io_uring_sq_space_left(&uring->ring) < count; attempts++) {
        assert(attempts < RESERVE_ATTEMPTS_MAX);
        ring_submit(uring);
        if ((uring->ring.flags & IORING_SETUP_SQPOLL) != 0) {
            (void)io_uring_sqring_wait(&uring->ring);
        } else if (attempts >= RESERVE_ATTEMPTS_MAX / 2) {
            (void)poll(NULL, 0, 1);
        }
    }
}

struct io_uring_sqe *ring_entry(struct uring *uring)
{
    ring_reserve(uring, 1);
    struct io_uring_sqe *entry = io_uring_get_sqe(&uring->ring);
    assert(entry != NULL);
    return entry;
}

/* Returns false for the completions of the engine's own operations. */
static bool event_decode(struct uring *uring, const struct io_uring_cqe *cqe,
                         struct uring_event *event)
{
    event->token = uring_token_unpack(cqe->user_data);
    if (event->token.op == RING_OP_OWN && event->token.slot == RING_OWN_WORK_DONE) {
        assert(uring->works_pending > 0);
        uring->works_pending--;
        event->token = ring_take_done(uring)->token;
    } else if (event->token.op == RING_OP_OWN) {
        uring->counters.close_failures += event->token.slot == RING_OWN_COUNTED && cqe->res < 0;
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

int uring_wait(struct uring *uring, struct uring_event *events, size_t events_max)
{
    assert(events_max > 0);
    int submitted = io_uring_submit_and_wait(&uring->ring, 1);
    uring->counters.waits++;
    if (submitted >= 0) {
        uring->counters.submissions += (uint64_t)submitted;
    } else if (submitted != -EINTR && submitted != -EBUSY && submitted != -EAGAIN) {
        return submitted;
    }
    if (io_uring_cq_has_overflow(&uring->ring)) {
        uring->counters.overflows++;
    }
    struct io_uring_cqe *cqe;
    unsigned head;
    unsigned seen = 0;
    size_t count = 0;
    io_uring_for_each_cqe(&uring->ring, head, cqe)
    {
        if (count == events_max) {
            break;
        }
        seen++;
        count += event_decode(uring, cqe, &events[count]);
    }
    io_uring_cq_advance(&uring->ring, seen);
    uring->counters.events += count;
    return (int)count;
}

const struct uring_counters *uring_counters(const struct uring *uring)
{
    return &uring->counters;
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

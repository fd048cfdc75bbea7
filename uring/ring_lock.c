/* ring_lock: restricts the ring to what gyre does, before its first operation.
 *
 * A seccomp filter does not see what goes through a ring; this does. An operation that is not
 * listed ends with -EACCES for the rest of the ring's life, whoever queues it.
 * io_uring_register(2). */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uring/ring_internal.h"

static const uint8_t OPERATIONS[] = {
    IORING_OP_ACCEPT,       IORING_OP_RECV,    IORING_OP_SEND,     IORING_OP_SENDMSG,
    IORING_OP_SEND_ZC,      IORING_OP_OPENAT2, IORING_OP_READ,     IORING_OP_READ_FIXED,
    IORING_OP_WRITE,        IORING_OP_CLOSE,   IORING_OP_POLL_ADD, IORING_OP_TIMEOUT,
    IORING_OP_ASYNC_CANCEL,
};

static const uint8_t REGISTRATIONS[] = {
    IORING_REGISTER_BUFFERS_UPDATE, IORING_REGISTER_ENABLE_RINGS, IORING_REGISTER_RING_FDS,
    IORING_UNREGISTER_RING_FDS,     IORING_UNREGISTER_BUFFERS,
};

enum {
    OPERATIONS_COUNT = sizeof(OPERATIONS) / sizeof(OPERATIONS[0]),
    REGISTRATIONS_COUNT = sizeof(REGISTRATIONS) / sizeof(REGISTRATIONS[0]),
};

/* The shared liburing 2.3 declares the two helpers for this, and does not export them. */
static int ring_register(struct io_uring *ring, unsigned opcode, const void *data, unsigned count)
{
    long result = syscall(__NR_io_uring_register, ring->ring_fd, opcode, data, count);
    return result < 0 ? -errno : 0;
}

int ring_lock(struct io_uring *ring)
{
    struct io_uring_restriction list[OPERATIONS_COUNT + REGISTRATIONS_COUNT + 1] = { 0 };
    unsigned count = 0;
    for (size_t i = 0; i < OPERATIONS_COUNT; i++, count++) {
        list[count].opcode = IORING_RESTRICTION_SQE_OP;
        list[count].sqe_op = OPERATIONS[i];
    }
    for (size_t i = 0; i < REGISTRATIONS_COUNT; i++, count++) {
        list[count].opcode = IORING_RESTRICTION_REGISTER_OP;
        list[count].register_op = REGISTRATIONS[i];
    }
    list[count].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
    list[count].sqe_flags = IOSQE_IO_LINK | IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS;
    count++;

    int error = ring_register(ring, IORING_REGISTER_RESTRICTIONS, list, count);
    if (error != 0) {
        return error;
    }
    error = ring_register(ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    if (error != 0) {
        return error;
    }
    /* Saves a descriptor look-up per system call; nothing is lost where it is refused. */
    (void)io_uring_register_ring_fd(ring);
    return 0;
}

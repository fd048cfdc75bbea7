/*
 * What the ring tests share: a ring set up as gyre sets its own up, guarded waits, loopback pairs,
 * provided-buffer rings and child processes.
 *
 * The tests speak to the kernel through liburing alone, so that they pin what the kernel does and
 * not what gyre's engine makes of it. No wait is unbounded and none is a sleep: every one ends on
 * the event or fails after WAIT_SECONDS. Where the kernel forbids io_uring or lacks a feature, a
 * test says so and skips.
 */
#ifndef GYRE_TEST_RING_HELPERS_H
#define GYRE_TEST_RING_HELPERS_H

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define RING_FLAGS                                                                       \
    (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL | \
     IORING_SETUP_CQSIZE)

enum {
    RING_ENTRIES = 32,
    WAIT_SECONDS = 5,
    CHILD_SECONDS = 20,
    CHILD_VALUES = 8,
    BUFFER_GROUP = 7,
};

/* The token of the no-op that ring_assert_quiet() sends; no test uses it for itself. */
#define TOKEN_QUIET UINT64_C(0xfeed0000)

/* A completion, copied out of the queue. */
struct ring_event {
    uint64_t token;
    int32_t result;
    uint32_t flags;
};

static inline void skip_because(const char *reason, int error)
{
    print_message("# skipped: %s (%s)\n", reason, strerror(error < 0 ? -error : error));
    skip();
}

/* --- rings ---------------------------------------------------------------------------------- */

static inline int ring_create(struct io_uring *ring, unsigned entries, unsigned more_flags)
{
    struct io_uring_params params = { .flags = RING_FLAGS | more_flags, .cq_entries = 4 * entries };

    return io_uring_queue_init_params(entries, ring, &params);
}

/* Opens a ring as gyre does, or skips: without io_uring there is no behaviour to pin. */
static inline void ring_open_flags(struct io_uring *ring, unsigned more_flags)
{
    int result = ring_create(ring, RING_ENTRIES, more_flags);

    if (result == -ENOSYS || result == -EPERM || result == -EACCES) {
        skip_because("io_uring is not allowed here", result);
    }
    if (result == -EINVAL) {
        skip_because("the kernel is older than 6.1", result);
    }
    assert_int_equal(result, 0);
}

static inline void ring_open(struct io_uring *ring)
{
    ring_open_flags(ring, 0);
}

/* The bare system call: the shared liburing 2.3 declares io_uring_enable_rings() and
 * io_uring_register_restrictions() without exporting them. */
static inline int ring_register(struct io_uring *ring, unsigned operation, void *argument,
                                unsigned count)
{
    long result = syscall(__NR_io_uring_register, ring->ring_fd, operation, argument, count);

    return result < 0 ? -errno : (int)result;
}

static inline int ring_enable(struct io_uring *ring)
{
    return ring_register(ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

static inline struct io_uring_sqe *ring_sqe(struct io_uring *ring, uint64_t token)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

    if (sqe == NULL) {
        abort(); /* a test queues fewer entries than RING_ENTRIES */
    }
    io_uring_prep_nop(sqe);
    sqe->user_data = token;
    return sqe;
}

/* The prep functions of liburing 2.3 clear user_data, so the token goes in after them. */
static inline void sqe_finish(struct io_uring_sqe *sqe, uint64_t token, unsigned char sqe_flags)
{
    sqe->user_data = token;
    sqe->flags = (unsigned char)(sqe->flags | sqe_flags);
}

/* Submits what is queued and waits for one event; 0, or -ETIME and the like. Safe in a child. */
static inline int ring_try_next(struct io_uring *ring, struct ring_event *event)
{
    struct __kernel_timespec limit = { .tv_sec = WAIT_SECONDS };
    struct io_uring_cqe *cqe = NULL;
    int result = 0;

    do {
        result = io_uring_submit_and_wait_timeout(ring, &cqe, 1, &limit, NULL);
    } while (result == -EINTR);
    if (io_uring_peek_cqe(ring, &cqe) != 0) {
        return result < 0 ? result : -ETIME;
    }
    *event = (struct ring_event){ cqe->user_data, cqe->res, cqe->flags };
    io_uring_cqe_seen(ring, cqe);
    return 0;
}

static inline struct ring_event ring_next(struct io_uring *ring)
{
    struct ring_event event = { 0 };
    int result = ring_try_next(ring, &event);

    if (result != 0) {
        fail_msg("no completion in %d s: %s", WAIT_SECONDS, strerror(-result));
    }
    return event;
}

/* Takes the next event, which must carry `token`, and returns its result. */
static inline int32_t ring_result(struct io_uring *ring, uint64_t token)
{
    struct ring_event event = ring_next(ring);

    assert_int_equal(event.token, token);
    return event.result;
}

static inline void ring_take(struct io_uring *ring, struct ring_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        events[i] = ring_next(ring);
    }
}

/* The one event among `events` that carries `token`. */
static inline struct ring_event event_of(const struct ring_event *events, size_t count,
                                         uint64_t token)
{
    struct ring_event found = { 0 };
    size_t matches = 0;

    for (size_t i = 0; i < count; i++) {
        if (events[i].token == token) {
            found = events[i];
            matches++;
        }
    }
    assert_int_equal(matches, 1);
    return found;
}

/* Nothing has been posted: a no-op sent now is the next event, and the last. */
static inline void ring_assert_quiet(struct io_uring *ring)
{
    struct io_uring_cqe *cqe = NULL;

    ring_sqe(ring, TOKEN_QUIET);
    assert_int_equal(ring_result(ring, TOKEN_QUIET), 0);
    io_uring_get_events(ring);
    assert_int_equal(io_uring_peek_cqe(ring, &cqe), -EAGAIN);
}

/* --- bytes ---------------------------------------------------------------------------------- */

static inline uint8_t pattern_byte(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7 + 5);
}

static inline void pattern_fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = pattern_byte(i);
    }
}

static inline void assert_pattern(const uint8_t *bytes, size_t offset, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != pattern_byte(offset + i)) {
            fail_msg("byte %zu: expected %u, got %u", offset + i, pattern_byte(offset + i),
                     bytes[i]);
        }
    }
}

static inline uint8_t *pages_map(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED) {
        abort();
    }
    return pages;
}

/* A file without a name that holds `size` bytes of the pattern. */
static inline int scratch_open(size_t size)
{
    char name[] = "/tmp/gyre-ring-XXXXXX";
    int file = mkostemp(name, O_CLOEXEC);

    if (file < 0 || unlink(name) != 0) {
        abort();
    }
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = pattern_byte(i);
        assert_int_equal(pwrite(file, &byte, 1, (off_t)i), 1);
    }
    return file;
}

/* --- sockets -------------------------------------------------------------------------------- */

static inline int listener_open(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){ .sin_family = AF_INET };
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)address, size) != 0 ||
        listen(listener, 64) != 0 || getsockname(listener, (struct sockaddr *)address, &size)) {
        abort();
    }
    return listener;
}

static inline int client_connect(const struct sockaddr_in *address)
{
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (client < 0 || connect(client, (const struct sockaddr *)address, sizeof *address) != 0) {
        abort();
    }
    return client;
}

/* A TCP connection over loopback: `near` is the server's end, `far` the client's. */
struct tcp_pair {
    int near;
    int far;
};

static inline struct tcp_pair tcp_pair_open(void)
{
    struct sockaddr_in address;
    int listener = listener_open(&address);
    struct tcp_pair pair = { .far = client_connect(&address) };

    pair.near = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (pair.near < 0) {
        abort();
    }
    close(listener);
    return pair;
}

/* Small buffers at both ends, so that a body of a megabyte cannot hide in them. */
static inline struct tcp_pair tcp_pair_narrow_open(void)
{
    struct tcp_pair pair = tcp_pair_open();
    int size = 16 * 1024;

    assert_int_equal(setsockopt(pair.near, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    assert_int_equal(setsockopt(pair.far, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    return pair;
}

static inline void tcp_pair_close(struct tcp_pair pair)
{
    if (pair.near >= 0) {
        close(pair.near);
    }
    if (pair.far >= 0) {
        close(pair.far);
    }
}

/* Ends the connection with a reset, as a peer that has crashed does. */
static inline void socket_reset(int descriptor)
{
    struct linger linger = { .l_onoff = 1, .l_linger = 0 };

    assert_int_equal(setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    assert_int_equal(close(descriptor), 0);
}

static inline void assert_readable(int descriptor)
{
    struct pollfd entry = { .fd = descriptor, .events = POLLIN };

    assert_int_equal(poll(&entry, 1, WAIT_SECONDS * 1000), 1);
}

/* --- provided buffers ------------------------------------------------------------------------- */

struct buffers {
    struct io_uring_buf_ring *entries;
    uint8_t *memory;
    unsigned count; /* a power of two */
    unsigned size;
};

static inline void buffers_give(struct buffers *buffers, unsigned id)
{
    io_uring_buf_ring_add(buffers->entries, buffers->memory + (size_t)id * buffers->size,
                          buffers->size, (unsigned short)id, io_uring_buf_ring_mask(buffers->count),
                          0);
    io_uring_buf_ring_advance(buffers->entries, 1);
}

/* Registers a ring for `count` buffers and fills it with the first `given` of them. */
static inline struct buffers buffers_open(struct io_uring *ring, unsigned count, unsigned size,
                                          unsigned given)
{
    struct buffers buffers = { .count = count, .size = size };
    struct io_uring_buf_reg registration = { .ring_entries = count, .bgid = BUFFER_GROUP };

    buffers.entries = (void *)pages_map(count * sizeof(struct io_uring_buf));
    buffers.memory = pages_map((size_t)count * size);
    registration.ring_addr = (uintptr_t)buffers.entries;
    assert_int_equal(io_uring_register_buf_ring(ring, &registration, 0), 0);
    io_uring_buf_ring_init(buffers.entries);
    for (unsigned id = 0; id < given; id++) {
        buffers_give(&buffers, id);
    }
    return buffers;
}

static inline void buffers_close(struct buffers *buffers)
{
    munmap(buffers->entries, buffers->count * sizeof(struct io_uring_buf));
    munmap(buffers->memory, (size_t)buffers->count * buffers->size);
}

static inline void recv_arm(struct io_uring *ring, int descriptor, uint64_t token)
{
    struct io_uring_sqe *sqe = ring_sqe(ring, token);

    io_uring_prep_recv_multishot(sqe, descriptor, NULL, 0, 0);
    sqe->buf_group = BUFFER_GROUP;
    sqe_finish(sqe, token, IOSQE_BUFFER_SELECT);
}

/* --- child processes -------------------------------------------------------------------------- */

/* What a child found out. It must not use cmocka's asserts: they would return into the parent. */
struct child_report {
    int values[CHILD_VALUES];
};

/* Runs `body` in a child process, for what a test must not do to itself, and hands its report back.
 * The child's alarm bounds the wait. */
static inline struct child_report child_run(void (*body)(struct child_report *, void *),
                                            void *argument)
{
    struct child_report report = { { 0 } };
    int channel[2];
    int status = 0;

    assert_int_equal(pipe(channel), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(CHILD_SECONDS);
        signal(SIGSEGV, SIG_DFL); /* cmocka's handler, too, would return into the parent's tests */
        body(&report, argument);
        _exit(write(channel[1], &report, sizeof report) == sizeof report ? 0 : 1);
    }
    close(channel[1]);
    ssize_t size = read(channel[0], &report, sizeof report);
    close(channel[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(size, sizeof report);
    return report;
}

#endif

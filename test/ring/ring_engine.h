/*
 * What the tests of the engine's interface share. Each runs on both engines: what they do alike is
 * what the server is built on. Events are awaited, never slept for; a test that hangs is ended by
 * its alarm.
 */
#ifndef GYRE_TEST_RING_ENGINE_H
#define GYRE_TEST_RING_ENGINE_H

#include "ring_helpers.h"

#include "uring/uring.h"

enum {
    TEST_SECONDS = 60,
    BUFFERS_COUNT = 4,
    BUFFER_SIZE = 4096,
};

/* Tokens' ops; all have slot 7 and generation 9. */
enum {
    OP_ACCEPT = 1,
    OP_RECV,
    OP_SEND,
    OP_POLL,
    OP_OPEN,
    OP_READ,
    OP_WRITE,
    OP_TIMER,
    OP_WAKE,
    OP_OTHER,
};

static const enum uring_kind ENGINE_KINDS[] = { URING_RING, URING_EPOLL };

#define ON_ENGINE(test, kind)                                                               \
    {                                                                                       \
#kind ": " #test, test, engine_set_up, NULL, (void *)(uintptr_t)&ENGINE_KINDS[kind] \
    }
#define ON_BOTH(test) ON_ENGINE(test, URING_RING), ON_ENGINE(test, URING_EPOLL)

static inline int engine_set_up(void **state)
{
    (void)state;
    alarm(TEST_SECONDS);
    return 0;
}

static inline enum uring_kind kind_of(void **state)
{
    return *(const enum uring_kind *)*state;
}

static inline struct uring_options engine_options(enum uring_kind kind, uint32_t buffers_count)
{
    return (struct uring_options){
        .kind = kind,
        .entries = 64,
        .completions = 256,
        .recv_buffers = buffers_count,
        .recv_buffer_size = BUFFER_SIZE,
        .workers_max = 4,
    };
}

/* An engine of the kind that the test runs on, or a skip. */
static inline struct uring *engine_with_buffers(void **state, uint32_t buffers_count)
{
    struct uring_options options = engine_options(kind_of(state), buffers_count);
    struct uring *uring = NULL;
    int error = uring_create(&options, &uring);
    if (options.kind == URING_RING &&
        (error == -ENOSYS || error == -EPERM || error == -EACCES || error == -EINVAL)) {
        skip_because("io_uring is not allowed here", error);
    }
    assert_int_equal(error, 0);
    assert_int_equal(uring_kind_of(uring), options.kind);
    return uring;
}

static inline struct uring *engine_of(void **state)
{
    return engine_with_buffers(state, BUFFERS_COUNT);
}

static inline struct uring_token token_for(uint8_t op)
{
    return (struct uring_token){ .op = op, .slot = 7, .generation = 9 };
}

static inline struct uring_event next_event(struct uring *uring)
{
    struct uring_event event = { .result = 0 };
    int count;
    while ((count = uring_wait(uring, &event, 1)) == 0) {
    }
    assert_int_equal(count, 1);
    assert_int_equal(event.token.slot, 7);
    assert_int_equal(event.token.generation, 9);
    return event;
}

/* The next event is of `op`, and the last of its operation. Returns its result. */
static inline int32_t last_result(struct uring *uring, uint8_t op)
{
    struct uring_event event = next_event(uring);
    assert_int_equal(event.token.op, op);
    assert_false(event.more);
    assert_false(event.notice);
    assert_int_equal(event.buffer, URING_BUFFER_NONE);
    return event.result;
}

/* Submits what is queued, and sees that it gives no event: that of a timer comes first. */
static inline void assert_nothing_happens(struct uring *uring)
{
    uring_timer(uring, token_for(OP_OTHER), 20);
    assert_int_equal(last_result(uring, OP_OTHER), -ETIME);
}

static inline void far_send(int fd, const void *data, size_t size)
{
    assert_int_equal(send(fd, data, size, MSG_NOSIGNAL), size);
}

/* Reads exactly so much. */
static inline void far_read(int fd, uint8_t *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = recv(fd, data + done, size - done, 0);
        assert_true(count > 0);
        done += (size_t)count;
    }
}

static inline void assert_far_ended(int fd)
{
    char byte;
    assert_readable(fd);
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
}

#endif

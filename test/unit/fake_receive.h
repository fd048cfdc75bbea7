/* Receive buffers without a kernel: what input asks the engine for. Each buffer is either out, in
 * the hands of an input, or home; releasing one that is home fails the test. */
#ifndef GYRE_TEST_FAKE_RECEIVE_H
#define GYRE_TEST_FAKE_RECEIVE_H

#include <string.h>

#include "server/input.h"
#include "server/limits.h"
#include "slice_assert.h"

enum {
    RECEIVE_BUFFERS = 32,
    RECEIVE_SIZE = 8 * 1024,
};

struct uring {
    char data[RECEIVE_BUFFERS][RECEIVE_SIZE];
    bool out[RECEIVE_BUFFERS];
    uint32_t out_count;
    uint32_t released_count;
};

const char *uring_recv_data(const struct uring *uring, uint16_t buffer)
{
    assert_true(buffer < RECEIVE_BUFFERS);
    assert_true(uring->out[buffer]);
    return uring->data[buffer];
}

/* The bytes are spoilt, as the kernel would: whoever still looks at them finds others. */
void uring_recv_release(struct uring *uring, uint16_t buffer)
{
    assert_true(buffer < RECEIVE_BUFFERS);
    assert_true(uring->out[buffer]);
    memset(uring->data[buffer], '#', RECEIVE_SIZE);
    uring->out[buffer] = false;
    uring->out_count--;
    uring->released_count++;
}

/* Byte `at` of what one peer sends; `stream` tells peers apart. */
static inline char stream_byte(uint32_t stream, uint64_t at)
{
    return (char)(at * 7 + (at >> 8) * 13 + (at >> 16) * 5 + stream * 101);
}

/* Hands `size` bytes of the stream, from `at` on, to the input in the buffer given. */
static inline void receive_into(struct input_pool *pool, struct input *input, uint16_t buffer,
                                uint32_t stream, uint64_t at, uint32_t size)
{
    struct uring *uring = pool->uring;
    assert_true(buffer < RECEIVE_BUFFERS);
    assert_false(uring->out[buffer]);
    for (uint32_t i = 0; i < size; i++) {
        uring->data[buffer][i] = stream_byte(stream, at + i);
    }
    uring->out[buffer] = true;
    uring->out_count++;
    input_append(pool, input, buffer, size);
}

/* The first byte of `got` that is not the stream's from `at` on, or its size. */
static inline size_t stream_mismatch(struct slice got, uint32_t stream, uint64_t at)
{
    size_t i = 0;
    while (i < got.size && got.data[i] == stream_byte(stream, at + i)) {
        i++;
    }
    return i;
}

#endif

/* An access log on a fake engine: one write in flight, whose memory must not change, and all that
 * was written. The log's file is in a folder of its own. */
#ifndef GYRE_TEST_LOG_FIXTURE_H
#define GYRE_TEST_LOG_FIXTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/access_log.h"
#include "server/limits.h"
#include "server/op.h"
#include "slice_assert.h"

enum {
    PADDING_SIZE = 1000, /* of each line: a buffer is full after a few hundred */
    OUTPUT_SIZE = 4 * LOG_BUFFER_SIZE,
};

/* The write in flight, and all that was written. */
struct uring {
    bool writing;
    int file;
    const char *data;
    uint32_t size;
    unsigned writes_count;
    unsigned cancels_count;
    char copy[LOG_BUFFER_SIZE]; /* of `data`, as it was handed over */
    char output[OUTPUT_SIZE];
    uint32_t output_size;
};

void uring_write(struct uring *uring, struct uring_token token, int fd, const void *data,
                 uint32_t size)
{
    assert_int_equal(token.op, OP_LOG);
    assert_false(uring->writing);
    assert_true(size > 0);
    assert_true(size <= LOG_BUFFER_SIZE);
    uring->writing = true;
    uring->file = fd;
    uring->data = data;
    uring->size = size;
    uring->writes_count++;
    memcpy(uring->copy, data, size);
}

void uring_cancel(struct uring *uring, struct uring_token token)
{
    assert_int_equal(token.op, OP_LOG);
    uring->cancels_count++;
}

struct fixture {
    struct uring uring;
    struct access_log log;
    char folder[32];
    char path[48];
    char padding[PADDING_SIZE];
    unsigned added_count;
};

static inline int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof(*fixture));
    *state = fixture;
    memset(fixture->padding, 'p', PADDING_SIZE);
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/gyre-log-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/log", fixture->folder);
    assert_int_equal(access_log_open(&fixture->log, &fixture->uring, fixture->path, false), 0);
    assert_true(access_log_is_on(&fixture->log));
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    assert_false(fixture->uring.writing);
    access_log_close(&fixture->log);
    (void)unlink(fixture->path);
    assert_int_equal(rmdir(fixture->folder), 0);
    test_free(fixture);
    return 0;
}

/* Adds a line that has its number in it. */
static inline void add(struct fixture *fixture)
{
    char line[64];
    int size = snprintf(line, sizeof(line), "GET /%u HTTP/1.1", fixture->added_count++);
    struct access_record record = {
        .line = slice_of(line, (size_t)size),
        .user_agent = slice_of(fixture->padding, PADDING_SIZE),
        .status = 200,
    };
    access_log_add(&fixture->log, &record, 784111777);
}

/* Adds lines until the first one is dropped. */
static inline void add_until_dropped(struct fixture *fixture)
{
    uint64_t dropped_count = fixture->log.dropped_count;
    while (fixture->log.dropped_count == dropped_count) {
        add(fixture);
    }
    assert_true(fixture->log.dropped_count == dropped_count + 1);
}

/* The write in flight ends. What it wrote must not have been touched since it began. */
static inline void complete(struct fixture *fixture, int32_t result)
{
    struct uring *uring = &fixture->uring;
    assert_true(uring->writing);
    assert_memory_equal(uring->data, uring->copy, uring->size);
    if (result > 0) {
        assert_true((uint32_t)result <= uring->size);
        assert_true(uring->output_size + (uint32_t)result <= OUTPUT_SIZE);
        memcpy(uring->output + uring->output_size, uring->copy, (size_t)result);
        uring->output_size += (uint32_t)result;
    }
    uring->writing = false;
    struct uring_event event = { .token = { .op = OP_LOG }, .result = result };
    access_log_handle_write(&fixture->log, &event);
}

static inline void complete_all(struct fixture *fixture)
{
    complete(fixture, (int32_t)fixture->uring.size);
}

/* The output is whole lines, numbered from first to last without a gap. */
static inline void assert_output_is(const struct fixture *fixture, unsigned first, unsigned last)
{
    const char *at = fixture->uring.output;
    const char *end = at + fixture->uring.output_size;
    for (unsigned number = first; number <= last; number++) {
        char expected[64];
        int size = snprintf(expected, sizeof(expected), "\"GET /%u HTTP/1.1\" 200 ", number);
        const char *line_end = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        assert_non_null(line_end);
        assert_non_null(memmem(at, (size_t)(line_end - at), expected, (size_t)size));
        at = line_end + 1;
    }
    assert_ptr_equal(at, end);
}

static inline bool is_open(int file)
{
    return fcntl(file, F_GETFD) >= 0;
}

#endif

/* input: receive buffers in, contiguous heads out.
 *
 * Duty: give the parser contiguous bytes without copying in the common case (a head in one receive
 * buffer, answered at once), and give receive buffers back to the kernel as early as possible,
 * since all connections of a worker share them.
 *
 * Invariants: unused bytes are, in order, [inbox_start, inbox_end) of the inbox, then the queue of
 * buffers. There is an inbox exactly when it holds a pin or unused bytes. The pin lies before
 * inbox_start. Every buffer in the queue has unused bytes.
 *
 * Ownership: the connection owns its queued buffers and inbox until they are consumed. */
#include "server/input.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "server/limits.h"

struct buffer_link {
    uint16_t next;
    uint32_t size;
};

/* An inbox that held more than this gives its pages back: one large head must not cost for ever. */
enum {
    INBOX_KEPT_SIZE = 16 * 1024
};

int input_pool_create(struct input_pool *pool, struct uring *uring, uint32_t buffers_count,
                      uint32_t inboxes_max)
{
    *pool = (struct input_pool){ .uring = uring, .inboxes_max = inboxes_max };
    pool->links = calloc(buffers_count, sizeof(*pool->links));
    pool->inboxes_free = calloc(inboxes_max, sizeof(*pool->inboxes_free));
    void *inboxes = mmap(NULL, (size_t)inboxes_max * INBOX_SIZE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    pool->inboxes = inboxes == MAP_FAILED ? NULL : inboxes;
    if (pool->links == NULL || pool->inboxes_free == NULL || pool->inboxes == NULL) {
        input_pool_destroy(pool);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < inboxes_max; i++) {
        pool->inboxes_free[i] = inboxes_max - 1 - i;
    }
    pool->inboxes_free_count = inboxes_max;
    return 0;
}

void input_pool_destroy(struct input_pool *pool)
{
    if (pool->inboxes != NULL) {
        munmap(pool->inboxes, (size_t)pool->inboxes_max * INBOX_SIZE);
    }
    free(pool->inboxes_free);
    free(pool->links);
    *pool = (struct input_pool){ 0 };
}

static void inbox_take(struct input_pool *pool, struct input *input)
{
    assert(input->inbox == NULL);
    assert(pool->inboxes_free_count > 0); /* as many as connections */
    uint32_t index = pool->inboxes_free[--pool->inboxes_free_count];
    input->inbox = pool->inboxes + (size_t)index * INBOX_SIZE;
    input->inbox_start = 0;
    input->inbox_end = 0;
    input->pinned_size = 0;
}

static void inbox_give_when_empty(struct input_pool *pool, struct input *input)
{
    if (input->inbox == NULL || input->inbox_start != input->inbox_end || input->pinned_size > 0) {
        return;
    }
    if (input->inbox_end > INBOX_KEPT_SIZE) {
        (void)madvise(input->inbox + INBOX_KEPT_SIZE, INBOX_SIZE - INBOX_KEPT_SIZE, MADV_DONTNEED);
    }
    uint32_t index = (uint32_t)((size_t)(input->inbox - pool->inboxes) / INBOX_SIZE);
    pool->inboxes_free[pool->inboxes_free_count++] = index;
    assert(pool->inboxes_free_count <= pool->inboxes_max);
    input->inbox = NULL;
}

void input_init(struct input *input)
{
    *input = (struct input){ .first = URING_BUFFER_NONE, .last = URING_BUFFER_NONE };
}

void input_append(struct input_pool *pool, struct input *input, uint16_t buffer, uint32_t size)
{
    assert(size > 0);
    assert(!input->ended);
    pool->links[buffer] = (struct buffer_link){ .next = URING_BUFFER_NONE, .size = size };
    if (input->first == URING_BUFFER_NONE) {
        input->first = buffer;
        input->first_offset = 0;
    } else {
        pool->links[input->last].next = buffer;
    }
    input->last = buffer;
    input->buffers_count++;
}

struct slice input_view(const struct input_pool *pool, const struct input *input)
{
    if (input->inbox != NULL && input->inbox_start < input->inbox_end) {
        return slice_of(input->inbox + input->inbox_start, input->inbox_end - input->inbox_start);
    }
    if (input->first == URING_BUFFER_NONE) {
        return slice_of("", 0);
    }
    return slice_of(uring_recv_data(pool->uring, input->first) + input->first_offset,
                    pool->links[input->first].size - input->first_offset);
}

bool input_has_more(const struct input *input)
{
    bool in_inbox = input->inbox != NULL && input->inbox_start < input->inbox_end;
    return input->buffers_count > (in_inbox ? 0 : 1);
}

bool input_is_empty(const struct input *input)
{
    return input->first == URING_BUFFER_NONE &&
           (input->inbox == NULL || input->inbox_start == input->inbox_end);
}

static void first_buffer_consume(struct input_pool *pool, struct input *input, uint32_t size)
{
    uint16_t buffer = input->first;
    struct buffer_link *link = &pool->links[buffer];
    assert(size <= link->size - input->first_offset);
    input->first_offset += size;
    if (input->first_offset < link->size) {
        return;
    }
    input->first = link->next;
    input->first_offset = 0;
    input->buffers_count--;
    if (input->first == URING_BUFFER_NONE) {
        input->last = URING_BUFFER_NONE;
        assert(input->buffers_count == 0);
    }
    uring_recv_release(pool->uring, buffer);
}

static void inbox_compact(struct input *input)
{
    uint32_t size = input->inbox_end - input->inbox_start;
    if (input->inbox_start > input->pinned_size) {
        memmove(input->inbox + input->pinned_size, input->inbox + input->inbox_start, size);
        input->inbox_start = input->pinned_size;
        input->inbox_end = input->pinned_size + size;
    }
}

void input_gather(struct input_pool *pool, struct input *input)
{
    if (input->first == URING_BUFFER_NONE) {
        return;
    }
    if (input->inbox == NULL) {
        inbox_take(pool, input);
    }
    inbox_compact(input);
    while (input->first != URING_BUFFER_NONE && input->inbox_end < INBOX_SIZE) {
        uint32_t room = INBOX_SIZE - input->inbox_end;
        uint32_t left = pool->links[input->first].size - input->first_offset;
        uint32_t size = left < room ? left : room;
        memcpy(input->inbox + input->inbox_end,
               uring_recv_data(pool->uring, input->first) + input->first_offset, size);
        input->inbox_end += size;
        first_buffer_consume(pool, input, size);
    }
}

void input_consume(struct input_pool *pool, struct input *input, size_t size)
{
    if (input->inbox != NULL && input->inbox_start < input->inbox_end) {
        assert(size <= input->inbox_end - input->inbox_start);
        input->inbox_start += (uint32_t)size;
        inbox_give_when_empty(pool, input);
    } else if (size > 0) {
        assert(input->first != URING_BUFFER_NONE);
        first_buffer_consume(pool, input, (uint32_t)size);
    }
}

struct slice input_pin(struct input_pool *pool, struct input *input, size_t size)
{
    assert(input->pinned_size == 0);
    assert(size > 0);
    assert(size <= INBOX_SIZE);
    struct slice view = input_view(pool, input);
    assert(size <= view.size);
    if (input->inbox == NULL) {
        inbox_take(pool, input);
        memcpy(input->inbox, view.data, size);
        first_buffer_consume(pool, input, (uint32_t)size);
        input->inbox_start = (uint32_t)size;
        input->inbox_end = (uint32_t)size;
    } else {
        inbox_compact(input);
        input->inbox_start += (uint32_t)size;
    }
    input->pinned_size = (uint32_t)size;
    return slice_of(input->inbox, size);
}

void input_unpin(struct input_pool *pool, struct input *input)
{
    if (input->pinned_size > 0) {
        input->pinned_size = 0;
        inbox_give_when_empty(pool, input);
    }
}

bool input_is_flooded(const struct input *input)
{
    return input->buffers_count > 0 ||
           (input->inbox != NULL && input->inbox_end - input->inbox_start > HTTP_HEAD_SIZE_MAX);
}

void input_settle(struct input_pool *pool, struct input *input)
{
    input_gather(pool, input);
}

void input_discard(struct input_pool *pool, struct input *input)
{
    while (input->first != URING_BUFFER_NONE) {
        first_buffer_consume(pool, input, pool->links[input->first].size - input->first_offset);
    }
    if (input->inbox != NULL) {
        input->inbox_start = input->inbox_end;
        inbox_give_when_empty(pool, input);
    }
}

/* epoll_operation: operations from queueing to their last event: memory, queue, table of tokens.
 *
 * Invariants: an operation is in the queue, pending on an endpoint, or the timer; from queueing to
 * its last event it is in the table, so that it can be cancelled at any time. Operations never
 * move, and their memory is kept for the next one until the engine goes. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "uring/epoll_internal.h"

enum {
    SLAB_COUNT = 64,
    MEMORY_ATTEMPTS_MAX = 5000, /* a millisecond apart */
};

/* --- memory ------------------------------------------------------------------------------------
 */

/* Memory comes back while we pause. Not for ever: without any for seconds nothing goes on. */
static void *allocate(size_t size)
{
    void *memory;
    for (uint32_t attempts = 0; (memory = malloc(size)) == NULL; attempts++) {
        assert(attempts < MEMORY_ATTEMPTS_MAX);
        (void)poll(NULL, 0, 1);
    }
    return memory;
}

static void stock_give(struct stock *stock, void *item)
{
    memcpy(item, &stock->free, sizeof(stock->free));
    stock->free = item;
}

static void stock_fill(struct stock *stock)
{
    char *slab = allocate(stock->size * (1 + SLAB_COUNT)); /* the first holds the list of slabs */
    memcpy(slab, &stock->slabs, sizeof(stock->slabs));
    stock->slabs = slab;
    for (size_t i = SLAB_COUNT; i > 0; i--) {
        stock_give(stock, slab + i * stock->size);
    }
}

static void *stock_take(struct stock *stock)
{
    if (stock->free == NULL) {
        stock_fill(stock);
    }
    void *item = stock->free;
    memcpy(&stock->free, item, sizeof(stock->free));
    return item;
}

static void stock_free(struct stock *stock)
{
    while (stock->slabs != NULL) {
        void *slab = stock->slabs;
        memcpy(&stock->slabs, slab, sizeof(stock->slabs));
        free(slab);
    }
}

int operations_init(struct epoll *epoll, uint32_t buckets_count)
{
    assert((buckets_count & (buckets_count - 1)) == 0);
    epoll->operations.size = sizeof(struct operation);
    epoll->pieces.size = sizeof(struct operation_pieces);
    epoll->queue_end = &epoll->queue_first;
    epoll->buckets_count = buckets_count;
    epoll->buckets = calloc(buckets_count, sizeof(epoll->buckets[0]));
    return epoll->buckets != NULL ? 0 : -ENOMEM;
}

void operations_free(struct epoll *epoll)
{
    stock_free(&epoll->operations);
    stock_free(&epoll->pieces);
    free(epoll->buckets);
}

struct operation_pieces *operation_take_pieces(struct epoll *epoll)
{
    return stock_take(&epoll->pieces);
}

/* --- the table of tokens -----------------------------------------------------------------------
 */

static struct operation **bucket_of(const struct epoll *epoll, uint64_t token)
{
    uint64_t hash = (token ^ token >> 29) * 0x9e3779b97f4a7c15U;
    return &epoll->buckets[hash >> 32 & (epoll->buckets_count - 1)];
}

struct operation *operation_find(const struct epoll *epoll, uint64_t token)
{
    struct operation *operation = *bucket_of(epoll, token);
    while (operation != NULL && (operation->token != token || operation->kind == OPERATION_ENDED)) {
        operation = operation->same_bucket;
    }
    return operation;
}

static void table_remove(struct epoll *epoll, struct operation *operation)
{
    struct operation **link = bucket_of(epoll, operation->token);
    while (*link != operation) {
        assert(*link != NULL);
        link = &(*link)->same_bucket;
    }
    *link = operation->same_bucket;
}

/* --- the queue ---------------------------------------------------------------------------------
 */

static void enqueue(struct epoll *epoll, struct operation *operation)
{
    operation->next = NULL;
    *epoll->queue_end = operation;
    epoll->queue_end = &operation->next;
}

struct operation *operation_queue(struct epoll *epoll, enum operation_kind kind, int fd)
{
    struct operation *operation = stock_take(&epoll->operations);
    *operation = (struct operation){ .kind = kind, .fd = fd };
    enqueue(epoll, operation);
    return operation;
}

struct operation *operation_queue_tagged(struct epoll *epoll, enum operation_kind kind,
                                         struct uring_token token, int fd)
{
    struct operation *operation = operation_queue(epoll, kind, fd);
    operation->token = uring_token_pack(token);
    struct operation **bucket = bucket_of(epoll, operation->token);
    operation->same_bucket = *bucket;
    *bucket = operation;
    return operation;
}

void operation_queue_ended(struct epoll *epoll, struct operation *operation, int32_t result)
{
    operation->kind = OPERATION_ENDED;
    operation->result = result;
    enqueue(epoll, operation);
}

struct operation *operation_dequeue(struct epoll *epoll)
{
    struct operation *operation = epoll->queue_first;
    assert(operation != NULL);
    epoll->queue_first = operation->next;
    if (epoll->queue_first == NULL) {
        epoll->queue_end = &epoll->queue_first;
    }
    return operation;
}

/* --- the end -----------------------------------------------------------------------------------
 */

struct uring_event *operation_tell(struct epoll *epoll, uint64_t token, int32_t result)
{
    assert(has_room(epoll));
    struct uring_event *event = &epoll->events[epoll->events_count++];
    *event = (struct uring_event){
        .token = uring_token_unpack(token),
        .result = result,
        .buffer = URING_BUFFER_NONE,
    };
    return event;
}

void operation_discard(struct epoll *epoll, struct operation *operation)
{
    if (operation->pieces != NULL) {
        stock_give(&epoll->pieces, operation->pieces);
    }
    stock_give(&epoll->operations, operation);
}

void operation_finish(struct epoll *epoll, struct operation *operation, int32_t result)
{
    (void)operation_tell(epoll, operation->token, result);
    table_remove(epoll, operation);
    operation_discard(epoll, operation);
}

/* input: the bytes that a connection received and has not used.
 *
 * They lie first in the inbox (when there is one), then in a queue of receive buffers. An idle
 * connection has neither. A request that outlives one step of its connection is pinned: its head
 * moves to the start of the inbox and stays until input_unpin(), so that receive buffers go home at
 * once. */
#ifndef GYRE_SERVER_INPUT_H
#define GYRE_SERVER_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "http/slice.h"
#include "uring/uring.h"

/* Shared by the connections of a worker: the queue links of the receive buffers, and the inboxes.
 */
struct input_pool {
    struct uring *uring;
    struct buffer_link *links; /* one a receive buffer */
    char *inboxes;             /* inboxes_max x INBOX_SIZE, touched on demand */
    uint32_t *inboxes_free;    /* a stack */
    uint32_t inboxes_free_count;
    uint32_t inboxes_max;
};

struct input {
    char *inbox;          /* NULL: none */
    uint32_t pinned_size; /* bytes at the inbox's start that are a pinned head */
    uint32_t inbox_start; /* unused bytes: [inbox_start, inbox_end) */
    uint32_t inbox_end;
    uint32_t first_offset; /* used bytes of the first buffer */
    uint16_t first;        /* URING_BUFFER_NONE: no buffers */
    uint16_t last;
    uint16_t buffers_count;
    bool ended; /* the peer will send no more */
};

/* Returns 0 or -ENOMEM. inboxes_max: one a connection; memory is touched only when used. */
int input_pool_create(struct input_pool *pool, struct uring *uring, uint32_t buffers_count,
                      uint32_t inboxes_max);
void input_pool_destroy(struct input_pool *pool);

void input_init(struct input *input);

/* Takes over a received buffer of `size` > 0 bytes. */
void input_append(struct input_pool *pool, struct input *input, uint16_t buffer, uint32_t size);

/* The unused bytes that lie together at the front; empty when there are none. */
struct slice input_view(const struct input_pool *pool, const struct input *input);

/* Whether unused bytes lie behind those of the view. */
bool input_has_more(const struct input *input);

/* Whether there are unused bytes at all. */
bool input_is_empty(const struct input *input);

/* Moves unused bytes from the buffers into the inbox, as many as fit, so that the view grows. */
void input_gather(struct input_pool *pool, struct input *input);

/* `size` bytes of the view are used; what they lay in goes home when it is empty. */
void input_consume(struct input_pool *pool, struct input *input, size_t size);

/* Consumes a head of `size` bytes at the front, and keeps a copy at the inbox's start. */
struct slice input_pin(struct input_pool *pool, struct input *input, size_t size);
void input_unpin(struct input_pool *pool, struct input *input);

/* Whether so much is unused that the peer should wait: more than a head, or any receive buffer. */
bool input_is_flooded(const struct input *input);

/* After a step: leftovers move from receive buffers to the inbox, as many as fit. */
void input_settle(struct input_pool *pool, struct input *input);

/* Forgets everything unused; the pin stays. */
void input_discard(struct input_pool *pool, struct input *input);

#endif

/* epoll_internal: what the files of the epoll engine share. Seen by nobody else. */
#ifndef GYRE_URING_EPOLL_INTERNAL_H
#define GYRE_URING_EPOLL_INTERNAL_H

#include <sys/epoll.h>

#include "uring/engine.h"

enum operation_kind {
    OPERATION_ACCEPT,
    OPERATION_RECV,
    OPERATION_SEND,
    OPERATION_POLL,
    OPERATION_OPEN,
    OPERATION_READ,
    OPERATION_WRITE,
    OPERATION_CLOSE,
    OPERATION_TIMER,
    OPERATION_ENDED, /* whatever it was: only its event is still to be told */
};

/* What is left to send of a vector. */
struct operation_pieces {
    struct iovec list[URING_IOVECS_MAX];
    uint32_t first;
    uint32_t count;
};

struct operation {
    struct operation *next;        /* in the queue */
    struct operation *same_bucket; /* in the table of tokens */
    uint64_t token;
    enum operation_kind kind;
    int fd;
    int32_t result; /* when ENDED */
    int flags;      /* of a send: MSG_...; of a poll: POLLIN or POLLOUT */
    bool is_linked; /* a read: the next in the queue depends on it */
    bool is_hasty;  /* a send: what fits now (URING_SEND_NOWAIT) */
    uint32_t size;  /* of data */
    uint32_t done;  /* of size: sent */
    char *data;
    struct operation_pieces *pieces; /* of a vector, instead of data */
    uint64_t file_offset;
    const char *path;
    const struct open_how *how;
};

/* Memory for things of one size. */
struct stock {
    size_t size;
    void *free;  /* each begins with the address of the next */
    void *slabs; /* the same */
};

/* What is known of a descriptor. */
struct endpoint {
    struct operation *in;  /* pending: accept, recv, poll for reading */
    struct operation *out; /* pending: send, poll for writing, write */
    uint32_t interest;     /* EPOLL bits registered for as long as it is open, edge-triggered */
    uint32_t seen;         /* EPOLL bits reported, and not used up yet */
    int next_ready;
    bool is_ready;     /* in the list */
    bool is_temporary; /* registered for one operation, level-triggered */
};

struct message {
    struct uring_token token;
    uint32_t result;
};

struct epoll {
    struct uring base;
    int epoll_fd;
    int wake_fd; /* eventfd: a message, or a work that is done */

    /* The batch being filled; within a wait only. */
    struct uring_event *events;
    size_t events_max;
    size_t events_count;
    bool has_skipped; /* the last wait did not ask epoll */

    struct operation *queue_first; /* to be run, oldest first */
    struct operation **queue_end;
    uint32_t read_bytes; /* in this wait */
    struct stock operations;
    struct stock pieces;
    struct operation **buckets; /* operations with a token, by token */
    uint32_t buckets_count;     /* a power of two */

    struct endpoint *endpoints; /* by descriptor; grows */
    uint32_t endpoints_count;
    int ready_first; /* endpoints with something to do, -1: none */
    int ready_last;

    uint16_t *buffers_free; /* a stack; buffers_count - buffers_out of them */

    struct operation *timer; /* NULL: none */
    uint64_t timer_due_ns;

    bool is_woken; /* wake_fd has spoken since the mailbox was seen empty */
    /* The mailbox; guarded by base.works_lock. */
    struct message messages[URING_MESSAGES_MAX];
    uint32_t messages_first;
    uint32_t messages_count;
};

static inline struct epoll *epoll_of(struct uring *uring)
{
    return (struct epoll *)(void *)uring;
}

static inline bool has_room(const struct epoll *epoll)
{
    return epoll->events_count < epoll->events_max;
}

extern const struct engine_ops EPOLL_OPS;

/* Of EPOLL_OPS. */
void engine_epoll_destroy(struct uring *uring);
int engine_epoll_wait(struct uring *uring, struct uring_event *events, size_t events_max);
int engine_epoll_work_done(struct uring *uring);
int engine_epoll_wake(struct uring *target, struct uring_waker *waker, struct uring_token token,
                      uint32_t result);

/* --- operations: epoll_operation.c ------------------------------------------------------------ */

int operations_init(struct epoll *epoll, uint32_t buckets_count);
void operations_free(struct epoll *epoll);

/* A new operation at the end of the queue; all that its kind needs is still to be filled in. Want
 * of memory is waited for, like a ring's want of room. */
struct operation *operation_queue(struct epoll *epoll, enum operation_kind kind, int fd);
/* The same for one that ends with an event. */
struct operation *operation_queue_tagged(struct epoll *epoll, enum operation_kind kind,
                                         struct uring_token token, int fd);
void operation_queue_ended(struct epoll *epoll, struct operation *operation, int32_t result);
struct operation *operation_dequeue(struct epoll *epoll);
struct operation_pieces *operation_take_pieces(struct epoll *epoll);

/* An operation with this token that has not ended, or NULL. */
struct operation *operation_find(const struct epoll *epoll, uint64_t token);

/* Adds an event; there must be room. */
struct uring_event *operation_tell(struct epoll *epoll, uint64_t token, int32_t result);
/* The last event of the operation, which is gone then. */
void operation_finish(struct epoll *epoll, struct operation *operation, int32_t result);
void operation_discard(struct epoll *epoll, struct operation *operation);

/* --- endpoints: epoll_endpoint.c -------------------------------------------------------------- */

/* The state of a descriptor, or NULL: no memory. Moves when another descriptor's is asked for. */
struct endpoint *endpoint_get(struct epoll *epoll, int fd);
void endpoints_free(struct epoll *epoll);

/* Has epoll report these edges from now on, for as long as the descriptor is open. 0 or -errno. */
int endpoint_require(struct epoll *epoll, int fd, uint32_t interest);
/* Has epoll report these levels until endpoint_unwatch(). 0 or -errno. */
int endpoint_watch(struct epoll *epoll, int fd, uint32_t events);
void endpoint_unwatch(struct epoll *epoll, int fd);

/* Puts it into the list of those with something to do. */
void endpoint_make_ready(struct epoll *epoll, int fd);
/* Takes the first out, or -1. */
int endpoint_take_ready(struct epoll *epoll);

/* Takes a pending operation off its descriptor. */
void endpoint_detach(struct epoll *epoll, struct operation *operation);
/* The descriptor is about to be closed. */
void endpoint_forget(struct epoll *epoll, int fd);

/* --- what operations do: epoll_socket.c, epoll_file.c ------------------------------------------
 */

/* Start an operation that may stay pending, and let a pending one go on. They need room for one
 * event at least. */
void operation_start(struct epoll *epoll, struct operation *operation);
void operation_advance(struct epoll *epoll, struct operation *operation);

void operation_open(struct epoll *epoll, struct operation *operation);
void operation_read(struct epoll *epoll, struct operation *operation);
void operation_write(struct epoll *epoll, struct operation *operation);
void operation_close(struct epoll *epoll, struct operation *operation);
/* Tells the event of one that has ENDED. */
void operation_end(struct epoll *epoll, struct operation *operation);

#endif

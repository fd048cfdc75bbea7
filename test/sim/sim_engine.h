/* sim_engine: the state behind the fake of uring/uring.h: what is queued, what has happened and is
 * not yet told, and whose every byte of memory is. */
#ifndef GYRE_TEST_SIM_ENGINE_H
#define GYRE_TEST_SIM_ENGINE_H

#include "uring/uring.h"

struct sim;

enum {
    SIM_OPERATIONS_MAX = 2048,
    SIM_EVENTS_MAX = 8192,
    SIM_NOTICES_MAX = 2048,
};

enum sim_operation_kind {
    SIM_ACCEPT,
    SIM_RECV,
    SIM_SEND,
    SIM_SEND_ZERO_COPY,
    SIM_POLL,
    SIM_OPEN,
    SIM_READ,
    SIM_TIMER,
    SIM_WRITE,
    SIM_POLL_WATCH,
    SIM_WORK, /* offloaded */
};

struct sim_operation {
    enum sim_operation_kind kind;
    struct uring_token token;
    int fd;
    uint64_t number; /* in the order of queueing */
    uint64_t due_ms; /* not before that */
    bool used;
    bool waits_for_link;        /* until the read before it is through */
    bool is_doomed;             /* that read came short */
    bool is_cancelled;          /* to end soon, or to complete all the same */
    bool has_started;           /* from then on its memory must not change */
    struct sim_operation *link; /* the operation that waits for this one */
    struct iovec pieces[URING_IOVECS_MAX];
    uint32_t pieces_count;
    uint32_t size;
    uint32_t done_size;
    unsigned flags;
    uint64_t file_offset;
    uint64_t checksum; /* of the pieces, or of the path */
    const char *path;
    int directory; /* beneath which the path lies */
    struct uring_work *work;
};

struct sim_event {
    struct uring_event event;
    int fd; /* that it is about, or -1 */
};

/* Zero-copy memory that is still the kernel's. */
struct sim_notice {
    bool used;
    struct uring_token token;
    uint32_t client;
    uint64_t position; /* in the stream: when the peer has read up to there */
    uint64_t due_ms;
    const char *data;
    uint32_t size;
    uint64_t checksum;
};

enum sim_buffer_state {
    SIM_BUFFER_FREE,
    SIM_BUFFER_FILLED, /* its event has not been told */
    SIM_BUFFER_HELD,   /* the server's */
};

struct uring {
    struct sim *sim;
    struct uring_options options;
    struct uring_counters counters;
    char *buffers;
    uint8_t *buffer_states; /* enum sim_buffer_state */
    uint32_t buffer_next;
    uint32_t buffers_held;
    uint32_t slabs_count;
    uint64_t numbers_count;
    struct sim_operation operations[SIM_OPERATIONS_MAX];
    uint32_t operations_end;                 /* all used ones lie before it */
    struct sim_operation *link_open;         /* a linked read: the next operation waits for it */
    struct sim_event events[SIM_EVENTS_MAX]; /* a ring */
    uint32_t events_first;
    uint32_t events_count;
    struct sim_notice notices[SIM_NOTICES_MAX];
    uint32_t notices_count;
};

uint64_t sim_checksum(const char *data, size_t size, uint64_t start);
uint64_t sim_checksum_pieces(const struct sim_operation *operation);

/* The inode of a path beneath a root's descriptor, or -errno. */
int sim_lookup(const struct uring *uring, int directory, const char *path);

void sim_post(struct uring *uring, const struct uring_event *event, int fd);

/* Executes one thing that can happen now. False: nothing can before time passes. */
bool sim_kernel_step(struct uring *uring);

/* The earliest time at which an operation or notice becomes due, or UINT64_MAX. */
uint64_t sim_kernel_next_ms(const struct uring *uring);

/* Whether an operation, or an event that the server has not seen, is about this descriptor. */
bool sim_is_pending(const struct uring *uring, int fd);

#endif

/* engine: what the engines share, and how uring.c reaches the one behind a struct uring. Seen only
 * within this layer. */
#ifndef GYRE_URING_ENGINE_H
#define GYRE_URING_ENGINE_H

#include <linux/openat2.h>
#include <pthread.h>

#include "uring/uring.h"

enum {
    ENGINE_OP_OWN = 255, /* tokens of operations whose events the caller never sees */
};

/* What an event of ENGINE_OP_OWN is about: the slot of its token. */
enum engine_own {
    ENGINE_OWN_SILENT,    /* nothing: an operation whose failure does not matter */
    ENGINE_OWN_COUNTED,   /* a close that failed */
    ENGINE_OWN_WORK_DONE, /* a work has been put into works_done */
};

/* One const table an engine; the functions of uring.h of the same names say what each does. */
struct engine_ops {
    enum uring_kind kind;
    void (*destroy)(struct uring *uring);
    int (*wait)(struct uring *uring, struct uring_event *events, size_t events_max);
    int (*slab_register)(struct uring *uring, void *data, size_t size);

    /* A work has been put into works_done; called by a helper, under works_lock. Tells the
     * engine's thread itself and returns -1, or returns the ring that is to have a message. */
    int (*work_done)(struct uring *uring);
    int (*wake)(struct uring *target, struct uring_waker *waker, struct uring_token token,
                uint32_t result);

    void (*accept)(struct uring *uring, struct uring_token token, int listener);
    void (*recv)(struct uring *uring, struct uring_token token, int fd);
    void (*recv_release)(struct uring *uring, uint16_t buffer);
    void (*send)(struct uring *uring, struct uring_token token, int fd, const void *data,
                 uint32_t size, unsigned flags);
    void (*send_vector)(struct uring *uring, struct uring_token token, int fd,
                        const struct iovec *pieces, uint32_t count, unsigned flags);
    void (*send_zero_copy)(struct uring *uring, struct uring_token token, int fd,
                           const struct uring_chunk *chunk, uint32_t chunk_offset, uint32_t size);
    void (*poll)(struct uring *uring, struct uring_token token, int fd, short events);
    void (*close)(struct uring *uring, int fd);
    void (*open)(struct uring *uring, struct uring_token token, int directory, const char *path,
                 const struct open_how *how);
    void (*read)(struct uring *uring, struct uring_token token, int fd, void *data, uint32_t size,
                 uint64_t file_offset);
    void (*read_chunk)(struct uring *uring, struct uring_token token, int fd,
                       struct uring_chunk *chunk, uint32_t chunk_offset, uint32_t size,
                       uint64_t file_offset, bool linked);
    void (*write)(struct uring *uring, struct uring_token token, int fd, const void *data,
                  uint32_t size);
    void (*timer)(struct uring *uring, struct uring_token token, uint32_t milliseconds);
    void (*cancel)(struct uring *uring, struct uring_token token);
};

/* Every engine's structure begins with this. */
struct uring {
    const struct engine_ops *ops;
    struct uring_counters counters;

    char *buffers; /* recv_buffers x recv_buffer_size */
    uint32_t buffers_count;
    uint32_t buffer_size;
    uint32_t buffers_out; /* in the caller's hands */

    struct uring_helpers *helpers; /* NULL: none */
    uint32_t works_pending;        /* offloaded, and their event not yet told */
    pthread_mutex_t works_lock;    /* guards the two below, and what an engine adds to them */
    struct uring_work *works_done; /* that have run, oldest first */
    struct uring_work **works_done_end;
};

/* Fills the zeroed common part. Returns 0 or -errno; engine_release() is due in either case. */
int engine_init(struct uring *uring, const struct engine_ops *ops,
                const struct uring_options *options);
void engine_release(struct uring *uring);

/* Takes the work that has been waiting longest in works_done, or NULL. */
struct uring_work *engine_take_done(struct uring *uring);

/* Sends a ring an event by the waker's own: for who may not look at the target any more. 0 or
 * -errno. */
int engine_message_send(struct uring_waker *waker, int ring_fd, struct uring_token token,
                        uint32_t result);

bool engine_kernel_is_at_least(unsigned major, unsigned minor);

int ring_create(const struct uring_options *options, struct uring **uring);
int epoll_create_engine(const struct uring_options *options, struct uring **uring);

#endif

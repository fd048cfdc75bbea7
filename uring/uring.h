/* uring: the completion engine. The kernel, and nothing else.
 *
 * The interface that every engine implements: the io_uring one (ring.c), the one over epoll and
 * plain system calls (epoll.c) for where io_uring may not be used, and the seeded fake of the
 * simulation. Pull, not push: uring_wait() submits what is queued, sleeps, and returns decoded
 * events; it never calls up. The engine knows tokens, descriptors and buffers; it has never heard
 * of HTTP.
 *
 * An operation is queued by one call and ends in events that carry its token:
 *   one-shot    one event
 *   multishot   any number of events with `more`, the last one without: re-arm if wanted
 *   zero-copy   the result (with `more` when a notice is owed), then the notice: memory is free
 * again
 *
 * All memory handed to an operation belongs to the kernel until its event (zero-copy: its notice).
 * Queueing never fails: when the submission queue is full, it is submitted on the spot.
 *
 * Of a socket, at most one operation that receives (accept, recv, poll_readable) and one that sends
 * (send, poll_writable, write) may be pending; and a socket that had any is closed by
 * uring_close().
 *
 * What would hold the thread up and is no system call (compressing, hashing a large file) is
 * offloaded: uring_offload() has it run on a helper thread, and its end is an event like any other.
 * Here alone queueing can fail, as that queue is bounded. */
#ifndef GYRE_URING_H
#define GYRE_URING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

enum {
    URING_SLOT_MAX = (1 << 24) - 1,
    URING_IOVECS_MAX = 16,          /* segments of one uring_send_vector() */
    URING_BUFFER_NONE = 0xffff,     /* event without a provided buffer */
    URING_RECV_BUFFERS_MAX = 32768, /* the kernel's bound for a buffer ring; a power of two */
    URING_SLABS_MAX = 1024,         /* registered buffers of an engine */
    URING_ENTRIES_MIN = 64,         /* the smallest submission queue that still makes sense */
    URING_KERNEL_MAJOR_MIN = 6,     /* the oldest kernel that has all this: 6.1 */
    URING_KERNEL_MINOR_MIN = 1,
    URING_HELPERS_MAX = 64,           /* threads of one uring_helpers_create() */
    URING_WORKS_MAX = 1024,           /* urgent works that wait for a helper, of all engines */
    URING_BACKGROUND_WORKS_MAX = 256, /* the same for background works */
    URING_MESSAGES_MAX = 256,         /* wakes that wait in an epoll engine */
};

/* What an event says it is about. Packs into the 64 bits of user_data: op 8, slot 24,
 * generation 32. */
struct uring_token {
    uint8_t op;          /* the caller's vocabulary; 255 is the engine's own */
    uint32_t slot;       /* at most URING_SLOT_MAX */
    uint32_t generation; /* of the slot: tells a late event from a current one */
};

uint64_t uring_token_pack(struct uring_token token);
struct uring_token uring_token_unpack(uint64_t bits);

struct uring_event {
    struct uring_token token;
    int32_t result;  /* >= 0, or -errno */
    uint16_t buffer; /* provided buffer with `result` bytes, or URING_BUFFER_NONE */
    bool more;       /* another event of this operation follows */
    bool notice;     /* zero-copy: the memory is free again; result says nothing */
    bool copied;     /* with notice: the kernel copied the bytes after all */
};

struct uring;         /* one engine, used by the one thread that created it */
struct uring_helpers; /* threads for what engines offload */

enum uring_kind {
    URING_RING,  /* io_uring */
    URING_EPOLL, /* epoll, and the plain system call for each operation */
};

/* "io_uring" or "epoll", for logs and reports. */
const char *uring_kind_name(enum uring_kind kind);

struct uring_options {
    enum uring_kind kind;
    uint32_t entries;          /* submission queue; a power of two; epoll has none */
    uint32_t completions;      /* completion queue; at least 4 x entries; epoll has none */
    uint32_t recv_buffers;     /* a power of two, at most URING_RECV_BUFFERS_MAX */
    uint32_t recv_buffer_size; /* bytes */
    uint32_t workers_max;      /* kernel worker threads of this ring, bounded and unbounded each */
    bool sqpoll;               /* a kernel thread polls the queue; costs a CPU */
    uint32_t sqpoll_cpu;       /* UINT32_MAX: any */
    struct uring_helpers *helpers; /* borrowed, shared by engines; NULL: nothing is offloaded */
};

/* Counters, for the log and the tests. */
struct uring_counters {
    uint64_t waits;       /* io_uring_enter calls that waited, or epoll_wait calls */
    uint64_t submissions; /* operations handed to the kernel */
    uint64_t events;
    uint64_t overflows;      /* completions that did not fit the queue at once (never lost) */
    uint64_t close_failures; /* close(2) through the ring that failed */
    uint32_t slabs_registered;
    bool is_reduced;      /* smaller queues than asked for: RLIMIT_MEMLOCK */
    uint32_t slabs_plain; /* slabs the kernel refused to register: RLIMIT_MEMLOCK */
};

/* Why there is no ring here. */
enum uring_refusal {
    URING_REFUSAL_NONE,
    URING_REFUSAL_KERNEL,   /* older than 6.1, or built without io_uring */
    URING_REFUSAL_SYSCTL,   /* kernel.io_uring_disabled */
    URING_REFUSAL_SECCOMP,  /* a filter or security module forbids the system call */
    URING_REFUSAL_RESOURCE, /* out of memory or descriptors */
};

/* Whether this process may use io_uring, and which obstacle stands in the way. Creates a throw-away
 * ring. *error: -errno of the attempt, 0 when there is none. io_uring_setup(2). */
enum uring_refusal uring_probe(int *error);

/* Creates an engine for the calling thread. Where little memory may be locked (RLIMIT_MEMLOCK), the
 * queues become smaller than asked for, down to URING_ENTRIES_MIN. Returns 0 or -errno; *uring is
 * owned by the caller. */
int uring_create(const struct uring_options *options, struct uring **uring);

/* Frees the engine. No operation may be pending that refers to memory which outlives it, and no
 * work that it has offloaded (asserted). */
void uring_destroy(struct uring *uring);

/* Submits what is queued, waits for at least one completion, fills up to events_max events.
 * Returns their number (0 after an interruption), or -errno when the ring itself is broken. */
int uring_wait(struct uring *uring, struct uring_event *events, size_t events_max);

enum uring_kind uring_kind_of(const struct uring *uring);

const struct uring_counters *uring_counters(const struct uring *uring);

/* Monotonic milliseconds and UTC seconds. Read once per batch by the caller. clock_gettime(2). */
uint64_t uring_clock_ms(struct uring *uring);
int64_t uring_clock_utc_s(struct uring *uring);

/* --- sockets --------------------------------------------------------------------------------- */

/* Multishot. Each event's result is a connected descriptor (CLOEXEC), owned by the caller. Ends
 * with -EMFILE, -ENFILE, -ECANCELED...: the backlog is kept. accept(2). */
void uring_accept(struct uring *uring, struct uring_token token, int listener);

/* Multishot, into provided buffers. A result > 0 comes with a buffer, to be read with
 * uring_recv_data() and handed back with uring_recv_release(); 0 is the end of the stream. Ends
 * with -ENOBUFS when no buffer is free. recv(2). */
void uring_recv(struct uring *uring, struct uring_token token, int fd);
const char *uring_recv_data(const struct uring *uring, uint16_t buffer);
void uring_recv_release(struct uring *uring, uint16_t buffer);
/* Provided buffers not in the caller's hands (the kernel may have filled some already). */
uint32_t uring_recv_free_count(const struct uring *uring);

enum uring_send_flags {
    URING_SEND_MORE = 1 << 0,   /* further bytes follow at once (MSG_MORE) */
    URING_SEND_NOWAIT = 1 << 1, /* what fits now; -EAGAIN when nothing does */
};

/* Without NOWAIT, sends all of it unless the connection breaks; a short result is possible all the
 * same. Never raises SIGPIPE. send(2). */
void uring_send(struct uring *uring, struct uring_token token, int fd, const void *data,
                uint32_t size, unsigned flags);

/* The same for 1 to URING_IOVECS_MAX pieces; the array itself is copied. sendmsg(2). */
void uring_send_vector(struct uring *uring, struct uring_token token, int fd,
                       const struct iovec *pieces, uint32_t count, unsigned flags);

/* One event when the socket can take bytes again, or is broken. poll(2), POLLOUT. */
void uring_poll_writable(struct uring *uring, struct uring_token token, int fd);

/* One event when there is something to read. poll(2), POLLIN. */
void uring_poll_readable(struct uring *uring, struct uring_token token, int fd);

/* Ends the connection's sending (SHUT_WR), or receiving and sending (SHUT_RDWR), at once: through
 * the ring it would go to a kernel thread. Pending operations of that direction end. shutdown(2).
 */
void uring_shutdown(struct uring *uring, int fd, int how);

/* Closes any descriptor, after the operations queued before it have started. No event. No operation
 * may be pending on it: join first. close(2). */
void uring_close(struct uring *uring, int fd);

/* Closes a socket so that what it has not sent is discarded and the peer sees a reset: the memory
 * of a zero-copy send whose peer does not read comes back only so. No event. socket(7), SO_LINGER.
 */
void uring_abort(struct uring *uring, int fd);

/* The peer's address, for the log. Returns 0 or -errno. getpeername(2). */
int uring_peer(struct uring *uring, int fd, struct sockaddr_storage *address);

/* A number that grows when the peer takes bytes: tells a slow peer from a stalled one while a send
 * is pending. tcp(7), TCP_INFO; unix(7), SIOCOUTQ. */
uint64_t uring_acknowledged(struct uring *uring, int fd);

/* Bytes that were sent and that the peer has not acknowledged yet. tcp(7), SIOCOUTQ. */
uint64_t uring_unsent(struct uring *uring, int fd);

/* --- files ----------------------------------------------------------------------------------- */

enum uring_symlinks {
    URING_SYMLINKS_WITHIN, /* followed as long as they stay beneath the directory */
    URING_SYMLINKS_NONE,
    URING_SYMLINKS_ALL, /* followed wherever they lead */
};

/* Opens for reading, never blocking on a FIFO, never past the directory. `path` must live until the
 * event. Result: a descriptor owned by the caller. openat2(2). */
void uring_open(struct uring *uring, struct uring_token token, int directory, const char *path,
                enum uring_symlinks symlinks);

/* Synchronous, never blocking on a device: the descriptor is open. Returns 0 or -errno. fstat(2).
 */
int uring_stat(struct uring *uring, int fd, struct stat *status);

/* Synchronous: what the path leads to now, by the rules of uring_open(). Returns 0 or -errno. */
int uring_stat_path(struct uring *uring, int directory, const char *path,
                    enum uring_symlinks symlinks, struct stat *status);

/* Lets reads wait for the disk: uring_open() opens so that nothing waits for a FIFO, and some file
 * systems take that literally for regular files. fcntl(2), O_NONBLOCK. */
void uring_allow_waiting(struct uring *uring, int fd);

/* Reads into plain memory. read(2). */
void uring_read(struct uring *uring, struct uring_token token, int fd, void *data, uint32_t size,
                uint64_t file_offset);

/* Appends to a file, pipe or terminal, at its own position. write(2). */
void uring_write(struct uring *uring, struct uring_token token, int fd, const void *data,
                 uint32_t size);

/* --- chunks: memory of one size, registered with the kernel in slabs -------------------------- */

struct uring_chunk {
    char *data;
    uint32_t size;
    int32_t registration; /* index of its slab's registration, -1: plain memory */
    uint32_t index;       /* within its pool */
    bool taken;
    struct uring_chunk *next_free;
};

struct uring_pool;

/* A pool of at most chunks_max chunks of chunk_size bytes (a multiple of 4096), added slab by slab
 * as they are asked for; the first slab at once. `registered`: for the fixed-buffer operations;
 * where the kernel refuses to register a slab, its chunks are plain memory and counted
 * (slabs_plain). Returns 0 or -errno. */
int uring_pool_create(struct uring *uring, uint32_t chunk_size, uint32_t chunks_max,
                      bool registered, struct uring_pool **pool);
/* Every chunk must be home. */
void uring_pool_destroy(struct uring_pool *pool);
/* Takes the chunk given back last (warm in the cache), or NULL when all chunks_max are out. */
struct uring_chunk *uring_chunk_take(struct uring_pool *pool);
void uring_chunk_give(struct uring_pool *pool, struct uring_chunk *chunk);
struct uring_chunk *uring_pool_chunk(struct uring_pool *pool, uint32_t index);
uint32_t uring_pool_taken_count(const struct uring_pool *pool);

/* Reads file bytes into a chunk at chunk_offset (READ_FIXED where registered). `linked`: the
 * operation queued next starts only when all `size` bytes were read; else it ends with -ECANCELED.
 */
void uring_read_chunk(struct uring *uring, struct uring_token token, int fd,
                      struct uring_chunk *chunk, uint32_t chunk_offset, uint32_t size,
                      uint64_t file_offset, bool linked);

/* Sends chunk bytes without copying them: the result, then the notice when `more` is set on it.
 * epoll: a plain send, and so no notice. io_uring_enter(2), IORING_OP_SEND_ZC. */
void uring_send_zero_copy(struct uring *uring, struct uring_token token, int fd,
                          const struct uring_chunk *chunk, uint32_t chunk_offset, uint32_t size);

/* --- control --------------------------------------------------------------------------------- */

/* One event with result -ETIME after that long. One timer at a time. */
void uring_timer(struct uring *uring, struct uring_token token, uint32_t milliseconds);

/* Asks for the operation with this token to end; its own event says how it did. No event for the
 * request itself. io_uring_enter(2), IORING_OP_ASYNC_CANCEL. */
void uring_cancel(struct uring *uring, struct uring_token token);

/* --- helpers: threads for what would hold the event loop up ------------------------------------
 */

/* Starts 1 to URING_HELPERS_MAX threads for engines of this kind; they block all signals. Returns
 * 0, or -errno and none are left: for rings, each has a ring of its own, which counts against
 * RLIMIT_MEMLOCK. *helpers is owned by the caller, and outlives the engines that were created with
 * it. */
int uring_helpers_create(enum uring_kind kind, uint32_t threads_count,
                         struct uring_helpers **helpers);

/* Finishes the works that run, and their events are still posted; drops those that wait: they are
 * not run, have no event, and their memory is the caller's again. Joins the threads. No thread may
 * be in a call of an engine that has these helpers; such an engine may offload nothing from here
 * on, and may still take events and be destroyed. NULL: nothing. */
void uring_helpers_destroy(struct uring_helpers *helpers);

enum uring_urgency {
    URING_URGENT,     /* somebody waits for it */
    URING_BACKGROUND, /* runs when nothing urgent waits, and never on the last free thread */
};

/* Something to run elsewhere; part of a larger structure, which has what it needs and gives. */
struct uring_work {
    void (*run)(struct uring_work *work); /* the caller's: on a helper thread, may wait */

    /* The engine's, until the event. */
    struct uring_work *next;
    struct uring *uring;
    struct uring_token token;
    enum uring_urgency urgency;
};

/* Has work->run(work) run on a helper thread; its memory, and what it refers to, is the helper's
 * until the event: one with this token and result 0, once it has run. There is no cancelling.
 * Returns 0; or -EAGAIN, and then there is no event, when as many works as the queue of its urgency
 * takes are waiting, or when the engine has no helpers. */
int uring_offload(struct uring *uring, struct uring_token token, enum uring_urgency urgency,
                  struct uring_work *work);

/* From another thread: makes `token` arrive in the target's events with this result. A waker
 * belongs to its creating thread, and wakes engines of its kind. Returns 0 or -errno; -EAGAIN: so
 * many wakes wait already (epoll: URING_MESSAGES_MAX) that the target must be stuck.
 * IORING_OP_MSG_RING; eventfd(2). */
struct uring_waker;
int uring_waker_create(enum uring_kind kind, struct uring_waker **waker);
void uring_waker_destroy(struct uring_waker *waker);
int uring_waker_wake(struct uring_waker *waker, struct uring *target, struct uring_token token,
                     uint32_t result);

/* Internal to the layer (pool.c asks the engine): registers a slab, returns its index or -errno. */
int uring_slab_register(struct uring *uring, void *data, size_t size);

#endif

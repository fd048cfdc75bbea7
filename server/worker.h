/* worker: one thread, one ring, and everything a request needs. Nothing is shared with other
 * workers but what is read-only: the configuration, the types, the root's descriptor. */
#ifndef GYRE_SERVER_WORKER_H
#define GYRE_SERVER_WORKER_H

#include <pthread.h>
#include <signal.h>

#include "conf/conf.h"
#include "http/http_date.h"
#include "http/http_type.h"
#include "server/acceptor.h"
#include "server/access_log.h"
#include "server/auth.h"
#include "server/budget.h"
#include "server/cache.h"
#include "server/coding.h"
#include "server/connection.h"
#include "server/exchange.h"
#include "server/magic_type.h"
#include "server/sender.h"
#include "server/site.h"
#include "server/watch.h"

/* What a worker is started with. Borrowed, and shared by all workers. */
struct worker_settings {
    const struct conf *conf;
    const struct http_type_table *types;
    const struct sites *sites;
    enum uring_kind engine;
    uint32_t index;                /* of the worker */
    struct budget budget;          /* this worker's share */
    struct uring_helpers *helpers; /* NULL: nothing is offloaded */
    uint32_t listeners_count;
    int listeners[CONF_LISTEN_MAX]; /* this worker's own */
};

struct worker_counters {
    uint64_t connections_accepted;
    uint64_t connections_refused;    /* no slot */
    uint64_t connections_evicted;    /* idle ones closed for new ones */
    uint64_t connections_sacrificed; /* held receive buffers while others had none */
    uint64_t requests;
    uint64_t stale_events; /* of a slot's former life: a bug when not 0 */
    uint64_t sends;
    uint64_t zero_copy_sends;
    uint64_t zero_copy_copied; /* notices that said: copied after all */
    uint64_t zero_copy_notices;
    uint64_t zero_copy_strays; /* notices that nobody was waiting for */
};

struct worker {
    struct worker_settings settings;
    struct uring *uring;
    struct worker_counters counters;

    struct uring_event events[EVENTS_MAX];
    uint64_t batch; /* number of the batch of events being handled */
    uint64_t now_ms;
    int64_t now_s;  /* UTC */
    int64_t date_s; /* of which `date` is */
    char date[HTTP_DATE_SIZE];
    char location[HTTP_HEAD_LOCATION_SIZE_MAX]; /* scratch: of the redirect being written */
    char lines[HTTP_HEAD_LINES_SIZE_MAX];       /* scratch: of the head being written */
    char path[1 + EXCHANGE_KEY_SIZE_MAX];       /* scratch: a path for the rules, or a key */

    struct connection *connections; /* slots_count of them */
    uint32_t *slots_free;
    uint32_t slots_free_count;
    uint32_t slots_count;

    struct exchange *exchanges; /* slots_count of them, touched on demand */
    uint32_t *exchanges_free;
    uint32_t exchanges_free_count;
    struct input_pool inputs;
    struct cache cache;
    uint64_t live_bytes; /* of entries, cached or still being sent */
    struct watch watch;
    struct magic_type *magic;
    struct coding_job coding_jobs[CODING_JOBS_MAX];
    uint32_t coding_jobs_count;
    uint32_t codings_awaited_count;   /* tasks that make one */
    uint32_t passwords_checked_count; /* tasks that check one */
    uint32_t archives_count;          /* streams that exchanges hold */
    struct auth_cache auth;
    int64_t auth_told_s; /* when a broken password file was last complained about */

    struct uring_pool *outbufs;
    struct uring_pool *chunks;
    struct chunk_owner *chunk_owners; /* one a chunk */
    struct zerocopy_policy zerocopy[CONF_LISTEN_MAX];

    struct list ready;
    struct list deadlines[DEADLINES_COUNT];
    uint32_t deadline_ms[DEADLINES_COUNT];
    struct list waiting_outbuf;
    struct list waiting_chunk;
    struct list waiting_buffer; /* for a receive buffer */
    struct list holding;        /* connections that hold receive buffers across steps */

    struct acceptor acceptor;
    bool plain_told;        /* that no more memory may be locked */
    uint32_t closing_count; /* connections in CONNECTION_CLOSING */
    bool stopping;
    uint64_t stop_ms; /* when it has to be over */
    bool stop_forced;
    uint64_t joined_ms; /* when the last connection was seen, while stopping */

    uint64_t random[2]; /* state of the boundaries' generator */

    struct access_log log;
    char *report; /* being written; NULL: none */
    uint32_t report_size;
    uint32_t report_written_size;
};

/* Prepares a worker in the thread that will run it: rings belong to their creator. Returns 0 or
 * -errno after saying on standard error what failed. */
int worker_create(struct worker *worker, const struct worker_settings *settings);

/* Serves until it is told to stop and every connection is gone. Returns 0 or -errno (the ring
 * broke). */
int worker_run(struct worker *worker);

/* Handles one batch of events and advances what they touched; what worker_run() does in a loop. */
void worker_handle_batch(struct worker *worker, size_t count);

/* Arms accept and the tick: before the first batch. */
void worker_start(struct worker *worker);

/* Whether a stopping worker has nothing left to do. */
bool worker_is_done(const struct worker *worker);

/* Whether neither the kernel nor a helper uses memory of a worker that is done: it may not have
 * been worth waiting for. */
bool worker_is_joined(const struct worker *worker);

/* Frees it; it is joined. */
void worker_destroy(struct worker *worker);

/* Slots in use. */
uint32_t worker_connections_count(const struct worker *worker);

/* Bytes that the worker's fixed tables and pools may come to use at most. */
uint64_t worker_memory_max(const struct worker_settings *settings);

/* Writes a boundary that nobody can foresee into buffer: BOUNDARY_SIZE hexadecimal digits. */
void worker_make_boundary(struct worker *worker, char buffer[BOUNDARY_SIZE]);

/* Wakes the first connection that waits for a resource that has just been given back. */
void worker_wake_waiting(struct worker *worker, struct list *waiting);

#endif

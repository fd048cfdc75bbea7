/* worker: the loop, and what belongs to no single connection: accepting, the tick, waking,
 * stopping.
 *
 * One thread owns all of it. A round is: wait for a batch of events, let each handler record what
 * happened, then advance every connection that was touched until none is ready. All that was queued
 * meanwhile goes to the kernel with the next wait: one system call a round. */
#include "server/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/fill.h"
#include "server/notice.h"
#include "server/report.h"
#include "server/task.h"

uint32_t worker_connections_count(const struct worker *worker)
{
    return worker->slots_count - worker->slots_free_count;
}

/* --- the tick ----------------------------------------------------------------------------------
 */

static void expire_deadlines(struct worker *worker)
{
    for (unsigned i = 0; i < DEADLINES_COUNT; i++) {
        struct list_node *node;
        while ((node = list_first(&worker->deadlines[i])) != NULL) {
            struct connection *connection = LIST_ITEM(node, struct connection, deadline_node);
            if (connection->deadline_ms > worker->now_ms) {
                break;
            }
            list_remove(node);
            connection_expire(worker, connection);
        }
    }
}

static void tell_dropped_lines(struct worker *worker)
{
    struct access_log *log = &worker->log;
    if (log->dropped_count > log->dropped_told_count) {
        notice("access log '%s': %llu lines dropped: %s", log->path,
               (unsigned long long)(log->dropped_count - log->dropped_told_count),
               log->error != 0 ? strerror(-log->error) : "it does not take them fast enough");
        log->dropped_told_count = log->dropped_count;
        log->error = 0;
    }
}

/* The first slab was registered, or the start would have warned; a later one may not be. */
static void tell_plain_memory(struct worker *worker)
{
    if (uring_counters(worker->uring)->slabs_plain > 0 && !worker->plain_told) {
        worker->plain_told = true;
        notice("worker %u: no more memory may be locked (ulimit -l): large files go through plain "
               "buffers, a little slower",
               worker->settings.index);
    }
}

/* Connections that drain only so that the last bytes arrive have done so when those are
 * acknowledged. */
static void end_drained(struct worker *worker)
{
    struct list *list = &worker->deadlines[DEADLINE_LINGER];
    struct list_node *next;
    for (struct list_node *node = list->head.next; node != &list->head; node = next) {
        next = node->next;
        struct connection *connection = LIST_ITEM(node, struct connection, deadline_node);
        if (!connection->closes_uncleanly && uring_unsent(worker->uring, connection->fd) == 0) {
            connection_fail(worker, connection);
        }
    }
}

static void fail_all(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->slots_count; i++) {
        if (worker->connections[i].state != CONNECTION_FREE) {
            worker->connections[i].aborted = true;
            connection_fail(worker, &worker->connections[i]);
        }
    }
}

static void handle_tick(struct worker *worker, const struct uring_event *event)
{
    (void)event;
    expire_deadlines(worker);
    end_drained(worker);
    tell_plain_memory(worker);
    access_log_tick(&worker->log);
    tell_dropped_lines(worker);
    acceptor_retry(worker);
    if (worker->stopping && !worker->stop_forced && worker->now_ms >= worker->stop_ms) {
        worker->stop_forced = true;
        uint32_t count = worker_connections_count(worker);
        if (count > 0) {
            notice("the shutdown timeout is over: closing %u connections", count);
        }
        fail_all(worker);
    }
    if (worker->stopping && worker->now_ms >= worker->joined_ms + SHUTDOWN_JOIN_MS) {
        access_log_give_up(&worker->log);
        report_give_up(worker);
    }
    uring_timer(worker->uring, (struct uring_token){ .op = OP_TICK }, TICK_MS);
}

/* --- waking ------------------------------------------------------------------------------------
 */

static void stop(struct worker *worker)
{
    if (worker->stopping) {
        return;
    }
    worker->stopping = true;
    worker->stop_ms = worker->now_ms + worker->settings.conf->shutdown_timeout_ms;
    acceptor_stop(worker);
    for (uint32_t i = 0; i < worker->slots_count; i++) {
        if (worker->connections[i].state != CONNECTION_FREE) {
            connection_make_ready(worker, &worker->connections[i]);
        }
    }
}

static void handle_wake(struct worker *worker, const struct uring_event *event)
{
    switch ((enum wake)event->token.slot) {
    case WAKE_STOP:
        stop(worker);
        break;
    case WAKE_REOPEN_LOG: {
        int error = access_log_reopen(&worker->log);
        if (error != 0) {
            notice("cannot reopen the access log '%s': %s; the old file stays", worker->log.path,
                   strerror(-error));
        }
        break;
    }
    case WAKE_REPORT:
        report_start(worker);
        break;
    }
}

static void handle_log(struct worker *worker, const struct uring_event *event)
{
    access_log_handle_write(&worker->log, event);
}

static void handle_report(struct worker *worker, const struct uring_event *event)
{
    report_continue(worker, event->result);
}

static void handle_watch(struct worker *worker, const struct uring_event *event)
{
    watch_handle_poll(&worker->watch, event);
}

/* clang-format off */
const struct op_description OP_TABLE[OPS_COUNT] = {
    [OP_ACCEPT] = { "accept", LANE_NONE, MULTISHOT, acceptor_handle, NULL },
    [OP_TICK]   = { "tick",   LANE_NONE, ONE_SHOT,  handle_tick,   NULL },
    [OP_WAKE]   = { "wake",   LANE_NONE, ONE_SHOT,  handle_wake,   NULL },
    [OP_LOG]    = { "log",    LANE_NONE, ONE_SHOT,  handle_log,    NULL },
    [OP_REPORT] = { "report", LANE_NONE, ONE_SHOT,  handle_report, NULL },
    [OP_WATCH]  = { "watch",  LANE_NONE, ONE_SHOT,  handle_watch,  NULL },
    [OP_CODING] = { "coding", LANE_NONE, ONE_SHOT,  coding_handle_job, NULL },
    [OP_RECV]   = { "recv",   LANE_RECV, MULTISHOT, NULL, connection_handle_recv },
    [OP_OPEN]   = { "open",   LANE_FILE, ONE_SHOT,  NULL, exchange_handle_open },
    [OP_FILL]   = { "fill",   LANE_FILE, ONE_SHOT,  NULL, fill_handle_read },
    [OP_TASK]   = { "task",   LANE_FILE, ONE_SHOT,  NULL, task_handle },
    [OP_LOAD]   = { "load",   LANE_LOAD, ONE_SHOT,  NULL, sender_handle_load },
    [OP_SEND]   = { "send",   LANE_SEND, ONE_SHOT,  NULL, sender_handle_send },
    [OP_POLL]   = { "poll",   LANE_SEND, ONE_SHOT,  NULL, sender_handle_poll },
    [OP_SEND_ZERO_COPY] = { "send_zc", LANE_SEND, ZERO_COPY, sender_handle_zero_copy, NULL },
};
/* clang-format on */

/* --- the loop ----------------------------------------------------------------------------------
 */

static void handle_connection_event(struct worker *worker, const struct op_description *op,
                                    const struct uring_event *event)
{
    struct connection *connection = &worker->connections[event->token.slot];
    assert(event->token.slot < worker->slots_count);
    if (connection->generation != event->token.generation || connection->state == CONNECTION_FREE) {
        worker->counters.stale_events++; /* joining before release makes this impossible */
        assert(worker->counters.stale_events == 0);
        return;
    }
    assert((connection->lanes & op->lane) != 0);
    if (op->shape == ONE_SHOT || !event->more) {
        connection->lanes &= (uint8_t)~op->lane;
    }
    op->handle_connection(worker, connection, event);
    connection_make_ready(worker, connection);
}

static void advance_ready(struct worker *worker)
{
    struct list_node *node;
    while ((node = list_take_first(&worker->ready)) != NULL) {
        connection_advance(worker, LIST_ITEM(node, struct connection, ready_node));
    }
}

/* xorshift128+: unpredictable enough for who wrote a file before the request came. */
static uint64_t next_random(uint64_t state[2])
{
    uint64_t a = state[0];
    uint64_t b = state[1];
    state[0] = b;
    a ^= a << 23;
    state[1] = a ^ b ^ a >> 18 ^ b >> 5;
    return state[1] + b;
}

void worker_make_boundary(struct worker *worker, char buffer[BOUNDARY_SIZE])
{
    static const char DIGITS[] = "0123456789abcdef";
    for (unsigned i = 0; i < BOUNDARY_SIZE; i += 16) {
        uint64_t bits = next_random(worker->random);
        for (unsigned j = 0; j < 16; j++) {
            buffer[i + j] = DIGITS[bits >> 4 * j & 15];
        }
    }
}

void worker_wake_waiting(struct worker *worker, struct list *waiting)
{
    struct list_node *node = list_take_first(waiting);
    if (node != NULL) {
        connection_make_ready(worker, LIST_ITEM(node, struct connection, wait_node));
    }
}

static void wake_buffer_waiters(struct worker *worker)
{
    uint32_t count = uring_recv_free_count(worker->uring);
    for (; count > 0 && !list_is_empty(&worker->waiting_buffer); count--) {
        worker_wake_waiting(worker, &worker->waiting_buffer);
    }
    /* All of them are held by connections that cannot use them now, perhaps on purpose. */
    while (!list_is_empty(&worker->waiting_buffer) && uring_recv_free_count(worker->uring) == 0 &&
           !list_is_empty(&worker->holding)) {
        struct list_node *node = list_first(&worker->holding);
        worker->counters.connections_sacrificed++;
        connection_sacrifice(worker, LIST_ITEM(node, struct connection, hold_node));
    }
}

/* Whoever was woken for a chunk may not have taken it: its send may be pending, or it has ended. */
static void wake_chunk_waiters(struct worker *worker)
{
    uint32_t taken = uring_pool_taken_count(worker->chunks);
    uint32_t count = worker->settings.conf->chunks_max - taken;
    for (; count > 0 && !list_is_empty(&worker->waiting_chunk); count--) {
        worker_wake_waiting(worker, &worker->waiting_chunk);
    }
}

static void read_clock(struct worker *worker)
{
    worker->now_ms = uring_clock_ms(worker->uring);
    worker->now_s = uring_clock_utc_s(worker->uring);
    if (worker->now_s != worker->date_s) {
        worker->date_s = worker->now_s;
        http_date_write(worker->now_s, worker->date);
    }
}

void worker_handle_batch(struct worker *worker, size_t count)
{
    assert(count <= EVENTS_MAX);
    worker->batch++;
    read_clock(worker);
    for (size_t i = 0; i < count; i++) {
        const struct uring_event *event = &worker->events[i];
        assert(event->token.op < OPS_COUNT);
        const struct op_description *op = &OP_TABLE[event->token.op];
        assert((op->handle == NULL) != (op->handle_connection == NULL));
        if (op->handle != NULL) {
            op->handle(worker, event);
        } else {
            handle_connection_event(worker, op, event);
        }
    }
    advance_ready(worker);
    wake_buffer_waiters(worker);
    wake_chunk_waiters(worker);
    acceptor_balance(worker);
    advance_ready(worker);
    access_log_flush(&worker->log, worker->stopping);
    if (worker_connections_count(worker) > 0 || !worker->stopping) {
        worker->joined_ms = worker->now_ms;
    }
}

bool worker_is_joined(const struct worker *worker)
{
    return worker_connections_count(worker) == 0 && worker->coding_jobs_count == 0;
}

bool worker_is_done(const struct worker *worker)
{
    if (!worker->stopping) {
        return false;
    }
    if (!acceptor_is_joined(worker) || worker_connections_count(worker) > 0) {
        return worker->now_ms >= worker->stop_ms + SHUTDOWN_JOIN_MS;
    }
    bool written = !access_log_is_pending(&worker->log) && worker->report == NULL;
    return (written && worker->coding_jobs_count == 0) ||
           worker->now_ms >= worker->joined_ms + 2 * SHUTDOWN_JOIN_MS;
}

void worker_start(struct worker *worker)
{
    read_clock(worker);
    watch_start(&worker->watch);
    acceptor_start(worker);
    uring_timer(worker->uring, (struct uring_token){ .op = OP_TICK }, TICK_MS);
}

int worker_run(struct worker *worker)
{
    worker_start(worker);
    while (!worker_is_done(worker)) {
        int count = uring_wait(worker->uring, worker->events, EVENTS_MAX);
        if (count < 0) {
            notice("worker %u: the engine broke: %s", worker->settings.index, strerror(-count));
            return count;
        }
        worker_handle_batch(worker, (size_t)count);
    }
    return 0;
}

/* worker: the loop, and what belongs to no single connection: accepting, the tick, waking,
 * stopping.
 *
 * One thread owns all of it. A round is: wait for a batch of events, let each handler record what
 * happened, then advance every connection that was touched until none is ready. All that was queued
 * meanwhile goes to the kernel with the next wait: one system call a round. */
#include "server/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/report.h"

static void arm_accept(struct worker *worker, uint32_t listener)
{
    assert(!worker->accepting[listener]);
    worker->accepting[listener] = true;
    uring_accept(worker->uring, (struct uring_token){ .op = OP_ACCEPT, .slot = listener },
                 worker->settings.listeners[listener]);
}

static void arm_all_accepts(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->settings.listeners_count; i++) {
        if (!worker->accepting[i]) {
            arm_accept(worker, i);
        }
    }
}

static void cancel_all_accepts(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->settings.listeners_count; i++) {
        if (worker->accepting[i]) {
            uring_cancel(worker->uring, (struct uring_token){ .op = OP_ACCEPT, .slot = i });
        }
    }
}

uint32_t worker_connections_count(const struct worker *worker)
{
    return worker->slots_count - worker->slots_free_count;
}

/* Connections that are not on their way out. */
static uint32_t open_count(const struct worker *worker)
{
    return worker_connections_count(worker) - worker->closing_count;
}

void worker_resume_accept(struct worker *worker)
{
    if (worker->accept_paused && !worker->stopping &&
        open_count(worker) <= worker->settings.budget.connections_max) {
        worker->accept_paused = false;
        arm_all_accepts(worker);
    }
}

/* Closes the connection that has been idle longest. False: none is idle. One that has just come is
 * given time for its first request, else newcomers would only chase each other away. */
static bool evict_idle(struct worker *worker)
{
    struct list_node *node = list_first(&worker->deadlines[DEADLINE_IDLE]);
    if (node == NULL) {
        return false;
    }
    struct connection *connection = LIST_ITEM(node, struct connection, deadline_node);
    if (connection->requests_count == 0 &&
        worker->now_ms - connection->opened_ms < FIRST_REQUEST_MS) {
        return false;
    }
    worker->counters.connections_evicted++;
    connection_fail(worker, connection);
    return true;
}

static void pause_accept(struct worker *worker)
{
    if (!worker->accept_paused) {
        worker->accept_paused = true;
        cancel_all_accepts(worker);
    }
}

/* After a batch: idle connections make room for new ones; without any, the backlog has to wait. */
static void make_room(struct worker *worker)
{
    if (worker->stopping) {
        return;
    }
    while (open_count(worker) > worker->settings.budget.connections_max) {
        if (!evict_idle(worker)) {
            pause_accept(worker);
            break;
        }
    }
    if (worker->descriptors_short) {
        worker->descriptors_short = false;
        (void)cache_release_files(&worker->cache, worker->uring);
        (void)evict_idle(worker);
    }
}

static void adopt(struct worker *worker, int fd, uint8_t listener)
{
    struct connection *connection = connection_open(worker, fd, listener);
    if (connection == NULL) {
        worker->counters.connections_refused++;
        uring_close(worker->uring, fd);
        pause_accept(worker);
        return;
    }
    worker->counters.connections_accepted++;
    if (access_log_is_on(&worker->log)) {
        struct sockaddr_storage peer = { 0 };
        (void)uring_peer(worker->uring, fd, &peer);
        memcpy(&connection->peer, &peer, sizeof(connection->peer));
    }
}

static void handle_accept(struct worker *worker, const struct uring_event *event)
{
    uint32_t listener = event->token.slot;
    assert(listener < worker->settings.listeners_count);
    worker->accepting[listener] = event->more;
    if (event->result >= 0) {
        adopt(worker, event->result, (uint8_t)listener);
    }
    if (event->more || worker->accept_paused || worker->stopping) {
        return;
    }
    switch (event->result) {
    case -EMFILE:
    case -ENFILE:
        /* The backlog is kept. A descriptor comes back when a connection or a cached file closes.
         */
        worker->accept_paused = true;
        worker->descriptors_short = true;
        break;
    case -ECANCELED:
    case -ECONNABORTED:
    case -EINTR:
    case -EAGAIN:
    case -EPROTO:
        arm_accept(worker, listener);
        break;
    default:
        if (event->result >= 0) {
            arm_accept(worker, listener);
        } else {
            worker->accept_paused = true; /* until the next tick: never spin */
        }
        break;
    }
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
        fprintf(stderr, "gyre: access log: %llu lines dropped: '%s' does not take them\n",
                (unsigned long long)(log->dropped_count - log->dropped_told_count), log->path);
        log->dropped_told_count = log->dropped_count;
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
    access_log_tick(&worker->log);
    tell_dropped_lines(worker);
    worker_resume_accept(worker);
    if (worker->stopping && !worker->stop_forced && worker->now_ms >= worker->stop_ms) {
        worker->stop_forced = true;
        uint32_t count = worker_connections_count(worker);
        if (count > 0) {
            fprintf(stderr, "gyre: the shutdown timeout is over: closing %u connections\n", count);
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
    cancel_all_accepts(worker);
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
            fprintf(stderr, "gyre: cannot reopen the access log '%s': %s; the old file stays\n",
                    worker->log.path, strerror(-error));
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
    [OP_ACCEPT] = { "accept", LANE_NONE, MULTISHOT, handle_accept, NULL },
    [OP_TICK]   = { "tick",   LANE_NONE, ONE_SHOT,  handle_tick,   NULL },
    [OP_WAKE]   = { "wake",   LANE_NONE, ONE_SHOT,  handle_wake,   NULL },
    [OP_LOG]    = { "log",    LANE_NONE, ONE_SHOT,  handle_log,    NULL },
    [OP_REPORT] = { "report", LANE_NONE, ONE_SHOT,  handle_report, NULL },
    [OP_WATCH]  = { "watch",  LANE_NONE, ONE_SHOT,  handle_watch,  NULL },
    [OP_RECV]   = { "recv",   LANE_RECV, MULTISHOT, NULL, connection_handle_recv },
    [OP_OPEN]   = { "open",   LANE_FILE, ONE_SHOT,  NULL, exchange_handle_open },
    [OP_FILL]   = { "fill",   LANE_FILE, ONE_SHOT,  NULL, exchange_handle_fill },
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
    make_room(worker);
    advance_ready(worker);
    access_log_flush(&worker->log, worker->stopping);
    if (worker_connections_count(worker) > 0 || !worker->stopping) {
        worker->joined_ms = worker->now_ms;
    }
}

static bool accepts_are_joined(const struct worker *worker)
{
    for (uint32_t i = 0; i < worker->settings.listeners_count; i++) {
        if (worker->accepting[i]) {
            return false;
        }
    }
    return true;
}

bool worker_is_done(const struct worker *worker)
{
    if (!worker->stopping) {
        return false;
    }
    if (!accepts_are_joined(worker) || worker_connections_count(worker) > 0) {
        return worker->now_ms >= worker->stop_ms + SHUTDOWN_JOIN_MS;
    }
    bool written = !access_log_is_pending(&worker->log) && worker->report == NULL;
    return written || worker->now_ms >= worker->joined_ms + 2 * SHUTDOWN_JOIN_MS;
}

void worker_start(struct worker *worker)
{
    read_clock(worker);
    watch_start(&worker->watch);
    arm_all_accepts(worker);
    uring_timer(worker->uring, (struct uring_token){ .op = OP_TICK }, TICK_MS);
}

int worker_run(struct worker *worker)
{
    worker_start(worker);
    while (!worker_is_done(worker)) {
        int count = uring_wait(worker->uring, worker->events, EVENTS_MAX);
        if (count < 0) {
            fprintf(stderr, "gyre: worker %u: the ring broke: %s\n", worker->settings.index,
                    strerror(-count));
            return count;
        }
        worker_handle_batch(worker, (size_t)count);
    }
    return 0;
}

void worker_report_file(const struct worker *worker, const struct connection *connection,
                        int result)
{
    (void)worker;
    const struct segment *file = outbox_file((struct outbox *)(uintptr_t)&connection->outbox);
    fprintf(stderr, "gyre: '%s' %s while it was being sent: connection closed\n",
            file != NULL ? file->entry->path : "?",
            result == 0 ? "became shorter" : "could not be read");
}

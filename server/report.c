/* report: see the header. */
#include "server/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/worker.h"

static const char *state_name(const struct connection *connection)
{
    static const char *const PHASES[] = {
        [PHASE_HEAD] = "reading-head",
        [PHASE_BODY] = "reading-body",
        [PHASE_ANSWERING] = "answering",
        [PHASE_LAST] = "last-response",
    };
    switch ((enum connection_state)connection->state) {
    case CONNECTION_DRAINING:
        return "draining";
    case CONNECTION_CLOSING:
        return "closing";
    case CONNECTION_OPEN:
    case CONNECTION_FREE:
        break;
    }
    if (connection_is_idle(connection)) {
        return "idle";
    }
    return outbox_is_empty(&connection->outbox) ? PHASES[connection->phase] : "sending";
}

static void print_connection(FILE *text, const struct worker *worker,
                             const struct connection *connection)
{
    fprintf(text, "gyre: worker %u connection %u: %s, age %llu ms, pending", worker->settings.index,
            connection->slot, state_name(connection),
            (unsigned long long)(worker->now_ms - connection->opened_ms));
    static const struct {
        enum lane lane;
        const char *name;
    } LANES[] = {
        { LANE_RECV, "recv" }, { LANE_FILE, "file" }, { LANE_LOAD, "load" }, { LANE_SEND, "send" }
    };
    for (size_t i = 0; i < sizeof(LANES) / sizeof(LANES[0]); i++) {
        if ((connection->lanes & LANES[i].lane) != 0) {
            fprintf(text, " %s", LANES[i].name);
        }
    }
    fprintf(text, "%s, %u notices, %u requests, %llu bytes sent\n",
            connection->lanes == 0 ? " nothing" : "", connection->notices_owed,
            connection->requests_count, (unsigned long long)connection->sent_bytes);
}

static void print_worker(FILE *text, const struct worker *worker)
{
    const struct worker_counters *counters = &worker->counters;
    const struct uring_counters *ring = uring_counters(worker->uring);
    fprintf(text,
            "gyre: worker %u: %u connections, %llu accepted, %llu refused, %llu evicted, %llu "
            "sacrificed, "
            "%llu requests, %llu sends, %llu zero-copy sends (%llu of %llu notices: copied), "
            "%llu waits, %llu operations, %llu events, %llu overflows, %llu failed closes, on %s\n",
            worker->settings.index, worker->slots_count - worker->slots_free_count,
            (unsigned long long)counters->connections_accepted,
            (unsigned long long)counters->connections_refused,
            (unsigned long long)counters->connections_evicted,
            (unsigned long long)counters->connections_sacrificed,
            (unsigned long long)counters->requests, (unsigned long long)counters->sends,
            (unsigned long long)counters->zero_copy_sends,
            (unsigned long long)counters->zero_copy_copied,
            (unsigned long long)counters->zero_copy_notices, (unsigned long long)ring->waits,
            (unsigned long long)ring->submissions, (unsigned long long)ring->events,
            (unsigned long long)ring->overflows, (unsigned long long)ring->close_failures,
            uring_kind_name(worker->settings.engine));
}

static void write_rest(struct worker *worker)
{
    uring_write(worker->uring, (struct uring_token){ .op = OP_REPORT }, STDERR_FILENO,
                worker->report + worker->report_written_size,
                worker->report_size - worker->report_written_size);
}

void report_start(struct worker *worker)
{
    if (worker->report != NULL) {
        return;
    }
    size_t size = 0;
    FILE *text = open_memstream(&worker->report, &size);
    if (text == NULL) {
        return;
    }
    print_worker(text, worker);
    for (uint32_t i = 0; i < worker->slots_count; i++) {
        if (worker->connections[i].state != CONNECTION_FREE) {
            print_connection(text, worker, &worker->connections[i]);
        }
    }
    if (fclose(text) != 0 || size == 0) {
        free(worker->report);
        worker->report = NULL;
        return;
    }
    worker->report_size = (uint32_t)size;
    worker->report_written_size = 0;
    write_rest(worker);
}

void report_give_up(struct worker *worker)
{
    if (worker->report != NULL) {
        uring_cancel(worker->uring, (struct uring_token){ .op = OP_REPORT });
    }
}

void report_continue(struct worker *worker, int result)
{
    assert(worker->report != NULL);
    if (result > 0) {
        worker->report_written_size += (uint32_t)result;
    }
    bool again = result > 0 || result == -EINTR;
    if (again && worker->report_written_size < worker->report_size) {
        write_rest(worker);
        return;
    }
    free(worker->report); /* written, or standard error is gone: nobody to tell */
    worker->report = NULL;
}

/* connection: one client's life.
 *
 * Duty: read requests in order, have each answered in order, keep the connection as long as HTTP
 * and the deadlines allow, and end it without losing an answer or leaking a byte.
 *
 *   OPEN --last response sent--> DRAINING --peer done, or deadline--> CLOSING --joined--> FREE
 *      \________________________clean end, error, deadline_____________/
 *
 * Handlers record what happened and make the connection ready; connection_advance() looks at all of
 * it and decides, as often as it is called.
 *
 * Invariants: one operation in flight a lane; a slot is FREE only when no operation is pending and
 * no zero-copy notice is owed: with io_uring that is memory safety. An exchange exists only while a
 * request is being answered; its head is pinned when it outlives a step. Receive buffers are held
 * across steps only when the inbox is full, and then the recv is cancelled: that is the
 * back-pressure. */
#include "server/connection.h"

#include <errno.h>
#include <string.h>

#include "server/request_step.h"
#include "server/worker.h"

struct uring_token connection_token(const struct connection *connection, enum op op)
{
    return (struct uring_token){ .op = (uint8_t)op,
                                 .slot = connection->slot,
                                 .generation = connection->generation };
}

void connection_occupy(struct connection *connection, enum lane lane)
{
    assert((connection->lanes & lane) == 0);
    connection->lanes |= (uint8_t)lane;
}

void connection_make_ready(struct worker *worker, struct connection *connection)
{
    assert(connection->state != CONNECTION_FREE);
    if (!list_contains(&connection->ready_node)) {
        list_append(&worker->ready, &connection->ready_node);
    }
}

struct connection *connection_open(struct worker *worker, int fd, uint8_t listener)
{
    assert(worker->slots_free_count > 0);
    uint32_t slot = worker->slots_free[--worker->slots_free_count];
    struct connection *connection = &worker->connections[slot];
    assert(connection->state == CONNECTION_FREE);
    uint32_t generation = connection->generation + 1;
    *connection = (struct connection){
        .fd = fd,
        .slot = slot,
        .generation = generation,
        .state = CONNECTION_OPEN,
        .phase = PHASE_HEAD,
        .listener = listener,
        .opened_ms = worker->now_ms,
    };
    input_init(&connection->input);
    http_parser_init(&connection->parser);
    connection_make_ready(worker, connection);
    return connection;
}

void connection_fail(struct worker *worker, struct connection *connection)
{
    if (connection->state != CONNECTION_CLOSING) {
        connection->state = CONNECTION_CLOSING;
        worker->closing_count++;
        list_remove(&connection->deadline_node);
        list_remove(&connection->wait_node); /* it must not swallow a wake */
        if ((connection->lanes & LANE_RECV) != 0 && !connection->recv_cancelled) {
            uring_cancel(worker->uring, connection_token(connection, OP_RECV));
            connection->recv_cancelled = true;
        }
        if ((connection->lanes & LANE_SEND) != 0) {
            uring_shutdown(worker->uring, connection->fd, SHUT_RDWR);
        }
    }
    connection_make_ready(worker, connection);
}

bool connection_is_idle(const struct connection *connection)
{
    return connection->state == CONNECTION_OPEN && connection->phase == PHASE_HEAD &&
           input_is_empty(&connection->input) && outbox_is_empty(&connection->outbox) &&
           (connection->lanes & (uint8_t)~LANE_RECV) == 0;
}

bool connection_make_room(struct worker *worker, struct connection *connection)
{
    return outbox_has_room(&connection->outbox, OUTBOX_SEGMENTS_A_RESPONSE) &&
           sender_take_outbuf(worker, connection) &&
           connection->outbuf->size - connection->outbuf_used >= OUTBUF_HEAD_ROOM;
}

/* --- ending ----------------------------------------------------------------------------------- */

static void start_draining(struct worker *worker, struct connection *connection)
{
    connection->state = CONNECTION_DRAINING;
    uring_shutdown(worker->uring, connection->fd, SHUT_WR);
    input_discard(&worker->inputs, &connection->input);
}

/* Closing while the peer may still send would answer that with a reset, and a reset throws away
 * what the peer has not read yet. Nothing is to be feared once it has acknowledged everything. */
static bool must_drain(struct worker *worker, struct connection *connection)
{
    if (connection->input.ended) {
        return false;
    }
    if (connection->closes_uncleanly || !input_is_empty(&connection->input)) {
        return true;
    }
    return !connection->asked_to_close && uring_unsent(worker->uring, connection->fd) > 0;
}

/* What to do when no response is left to send. */
static void end_if_over(struct worker *worker, struct connection *connection)
{
    bool waiting = connection->phase == PHASE_HEAD && input_is_empty(&connection->input);
    bool over = connection->phase == PHASE_LAST || (worker->stopping && waiting) ||
                (connection->input.ended && connection->phase != PHASE_ANSWERING);
    bool sent =
        outbox_is_empty(&connection->outbox) && (connection->lanes & (LANE_SEND | LANE_LOAD)) == 0;
    if (!over || !sent) {
        return;
    }
    if (must_drain(worker, connection)) {
        start_draining(worker, connection);
    } else {
        connection_fail(worker, connection);
    }
}

/* Nothing is pending on the descriptor. Closing it makes notices that are still owed come: when the
 * peer has taken the bytes, or at once when they are discarded. */
static void close_descriptor(struct worker *worker, struct connection *connection)
{
    if (connection->fd < 0) {
        return;
    }
    if (connection->aborted) {
        uring_abort(worker->uring, connection->fd);
    } else {
        uring_close(worker->uring, connection->fd);
    }
    connection->fd = -1;
}

/* Frees the slot when nothing in the kernel refers to it any more. */
static void join(struct worker *worker, struct connection *connection)
{
    if (connection->lanes != 0) {
        return;
    }
    close_descriptor(worker, connection);
    if (connection->notices_owed > 0) {
        return;
    }
    sender_release(worker, connection);
    if (connection->exchange != NULL) {
        exchange_release(worker, connection);
    }
    input_unpin(&worker->inputs, &connection->input);
    input_discard(&worker->inputs, &connection->input);
    list_remove(&connection->ready_node);
    list_remove(&connection->hold_node);
    assert(!list_contains(&connection->deadline_node));
    assert(!list_contains(&connection->wait_node));
    connection->state = CONNECTION_FREE;
    worker->closing_count--;
    worker->slots_free[worker->slots_free_count++] = connection->slot;
    assert(worker->slots_free_count <= worker->slots_count);
    acceptor_retry(worker);
}

/* --- deadlines and receiving ------------------------------------------------------------------ */

static enum deadline deadline_of(const struct connection *connection)
{
    if (connection->state == CONNECTION_DRAINING) {
        return DEADLINE_LINGER;
    }
    /* While something is to be sent, the peer is waited for in that: it may not send its body
     * before it has the 100, and the body is not read before there is room for its answer. */
    if (!outbox_is_empty(&connection->outbox)) {
        return DEADLINE_SEND;
    }
    if (connection->phase == PHASE_BODY) {
        return DEADLINE_BODY;
    }
    if (connection->phase != PHASE_HEAD) {
        return DEADLINE_SEND;
    }
    return input_is_empty(&connection->input) ? DEADLINE_IDLE : DEADLINE_HEAD;
}

static void update_deadline(struct worker *worker, struct connection *connection)
{
    enum deadline deadline = deadline_of(connection);
    bool restart = deadline == DEADLINE_SEND && connection->progressed;
    connection->progressed = false;
    if (list_contains(&connection->deadline_node)) {
        if (connection->deadline == deadline && !restart) {
            return;
        }
        list_remove(&connection->deadline_node);
    }
    connection->deadline = (uint8_t)deadline;
    connection->deadline_ms = worker->now_ms + worker->deadline_ms[deadline];
    list_append(&worker->deadlines[deadline], &connection->deadline_node);
}

/* A send that is pending reports nothing until it is complete; a slow peer is not a stalled one. */
static bool peer_progressed(struct worker *worker, struct connection *connection)
{
    bool sending = connection->state == CONNECTION_OPEN && connection->deadline == DEADLINE_SEND;
    bool draining =
        connection->state == CONNECTION_DRAINING && uring_unsent(worker->uring, connection->fd) > 0;
    if (!sending && !draining) {
        return false;
    }
    uint64_t bytes = uring_acknowledged(worker->uring, connection->fd);
    bool progressed = bytes != connection->acknowledged_bytes;
    connection->acknowledged_bytes = bytes;
    return progressed;
}

/* Ends a connection that nobody is waiting on; what its peer has not read yet still gets there. */
static void end_idle(struct worker *worker, struct connection *connection)
{
    if (must_drain(worker, connection)) {
        start_draining(worker, connection);
        connection_make_ready(worker, connection);
    } else {
        connection_fail(worker, connection);
    }
}

/* The disk or a helper works for it: the peer waits for us, not we for it. To give it up would free
 * nothing either, before that has ended. */
static bool is_being_served(const struct connection *connection)
{
    return connection->state == CONNECTION_OPEN && (connection->lanes & LANE_FILE) != 0 &&
           outbox_is_empty(&connection->outbox);
}

void connection_expire(struct worker *worker, struct connection *connection)
{
    if (is_being_served(connection) || peer_progressed(worker, connection)) {
        connection_make_ready(worker, connection);
        return;
    }
    bool late = connection->deadline == DEADLINE_HEAD || connection->deadline == DEADLINE_BODY;
    if (late && connection->state == CONNECTION_OPEN && connection->phase != PHASE_LAST &&
        connection_make_room(worker, connection)) {
        request_reject(worker, connection, 408);
        connection_make_ready(worker, connection);
    } else if (connection->deadline == DEADLINE_IDLE) {
        end_idle(worker, connection);
    } else {
        connection->aborted = connection->deadline == DEADLINE_SEND;
        connection_fail(worker, connection);
    }
}

static void arm_recv(struct worker *worker, struct connection *connection)
{
    const struct input *input = &connection->input;
    if (input->ended) {
        return;
    }
    if ((connection->lanes & LANE_RECV) != 0) {
        if (input_is_flooded(input) && !connection->recv_cancelled) {
            uring_cancel(worker->uring, connection_token(connection, OP_RECV));
            connection->recv_cancelled = true;
        }
        return;
    }
    if (input_is_flooded(input) || list_contains(&connection->wait_node)) {
        return;
    }
    connection->recv_cancelled = false;
    uring_recv(worker->uring, connection_token(connection, OP_RECV), connection->fd);
    connection_occupy(connection, LANE_RECV);
}

static void update_holding(struct worker *worker, struct connection *connection)
{
    if (connection->input.buffers_count == 0) {
        list_remove(&connection->hold_node);
    } else if (!list_contains(&connection->hold_node)) {
        list_append(&worker->holding, &connection->hold_node);
    }
}

void connection_sacrifice(struct worker *worker, struct connection *connection)
{
    list_remove(&connection->hold_node);
    connection_fail(worker, connection);
    input_discard(&worker->inputs, &connection->input);
}

static void record_end(struct worker *worker, struct connection *connection, int result)
{
    switch (result) {
    case -ECANCELED:
    case -EINTR:
        break; /* back-pressure: armed again when the input has been used */
    case -ENOBUFS:
        /* The cancel of a closing connection may lose the race to this. */
        if (connection->state != CONNECTION_CLOSING && !list_contains(&connection->wait_node)) {
            list_append(&worker->waiting_buffer, &connection->wait_node);
        }
        break;
    case 0:
        connection->input.ended = true;
        break;
    default:
        connection->input.ended = true;
        connection_fail(worker, connection);
        break;
    }
}

void connection_handle_recv(struct worker *worker, struct connection *connection,
                            const struct uring_event *event)
{
    if (event->result <= 0) {
        if (event->buffer != URING_BUFFER_NONE) {
            uring_recv_release(worker->uring, event->buffer);
        }
        record_end(worker, connection, event->result);
    } else if (connection->state == CONNECTION_OPEN && connection->phase != PHASE_LAST) {
        input_append(&worker->inputs, &connection->input, event->buffer, (uint32_t)event->result);
    } else {
        /* Nothing more is read as a request; it only has to be swallowed. */
        uring_recv_release(worker->uring, event->buffer);
        connection->closes_uncleanly = true;
    }
}

/* --- the decision ----------------------------------------------------------------------------- */

static void serve(struct worker *worker, struct connection *connection)
{
    while (connection->state == CONNECTION_OPEN && request_step(worker, connection)) {
    }
    if (connection->phase == PHASE_LAST && !input_is_empty(&connection->input)) {
        connection->closes_uncleanly = true;
        input_discard(&worker->inputs, &connection->input);
    }
    sender_advance(worker, connection);
    end_if_over(worker, connection);
}

void connection_advance(struct worker *worker, struct connection *connection)
{
    if (connection->state == CONNECTION_OPEN) {
        serve(worker, connection);
    }
    if (connection->state == CONNECTION_DRAINING && connection->input.ended) {
        connection_fail(worker, connection);
    }
    if (connection->state == CONNECTION_CLOSING) {
        join(worker, connection);
        return;
    }
    input_settle(&worker->inputs, &connection->input);
    update_holding(worker, connection);
    arm_recv(worker, connection);
    update_deadline(worker, connection);
}

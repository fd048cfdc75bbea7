/* sender: outbox -> socket.
 *
 * Duty: one send in flight per socket, always; everything that is ready in as few sends as fit; a
 * file's next chunk read and sent by one linked pair.
 *
 * Chunks are few and shared. While more than half are free, a connection keeps its chunk for as
 * long as its peer takes. Beyond that it is paced: it first waits, without a chunk, until the
 * socket is writable, then reads, sends what fits at once, and gives the chunk back; what did not
 * fit is read again later. So no number of slow readers holds more than half of the chunks for
 * long.
 *
 * Zero-copy: a chunk handed to SEND_ZC is the kernel's until its notice. The connection does not
 * wait: the chunk is detached and goes home by itself (chunk_owners). */
#include "server/sender.h"

#include <errno.h>
#include <string.h>

#include "server/entry.h"
#include "server/notice.h"
#include "server/worker.h"

enum {
    ZEROCOPY_CHUNKS_MAX = 8
}; /* detached chunks of one connection */

static struct uring_token zero_copy_token(const struct connection *connection)
{
    return (struct uring_token){ .op = OP_SEND_ZERO_COPY,
                                 .slot = connection->chunk->index,
                                 .generation = connection->generation };
}

static void give_chunk(struct worker *worker, struct uring_chunk *chunk)
{
    worker->chunk_owners[chunk->index] = (struct chunk_owner){ 0 };
    uring_chunk_give(worker->chunks, chunk);
    worker_wake_waiting(worker, &worker->waiting_chunk);
}

/* The connection is done with its chunk; the kernel may not be. */
static void leave_chunk(struct worker *worker, struct connection *connection)
{
    struct uring_chunk *chunk = connection->chunk;
    connection->chunk = NULL;
    struct chunk_owner *owner = &worker->chunk_owners[chunk->index];
    if (owner->notices_owed > 0) {
        owner->detached = true;
    } else {
        give_chunk(worker, chunk);
    }
}

static void release_segment(struct worker *worker, struct connection *connection,
                            const struct segment *segment)
{
    switch (segment->home) {
    case SEGMENT_IN_OUTBUF:
    case SEGMENT_IN_PIECE:
        break;
    case SEGMENT_IN_CHUNK:
        leave_chunk(worker, connection);
        break;
    case SEGMENT_IN_ENTRY:
    case SEGMENT_IN_FILE:
        entry_release(worker->uring, segment->entry);
        break;
    }
}

static void give_outbuf(struct worker *worker, struct connection *connection)
{
    if (connection->outbuf != NULL) {
        uring_chunk_give(worker->outbufs, connection->outbuf);
        connection->outbuf = NULL;
        connection->outbuf_used = 0;
        worker_wake_waiting(worker, &worker->waiting_outbuf);
    }
}

static void release_spent(struct worker *worker, struct connection *connection)
{
    struct segment segment;
    while (outbox_take_spent(&connection->outbox, &segment)) {
        release_segment(worker, connection, &segment);
    }
    if (outbox_is_empty(&connection->outbox)) {
        give_outbuf(worker, connection);
    }
}

bool sender_take_outbuf(struct worker *worker, struct connection *connection)
{
    if (connection->outbuf == NULL) {
        connection->outbuf = uring_chunk_take(worker->outbufs);
        connection->outbuf_used = 0;
    }
    if (connection->outbuf != NULL) {
        list_remove(&connection->wait_node); /* else it would swallow another's wake */
    } else if (!list_contains(&connection->wait_node)) {
        list_append(&worker->waiting_outbuf, &connection->wait_node);
    }
    return connection->outbuf != NULL;
}

static bool zero_copy_wanted(const struct worker *worker, const struct connection *connection,
                             uint64_t size)
{
    const struct conf *conf = worker->settings.conf;
    return conf->zerocopy != CONF_OFF && !worker->zerocopy[connection->listener].off &&
           size >= conf->zerocopy_bytes_min && connection->notices_owed < ZEROCOPY_CHUNKS_MAX &&
           !connection->paced;
}

static bool chunks_are_scarce(const struct worker *worker)
{
    return uring_pool_taken_count(worker->chunks) >= worker->settings.conf->chunks_max / 2;
}

/* Queues the read of the next chunk; `linked`: to the send that follows. False: no chunk to be had.
 */
static bool load_next(struct worker *worker, struct connection *connection, struct segment *file,
                      bool linked)
{
    assert(connection->chunk == NULL);
    struct uring_chunk *chunk = uring_chunk_take(worker->chunks);
    if (chunk == NULL) {
        if (!list_contains(&connection->wait_node)) {
            list_append(&worker->waiting_chunk, &connection->wait_node);
        }
        return false;
    }
    list_remove(&connection->wait_node);
    connection->chunk = chunk;
    worker->chunk_owners[chunk->index] = (struct chunk_owner){ .connection = connection };
    uint32_t size = file->length < chunk->size ? (uint32_t)file->length : chunk->size;
    connection->load_size = size;
    uring_read_chunk(worker->uring, connection_token(connection, OP_LOAD), file->entry->file, chunk,
                     0, size, file->offset, linked);
    connection_occupy(connection, LANE_LOAD);
    outbox_load(&connection->outbox, chunk->data, 0, size);
    return true;
}

/* Queues one send of everything that lies ready at the front. */
static void send_ready(struct worker *worker, struct connection *connection)
{
    struct iovec pieces[OUTBOX_SEGMENTS_MAX];
    uint64_t size;
    unsigned count = outbox_gather(&connection->outbox, pieces, &size);
    assert(count > 0);
    const struct segment *front = outbox_front(&connection->outbox);
    connection_occupy(connection, LANE_SEND);
    if (count == 1 && front->home == SEGMENT_IN_CHUNK && connection->chunk->registration >= 0 &&
        zero_copy_wanted(worker, connection, size)) {
        worker->counters.zero_copy_sends++;
        worker->chunk_owners[connection->chunk->index].notices_owed++;
        connection->notices_owed++;
        uring_send_zero_copy(worker->uring, zero_copy_token(connection), connection->fd,
                             connection->chunk, (uint32_t)front->offset, (uint32_t)size);
        return;
    }
    worker->counters.sends++;
    unsigned flags = outbox_file(&connection->outbox) != NULL ? URING_SEND_MORE : 0;
    const struct segment *chunk = outbox_chunk(&connection->outbox);
    flags |= connection->paced && chunk != NULL && chunk->length > 0 ? URING_SEND_NOWAIT : 0;
    struct uring_token token = connection_token(connection, OP_SEND);
    if (count == 1) {
        uring_send(worker->uring, token, connection->fd, pieces[0].iov_base,
                   (uint32_t)pieces[0].iov_len, flags);
    } else {
        uring_send_vector(worker->uring, token, connection->fd, pieces, count, flags);
    }
}

void sender_advance(struct worker *worker, struct connection *connection)
{
    if ((connection->lanes & (LANE_SEND | LANE_LOAD)) != 0) {
        return;
    }
    struct outbox *outbox = &connection->outbox;
    if (outbox_is_empty(outbox)) {
        give_outbuf(worker, connection); /* taken in vain: the head was not complete */
        return;
    }
    struct iovec pieces[OUTBOX_SEGMENTS_MAX];
    uint64_t size;
    unsigned ready_count = outbox_gather(outbox, pieces, &size);
    struct segment *file = outbox_file(outbox);
    if (file != NULL && !outbox_is_loaded(outbox)) {
        connection->paced = chunks_are_scarce(worker);
        if (connection->paced && !connection->writable) {
            uring_poll_writable(worker->uring, connection_token(connection, OP_POLL),
                                connection->fd);
            connection_occupy(connection, LANE_SEND);
            return;
        }
        /* Zero-copy sends memory of one chunk only, so a head goes ahead of it; and it is not
         * linked: a severed zero-copy send says that no notice follows, and then one does. */
        bool zero_copy = zero_copy_wanted(worker, connection, file->length);
        if (ready_count == 0 || !zero_copy) {
            bool loading = load_next(worker, connection, file, !zero_copy);
            if (loading && zero_copy) {
                return;
            }
            ready_count += loading;
        }
    }
    if (ready_count > 0) {
        send_ready(worker, connection);
    }
}

void sender_handle_poll(struct worker *worker, struct connection *connection,
                        const struct uring_event *event)
{
    if (event->result < 0) {
        connection_fail(worker, connection);
        return;
    }
    connection->writable = true;
}

static void tell_truncated(struct connection *connection, int result)
{
    const struct segment *file = outbox_file(&connection->outbox);
    notice("'%s' %s while it was being sent: connection closed",
           file != NULL ? file->entry->path : "a file",
           result == 0 ? "became shorter" : strerror(-result));
}

void sender_handle_load(struct worker *worker, struct connection *connection,
                        const struct uring_event *event)
{
    uint32_t loaded = event->result > 0 ? (uint32_t)event->result : 0;
    assert(loaded <= connection->load_size);
    if (loaded < connection->load_size) {
        outbox_unload(&connection->outbox, connection->load_size - loaded);
        release_spent(worker, connection);
    }
    bool again = event->result == -ECANCELED || event->result == -EINTR || event->result == -EAGAIN;
    if (loaded == 0 && !again && connection->state == CONNECTION_OPEN) {
        /* The promised length cannot be kept: end the connection, so that the client can tell. */
        tell_truncated(connection, event->result);
        connection_fail(worker, connection);
    }
}

/* Bytes of the outbox have left, or the connection is broken. */
static void account_sent(struct worker *worker, struct connection *connection, int32_t result)
{
    /* A linked send is cancelled when its load came short; what was loaded is sent next. */
    if (result == -ECANCELED || result == -EINTR || result == -EAGAIN) {
        result = 0;
    }
    if (result < 0) {
        connection_fail(worker, connection);
        return;
    }
    outbox_advance(&connection->outbox, (uint32_t)result);
    connection->sent_bytes += (uint32_t)result;
    connection->progressed = connection->progressed || result > 0;
    release_spent(worker, connection);
}

/* Gives the chunk of a paced connection back, with what its peer did not take. */
static void give_up_chunk(struct worker *worker, struct connection *connection)
{
    struct segment *chunk = outbox_chunk(&connection->outbox);
    if (chunk != NULL) {
        outbox_unload(&connection->outbox, chunk->length);
        release_spent(worker, connection);
    }
}

void sender_handle_send(struct worker *worker, struct connection *connection,
                        const struct uring_event *event)
{
    account_sent(worker, connection, event->result);
    if (connection->state == CONNECTION_CLOSING) {
        return;
    }
    connection->writable = false;
    /* What a severed link has loaded is not given up: a file that became shorter would be read and
     * given up for ever. */
    if (connection->paced && (connection->lanes & LANE_LOAD) == 0 && event->result != -ECANCELED) {
        give_up_chunk(worker, connection);
    }
}

static void note_copied(struct worker *worker, uint8_t listener, bool copied)
{
    struct zerocopy_policy *policy = &worker->zerocopy[listener];
    worker->counters.zero_copy_notices++;
    worker->counters.zero_copy_copied += copied;
    policy->copies_in_row = copied ? policy->copies_in_row + 1 : 0;
    if (policy->copies_in_row >= ZEROCOPY_COPIES_MAX &&
        worker->settings.conf->zerocopy == CONF_AUTO) {
        policy->off = true;
    }
}

static void handle_notice(struct worker *worker, struct chunk_owner *owner,
                          const struct uring_event *event)
{
    struct connection *connection = owner->connection;
    note_copied(worker, connection->listener, event->copied);
    assert(connection->notices_owed > 0);
    owner->notices_owed--;
    connection->notices_owed--;
    if (owner->detached && owner->notices_owed == 0) {
        give_chunk(worker, uring_pool_chunk(worker->chunks, event->token.slot));
    }
}

void sender_handle_zero_copy(struct worker *worker, const struct uring_event *event)
{
    struct chunk_owner *owner = &worker->chunk_owners[event->token.slot];
    struct connection *connection = owner->connection;
    if (event->notice &&
        (owner->notices_owed == 0 || connection->generation != event->token.generation)) {
        /* A send that failed before it took the memory said that none would come (ENOMEM). */
        worker->counters.zero_copy_strays++;
        return;
    }
    assert(connection != NULL);
    assert(connection->generation == event->token.generation);
    if (event->notice) {
        handle_notice(worker, owner, event);
    } else {
        connection->lanes &= (uint8_t)~LANE_SEND;
        if (!event->more) { /* no notice will come: the kernel never took the memory */
            owner->notices_owed--;
            connection->notices_owed--;
        }
        if (event->result == -EOPNOTSUPP || event->result == -EINVAL || event->result == -ENOMEM ||
            event->result == -ENOBUFS) {
            worker->zerocopy[connection->listener].off = true; /* plain sends will do */
        } else {
            account_sent(worker, connection, event->result);
        }
    }
    connection_make_ready(worker, connection);
}

void sender_release(struct worker *worker, struct connection *connection)
{
    assert((connection->lanes & (LANE_SEND | LANE_LOAD)) == 0);
    struct segment segment;
    while (outbox_take_any(&connection->outbox, &segment)) {
        release_segment(worker, connection, &segment);
    }
    assert(connection->chunk == NULL);
    give_outbuf(worker, connection);
}

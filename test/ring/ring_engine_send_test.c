/*
 * The engines' sends, and how a connection ends under them.
 */
#include "ring_engine.h"

#include <pthread.h>

enum {
    BODY_SIZE = 1024 * 1024
};

/* A reader that is slower than the sender. */
struct reader {
    pthread_t thread;
    int fd;
    uint8_t *bytes;
    size_t size;
};

static void *reader_main(void *argument)
{
    struct reader *reader = argument;
    for (size_t done = 0; done < reader->size;) {
        size_t left = reader->size - done;
        ssize_t count = recv(reader->fd, reader->bytes + done, left < 5000 ? left : 5000, 0);
        if (count <= 0) {
            break;
        }
        done += (size_t)count;
    }
    return NULL;
}

static void reader_start(struct reader *reader, int fd, size_t size)
{
    *reader = (struct reader){ .fd = fd, .bytes = pages_map(size), .size = size };
    assert_int_equal(pthread_create(&reader->thread, NULL, reader_main, reader), 0);
}

static void reader_assert_pattern(struct reader *reader)
{
    assert_int_equal(pthread_join(reader->thread, NULL), 0);
    assert_pattern(reader->bytes, 0, reader->size);
    munmap(reader->bytes, reader->size);
}

static uint8_t *body_open(void)
{
    uint8_t *body = pages_map(BODY_SIZE);
    pattern_fill(body, BODY_SIZE);
    return body;
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static void a_send_is_whole_however_slow_the_peer(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_narrow_open();
    uint8_t *body = body_open();
    struct reader reader;
    uring_send(uring, token_for(OP_SEND), pair.near, body, BODY_SIZE, 0);
    assert_nothing_happens(uring);
    reader_start(&reader, pair.far, BODY_SIZE);
    assert_int_equal(last_result(uring, OP_SEND), BODY_SIZE);
    reader_assert_pattern(&reader);
    uring_close(uring, pair.near);
    uring_destroy(uring);
    close(pair.far);
    munmap(body, BODY_SIZE);
}

/* Pieces of all sizes, so that a short send ends within one, at its end, and at its start. */
static void a_vector_is_whole_and_its_array_is_copied(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_narrow_open();
    uint8_t *body = body_open();
    struct reader reader;
    struct iovec pieces[URING_IOVECS_MAX];
    size_t offset = 0;
    for (uint32_t i = 0; i < URING_IOVECS_MAX; i++) {
        size_t size = i + 1 < URING_IOVECS_MAX ? 1 + i * 9000 : BODY_SIZE - offset;
        pieces[i] = (struct iovec){ .iov_base = body + offset, .iov_len = size };
        offset += size;
    }
    assert_int_equal(offset, BODY_SIZE);
    uring_send_vector(uring, token_for(OP_SEND), pair.near, pieces, URING_IOVECS_MAX, 0);
    memset(pieces, 0, sizeof pieces);
    assert_nothing_happens(uring);
    reader_start(&reader, pair.far, BODY_SIZE);
    assert_int_equal(last_result(uring, OP_SEND), BODY_SIZE);
    reader_assert_pattern(&reader);
    uring_close(uring, pair.near);
    uring_destroy(uring);
    close(pair.far);
    munmap(body, BODY_SIZE);
}

static void sends_of_one_piece_and_of_several_follow_one_another(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_open();
    uint8_t bytes[60];
    uint8_t got[sizeof bytes];
    pattern_fill(bytes, sizeof bytes);
    for (int round = 0; round < 100; round++) {
        struct iovec pieces[2] = { { bytes + 20, 10 }, { bytes + 30, 30 } };
        uring_send(uring, token_for(OP_SEND), pair.near, bytes, 20, URING_SEND_MORE);
        assert_int_equal(last_result(uring, OP_SEND), 20);
        uring_send_vector(uring, token_for(OP_SEND), pair.near, pieces, 2, 0);
        assert_int_equal(last_result(uring, OP_SEND), 40);
        far_read(pair.far, got, sizeof got);
        assert_pattern(got, 0, sizeof got);
    }
    uring_close(uring, pair.near);
    uring_destroy(uring);
    close(pair.far);
}

/* Of a chunk: the kernel may copy, and a notice follows exactly where it was promised. */
static void a_zero_copy_send_is_whole_and_its_notice_comes_if_promised(void **state)
{
    struct uring *uring = engine_of(state);
    struct uring_pool *pool = NULL;
    assert_int_equal(uring_pool_create(uring, 65536, 2, true, &pool), 0);
    struct uring_chunk *chunk = uring_chunk_take(pool);
    pattern_fill((uint8_t *)chunk->data, chunk->size);
    struct tcp_pair pair = tcp_pair_open();
    uint8_t *got = pages_map(chunk->size);
    uring_send_zero_copy(uring, token_for(OP_SEND), pair.near, chunk, 1000, chunk->size - 1000);
    struct uring_event event = next_event(uring);
    assert_int_equal(event.result, chunk->size - 1000);
    assert_false(event.notice);
    far_read(pair.far, got, chunk->size - 1000);
    assert_pattern(got, 1000, chunk->size - 1000);
    if (event.more) {
        event = next_event(uring);
        assert_true(event.notice);
        assert_false(event.more);
    }
    assert_nothing_happens(uring);
    uring_chunk_give(pool, chunk);
    uring_pool_destroy(pool);
    assert_int_equal(uring_counters(uring)->slabs_plain, 0);
    uring_close(uring, pair.near);
    uring_destroy(uring);
    close(pair.far);
    munmap(got, 65536);
}

/* --- what fits ---------------------------------------------------------------------------------
 */

static void a_send_without_waiting_takes_what_fits_and_then_nothing(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_narrow_open();
    uint8_t *body = body_open();
    size_t sent = 0;
    int32_t result;
    do {
        uring_send(uring, token_for(OP_SEND), pair.near, body + sent, (uint32_t)(BODY_SIZE - sent),
                   URING_SEND_NOWAIT);
        result = last_result(uring, OP_SEND);
        assert_true(result > 0 || result == -EAGAIN);
        sent += result > 0 ? (size_t)result : 0;
        assert_true(sent < BODY_SIZE);
    } while (result > 0);
    uint8_t *got = pages_map(BODY_SIZE);
    far_read(pair.far, got, sent);
    assert_pattern(got, 0, sent);
    uring_close(uring, pair.near);
    uring_destroy(uring);
    close(pair.far);
    munmap(got, BODY_SIZE);
    munmap(body, BODY_SIZE);
}

/* Fills the socket. Returns how much that took. */
static size_t fill(int fd, const uint8_t *body)
{
    size_t sent = 0;
    ssize_t count;
    while ((count = send(fd, body + sent, BODY_SIZE - sent, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
        sent += (size_t)count;
    }
    assert_int_equal(errno, EAGAIN);
    return sent;
}

static void poll_tells_when_a_socket_takes_bytes_again(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_narrow_open();
    uint8_t *body = body_open();
    uint8_t *got = pages_map(BODY_SIZE);
    for (int round = 0; round < 3; round++) {
        uring_poll_writable(uring, token_for(OP_POLL), pair.near); /* it takes some now */
        assert_true(last_result(uring, OP_POLL) & POLLOUT);
        size_t size = fill(pair.near, body);
        uring_poll_writable(uring, token_for(OP_POLL), pair.near);
        assert_nothing_happens(uring);
        far_read(pair.far, got, size);
        assert_true(last_result(uring, OP_POLL) & POLLOUT);
    }
    uring_close(uring, pair.near);
    uring_destroy(uring);
    close(pair.far);
    munmap(got, BODY_SIZE);
    munmap(body, BODY_SIZE);
}

static void poll_tells_of_a_reset(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_narrow_open();
    uint8_t *body = body_open();
    (void)fill(pair.near, body);
    uring_poll_writable(uring, token_for(OP_POLL), pair.near);
    assert_nothing_happens(uring);
    socket_reset(pair.far);
    assert_true(last_result(uring, OP_POLL) & (POLLERR | POLLHUP));
    uring_close(uring, pair.near);
    uring_destroy(uring);
    munmap(body, BODY_SIZE);
}

/* --- both directions, and the end --------------------------------------------------------------
 */

static void bytes_are_received_while_a_send_waits(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_narrow_open();
    uint8_t *body = body_open();
    struct reader reader;
    uring_recv(uring, token_for(OP_RECV), pair.near);
    uring_send(uring, token_for(OP_SEND), pair.near, body, BODY_SIZE, 0);
    assert_nothing_happens(uring);
    for (int i = 0; i < 10; i++) {
        far_send(pair.far, "x", 1);
        struct uring_event event = next_event(uring);
        assert_int_equal(event.token.op, OP_RECV);
        assert_int_equal(event.result, 1);
        uring_recv_release(uring, event.buffer);
    }
    reader_start(&reader, pair.far, BODY_SIZE);
    assert_int_equal(last_result(uring, OP_SEND), BODY_SIZE);
    reader_assert_pattern(&reader);
    uring_shutdown(uring, pair.near, SHUT_RDWR);
    assert_int_equal(last_result(uring, OP_RECV), 0);
    uring_close(uring, pair.near);
    uring_destroy(uring);
    close(pair.far);
    munmap(body, BODY_SIZE);
}

/* How a connection is given up: its operations end, and it may be closed. */
static void shutdown_ends_a_recv_and_a_send_that_wait(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_narrow_open();
    uint8_t *body = body_open();
    uring_recv(uring, token_for(OP_RECV), pair.near);
    uring_send(uring, token_for(OP_SEND), pair.near, body, BODY_SIZE, 0);
    assert_nothing_happens(uring);
    uring_shutdown(uring, pair.near, SHUT_RDWR);
    for (int i = 0; i < 2; i++) {
        struct uring_event event = next_event(uring);
        assert_false(event.more);
        if (event.token.op == OP_RECV) {
            assert_int_equal(event.result, 0);
        } else { /* what has gone out, or that nothing had */
            assert_true(event.result == -EPIPE || event.result > 0);
            assert_true(event.result < BODY_SIZE);
        }
    }
    uring_close(uring, pair.near);
    uring_destroy(uring);
    close(pair.far);
    munmap(body, BODY_SIZE);
}

static void shutdown_ends_a_send_on_a_unix_socket(void **state)
{
    struct uring *uring = engine_of(state);
    uint8_t *body = body_open();
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    uring_send(uring, token_for(OP_SEND), ends[0], body, BODY_SIZE, 0);
    assert_nothing_happens(uring);
    uring_shutdown(uring, ends[0], SHUT_RDWR);
    int32_t result = last_result(uring, OP_SEND);
    assert_true(result == -EPIPE || (result > 0 && result < BODY_SIZE));
    uring_close(uring, ends[0]);
    uring_destroy(uring);
    close(ends[1]);
    munmap(body, BODY_SIZE);
}

static void a_reset_ends_a_send_that_waits(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_narrow_open();
    uint8_t *body = body_open();
    uring_send(uring, token_for(OP_SEND), pair.near, body, BODY_SIZE, 0);
    assert_nothing_happens(uring);
    socket_reset(pair.far);
    int32_t result = last_result(uring, OP_SEND);
    assert_true(result == -ECONNRESET || result == -EPIPE || (result > 0 && result < BODY_SIZE));
    uring_close(uring, pair.near);
    uring_destroy(uring);
    munmap(body, BODY_SIZE);
}

static void close_waits_for_what_was_queued_before(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_open();
    uint8_t got[4];
    uring_send(uring, token_for(OP_SEND), pair.near, "last", 4, 0);
    uring_close(uring, pair.near);
    assert_int_equal(last_result(uring, OP_SEND), 4);
    far_read(pair.far, got, 4);
    uring_close(uring, 1000000);
    assert_nothing_happens(uring);
    assert_far_ended(pair.far);
    assert_int_equal(uring_counters(uring)->close_failures, 1);
    uring_destroy(uring);
    close(pair.far);
}

static void what_is_closed_at_the_very_end_is_closed(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_open();
    uring_close(uring, pair.near);
    uring_destroy(uring);
    assert_far_ended(pair.far);
    close(pair.far);
}

static void abort_is_a_reset(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_open();
    char byte;
    uring_abort(uring, pair.near);
    assert_nothing_happens(uring);
    assert_readable(pair.far);
    assert_int_equal(recv(pair.far, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, ECONNRESET);
    uring_destroy(uring);
    close(pair.far);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_send_is_whole_however_slow_the_peer),
        ON_BOTH(a_vector_is_whole_and_its_array_is_copied),
        ON_BOTH(sends_of_one_piece_and_of_several_follow_one_another),
        ON_BOTH(a_zero_copy_send_is_whole_and_its_notice_comes_if_promised),
        ON_BOTH(a_send_without_waiting_takes_what_fits_and_then_nothing),
        ON_BOTH(poll_tells_when_a_socket_takes_bytes_again),
        ON_BOTH(poll_tells_of_a_reset),
        ON_BOTH(bytes_are_received_while_a_send_waits),
        ON_BOTH(shutdown_ends_a_recv_and_a_send_that_wait),
        ON_BOTH(shutdown_ends_a_send_on_a_unix_socket),
        ON_BOTH(a_reset_ends_a_send_that_waits),
        ON_BOTH(close_waits_for_what_was_queued_before),
        ON_BOTH(what_is_closed_at_the_very_end_is_closed),
        ON_BOTH(abort_is_a_reset),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring_engine_send", tests, NULL, NULL);
}

/* Multishot recv over a ring of provided buffers: what arrives, what ends it, what is kept. */
#include "ring_helpers.h"

enum {
    TOKEN_RECV = 1,
    TOKEN_CANCEL
};
enum {
    BUFFER_SIZE = 64,
    BUFFERS_MAX = 8
};

/* A connection whose near end is received from, into the first `given` buffers of a ring. */
struct receiver {
    struct io_uring ring;
    struct buffers buffers;
    struct tcp_pair pair;
};

static void receiver_open(struct receiver *receiver, unsigned given)
{
    ring_open(&receiver->ring);
    receiver->buffers = buffers_open(&receiver->ring, BUFFERS_MAX, BUFFER_SIZE, given);
    receiver->pair = tcp_pair_open();
}

static void receiver_close(struct receiver *receiver)
{
    io_uring_queue_exit(&receiver->ring);
    buffers_close(&receiver->buffers);
    tcp_pair_close(receiver->pair);
}

/* The peer sends bytes `offset`... of the pattern. */
static void peer_send(struct receiver *receiver, size_t offset, size_t size)
{
    uint8_t bytes[BUFFERS_MAX * BUFFER_SIZE];

    assert_true(offset + size <= sizeof bytes);
    pattern_fill(bytes, sizeof bytes);
    assert_int_equal(send(receiver->pair.far, bytes + offset, size, MSG_NOSIGNAL), size);
}

/* The next event, which must deliver `size` bytes of the pattern; returns whether MORE follows. */
static bool expect_bytes(struct receiver *receiver, size_t offset, size_t size)
{
    struct ring_event event = ring_next(&receiver->ring);
    unsigned id = event.flags >> IORING_CQE_BUFFER_SHIFT;

    assert_int_equal(event.token, TOKEN_RECV);
    assert_int_equal(event.result, size);
    assert_true((event.flags & IORING_CQE_F_BUFFER) != 0);
    assert_true(id < BUFFERS_MAX);
    assert_pattern(receiver->buffers.memory + (size_t)id * BUFFER_SIZE, offset, size);
    return (event.flags & IORING_CQE_F_MORE) != 0;
}

/* The next event, which must end the multishot with `result` and take no buffer. */
static void expect_end(struct receiver *receiver, int result)
{
    struct ring_event event = ring_next(&receiver->ring);

    assert_int_equal(event.token, TOKEN_RECV);
    assert_int_equal(event.result, result);
    assert_int_equal(event.flags & IORING_CQE_F_MORE, 0);
    assert_int_equal(event.flags & IORING_CQE_F_BUFFER, 0);
}

static void cancel_queue(struct io_uring *ring, unsigned char sqe_flags)
{
    struct io_uring_sqe *sqe = ring_sqe(ring, TOKEN_CANCEL);

    io_uring_prep_cancel64(sqe, TOKEN_RECV, 0);
    sqe_finish(sqe, TOKEN_CANCEL, sqe_flags);
}

static void multishot_recv_posts_an_event_with_more_for_every_arrival(void **state)
{
    struct receiver receiver;

    (void)state;
    receiver_open(&receiver, BUFFERS_MAX);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    for (size_t i = 0; i < 3; i++) {
        peer_send(&receiver, i * 10, 10);
        assert_true(expect_bytes(&receiver, i * 10, 10));
    }
    receiver_close(&receiver);
}

static void multishot_recv_splits_an_arrival_over_buffers_in_order(void **state)
{
    struct receiver receiver;

    (void)state;
    receiver_open(&receiver, BUFFERS_MAX);
    peer_send(&receiver, 0, 3 * BUFFER_SIZE - 1);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    assert_true(expect_bytes(&receiver, 0, BUFFER_SIZE));
    assert_true(expect_bytes(&receiver, BUFFER_SIZE, BUFFER_SIZE));
    assert_true(expect_bytes(&receiver, (size_t)2 * BUFFER_SIZE, BUFFER_SIZE - 1));
    receiver_close(&receiver);
}

static void recv_with_waiting_data_and_no_buffer_ends_with_enobufs(void **state)
{
    struct receiver receiver;

    (void)state;
    receiver_open(&receiver, 0);
    peer_send(&receiver, 0, 10);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    expect_end(&receiver, -ENOBUFS);
    ring_assert_quiet(&receiver.ring);
    receiver_close(&receiver);
}

static void an_emptied_ring_ends_multishot_recv_with_enobufs_once_more_data_waits(void **state)
{
    struct receiver receiver;

    (void)state;
    receiver_open(&receiver, 2);
    peer_send(&receiver, 0, 3 * BUFFER_SIZE);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    assert_true(expect_bytes(&receiver, 0, BUFFER_SIZE));
    assert_true(expect_bytes(&receiver, BUFFER_SIZE, BUFFER_SIZE));
    expect_end(&receiver, -ENOBUFS);
    ring_assert_quiet(&receiver.ring);
    receiver_close(&receiver);
}

static void recv_armed_again_after_enobufs_delivers_the_waiting_data(void **state)
{
    struct receiver receiver;

    (void)state;
    receiver_open(&receiver, 0);
    peer_send(&receiver, 0, BUFFER_SIZE + 9);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    expect_end(&receiver, -ENOBUFS);
    buffers_give(&receiver.buffers, 0);
    buffers_give(&receiver.buffers, 1);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    assert_true(expect_bytes(&receiver, 0, BUFFER_SIZE));
    assert_true(expect_bytes(&receiver, BUFFER_SIZE, 9));
    receiver_close(&receiver);
}

static void a_buffer_given_back_serves_again_without_arming_again(void **state)
{
    struct receiver receiver;

    (void)state;
    receiver_open(&receiver, 2);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    for (size_t i = 0; i < BUFFERS_MAX; i++) {
        peer_send(&receiver, i * 10, 10);
        assert_true(expect_bytes(&receiver, i * 10, 10));
        buffers_give(&receiver.buffers, (unsigned)(i % 2));
    }
    receiver_close(&receiver);
}

static void an_end_of_stream_ends_multishot_recv_with_0(void **state)
{
    struct receiver receiver;

    (void)state;
    receiver_open(&receiver, BUFFERS_MAX);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    peer_send(&receiver, 0, 10);
    assert_true(expect_bytes(&receiver, 0, 10));
    assert_int_equal(shutdown(receiver.pair.far, SHUT_WR), 0);
    expect_end(&receiver, 0);
    ring_assert_quiet(&receiver.ring);
    receiver_close(&receiver);
}

static void a_reset_ends_multishot_recv_with_econnreset(void **state)
{
    struct receiver receiver;

    (void)state;
    receiver_open(&receiver, BUFFERS_MAX);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    ring_assert_quiet(&receiver.ring);
    socket_reset(receiver.pair.far);
    receiver.pair.far = -1;
    expect_end(&receiver, -ECONNRESET);
    receiver_close(&receiver);
}

static void an_event_without_data_takes_no_buffer_from_the_ring(void **state)
{
    struct receiver receiver;
    struct tcp_pair other = tcp_pair_open();

    (void)state;
    receiver_open(&receiver, 1);
    recv_arm(&receiver.ring, other.near, TOKEN_RECV);
    assert_int_equal(shutdown(other.far, SHUT_WR), 0);
    expect_end(&receiver, 0);
    peer_send(&receiver, 0, 10);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    assert_true(expect_bytes(&receiver, 0, 10));
    receiver_close(&receiver);
    tcp_pair_close(other);
}

static void an_idle_connection_holds_no_buffer(void **state)
{
    struct receiver receiver;
    struct tcp_pair idle = tcp_pair_open();

    (void)state;
    receiver_open(&receiver, 1);
    recv_arm(&receiver.ring, idle.near, TOKEN_CANCEL);
    ring_assert_quiet(&receiver.ring);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    peer_send(&receiver, 0, 10);
    expect_bytes(&receiver, 0, 10);
    receiver_close(&receiver);
    tcp_pair_close(idle);
}

static void cancel_ends_multishot_recv_with_ecanceled_exactly_once(void **state)
{
    struct receiver receiver;
    struct ring_event events[2];

    (void)state;
    receiver_open(&receiver, BUFFERS_MAX);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    ring_assert_quiet(&receiver.ring);
    cancel_queue(&receiver.ring, 0);
    ring_take(&receiver.ring, events, 2);
    assert_int_equal(event_of(events, 2, TOKEN_CANCEL).result, 0);
    assert_int_equal(event_of(events, 2, TOKEN_RECV).result, -ECANCELED);
    assert_int_equal(event_of(events, 2, TOKEN_RECV).flags & IORING_CQE_F_MORE, 0);
    peer_send(&receiver, 0, 10);
    ring_assert_quiet(&receiver.ring);
    receiver_close(&receiver);
}

static void cancel_with_skip_success_leaves_only_the_event_of_the_recv(void **state)
{
    struct receiver receiver;

    (void)state;
    receiver_open(&receiver, BUFFERS_MAX);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    ring_assert_quiet(&receiver.ring);
    cancel_queue(&receiver.ring, IOSQE_CQE_SKIP_SUCCESS);
    expect_end(&receiver, -ECANCELED);
    ring_assert_quiet(&receiver.ring);
    receiver_close(&receiver);
}

static void cancel_of_what_has_ended_gives_enoent_even_with_skip_success(void **state)
{
    struct receiver receiver;

    (void)state;
    receiver_open(&receiver, BUFFERS_MAX);
    cancel_queue(&receiver.ring, IOSQE_CQE_SKIP_SUCCESS);
    assert_int_equal(ring_result(&receiver.ring, TOKEN_CANCEL), -ENOENT);
    receiver_close(&receiver);
}

/* Back-pressure rests on this: cancel, let the peer fill the socket, arm again later. */
static void cancelling_recv_loses_no_byte_and_arming_again_goes_on(void **state)
{
    struct receiver receiver;

    (void)state;
    receiver_open(&receiver, BUFFERS_MAX);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    peer_send(&receiver, 0, 10);
    assert_true(expect_bytes(&receiver, 0, 10));
    cancel_queue(&receiver.ring, IOSQE_CQE_SKIP_SUCCESS);
    expect_end(&receiver, -ECANCELED);
    peer_send(&receiver, 10, 20);
    ring_assert_quiet(&receiver.ring);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    assert_true(expect_bytes(&receiver, 10, 20));
    receiver_close(&receiver);
}

static void recv_without_a_buffer_group_gives_enobufs(void **state)
{
    struct receiver receiver;

    (void)state;
    receiver_open(&receiver, BUFFERS_MAX);
    recv_arm(&receiver.ring, receiver.pair.near, TOKEN_RECV);
    assert_int_equal(io_uring_unregister_buf_ring(&receiver.ring, BUFFER_GROUP), 0);
    peer_send(&receiver, 0, 10);
    expect_end(&receiver, -ENOBUFS);
    receiver_close(&receiver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multishot_recv_posts_an_event_with_more_for_every_arrival),
        cmocka_unit_test(multishot_recv_splits_an_arrival_over_buffers_in_order),
        cmocka_unit_test(recv_with_waiting_data_and_no_buffer_ends_with_enobufs),
        cmocka_unit_test(an_emptied_ring_ends_multishot_recv_with_enobufs_once_more_data_waits),
        cmocka_unit_test(recv_armed_again_after_enobufs_delivers_the_waiting_data),
        cmocka_unit_test(a_buffer_given_back_serves_again_without_arming_again),
        cmocka_unit_test(an_end_of_stream_ends_multishot_recv_with_0),
        cmocka_unit_test(a_reset_ends_multishot_recv_with_econnreset),
        cmocka_unit_test(an_event_without_data_takes_no_buffer_from_the_ring),
        cmocka_unit_test(an_idle_connection_holds_no_buffer),
        cmocka_unit_test(cancel_ends_multishot_recv_with_ecanceled_exactly_once),
        cmocka_unit_test(cancel_with_skip_success_leaves_only_the_event_of_the_recv),
        cmocka_unit_test(cancel_of_what_has_ended_gives_enoent_even_with_skip_success),
        cmocka_unit_test(cancelling_recv_loses_no_byte_and_arming_again_goes_on),
        cmocka_unit_test(recv_without_a_buffer_group_gives_enobufs),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring_recv", tests, NULL, NULL) == 0 ? 0 : 1;
}

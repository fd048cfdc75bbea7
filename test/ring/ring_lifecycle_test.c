/*
 * How a connection's operations end (shutdown, close, cancel), and how a ring is woken: by a
 * message from another ring, or by a timeout. Join before release rests on what is pinned here.
 */
#include "ring_helpers.h"

#include <pthread.h>
#include <stdio.h>

#ifndef IORING_REGISTER_SEND_MSG_RING
#define IORING_REGISTER_SEND_MSG_RING 31
#endif

enum {
    TOKEN_RECV = 1,
    TOKEN_SEND,
    TOKEN_CLOSE,
    TOKEN_CANCEL,
    TOKEN_TIMEOUT,
    TOKEN_MESSAGE
};
enum {
    BODY_SIZE = 1024 * 1024,
    MESSAGE_RESULT = 4711
};

static void recv_queue(struct io_uring *ring, int descriptor, void *bytes, size_t size)
{
    struct io_uring_sqe *sqe = ring_sqe(ring, TOKEN_RECV);

    io_uring_prep_recv(sqe, descriptor, bytes, size, 0);
    sqe_finish(sqe, TOKEN_RECV, 0);
}

static void cancel_queue(struct io_uring *ring, uint64_t token)
{
    struct io_uring_sqe *sqe = ring_sqe(ring, TOKEN_CANCEL);

    io_uring_prep_cancel64(sqe, token, 0);
    sqe_finish(sqe, TOKEN_CANCEL, IOSQE_CQE_SKIP_SUCCESS);
}

/* --- shutdown and close ----------------------------------------------------------------------- */

static void shutdown_of_both_ways_ends_a_pending_recv_with_0(void **state)
{
    struct io_uring ring;
    struct tcp_pair pair = tcp_pair_open();
    char bytes[8];

    (void)state;
    ring_open(&ring);
    recv_queue(&ring, pair.near, bytes, sizeof bytes);
    ring_assert_quiet(&ring);
    assert_int_equal(shutdown(pair.near, SHUT_RDWR), 0);
    assert_int_equal(ring_result(&ring, TOKEN_RECV), 0);
    io_uring_queue_exit(&ring);
    tcp_pair_close(pair);
}

static void shutdown_of_both_ways_ends_a_multishot_recv_with_0_and_without_more(void **state)
{
    struct io_uring ring;
    struct tcp_pair pair = tcp_pair_open();

    (void)state;
    ring_open(&ring);
    struct buffers buffers = buffers_open(&ring, 4, 64, 4);
    recv_arm(&ring, pair.near, TOKEN_RECV);
    ring_assert_quiet(&ring);
    assert_int_equal(shutdown(pair.near, SHUT_RDWR), 0);
    struct ring_event event = ring_next(&ring);
    assert_int_equal(event.token, TOKEN_RECV);
    assert_int_equal(event.result, 0);
    assert_int_equal(event.flags & IORING_CQE_F_MORE, 0);
    io_uring_queue_exit(&ring);
    buffers_close(&buffers);
    tcp_pair_close(pair);
}

/* Lingering: after SHUT_WR the request's tail is still to be swallowed. */
static void shutdown_of_the_write_side_leaves_a_multishot_recv_armed(void **state)
{
    struct io_uring ring;
    struct tcp_pair pair = tcp_pair_open();

    (void)state;
    ring_open(&ring);
    struct buffers buffers = buffers_open(&ring, 4, 64, 4);
    recv_arm(&ring, pair.near, TOKEN_RECV);
    assert_int_equal(shutdown(pair.near, SHUT_WR), 0);
    ring_assert_quiet(&ring);
    assert_int_equal(send(pair.far, "tail", 4, MSG_NOSIGNAL), 4);
    assert_int_equal(ring_result(&ring, TOKEN_RECV), 4);
    io_uring_queue_exit(&ring);
    buffers_close(&buffers);
    tcp_pair_close(pair);
}

static void close_with_a_pending_recv_posts_nothing_and_sends_no_fin_until_joined(void **state)
{
    struct io_uring ring;
    struct tcp_pair pair = tcp_pair_open();
    char bytes[8];
    char byte;

    (void)state;
    ring_open(&ring);
    recv_queue(&ring, pair.near, bytes, sizeof bytes);
    ring_assert_quiet(&ring);
    assert_int_equal(close(pair.near), 0);
    ring_assert_quiet(&ring);
    assert_int_equal(recv(pair.far, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    cancel_queue(&ring, TOKEN_RECV);
    assert_int_equal(ring_result(&ring, TOKEN_RECV), -ECANCELED);
    ring_assert_quiet(&ring);
    assert_readable(pair.far);
    assert_int_equal(recv(pair.far, &byte, 1, MSG_DONTWAIT), 0);
    io_uring_queue_exit(&ring);
    close(pair.far);
}

static void shutdown_through_the_ring_with_skip_success_posts_nothing_and_sends_the_fin(
    void **state)
{
    struct io_uring ring;
    struct tcp_pair pair = tcp_pair_open();
    char byte;

    (void)state;
    ring_open(&ring);
    struct io_uring_sqe *sqe = ring_sqe(&ring, TOKEN_CLOSE);
    io_uring_prep_shutdown(sqe, pair.near, SHUT_WR);
    sqe_finish(sqe, TOKEN_CLOSE, IOSQE_CQE_SKIP_SUCCESS);
    assert_int_equal(io_uring_submit(&ring), 1);
    assert_readable(pair.far);
    assert_int_equal(recv(pair.far, &byte, 1, MSG_DONTWAIT), 0);
    ring_assert_quiet(&ring);
    io_uring_queue_exit(&ring);
    tcp_pair_close(pair);
}

static void close_through_the_ring_with_skip_success_posts_nothing_and_sends_the_fin(void **state)
{
    struct io_uring ring;
    struct tcp_pair pair = tcp_pair_open();
    char byte;

    (void)state;
    ring_open(&ring);
    struct io_uring_sqe *sqe = ring_sqe(&ring, TOKEN_CLOSE);
    io_uring_prep_close(sqe, pair.near);
    sqe_finish(sqe, TOKEN_CLOSE, IOSQE_CQE_SKIP_SUCCESS);
    assert_int_equal(io_uring_submit(&ring), 1);
    assert_readable(pair.far);
    assert_int_equal(recv(pair.far, &byte, 1, MSG_DONTWAIT), 0);
    ring_assert_quiet(&ring);
    io_uring_queue_exit(&ring);
    close(pair.far);
}

static void close_that_fails_posts_its_error_even_with_skip_success(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open(&ring);
    struct io_uring_sqe *sqe = ring_sqe(&ring, TOKEN_CLOSE);
    io_uring_prep_close(sqe, 1000000);
    sqe_finish(sqe, TOKEN_CLOSE, IOSQE_CQE_SKIP_SUCCESS);
    assert_int_equal(ring_result(&ring, TOKEN_CLOSE), -EBADF);
    io_uring_queue_exit(&ring);
}

/* --- a send that cannot go on ------------------------------------------------------------------
 */

/* A send of more than the sockets hold, to a peer that does not read; now it waits. */
struct stuck {
    struct io_uring ring;
    struct tcp_pair pair;
    uint8_t *body;
};

static void stuck_open(struct stuck *stuck, bool zero_copy)
{
    ring_open(&stuck->ring);
    stuck->pair = tcp_pair_narrow_open();
    stuck->body = pages_map(BODY_SIZE);
    struct io_uring_sqe *sqe = ring_sqe(&stuck->ring, TOKEN_SEND);
    if (zero_copy) {
        io_uring_prep_send_zc(sqe, stuck->pair.near, stuck->body, BODY_SIZE, MSG_WAITALL, 0);
    } else {
        io_uring_prep_send(sqe, stuck->pair.near, stuck->body, BODY_SIZE, MSG_WAITALL);
    }
    sqe_finish(sqe, TOKEN_SEND, 0);
    ring_assert_quiet(&stuck->ring);
}

static void stuck_close(struct stuck *stuck)
{
    io_uring_queue_exit(&stuck->ring);
    tcp_pair_close(stuck->pair);
    munmap(stuck->body, BODY_SIZE);
}

/* Some bytes had left before the send was stopped: their number is the result, not an error. */
static struct ring_event expect_partial(struct stuck *stuck)
{
    struct ring_event event = ring_next(&stuck->ring);

    assert_int_equal(event.token, TOKEN_SEND);
    assert_in_range(event.result, 1, BODY_SIZE - 1);
    return event;
}

static void shutdown_ends_a_stuck_send_with_the_bytes_that_had_left(void **state)
{
    struct stuck stuck;

    (void)state;
    stuck_open(&stuck, false);
    assert_int_equal(shutdown(stuck.pair.near, SHUT_RDWR), 0);
    expect_partial(&stuck);
    ring_assert_quiet(&stuck.ring);
    stuck_close(&stuck);
}

static void cancel_ends_a_stuck_send_with_the_bytes_that_had_left(void **state)
{
    struct stuck stuck;

    (void)state;
    stuck_open(&stuck, false);
    cancel_queue(&stuck.ring, TOKEN_SEND);
    expect_partial(&stuck);
    ring_assert_quiet(&stuck.ring);
    stuck_close(&stuck);
}

static void a_reset_ends_a_stuck_send_with_the_bytes_that_had_left(void **state)
{
    struct stuck stuck;

    (void)state;
    stuck_open(&stuck, false);
    socket_reset(stuck.pair.far);
    stuck.pair.far = -1;
    expect_partial(&stuck);
    stuck_close(&stuck);
}

/* Shutdown does not free zero-copy memory that waits for a reader; a reset of our own does. */
static void a_notice_owed_to_a_stuck_peer_comes_when_our_side_resets(void **state)
{
    struct stuck stuck;

    (void)state;
    stuck_open(&stuck, true);
    assert_int_equal(shutdown(stuck.pair.near, SHUT_RDWR), 0);
    struct ring_event event = expect_partial(&stuck);
    assert_int_not_equal(event.flags & IORING_CQE_F_MORE, 0);
    ring_assert_quiet(&stuck.ring);
    socket_reset(stuck.pair.near);
    stuck.pair.near = -1;
    event = ring_next(&stuck.ring);
    assert_int_equal(event.token, TOKEN_SEND);
    assert_int_not_equal(event.flags & IORING_CQE_F_NOTIF, 0);
    stuck_close(&stuck);
}

/* --- waking a ring -----------------------------------------------------------------------------
 */

struct sender {
    int target;
    pid_t waiter; /* send once this thread sleeps; 0: at once */
    int32_t result;
};

static char thread_state(pid_t thread)
{
    char name[64];
    char text[256] = { 0 };

    snprintf(name, sizeof name, "/proc/self/task/%d/stat", (int)thread);
    int file = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    const char *end = size > 0 ? strrchr(text, ')') : NULL;
    return end != NULL ? end[2] : 'X';
}

static void *message_send(void *argument)
{
    struct sender *sender = argument;
    struct io_uring ring;
    struct ring_event event = { 0 };

    if (ring_create(&ring, 4, 0) != 0) {
        return NULL;
    }
    while (sender->waiter != 0 && thread_state(sender->waiter) == 'R') {
        sched_yield();
    }
    struct io_uring_sqe *sqe = ring_sqe(&ring, TOKEN_SEND);
    io_uring_prep_msg_ring(sqe, sender->target, MESSAGE_RESULT, TOKEN_MESSAGE, 0);
    sqe_finish(sqe, TOKEN_SEND, 0);
    if (ring_try_next(&ring, &event) == 0) {
        sender->result = event.result;
    }
    io_uring_queue_exit(&ring);
    return NULL;
}

static void a_message_wakes_a_ring_that_waits_and_brings_result_and_token(void **state)
{
    struct io_uring ring;
    pthread_t thread;

    (void)state;
    ring_open(&ring);
    struct sender sender = { ring.ring_fd, gettid(), -1 };
    assert_int_equal(pthread_create(&thread, NULL, message_send, &sender), 0);
    assert_int_equal(ring_result(&ring, TOKEN_MESSAGE), MESSAGE_RESULT);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sender.result, 0);
    io_uring_queue_exit(&ring);
}

static void a_message_to_a_ring_that_does_not_wait_is_kept_for_it(void **state)
{
    struct io_uring ring;
    pthread_t thread;

    (void)state;
    ring_open(&ring);
    struct sender sender = { ring.ring_fd, 0, -1 };
    assert_int_equal(pthread_create(&thread, NULL, message_send, &sender), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sender.result, 0);
    assert_int_equal(ring_result(&ring, TOKEN_MESSAGE), MESSAGE_RESULT);
    io_uring_queue_exit(&ring);
}

static void a_message_to_what_is_no_ring_gives_ebadfd(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open(&ring);
    struct io_uring_sqe *sqe = ring_sqe(&ring, TOKEN_SEND);
    io_uring_prep_msg_ring(sqe, STDOUT_FILENO, MESSAGE_RESULT, TOKEN_MESSAGE, 0);
    sqe_finish(sqe, TOKEN_SEND, 0);
    assert_int_equal(ring_result(&ring, TOKEN_SEND), -EBADFD);
    io_uring_queue_exit(&ring);
}

/* So a thread without a ring, such as the one that waits for signals, can wake a worker. */
static void a_message_can_be_sent_without_a_ring_of_ones_own(void **state)
{
    struct io_uring ring;
    struct io_uring_sqe message = { .opcode = IORING_OP_MSG_RING };

    (void)state;
    ring_open(&ring);
    message.fd = ring.ring_fd;
    message.len = MESSAGE_RESULT;
    message.off = TOKEN_MESSAGE;
    long result = syscall(__NR_io_uring_register, -1, IORING_REGISTER_SEND_MSG_RING, &message, 1);
    if (result < 0) {
        io_uring_queue_exit(&ring);
        skip_because("no message without a ring: older than 6.13", errno);
    }
    assert_int_equal(ring_result(&ring, TOKEN_MESSAGE), MESSAGE_RESULT);
    io_uring_queue_exit(&ring);
}

static void a_timeout_posts_etime(void **state)
{
    struct io_uring ring;
    struct __kernel_timespec span = { .tv_nsec = 1000000 };

    (void)state;
    ring_open(&ring);
    struct io_uring_sqe *sqe = ring_sqe(&ring, TOKEN_TIMEOUT);
    io_uring_prep_timeout(sqe, &span, 0, 0);
    sqe_finish(sqe, TOKEN_TIMEOUT, 0);
    assert_int_equal(ring_result(&ring, TOKEN_TIMEOUT), -ETIME);
    io_uring_queue_exit(&ring);
}

static void a_cancelled_timeout_posts_ecanceled(void **state)
{
    struct io_uring ring;
    struct __kernel_timespec span = { .tv_sec = 1000 };

    (void)state;
    ring_open(&ring);
    struct io_uring_sqe *sqe = ring_sqe(&ring, TOKEN_TIMEOUT);
    io_uring_prep_timeout(sqe, &span, 0, 0);
    sqe_finish(sqe, TOKEN_TIMEOUT, 0);
    ring_assert_quiet(&ring);
    cancel_queue(&ring, TOKEN_TIMEOUT);
    assert_int_equal(ring_result(&ring, TOKEN_TIMEOUT), -ECANCELED);
    io_uring_queue_exit(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shutdown_of_both_ways_ends_a_pending_recv_with_0),
        cmocka_unit_test(shutdown_of_both_ways_ends_a_multishot_recv_with_0_and_without_more),
        cmocka_unit_test(shutdown_of_the_write_side_leaves_a_multishot_recv_armed),
        cmocka_unit_test(close_with_a_pending_recv_posts_nothing_and_sends_no_fin_until_joined),
        cmocka_unit_test(
            shutdown_through_the_ring_with_skip_success_posts_nothing_and_sends_the_fin),
        cmocka_unit_test(close_through_the_ring_with_skip_success_posts_nothing_and_sends_the_fin),
        cmocka_unit_test(close_that_fails_posts_its_error_even_with_skip_success),
        cmocka_unit_test(shutdown_ends_a_stuck_send_with_the_bytes_that_had_left),
        cmocka_unit_test(cancel_ends_a_stuck_send_with_the_bytes_that_had_left),
        cmocka_unit_test(a_reset_ends_a_stuck_send_with_the_bytes_that_had_left),
        cmocka_unit_test(a_notice_owed_to_a_stuck_peer_comes_when_our_side_resets),
        cmocka_unit_test(a_message_wakes_a_ring_that_waits_and_brings_result_and_token),
        cmocka_unit_test(a_message_to_a_ring_that_does_not_wait_is_kept_for_it),
        cmocka_unit_test(a_message_to_what_is_no_ring_gives_ebadfd),
        cmocka_unit_test(a_message_can_be_sent_without_a_ring_of_ones_own),
        cmocka_unit_test(a_timeout_posts_etime),
        cmocka_unit_test(a_cancelled_timeout_posts_ecanceled),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring_lifecycle", tests, NULL, NULL) == 0 ? 0 : 1;
}

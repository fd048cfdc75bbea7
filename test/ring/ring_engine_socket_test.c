/*
 * The engines' operations on sockets.
 */
#include "ring_engine.h"

#include <pthread.h>
#include <sys/resource.h>

enum {
    BODY_SIZE = 1024 * 1024
};

/* --- accept ------------------------------------------------------------------------------------
 */

static void accept_gives_every_connection_until_it_is_cancelled(void **state)
{
    struct uring *uring = engine_of(state);
    struct sockaddr_in address;
    int listener = listener_open(&address);
    assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
    int clients[3] = { client_connect(&address) }; /* one before, one between, one after */
    uring_accept(uring, token_for(OP_ACCEPT), listener);
    for (int i = 0; i < 3; i++) {
        struct uring_event event = next_event(uring);
        assert_int_equal(event.token.op, OP_ACCEPT);
        assert_true(event.more);
        assert_true(event.result >= 0);
        assert_int_equal(fcntl(event.result, F_GETFD), FD_CLOEXEC);
        uring_close(uring, event.result);
        if (i < 2) {
            clients[i + 1] = client_connect(&address);
        }
    }
    uring_cancel(uring, token_for(OP_ACCEPT));
    assert_int_equal(last_result(uring, OP_ACCEPT), -ECANCELED);
    int late = client_connect(&address); /* stays in the backlog */
    assert_nothing_happens(uring);
    uring_accept(uring, token_for(OP_ACCEPT), listener);
    struct uring_event event = next_event(uring);
    assert_true(event.result >= 0);
    uring_close(uring, event.result);
    uring_cancel(uring, token_for(OP_ACCEPT));
    assert_int_equal(last_result(uring, OP_ACCEPT), -ECANCELED);
    uring_destroy(uring);
    for (int i = 0; i < 3; i++) {
        close(clients[i]);
    }
    close(late);
    close(listener);
}

/* In a child: it lowers its own limit. */
static void run_out_of_descriptors(struct child_report *report, void *argument)
{
    struct uring_options options =
        engine_options(*(const enum uring_kind *)argument, BUFFERS_COUNT);
    struct uring *uring = NULL;
    struct sockaddr_in address;
    struct rlimit limit;
    struct uring_event event;
    report->values[0] = uring_create(&options, &uring);
    if (report->values[0] != 0) {
        return;
    }
    int listener = listener_open(&address);
    (void)fcntl(listener, F_SETFL, O_NONBLOCK);
    (void)client_connect(&address);
    (void)client_connect(&address);
    int next = dup(0);
    close(next);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t)next + 1; /* one is left */
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    uring_accept(uring, token_for(OP_ACCEPT), listener);
    report->values[1] = uring_wait(uring, &event, 1) == 1 && event.more ? event.result - next : -1;
    report->values[2] = uring_wait(uring, &event, 1) == 1 && !event.more ? event.result : 1;
    uring_close(uring, next);
    uring_timer(uring, token_for(OP_TIMER), 1);
    report->values[3] = uring_wait(uring, &event, 1) == 1 ? event.result : 1;
    uring_accept(uring, token_for(OP_ACCEPT), listener);
    report->values[4] = uring_wait(uring, &event, 1) == 1 && event.more ? event.result - next : -1;
}

static void accept_ends_when_descriptors_run_out_and_the_backlog_is_kept(void **state)
{
    struct child_report report = child_run(run_out_of_descriptors, *state);
    if (report.values[0] != 0) {
        skip_because("io_uring is not allowed here", report.values[0]);
    }
    assert_int_equal(report.values[1], 0);
    assert_int_equal(report.values[2], -EMFILE);
    assert_int_equal(report.values[3], -ETIME);
    assert_int_equal(report.values[4], 0);
}

/* --- recv --------------------------------------------------------------------------------------
 */

/* Takes bytes of the pattern until `size` of them have come, and gives every buffer back. */
static void recv_pattern(struct uring *uring, size_t offset, size_t size)
{
    while (size > 0) {
        struct uring_event event = next_event(uring);
        assert_int_equal(event.token.op, OP_RECV);
        assert_true(event.more);
        assert_in_range(event.result, 1, BUFFER_SIZE);
        assert_true((size_t)event.result <= size);
        assert_int_equal(uring_recv_free_count(uring), BUFFERS_COUNT - 1);
        assert_pattern((const uint8_t *)uring_recv_data(uring, event.buffer), offset,
                       (size_t)event.result);
        uring_recv_release(uring, event.buffer);
        assert_int_equal(uring_recv_free_count(uring), BUFFERS_COUNT);
        offset += (size_t)event.result;
        size -= (size_t)event.result;
    }
}

static void recv_gives_bytes_as_they_come_until_the_end(void **state)
{
    static const size_t SIZES[] = {
        1, 5, BUFFER_SIZE - 1, BUFFER_SIZE, BUFFER_SIZE + 1, BUFFERS_COUNT * BUFFER_SIZE
    };
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_open();
    uint8_t *bytes = pages_map(BODY_SIZE);
    pattern_fill(bytes, BODY_SIZE);
    uring_recv(uring, token_for(OP_RECV), pair.near);
    assert_nothing_happens(uring);
    size_t offset = 0;
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        far_send(pair.far, bytes + offset, SIZES[i]);
        recv_pattern(uring, offset, SIZES[i]);
        offset += SIZES[i];
    }
    assert_nothing_happens(uring);
    assert_int_equal(shutdown(pair.far, SHUT_WR), 0);
    assert_int_equal(last_result(uring, OP_RECV), 0);
    uring_close(uring, pair.near);
    uring_destroy(uring);
    close(pair.far);
    munmap(bytes, BODY_SIZE);
}

static void bytes_and_the_end_that_came_before_recv_are_both_seen(void **state)
{
    static const size_t SIZES[] = { 1, BUFFER_SIZE - 1, BUFFER_SIZE, BUFFER_SIZE + 1 };
    struct uring *uring = engine_of(state);
    uint8_t bytes[BUFFER_SIZE + 1];
    pattern_fill(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        struct tcp_pair pair = tcp_pair_open();
        far_send(pair.far, bytes, SIZES[i]);
        assert_int_equal(shutdown(pair.far, SHUT_WR), 0);
        uring_recv(uring, token_for(OP_RECV), pair.near);
        recv_pattern(uring, 0, SIZES[i]);
        assert_int_equal(last_result(uring, OP_RECV), 0);
        uring_close(uring, pair.near);
        close(pair.far);
    }
    uring_destroy(uring);
}

static void bytes_and_the_end_that_come_during_recv_are_both_seen(void **state)
{
    struct uring *uring = engine_of(state);
    uint8_t bytes[64];
    pattern_fill(bytes, sizeof bytes);
    struct tcp_pair pair = tcp_pair_open();
    uring_recv(uring, token_for(OP_RECV), pair.near);
    assert_nothing_happens(uring);
    far_send(pair.far, bytes, sizeof bytes);
    assert_int_equal(shutdown(pair.far, SHUT_WR), 0);
    recv_pattern(uring, 0, sizeof bytes);
    assert_int_equal(last_result(uring, OP_RECV), 0);
    uring_close(uring, pair.near);
    close(pair.far);
    uring_destroy(uring);
}

/* One event for each buffer, and then it is over until the caller arms it anew. */
static void recv_without_a_free_buffer_ends_and_loses_nothing(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_open();
    uint8_t *bytes = pages_map(BODY_SIZE);
    size_t size = (BUFFERS_COUNT + 1) * BUFFER_SIZE;
    uint16_t buffers[BUFFERS_COUNT];
    pattern_fill(bytes, size);
    far_send(pair.far, bytes, size);
    uring_recv(uring, token_for(OP_RECV), pair.near);
    size_t offset = 0;
    for (uint32_t i = 0; i < BUFFERS_COUNT; i++) {
        struct uring_event event = next_event(uring);
        assert_true(event.more);
        assert_int_equal(uring_recv_free_count(uring), BUFFERS_COUNT - 1 - i);
        assert_pattern((const uint8_t *)uring_recv_data(uring, event.buffer), offset,
                       (size_t)event.result);
        buffers[i] = event.buffer;
        offset += (size_t)event.result;
    }
    assert_int_equal(last_result(uring, OP_RECV), -ENOBUFS);
    for (uint32_t i = 0; i < BUFFERS_COUNT; i++) {
        uring_recv_release(uring, buffers[i]);
    }
    uring_recv(uring, token_for(OP_RECV), pair.near);
    recv_pattern(uring, offset, size - offset);
    uring_cancel(uring, token_for(OP_RECV));
    assert_int_equal(last_result(uring, OP_RECV), -ECANCELED);
    uring_close(uring, pair.near);
    uring_destroy(uring);
    close(pair.far);
    munmap(bytes, BODY_SIZE);
}

static void a_cancelled_recv_is_joined_and_the_close_ends_the_connection(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_open();
    uring_recv(uring, token_for(OP_RECV), pair.near);
    assert_nothing_happens(uring);
    uring_cancel(uring, token_for(OP_RECV));
    assert_int_equal(last_result(uring, OP_RECV), -ECANCELED);
    uring_close(uring, pair.near);
    assert_nothing_happens(uring);
    assert_far_ended(pair.far);
    uring_destroy(uring);
    close(pair.far);
}

static void what_came_while_no_recv_was_armed_is_there_for_the_next(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_open();
    uint8_t bytes[64];
    pattern_fill(bytes, sizeof bytes);
    uring_recv(uring, token_for(OP_RECV), pair.near);
    far_send(pair.far, bytes, 10);
    recv_pattern(uring, 0, 10);
    uring_cancel(uring, token_for(OP_RECV));
    assert_int_equal(last_result(uring, OP_RECV), -ECANCELED);
    far_send(pair.far, bytes + 10, 10);
    assert_nothing_happens(uring);
    uring_recv(uring, token_for(OP_RECV), pair.near);
    recv_pattern(uring, 10, 10);
    far_send(pair.far, bytes + 20, 10);
    recv_pattern(uring, 20, 10);
    assert_int_equal(shutdown(pair.near, SHUT_RDWR), 0);
    assert_int_equal(last_result(uring, OP_RECV), 0);
    uring_close(uring, pair.near);
    uring_destroy(uring);
    close(pair.far);
}

static void a_reset_ends_recv_with_its_error(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_open();
    uring_recv(uring, token_for(OP_RECV), pair.near);
    assert_nothing_happens(uring);
    socket_reset(pair.far);
    assert_int_equal(last_result(uring, OP_RECV), -ECONNRESET);
    uring_close(uring, pair.near);
    uring_destroy(uring);
}

/* A worker takes a few events at a time: none may be lost in between. */
static void many_sockets_ready_at_once_all_have_their_turn(void **state)
{
    enum {
        COUNT = 100
    };
    struct uring *uring = engine_with_buffers(state, 128);
    struct tcp_pair pairs[COUNT];
    bool seen[COUNT] = { false };
    for (uint32_t i = 0; i < COUNT; i++) {
        pairs[i] = tcp_pair_open();
        uring_recv(uring, (struct uring_token){ .op = OP_RECV, .slot = i }, pairs[i].near);
    }
    assert_nothing_happens(uring);
    for (uint32_t i = 0; i < COUNT; i++) {
        far_send(pairs[i].far, "x", 1);
    }
    for (uint32_t taken = 0; taken < COUNT;) {
        struct uring_event events[3];
        int count = uring_wait(uring, events, 3);
        for (int i = 0; i < count; i++) {
            assert_int_equal(events[i].result, 1);
            assert_false(seen[events[i].token.slot]);
            seen[events[i].token.slot] = true;
            uring_recv_release(uring, events[i].buffer);
            taken++;
        }
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        uring_cancel(uring, (struct uring_token){ .op = OP_RECV, .slot = i });
    }
    for (uint32_t ended = 0; ended < COUNT; ended++) {
        struct uring_event event;
        assert_int_equal(uring_wait(uring, &event, 1), 1);
        assert_int_equal(event.result, -ECANCELED);
        uring_close(uring, pairs[event.token.slot].near);
        close(pairs[event.token.slot].far);
    }
    uring_destroy(uring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(accept_gives_every_connection_until_it_is_cancelled),
        ON_BOTH(accept_ends_when_descriptors_run_out_and_the_backlog_is_kept),
        ON_BOTH(recv_gives_bytes_as_they_come_until_the_end),
        ON_BOTH(bytes_and_the_end_that_came_before_recv_are_both_seen),
        ON_BOTH(bytes_and_the_end_that_come_during_recv_are_both_seen),
        ON_BOTH(recv_without_a_free_buffer_ends_and_loses_nothing),
        ON_BOTH(a_cancelled_recv_is_joined_and_the_close_ends_the_connection),
        ON_BOTH(what_came_while_no_recv_was_armed_is_there_for_the_next),
        ON_BOTH(a_reset_ends_recv_with_its_error),
        ON_BOTH(many_sockets_ready_at_once_all_have_their_turn),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring_engine_socket", tests, NULL, NULL);
}

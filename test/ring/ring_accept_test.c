/* Multishot accept: many connections from one submission, and what ends it. */
#include "ring_helpers.h"

#include <sys/resource.h>

enum {
    TOKEN_ACCEPT = 1,
    TOKEN_CANCEL
};
enum {
    CLIENTS = 3
};

static void accept_arm(struct io_uring *ring, int listener)
{
    struct io_uring_sqe *sqe = ring_sqe(ring, TOKEN_ACCEPT);

    io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    sqe_finish(sqe, TOKEN_ACCEPT, 0);
}

static void multishot_accept_delivers_several_connections(void **state)
{
    struct io_uring ring;
    struct sockaddr_in address;
    int clients[CLIENTS];

    (void)state;
    ring_open(&ring);
    int listener = listener_open(&address);
    accept_arm(&ring, listener);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = client_connect(&address);
        struct ring_event event = ring_next(&ring);
        assert_int_equal(event.token, TOKEN_ACCEPT);
        assert_true(event.result >= 0);
        assert_true((event.flags & IORING_CQE_F_MORE) != 0);
        close(event.result);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        close(clients[i]);
    }
    close(listener);
    io_uring_queue_exit(&ring);
}

static void multishot_accept_drains_a_backlog_that_was_there_before(void **state)
{
    struct io_uring ring;
    struct sockaddr_in address;
    int clients[CLIENTS];

    (void)state;
    ring_open(&ring);
    int listener = listener_open(&address);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = client_connect(&address);
    }
    accept_arm(&ring, listener);
    for (size_t i = 0; i < CLIENTS; i++) {
        struct ring_event event = ring_next(&ring);
        assert_true(event.result >= 0);
        assert_true((event.flags & IORING_CQE_F_MORE) != 0);
        close(event.result);
        close(clients[i]);
    }
    close(listener);
    io_uring_queue_exit(&ring);
}

static void accepted_descriptors_carry_the_flags_asked_for(void **state)
{
    struct io_uring ring;
    struct sockaddr_in address;

    (void)state;
    ring_open(&ring);
    int listener = listener_open(&address);
    int client = client_connect(&address);
    accept_arm(&ring, listener);
    int accepted = ring_result(&ring, TOKEN_ACCEPT);
    assert_true(accepted >= 0);
    assert_true((fcntl(accepted, F_GETFD) & FD_CLOEXEC) != 0);
    assert_true((fcntl(accepted, F_GETFL) & O_NONBLOCK) != 0);
    close(accepted);
    close(client);
    close(listener);
    io_uring_queue_exit(&ring);
}

static void cancel_ends_multishot_accept_once_and_the_listener_stays_open(void **state)
{
    struct io_uring ring;
    struct sockaddr_in address;
    struct ring_event events[2];

    (void)state;
    ring_open(&ring);
    int listener = listener_open(&address);
    accept_arm(&ring, listener);
    struct io_uring_sqe *sqe = ring_sqe(&ring, TOKEN_CANCEL);
    io_uring_prep_cancel64(sqe, TOKEN_ACCEPT, 0);
    sqe_finish(sqe, TOKEN_CANCEL, 0);
    ring_take(&ring, events, 2);
    assert_int_equal(event_of(events, 2, TOKEN_CANCEL).result, 0);
    assert_int_equal(event_of(events, 2, TOKEN_ACCEPT).result, -ECANCELED);
    assert_int_equal(event_of(events, 2, TOKEN_ACCEPT).flags & IORING_CQE_F_MORE, 0);
    ring_assert_quiet(&ring);
    close(client_connect(&address));
    close(listener);
    io_uring_queue_exit(&ring);
}

static int descriptor_limit_set(rlim_t limit)
{
    struct rlimit limits;

    if (getrlimit(RLIMIT_NOFILE, &limits) != 0) {
        return -errno;
    }
    limits.rlim_cur = limit;
    return setrlimit(RLIMIT_NOFILE, &limits) == 0 ? 0 : -errno;
}

/* The lowest descriptor that is free now. Every one above it must be free too, as in a new child
 * that has opened its descriptors in order. */
static int descriptor_next(void)
{
    int descriptor = dup(STDOUT_FILENO);

    close(descriptor);
    return descriptor;
}

/* values: [0] ring set-up, [1] first result >= 0, [2] first has MORE, [3] second result,
 * [4] second has MORE, [5] connections that the re-armed accept delivered. */
static void accept_past_the_limit(struct child_report *report, void *argument)
{
    struct io_uring ring;
    struct sockaddr_in address;
    struct ring_event event = { 0 };
    int clients[CLIENTS];

    (void)argument;
    report->values[0] = ring_create(&ring, RING_ENTRIES, 0);
    if (report->values[0] != 0) {
        return;
    }
    int listener = listener_open(&address);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
    }
    int next = descriptor_next();
    descriptor_limit_set((rlim_t)next + 1);
    accept_arm(&ring, listener);
    for (size_t i = 0; i < CLIENTS; i++) {
        if (connect(clients[i], (struct sockaddr *)&address, sizeof address) != 0) {
            abort();
        }
    }
    ring_try_next(&ring, &event);
    report->values[1] = event.result >= 0;
    report->values[2] = (event.flags & IORING_CQE_F_MORE) != 0;
    ring_try_next(&ring, &event);
    report->values[3] = event.result;
    report->values[4] = (event.flags & IORING_CQE_F_MORE) != 0;
    descriptor_limit_set((rlim_t)next + CLIENTS);
    accept_arm(&ring, listener);
    while (report->values[5] < CLIENTS - 1 && ring_try_next(&ring, &event) == 0 &&
           event.result >= 0) {
        report->values[5]++;
    }
}

static void multishot_accept_ends_with_emfile_at_the_limit_and_keeps_the_backlog(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open(&ring);
    io_uring_queue_exit(&ring);
    struct child_report report = child_run(accept_past_the_limit, NULL);
    assert_int_equal(report.values[0], 0);
    assert_true(report.values[1]);
    assert_true(report.values[2]);
    assert_int_equal(report.values[3], -EMFILE);
    assert_false(report.values[4]);
    assert_int_equal(report.values[5], CLIENTS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multishot_accept_delivers_several_connections),
        cmocka_unit_test(multishot_accept_drains_a_backlog_that_was_there_before),
        cmocka_unit_test(accepted_descriptors_carry_the_flags_asked_for),
        cmocka_unit_test(cancel_ends_multishot_accept_once_and_the_listener_stays_open),
        cmocka_unit_test(multishot_accept_ends_with_emfile_at_the_limit_and_keeps_the_backlog),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring_accept", tests, NULL, NULL) == 0 ? 0 : 1;
}

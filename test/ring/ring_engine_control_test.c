/*
 * How engines wait, are woken, and forget what was cancelled.
 */
#include "ring_engine.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>

enum {
    SLOT_COUNT = 64
};

static uint64_t clock_ms(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- the timer ---------------------------------------------------------------------------------
 */

static void a_timer_is_told_once_and_not_before_its_time(void **state)
{
    static const uint32_t TIMES_MS[] = { 0, 1, 30 };
    struct uring *uring = engine_of(state);
    for (size_t i = 0; i < sizeof(TIMES_MS) / sizeof(TIMES_MS[0]); i++) {
        uint64_t start_ms = clock_ms();
        uring_timer(uring, token_for(OP_TIMER), TIMES_MS[i]);
        assert_int_equal(last_result(uring, OP_TIMER), -ETIME);
        assert_true(clock_ms() - start_ms >= TIMES_MS[i]);
    }
    assert_nothing_happens(uring);
    uring_destroy(uring);
}

/* A worker that always has something to do must still notice the time. */
static void a_timer_is_told_among_other_events(void **state)
{
    struct uring *uring = engine_of(state);
    int file = scratch_open(10);
    char byte;
    uring_timer(uring, token_for(OP_TIMER), 10);
    struct uring_event event;
    do {
        uring_read(uring, token_for(OP_READ), file, &byte, 1, 0);
        event = next_event(uring);
    } while (event.token.op == OP_READ);
    assert_int_equal(event.token.op, OP_TIMER);
    assert_int_equal(event.result, -ETIME);
    assert_int_equal(last_result(uring, OP_READ), 1);
    uring_close(uring, file);
    uring_destroy(uring);
}

/* --- cancelling --------------------------------------------------------------------------------
 */

static void whatever_waits_can_be_cancelled(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_open();
    int event_fd = eventfd(0, EFD_CLOEXEC);
    uring_recv(uring, token_for(OP_RECV), pair.near);
    uring_poll_readable(uring, token_for(OP_POLL), event_fd);
    assert_nothing_happens(uring);
    uring_timer(uring, token_for(OP_TIMER), 1000000);
    uring_cancel(uring, token_for(OP_RECV));
    uring_cancel(uring, token_for(OP_POLL));
    for (int i = 0; i < 2; i++) {
        struct uring_event event = next_event(uring);
        assert_int_equal(event.result, -ECANCELED);
        assert_false(event.more);
    }
    uring_cancel(uring, token_for(OP_RECV)); /* not there any more: nothing */
    uring_cancel(uring, token_for(OP_WAKE)); /* never was */
    uring_cancel(uring, token_for(OP_TIMER));
    assert_int_equal(last_result(uring, OP_TIMER), -ECANCELED);
    uring_poll_readable(uring, token_for(OP_POLL), event_fd);
    assert_int_equal(eventfd_write(event_fd, 1), 0);
    assert_true(last_result(uring, OP_POLL) & POLLIN);
    uring_close(uring, pair.near);
    close(event_fd);
    close(pair.far);
    uring_destroy(uring);
}

/* It may already have ended: one event, whichever. */
static void what_was_queued_just_before_can_be_cancelled(void **state)
{
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_open();
    uring_recv(uring, token_for(OP_RECV), pair.near);
    uring_cancel(uring, token_for(OP_RECV));
    assert_int_equal(last_result(uring, OP_RECV), -ECANCELED);
    assert_nothing_happens(uring);
    uring_close(uring, pair.near);
    close(pair.far);
    uring_destroy(uring);
}

/* --- poll --------------------------------------------------------------------------------------
 */

static void poll_is_told_once_for_each_time_it_is_asked(void **state)
{
    struct uring *uring = engine_of(state);
    int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (int round = 0; round < 3; round++) {
        uring_poll_readable(uring, token_for(OP_POLL), event_fd);
        assert_nothing_happens(uring);
        assert_int_equal(eventfd_write(event_fd, 1), 0);
        assert_true(last_result(uring, OP_POLL) & POLLIN);
        assert_nothing_happens(uring); /* though it is still readable */
        uring_poll_readable(uring, token_for(OP_POLL), event_fd);
        assert_true(last_result(uring, OP_POLL) & POLLIN);
        eventfd_t value;
        assert_int_equal(eventfd_read(event_fd, &value), 0);
    }
    close(event_fd);
    uring_destroy(uring);
}

/* As the watch on directories does it: cancelled, closed, and another opened, all in one batch. */
static void a_descriptor_that_is_closed_and_opened_anew_is_polled_anew(void **state)
{
    struct uring *uring = engine_of(state);
    int event_fd = eventfd(0, EFD_CLOEXEC);
    uring_poll_readable(uring, token_for(OP_POLL), event_fd);
    assert_nothing_happens(uring);
    for (int round = 0; round < 3; round++) {
        uring_cancel(uring, token_for(OP_POLL));
        close(event_fd);
        int next = eventfd(0, EFD_CLOEXEC);
        assert_int_equal(next, event_fd);
        assert_int_equal(last_result(uring, OP_POLL), -ECANCELED);
        uring_poll_readable(uring, token_for(OP_POLL), event_fd);
        assert_nothing_happens(uring);
    }
    assert_int_equal(eventfd_write(event_fd, 1), 0);
    assert_true(last_result(uring, OP_POLL) & POLLIN);
    close(event_fd);
    uring_destroy(uring);
}

/* The same for sockets, that are closed by the engine. */
static void a_socket_whose_number_is_used_again_has_nothing_of_the_old_one(void **state)
{
    struct uring *uring = engine_of(state);
    for (int round = 0; round < 20; round++) {
        struct tcp_pair pair = tcp_pair_open();
        uring_recv(uring, token_for(OP_RECV), pair.near);
        assert_nothing_happens(uring);
        far_send(pair.far, "x", 1);
        struct uring_event event = next_event(uring);
        assert_int_equal(event.result, 1);
        uring_recv_release(uring, event.buffer);
        if (round % 2 == 0) {
            socket_reset(pair.far); /* its last report may come late */
        } else {
            close(pair.far);
        }
        uring_cancel(uring, token_for(OP_RECV));
        event = next_event(uring);
        assert_false(event.more);
        assert_true(event.result <= 0);
        uring_close(uring, pair.near);
    }
    uring_destroy(uring);
}

/* --- waking ------------------------------------------------------------------------------------
 */

struct caller {
    pthread_t thread;
    enum uring_kind kind;
    struct uring *uring;
    uint32_t count;
    int error;
};

static void *caller_main(void *argument)
{
    struct caller *caller = argument;
    struct uring_waker *waker = NULL;
    caller->error = uring_waker_create(caller->kind, &waker);
    for (uint32_t i = 0; caller->error == 0 && i < caller->count; i++) {
        caller->error = uring_waker_wake(waker, caller->uring, token_for(OP_WAKE), i);
    }
    if (waker != NULL) {
        uring_waker_destroy(waker);
    }
    return NULL;
}

static void a_waker_reaches_an_engine_that_sleeps(void **state)
{
    struct caller caller = { .kind = kind_of(state), .uring = engine_of(state), .count = 3 };
    assert_int_equal(pthread_create(&caller.thread, NULL, caller_main, &caller), 0);
    for (int32_t i = 0; i < 3; i++) {
        assert_int_equal(last_result(caller.uring, OP_WAKE), i);
    }
    assert_int_equal(pthread_join(caller.thread, NULL), 0);
    assert_int_equal(caller.error, 0);
    uring_destroy(caller.uring);
}

static void a_mailbox_takes_so_many_wakes_and_no_more(void **state)
{
    struct uring *uring = engine_of(state);
    struct uring_waker *waker = NULL;
    assert_int_equal(uring_waker_create(kind_of(state), &waker), 0);
    for (int32_t i = 0; i < URING_MESSAGES_MAX; i++) {
        assert_int_equal(uring_waker_wake(waker, uring, token_for(OP_WAKE), (uint32_t)i), 0);
    }
    assert_int_equal(uring_waker_wake(waker, uring, token_for(OP_WAKE), 0), -EAGAIN);
    assert_int_equal(last_result(uring, OP_WAKE), 0);
    assert_int_equal(
        uring_waker_wake(waker, uring, token_for(OP_WAKE), (uint32_t)URING_MESSAGES_MAX), 0);
    for (int32_t i = 1; i <= URING_MESSAGES_MAX; i++) {
        assert_int_equal(last_result(uring, OP_WAKE), i);
    }
    assert_nothing_happens(uring);
    uring_waker_destroy(waker);
    uring_destroy(uring);
}

/* --- waiting -----------------------------------------------------------------------------------
 */

static void on_signal(int number)
{
    (void)number;
}

struct interrupter {
    pthread_t thread;
    pthread_t target;
    pthread_mutex_t lock;
    bool is_over;
};

static void *interrupter_main(void *argument)
{
    struct interrupter *interrupter = argument;
    bool is_over = false;
    while (!is_over) {
        pthread_kill(interrupter->target, SIGUSR1);
        (void)poll(NULL, 0, 1);
        pthread_mutex_lock(&interrupter->lock);
        is_over = interrupter->is_over;
        pthread_mutex_unlock(&interrupter->lock);
    }
    return NULL;
}

static void an_interrupted_wait_has_no_events(void **state)
{
    struct uring *uring = engine_of(state);
    struct interrupter interrupter = { .target = pthread_self(), .is_over = false };
    struct sigaction action = { .sa_handler = on_signal };
    struct uring_event event;
    sigaction(SIGUSR1, &action, NULL);
    pthread_mutex_init(&interrupter.lock, NULL);
    assert_int_equal(pthread_create(&interrupter.thread, NULL, interrupter_main, &interrupter), 0);
    assert_int_equal(uring_wait(uring, &event, 1), 0);
    pthread_mutex_lock(&interrupter.lock);
    interrupter.is_over = true;
    pthread_mutex_unlock(&interrupter.lock);
    pthread_join(interrupter.thread, NULL);
    pthread_mutex_destroy(&interrupter.lock);
    uring_destroy(uring);
}

/* However few are taken at a time, and whatever they are of. */
static void no_event_is_lost_when_few_are_taken_at_a_time(void **state)
{
    struct uring *uring = engine_of(state);
    int file = scratch_open(SLOT_COUNT);
    char bytes[SLOT_COUNT];
    for (size_t events_max = 1; events_max < 6; events_max++) {
        bool seen[SLOT_COUNT] = { false };
        for (uint32_t i = 0; i < SLOT_COUNT; i++) {
            uring_read(uring, (struct uring_token){ .op = OP_READ, .slot = i }, file, &bytes[i], 1,
                       i);
        }
        for (uint32_t taken = 0; taken < SLOT_COUNT;) {
            struct uring_event events[6];
            int count = uring_wait(uring, events, events_max);
            assert_in_range(count, 0, events_max);
            for (int i = 0; i < count; i++, taken++) {
                assert_int_equal(events[i].result, 1);
                assert_false(seen[events[i].token.slot]);
                seen[events[i].token.slot] = true;
            }
        }
        assert_pattern((const uint8_t *)bytes, 0, SLOT_COUNT);
    }
    assert_nothing_happens(uring);
    uring_close(uring, file);
    uring_destroy(uring);
}

/* More descriptors than the table begins with, and operations than a slab has. */
static void many_descriptors_are_waited_for_at_once(void **state)
{
    enum {
        COUNT = 1500
    };
    struct uring *uring = engine_of(state);
    int fds[COUNT];
    uint32_t count = 0;
    while (count < COUNT && (fds[count] = eventfd(0, EFD_CLOEXEC)) >= 0) {
        uring_poll_readable(uring, (struct uring_token){ .op = OP_POLL, .slot = count },
                            fds[count]);
        count++;
    }
    assert_true(count > 500); /* the limit here may be 1024 */
    assert_nothing_happens(uring);
    for (uint32_t i = 0; i < count; i++) {
        struct uring_event event;
        assert_int_equal(eventfd_write(fds[i], 1), 0);
        assert_int_equal(uring_wait(uring, &event, 1), 1);
        assert_int_equal(event.token.slot, i);
        assert_true(event.result & POLLIN);
        close(fds[i]);
    }
    uring_destroy(uring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_timer_is_told_once_and_not_before_its_time),
        ON_BOTH(a_timer_is_told_among_other_events),
        ON_BOTH(whatever_waits_can_be_cancelled),
        ON_BOTH(what_was_queued_just_before_can_be_cancelled),
        ON_BOTH(poll_is_told_once_for_each_time_it_is_asked),
        ON_BOTH(a_descriptor_that_is_closed_and_opened_anew_is_polled_anew),
        ON_BOTH(a_socket_whose_number_is_used_again_has_nothing_of_the_old_one),
        ON_BOTH(a_waker_reaches_an_engine_that_sleeps),
        ON_ENGINE(a_mailbox_takes_so_many_wakes_and_no_more, URING_EPOLL),
        ON_BOTH(an_interrupted_wait_has_no_events),
        ON_BOTH(no_event_is_lost_when_few_are_taken_at_a_time),
        ON_BOTH(many_descriptors_are_waited_for_at_once),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring_engine_control", tests, NULL, NULL);
}

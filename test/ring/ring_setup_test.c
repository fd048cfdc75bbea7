/* How a ring is set up, who owns it, and what becomes of completions when its queue is full. */
#include "ring_helpers.h"

#include <pthread.h>

#ifndef IORING_FEAT_NO_IOWAIT
#define IORING_FEAT_NO_IOWAIT (1U << 17)
#endif
#ifndef IORING_ENTER_NO_IOWAIT
#define IORING_ENTER_NO_IOWAIT (1U << 7)
#endif

enum {
    TOKEN_NOP = 1,
    TOKEN_LATER
};

static void setup_with_gyres_flags_gives_the_completion_queue_asked_for(void **state)
{
    struct io_uring ring;
    struct io_uring_params params = { .flags = RING_FLAGS, .cq_entries = 256 };

    (void)state;
    ring_open(&ring);
    io_uring_queue_exit(&ring);
    assert_int_equal(io_uring_queue_init_params(32, &ring, &params), 0);
    assert_int_equal(params.sq_entries, 32);
    assert_int_equal(params.cq_entries, 256);
    io_uring_queue_exit(&ring);
}

static void setup_reports_the_features_gyre_needs(void **state)
{
    struct io_uring ring;
    unsigned needed = IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_EXT_ARG |
                      IORING_FEAT_FAST_POLL | IORING_FEAT_CQE_SKIP | IORING_FEAT_RSRC_TAGS;

    (void)state;
    ring_open(&ring);
    assert_int_equal(ring.features & needed, needed);
    io_uring_queue_exit(&ring);
}

static void probe_lists_every_operation_gyre_uses(void **state)
{
    static const int operations[] = {
        IORING_OP_NOP,      IORING_OP_ACCEPT,  IORING_OP_RECV,    IORING_OP_SEND,
        IORING_OP_SENDMSG,  IORING_OP_SEND_ZC, IORING_OP_OPENAT2, IORING_OP_READ_FIXED,
        IORING_OP_WRITE,    IORING_OP_CLOSE,   IORING_OP_TIMEOUT, IORING_OP_ASYNC_CANCEL,
        IORING_OP_SHUTDOWN, IORING_OP_MSG_RING
    };
    struct io_uring ring;

    (void)state;
    ring_open(&ring);
    struct io_uring_probe *probe = io_uring_get_probe_ring(&ring);
    assert_non_null(probe);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (!io_uring_opcode_supported(probe, operations[i])) {
            fail_msg("operation %d is not supported", operations[i]);
        }
    }
    io_uring_free_probe(probe);
    io_uring_queue_exit(&ring);
}

static void *submit_nop(void *argument)
{
    struct io_uring *ring = argument;

    ring_sqe(ring, TOKEN_NOP);
    return (void *)(intptr_t)io_uring_submit(ring);
}

static int thread_result(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    void *result = NULL;

    assert_int_equal(pthread_create(&thread, NULL, body, argument), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    return (int)(intptr_t)result;
}

static void submit_from_another_thread_fails_with_eexist(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open(&ring);
    assert_int_equal(thread_result(submit_nop, &ring), -EEXIST);
    io_uring_queue_exit(&ring);
}

static void what_another_thread_failed_to_submit_stays_queued_for_the_owner(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open(&ring);
    assert_int_equal(thread_result(submit_nop, &ring), -EEXIST);
    ring_sqe(&ring, TOKEN_LATER);
    assert_int_equal(ring_result(&ring, TOKEN_NOP), 0);
    assert_int_equal(ring_result(&ring, TOKEN_LATER), 0);
    io_uring_queue_exit(&ring);
}

static void submit_in_child(struct child_report *report, void *argument)
{
    report->values[0] = (int)(intptr_t)submit_nop(argument);
}

static void submit_from_a_forked_child_fails_with_eexist(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open(&ring);
    assert_int_equal(child_run(submit_in_child, &ring).values[0], -EEXIST);
    io_uring_queue_exit(&ring);
}

static void *register_sparse(void *argument)
{
    return (void *)(intptr_t)io_uring_register_buffers_sparse(argument, 4);
}

static void register_from_another_thread_fails_with_eexist(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open(&ring);
    assert_int_equal(thread_result(register_sparse, &ring), -EEXIST);
    io_uring_queue_exit(&ring);
}

static void *enable_and_submit(void *argument)
{
    int result = ring_enable(argument);

    return result == 0 ? submit_nop(argument) : (void *)(intptr_t)result;
}

static void a_disabled_ring_belongs_to_the_thread_that_enables_it(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open_flags(&ring, IORING_SETUP_R_DISABLED);
    assert_int_equal(thread_result(enable_and_submit, &ring), 1);
    assert_int_equal((int)(intptr_t)submit_nop(&ring), -EEXIST);
    io_uring_queue_exit(&ring);
}

static void a_registered_ring_descriptor_serves_submit_and_wait(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open(&ring);
    assert_int_equal(io_uring_register_ring_fd(&ring), 1);
    assert_int_not_equal(ring.enter_ring_fd, ring.ring_fd);
    ring_sqe(&ring, TOKEN_NOP);
    assert_int_equal(ring_result(&ring, TOKEN_NOP), 0);
    io_uring_queue_exit(&ring);
}

static void worker_threads_can_be_capped_and_the_cap_read_back(void **state)
{
    struct io_uring ring;
    unsigned limits[2] = { 2, 3 };
    unsigned current[2] = { 0, 0 };

    (void)state;
    ring_open(&ring);
    assert_int_equal(io_uring_register_iowq_max_workers(&ring, limits), 0);
    assert_int_equal(io_uring_register_iowq_max_workers(&ring, current), 0);
    assert_int_equal(current[0], 2);
    assert_int_equal(current[1], 3);
    io_uring_queue_exit(&ring);
}

static void waiting_without_iowait_is_accepted_where_the_feature_is_reported(void **state)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe = NULL;

    (void)state;
    ring_open(&ring);
    if ((ring.features & IORING_FEAT_NO_IOWAIT) == 0) {
        io_uring_queue_exit(&ring);
        skip_because("the kernel has no NO_IOWAIT", EOPNOTSUPP);
    }
    ring_sqe(&ring, TOKEN_NOP);
    assert_int_equal(io_uring_submit(&ring), 1);
    assert_int_equal(syscall(__NR_io_uring_enter, ring.ring_fd, 0, 1,
                             IORING_ENTER_GETEVENTS | IORING_ENTER_NO_IOWAIT, NULL, 0),
                     0);
    assert_int_equal(io_uring_peek_cqe(&ring, &cqe), 0);
    io_uring_queue_exit(&ring);
}

static void submit_all_goes_on_after_an_entry_that_fails(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open(&ring);
    ring_sqe(&ring, TOKEN_NOP)->opcode = 250;
    ring_sqe(&ring, TOKEN_LATER);
    assert_int_equal(io_uring_submit(&ring), 2);
    assert_int_equal(ring_result(&ring, TOKEN_NOP), -EINVAL);
    assert_int_equal(ring_result(&ring, TOKEN_LATER), 0);
    io_uring_queue_exit(&ring);
}

/* Posts `count` no-ops without reaping; returns how many were taken before -EBUSY, if any. */
static unsigned nops_post(struct io_uring *ring, unsigned count)
{
    unsigned posted = 0;

    while (posted < count) {
        ring_sqe(ring, 1 + posted);
        int result = io_uring_submit(ring);
        if (result == -EBUSY) {
            break;
        }
        assert_int_equal(result, 1);
        posted++;
    }
    return posted;
}

static void completions_past_the_queue_are_kept_and_delivered_in_order(void **state)
{
    enum {
        CQ_ENTRIES = 8,
        NOPS = 3 * CQ_ENTRIES
    };
    struct io_uring_params params = { .flags = RING_FLAGS, .cq_entries = CQ_ENTRIES };
    struct io_uring ring;

    (void)state;
    ring_open(&ring);
    io_uring_queue_exit(&ring);
    assert_int_equal(io_uring_queue_init_params(4, &ring, &params), 0);
    unsigned posted = nops_post(&ring, NOPS);
    assert_true(posted > CQ_ENTRIES);
    assert_true((*ring.sq.kflags & IORING_SQ_CQ_OVERFLOW) != 0);
    for (unsigned i = 0; i < posted; i++) {
        assert_int_equal(ring_result(&ring, 1 + i), 0);
    }
    assert_int_equal(*ring.cq.koverflow, 0);
    assert_true((*ring.sq.kflags & IORING_SQ_CQ_OVERFLOW) == 0);
    io_uring_queue_exit(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setup_with_gyres_flags_gives_the_completion_queue_asked_for),
        cmocka_unit_test(setup_reports_the_features_gyre_needs),
        cmocka_unit_test(probe_lists_every_operation_gyre_uses),
        cmocka_unit_test(submit_from_another_thread_fails_with_eexist),
        cmocka_unit_test(what_another_thread_failed_to_submit_stays_queued_for_the_owner),
        cmocka_unit_test(submit_from_a_forked_child_fails_with_eexist),
        cmocka_unit_test(register_from_another_thread_fails_with_eexist),
        cmocka_unit_test(a_disabled_ring_belongs_to_the_thread_that_enables_it),
        cmocka_unit_test(a_registered_ring_descriptor_serves_submit_and_wait),
        cmocka_unit_test(worker_threads_can_be_capped_and_the_cap_read_back),
        cmocka_unit_test(waiting_without_iowait_is_accepted_where_the_feature_is_reported),
        cmocka_unit_test(submit_all_goes_on_after_an_entry_that_fails),
        cmocka_unit_test(completions_past_the_queue_are_kept_and_delivered_in_order),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring_setup", tests, NULL, NULL) == 0 ? 0 : 1;
}

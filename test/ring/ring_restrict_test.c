/*
 * Register restrictions: the sandbox that seccomp cannot give. A ring starts disabled, is told what
 * it may do, and is enabled; from then on nothing else goes, and nothing can be added.
 */
#include "ring_helpers.h"

enum {
    TOKEN_FIRST = 1,
    TOKEN_SECOND,
    TOKEN_THIRD
};
enum {
    SLAB_SIZE = 16 * 4096
};

/* clang-format off */
#define ALLOW_OPERATION(name) { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = (name) }
#define ALLOW_REGISTER(name)  { .opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = (name) }
#define ALLOW_FLAGS(set)      { .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = (set) }
/* clang-format on */

static void restrict_to(struct io_uring *ring, struct io_uring_restriction *list, unsigned count)
{
    assert_int_equal(ring_register(ring, IORING_REGISTER_RESTRICTIONS, list, count), 0);
    assert_int_equal(ring_enable(ring), 0);
}

/* A ring that may send no-ops and nothing else. */
static void ring_open_nops_only(struct io_uring *ring)
{
    struct io_uring_restriction list[] = { ALLOW_OPERATION(IORING_OP_NOP) };

    ring_open_flags(ring, IORING_SETUP_R_DISABLED);
    restrict_to(ring, list, 1);
}

static int slab_update(struct io_uring *ring, uint8_t *slab)
{
    struct iovec vector = { slab, SLAB_SIZE };
    __u64 tag = 0;

    return io_uring_register_buffers_update_tag(ring, 0, &vector, &tag, 1);
}

static void a_listed_operation_works_and_an_unlisted_one_gives_eacces(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open_nops_only(&ring);
    ring_sqe(&ring, TOKEN_FIRST);
    assert_int_equal(ring_result(&ring, TOKEN_FIRST), 0);
    struct io_uring_sqe *sqe = ring_sqe(&ring, TOKEN_SECOND);
    io_uring_prep_close(sqe, 1000000);
    sqe_finish(sqe, TOKEN_SECOND, 0);
    assert_int_equal(ring_result(&ring, TOKEN_SECOND), -EACCES);
    io_uring_queue_exit(&ring);
}

static void a_refused_operation_does_not_stop_the_listed_one_after_it(void **state)
{
    struct io_uring ring;
    struct ring_event events[2];

    (void)state;
    ring_open_nops_only(&ring);
    struct io_uring_sqe *sqe = ring_sqe(&ring, TOKEN_FIRST);
    io_uring_prep_close(sqe, 1000000);
    sqe_finish(sqe, TOKEN_FIRST, 0);
    ring_sqe(&ring, TOKEN_SECOND);
    ring_take(&ring, events, 2);
    assert_int_equal(event_of(events, 2, TOKEN_FIRST).result, -EACCES);
    assert_int_equal(event_of(events, 2, TOKEN_SECOND).result, 0);
    io_uring_queue_exit(&ring);
}

static void a_flag_that_is_not_listed_gives_eacces(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open_nops_only(&ring);
    sqe_finish(ring_sqe(&ring, TOKEN_FIRST), TOKEN_FIRST, IOSQE_CQE_SKIP_SUCCESS);
    assert_int_equal(ring_result(&ring, TOKEN_FIRST), -EACCES);
    io_uring_queue_exit(&ring);
}

static void listed_flags_work(void **state)
{
    struct io_uring_restriction list[] = {
        ALLOW_OPERATION(IORING_OP_NOP),
        ALLOW_FLAGS(IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS | IOSQE_BUFFER_SELECT),
    };
    struct io_uring ring;

    (void)state;
    ring_open_flags(&ring, IORING_SETUP_R_DISABLED);
    restrict_to(&ring, list, 2);
    sqe_finish(ring_sqe(&ring, TOKEN_FIRST), TOKEN_FIRST, IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS);
    ring_sqe(&ring, TOKEN_SECOND);
    assert_int_equal(ring_result(&ring, TOKEN_SECOND), 0);
    io_uring_queue_exit(&ring);
}

static void waiting_with_a_time_limit_needs_nothing_listed(void **state)
{
    struct io_uring ring;
    struct __kernel_timespec limit = { .tv_nsec = 1000000 };
    struct io_uring_cqe *cqe = NULL;

    (void)state;
    ring_open_nops_only(&ring);
    assert_int_equal(io_uring_wait_cqe_timeout(&ring, &cqe, &limit), -ETIME);
    io_uring_queue_exit(&ring);
}

static void an_unlisted_register_call_gives_eacces(void **state)
{
    struct io_uring ring;
    unsigned limits[2] = { 0, 0 };

    (void)state;
    ring_open_nops_only(&ring);
    assert_int_equal(io_uring_register_buffers_sparse(&ring, 4), -EACCES);
    assert_int_equal(io_uring_register_iowq_max_workers(&ring, limits), -EACCES);
    io_uring_queue_exit(&ring);
}

static void buffers_update_works_when_listed(void **state)
{
    struct io_uring_restriction list[] = {
        ALLOW_OPERATION(IORING_OP_NOP),
        ALLOW_REGISTER(IORING_REGISTER_BUFFERS_UPDATE),
    };
    struct io_uring ring;
    uint8_t *slab = pages_map(SLAB_SIZE);

    (void)state;
    ring_open_flags(&ring, IORING_SETUP_R_DISABLED);
    assert_int_equal(io_uring_register_buffers_sparse(&ring, 4), 0);
    restrict_to(&ring, list, 2);
    assert_int_equal(slab_update(&ring, slab), 1);
    io_uring_queue_exit(&ring);
    munmap(slab, SLAB_SIZE);
}

static void buffers_update_gives_eacces_when_not_listed(void **state)
{
    struct io_uring ring;
    struct io_uring_restriction list[] = { ALLOW_OPERATION(IORING_OP_NOP) };
    uint8_t *slab = pages_map(SLAB_SIZE);

    (void)state;
    ring_open_flags(&ring, IORING_SETUP_R_DISABLED);
    assert_int_equal(io_uring_register_buffers_sparse(&ring, 4), 0);
    restrict_to(&ring, list, 1);
    assert_int_equal(slab_update(&ring, slab), -EACCES);
    io_uring_queue_exit(&ring);
    munmap(slab, SLAB_SIZE);
}

static void ring_descriptor_registration_works_when_listed(void **state)
{
    struct io_uring_restriction list[] = {
        ALLOW_OPERATION(IORING_OP_NOP),
        ALLOW_REGISTER(IORING_REGISTER_RING_FDS),
        ALLOW_REGISTER(IORING_UNREGISTER_RING_FDS),
    };
    struct io_uring ring;

    (void)state;
    ring_open_flags(&ring, IORING_SETUP_R_DISABLED);
    restrict_to(&ring, list, 3);
    assert_int_equal(io_uring_register_ring_fd(&ring), 1);
    ring_sqe(&ring, TOKEN_FIRST);
    assert_int_equal(ring_result(&ring, TOKEN_FIRST), 0);
    io_uring_queue_exit(&ring);
}

static void ring_descriptor_registration_gives_eacces_when_not_listed(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open_nops_only(&ring);
    assert_int_equal(io_uring_register_ring_fd(&ring), -EACCES);
    io_uring_queue_exit(&ring);
}

/* So set-up needs none of its own register calls in the list. */
static void what_was_registered_before_the_restrictions_goes_on_working(void **state)
{
    struct io_uring_restriction list[] = {
        ALLOW_OPERATION(IORING_OP_RECV),
        ALLOW_FLAGS(IOSQE_BUFFER_SELECT),
    };
    struct io_uring ring;
    struct tcp_pair pair = tcp_pair_open();
    unsigned limits[2] = { 1, 1 };

    (void)state;
    ring_open_flags(&ring, IORING_SETUP_R_DISABLED);
    assert_int_equal(io_uring_register_ring_fd(&ring), 1);
    assert_int_equal(io_uring_register_iowq_max_workers(&ring, limits), 0);
    struct buffers buffers = buffers_open(&ring, 4, 64, 4);
    restrict_to(&ring, list, 2);
    recv_arm(&ring, pair.near, TOKEN_FIRST);
    assert_int_equal(send(pair.far, "hello", 5, MSG_NOSIGNAL), 5);
    assert_int_equal(ring_result(&ring, TOKEN_FIRST), 5);
    io_uring_queue_exit(&ring);
    buffers_close(&buffers);
    tcp_pair_close(pair);
}

static void restrictions_on_an_enabled_ring_are_refused(void **state)
{
    struct io_uring_restriction list[] = { ALLOW_OPERATION(IORING_OP_NOP) };
    struct io_uring ring;

    (void)state;
    ring_open(&ring);
    assert_int_equal(ring_register(&ring, IORING_REGISTER_RESTRICTIONS, list, 1), -EBADFD);
    io_uring_queue_exit(&ring);
}

static void restrictions_cannot_be_given_twice(void **state)
{
    struct io_uring_restriction list[] = { ALLOW_OPERATION(IORING_OP_NOP) };
    struct io_uring ring;

    (void)state;
    ring_open_flags(&ring, IORING_SETUP_R_DISABLED);
    assert_int_equal(ring_register(&ring, IORING_REGISTER_RESTRICTIONS, list, 1), 0);
    assert_int_equal(ring_register(&ring, IORING_REGISTER_RESTRICTIONS, list, 1), -EBUSY);
    io_uring_queue_exit(&ring);
}

static void a_disabled_ring_takes_no_submission(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open_flags(&ring, IORING_SETUP_R_DISABLED);
    ring_sqe(&ring, TOKEN_FIRST);
    assert_int_equal(io_uring_submit(&ring), -EBADFD);
    io_uring_queue_exit(&ring);
}

static void a_message_reaches_a_ring_that_may_not_send_messages(void **state)
{
    struct io_uring target;
    struct io_uring source;

    (void)state;
    ring_open_nops_only(&target);
    ring_open(&source);
    struct io_uring_sqe *sqe = ring_sqe(&source, TOKEN_FIRST);
    io_uring_prep_msg_ring(sqe, target.ring_fd, 42, TOKEN_THIRD, 0);
    sqe_finish(sqe, TOKEN_FIRST, 0);
    assert_int_equal(ring_result(&source, TOKEN_FIRST), 0);
    assert_int_equal(ring_result(&target, TOKEN_THIRD), 42);
    io_uring_queue_exit(&source);
    io_uring_queue_exit(&target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listed_operation_works_and_an_unlisted_one_gives_eacces),
        cmocka_unit_test(a_refused_operation_does_not_stop_the_listed_one_after_it),
        cmocka_unit_test(a_flag_that_is_not_listed_gives_eacces),
        cmocka_unit_test(listed_flags_work),
        cmocka_unit_test(waiting_with_a_time_limit_needs_nothing_listed),
        cmocka_unit_test(an_unlisted_register_call_gives_eacces),
        cmocka_unit_test(buffers_update_works_when_listed),
        cmocka_unit_test(buffers_update_gives_eacces_when_not_listed),
        cmocka_unit_test(ring_descriptor_registration_works_when_listed),
        cmocka_unit_test(ring_descriptor_registration_gives_eacces_when_not_listed),
        cmocka_unit_test(what_was_registered_before_the_restrictions_goes_on_working),
        cmocka_unit_test(restrictions_on_an_enabled_ring_are_refused),
        cmocka_unit_test(restrictions_cannot_be_given_twice),
        cmocka_unit_test(a_disabled_ring_takes_no_submission),
        cmocka_unit_test(a_message_reaches_a_ring_that_may_not_send_messages),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring_restrict", tests, NULL, NULL) == 0 ? 0 : 1;
}

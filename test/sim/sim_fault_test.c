/* The server on the fake kernel: one fault a test; and ranges. */
#include <errno.h>

#include "sim_cases.h"

/* --- faults, one at a time ---------------------------------------------------------------------
 */

static void a_file_is_served(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_getter(sim, "k256p.bin");
    sim_settle(sim);
    assert_answered(client, 200);
    assert_int_equal(client->requests[0].body_size, 262145);
    sim_close(sim);
}

static void a_short_load_is_sent_and_read_on(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_getter(sim, "k256.bin");
    sim_force(sim, OP_LOAD, 1000, 1);
    sim_settle(sim);
    assert_answered(client, 200);
    sim_close(sim);
}

static void an_interrupted_load_is_tried_again(void **state)
{
    (void)state;
    static const int ERRORS[] = { -EINTR, -EAGAIN };
    for (size_t i = 0; i < sizeof(ERRORS) / sizeof(ERRORS[0]); i++) {
        struct sim *sim = open_plain();
        struct sim_client *client = add_getter(sim, "k256.bin");
        sim_force(sim, OP_LOAD, ERRORS[i], 1);
        sim_settle(sim);
        assert_answered(client, 200);
        sim_close(sim);
    }
}

static void a_failed_load_ends_the_connection(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_getter(sim, "k256.bin");
    sim_force(sim, OP_LOAD, -EIO, 1);
    sim_settle(sim);
    assert_cut(client);
    sim_close(sim);
}

static void a_short_send_is_sent_on(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.faults[SIM_SHORT_SEND] = 900;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_getter(sim, "k256.bin");
    (void)sim_client_ask(sim, client, SIM_GET, "p4097.js");
    sim_settle(sim);
    assert_answered(client, 200);
    sim_close(sim);
}

static void an_interrupted_send_is_tried_again(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_getter(sim, "k256.bin");
    sim_force(sim, OP_SEND, -EINTR, 0);
    sim_force(sim, OP_SEND, -EAGAIN, 1);
    sim_settle(sim);
    assert_answered(client, 200);
    sim_close(sim);
}

static void a_broken_pipe_ends_the_connection(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_getter(sim, "k256.bin");
    sim_force(sim, OP_SEND, -EPIPE, 1);
    client->excuse = "its send fails";
    sim_settle(sim);
    assert_cut(client);
    assert_int_equal(worker_connections_count(sim->worker), 0);
    sim_close(sim);
}

static void a_recv_without_buffers_is_armed_again(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_getter(sim, "one.txt");
    sim_force(sim, OP_RECV, -ENOBUFS, 0);
    sim_settle(sim);
    assert_answered(client, 200);
    sim_close(sim);
}

static void a_closing_connection_waits_for_no_receive_buffer(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_slow(sim, "k256.bin");
    client->excuse = "its send fails";
    sim_run_for(sim, 100);
    sim_force(sim, OP_SEND, -EPIPE, 0);
    while (sim->worker->closing_count == 0) {
        sim_step(sim, sim->clock_ms + 100);
    }
    sim_force(sim, OP_RECV, -ENOBUFS, 0); /* instead of -ECANCELED */
    sim_settle(sim);
    assert_int_equal(worker_connections_count(sim->worker), 0);
    sim_close(sim);
}

static void a_multishot_that_ends_is_armed_again(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.faults[SIM_RECV_END] = 1000;
    plan.faults[SIM_ACCEPT_END] = 1000;
    struct sim *sim = sim_open(&plan);
    for (unsigned i = 0; i < 3; i++) {
        struct sim_client *client = add_getter(sim, "one.txt");
        client->manner.write_size_max = 7;
    }
    sim_settle(sim);
    for (unsigned i = 0; i < 3; i++) {
        assert_answered(&sim->clients[i], 200);
    }
    sim_close(sim);
}

static void accepting_without_descriptors_goes_on_at_the_tick(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    sim_force(sim, OP_ACCEPT, -EMFILE, 0);
    struct sim_client *client = add_getter(sim, "one.txt");
    sim_settle(sim);
    assert_false(client->was_accepted);
    sim_run_for(sim, TICK_MS);
    assert_answered(client, 200);
    sim_close(sim);
}

static void an_accept_that_fails_for_one_peer_goes_on_at_once(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    sim_force(sim, OP_ACCEPT, -ECONNABORTED, 0);
    struct sim_client *client = add_getter(sim, "one.txt");
    sim_settle(sim);
    assert_answered(client, 200);
    sim_close(sim);
}

static void an_open_that_raced_is_tried_four_times_more(void **state)
{
    (void)state;
    for (uint32_t count = OPEN_ATTEMPTS_MAX; count <= OPEN_ATTEMPTS_MAX + 1; count++) {
        struct sim *sim = open_plain();
        struct sim_client *client = add_getter(sim, "p4096.css");
        for (uint32_t i = 0; i < count; i++) {
            sim_force(sim, OP_OPEN, -EAGAIN, 0);
        }
        sim_settle(sim);
        assert_answered(client, count > OPEN_ATTEMPTS_MAX ? 503 : 200);
        sim_close(sim);
    }
}

static void an_open_without_descriptors_takes_them_from_the_cache(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    (void)add_getter(sim, "k256.bin");
    sim_settle(sim);
    assert_int_equal(sim_descriptors_count(sim, SIM_FD_FILE), 1);
    sim_force(sim, OP_OPEN, -EMFILE, 0);
    struct sim_client *client = add_getter(sim, "k256p.bin");
    sim_settle(sim);
    assert_answered(client, 200);
    sim_close(sim);
}

static void a_fill_that_fails_is_a_500(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    sim_force(sim, OP_FILL, -EIO, 0);
    struct sim_client *client = add_getter(sim, "p4096.css");
    sim_settle(sim);
    assert_answered(client, 500);
    sim_close(sim);
}

static void a_fill_goes_on_after_a_short_read_and_an_interruption(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    sim_force(sim, OP_FILL, 100, 0);
    sim_force(sim, OP_FILL, -EINTR, 0);
    struct sim_client *client = add_getter(sim, "p4096.css");
    sim_settle(sim);
    assert_answered(client, 200);
    sim_close(sim);
}

/* --- zero-copy ---------------------------------------------------------------------------------
 */

static void a_connection_is_not_over_before_its_last_notice(void **state)
{
    (void)state;
    struct sim_plan plan = with_zero_copy();
    plan.notice_delay_ms_max = 900;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_getter(sim, "k256.bin");
    sim_settle(sim);
    assert_answered(client, 200);
    assert_int_equal(sim_descriptors_count(sim, SIM_FD_SOCKET), 0);
    assert_int_equal(worker_connections_count(sim->worker), 1);
    sim_run_for(sim, 900);
    assert_int_equal(worker_connections_count(sim->worker), 0);
    assert_int_equal(uring_pool_taken_count(sim->worker->chunks), 0);
    sim_close(sim);
}

/* With a notice or without one, or with a stray one: chance has it, so some seeds are tried. */
static void zero_copy_that_is_refused_becomes_plain(void **state)
{
    (void)state;
    static const int ERRORS[] = { -EOPNOTSUPP, -EINVAL, -ENOMEM, -ENOBUFS };
    for (uint64_t seed = 0; seed < 32; seed++) {
        struct sim_plan plan = with_zero_copy();
        plan.seed = seed;
        struct sim *sim = sim_open(&plan);
        struct sim_client *client = add_getter(sim, "k256.bin");
        sim_force(sim, OP_SEND_ZERO_COPY, ERRORS[seed % 4], 1);
        sim_settle(sim);
        assert_answered(client, 200);
        assert_true(sim->worker->zerocopy[0].off);
        sim_close(sim);
    }
}

static void a_listener_that_copies_sends_no_more_zero_copy(void **state)
{
    (void)state;
    struct sim_plan plan = with_zero_copy();
    plan.conf->zerocopy = CONF_AUTO;
    plan.faults[SIM_COPIED] = 1000;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_getter(sim, "m1.bin");
    sim_settle(sim);
    assert_answered(client, 200);
    assert_true(sim->worker->zerocopy[0].off);
    assert_true(sim->worker->counters.zero_copy_sends < 16);
    sim_close(sim);
}

/* --- ranges ----------------------------------------------------------------------------------- */

static void ranges_are_answered_one_by_one_and_together(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 64; seed++) {
        struct sim_plan plan = plain();
        plan.seed = seed;
        struct sim *sim = sim_open(&plan);
        struct sim_client *client = sim_client_add(sim);
        for (unsigned i = 0; i < 8; i++) {
            (void)sim_client_ask(sim, client, SIM_GET_RANGE, i % 2 == 0 ? "p4097.js" : "k256.bin");
        }
        sim_settle(sim);
        assert_int_equal(client->answered_count, 8);
        sim_close(sim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_served),
        cmocka_unit_test(a_short_load_is_sent_and_read_on),
        cmocka_unit_test(an_interrupted_load_is_tried_again),
        cmocka_unit_test(a_failed_load_ends_the_connection),
        cmocka_unit_test(a_short_send_is_sent_on),
        cmocka_unit_test(an_interrupted_send_is_tried_again),
        cmocka_unit_test(a_broken_pipe_ends_the_connection),
        cmocka_unit_test(a_recv_without_buffers_is_armed_again),
        cmocka_unit_test(a_closing_connection_waits_for_no_receive_buffer),
        cmocka_unit_test(a_multishot_that_ends_is_armed_again),
        cmocka_unit_test(accepting_without_descriptors_goes_on_at_the_tick),
        cmocka_unit_test(an_accept_that_fails_for_one_peer_goes_on_at_once),
        cmocka_unit_test(an_open_that_raced_is_tried_four_times_more),
        cmocka_unit_test(an_open_without_descriptors_takes_them_from_the_cache),
        cmocka_unit_test(a_fill_that_fails_is_a_500),
        cmocka_unit_test(a_fill_goes_on_after_a_short_read_and_an_interruption),
        cmocka_unit_test(a_connection_is_not_over_before_its_last_notice),
        cmocka_unit_test(zero_copy_that_is_refused_becomes_plain),
        cmocka_unit_test(a_listener_that_copies_sends_no_more_zero_copy),
        cmocka_unit_test(ranges_are_answered_one_by_one_and_together),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("sim_fault", tests, NULL, NULL);
}

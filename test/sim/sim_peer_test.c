/* The server on the fake kernel: peers that are slow, rude or many. */
#include <errno.h>

#include "sim_cases.h"

/* --- peers that are slow, rude or many ---------------------------------------------------------
 */

static void a_fast_peer_gets_through_among_slow_ones(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    for (unsigned i = 0; i < 20; i++) {
        (void)add_slow(sim, "k256.bin");
    }
    sim_run_for(sim, 100);
    struct sim_client *client = add_getter(sim, "k256p.bin");
    sim_settle(sim);
    assert_answered(client, 200);
    sim_run_for(sim, 20000);
    for (unsigned i = 0; i < 20; i++) {
        assert_answered(&sim->clients[i], 200);
    }
    sim_close(sim);
}

static void a_fast_peer_gets_through_among_many_that_do_not_read(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    for (unsigned i = 0; i < 20; i++) {
        (void)add_never_reading(sim, "k256.bin");
    }
    sim_run_for(sim, 100);
    struct sim_client *client = add_getter(sim, "k256p.bin");
    sim_settle(sim);
    assert_answered(client, 200);
    sim_close(sim);
}

/* Lets loads begin until so many are under way, and makes them take their time. */
static void hold_loads(struct sim *sim, unsigned wanted, uint32_t milliseconds)
{
    for (unsigned held = 0; held < wanted;) {
        sim_step(sim, sim->clock_ms);
        for (uint32_t i = 0; i < sim->uring->operations_end; i++) {
            struct sim_operation *operation = &sim->uring->operations[i];
            if (operation->used && operation->token.op == OP_LOAD && operation->due_ms == 0) {
                operation->due_ms = sim->clock_ms + milliseconds;
                held++;
            }
        }
    }
}

static void a_free_chunk_goes_to_who_can_use_it(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.conf->chunks_max = 2;
    plan.conf->chunk_bytes = 262144; /* each holder has one load, and is done */
    struct sim *sim = sim_open(&plan);
    (void)add_getter(sim, "k64.bin");
    (void)add_getter(sim, "m1.bin");
    sim_settle(sim);
    add_getter(sim, "k256m.bin")->manner.window = 1 << 20;
    add_getter(sim, "k256.bin")->manner.window = 1 << 20;
    hold_loads(sim, 2, 1000);
    for (unsigned i = 0; i < 2; i++) {
        struct sim_client *client = add_never_reading(sim, "k64.bin");
        (void)sim_client_ask(sim, client, SIM_GET, "m1.bin");
    }
    sim_settle(sim);
    struct sim_client *client = add_getter(sim, "k256.bin");
    sim_settle(sim);
    assert_int_equal(uring_pool_taken_count(sim->worker->chunks), 2);
    sim_run_for(sim, 1500);
    assert_answered(client, 200);
    sim_close(sim);
}

static void zero_copy_leaves_half_of_the_chunks(void **state)
{
    (void)state;
    struct sim_plan plan = with_zero_copy();
    struct sim *sim = sim_open(&plan);
    for (unsigned i = 0; i < 20; i++) {
        struct sim_client *slow = add_never_reading(sim, "k256.bin");
        slow->manner.window = 140000;
    }
    sim_run_for(sim, 100);
    struct sim_client *client = add_getter(sim, "k256p.bin");
    sim_settle(sim);
    assert_answered(client, 200);
    sim_close(sim);
}

static void a_flood_of_requests_is_taken_only_as_fast_as_its_answers(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.stall_ms = 0;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = sim_client_add(sim);
    for (unsigned i = 0; i < SIM_REQUESTS_MAX; i++) {
        struct sim_request *request = sim_client_ask(sim, client, SIM_GET_LONG, "k64m.bin");
        assert_int_equal(request->status, 200);
    }
    client->manner.never_reads = true;
    client->manner.window = 1000;
    client->manner.write_size_max = 8000;
    client->manner.write_pause_ms = 2;
    sim_run_for(sim, 2000);
    assert_true(client->script_size > 500000);
    uint32_t held = sim->plan.conf->recv_buffer_bytes * 4;
    assert_true(client->taken < INBOX_SIZE + held + OUTBOX_SEGMENTS_MAX * 30000);
    assert_true(uring_recv_free_count(sim->uring) >= 60);
    client->manner.never_reads = false;
    client->manner.window = 65536;
    sim_run_for(sim, 2000);
    assert_answered(client, 200);
    sim_close(sim);
}

static void a_peer_that_sits_on_the_receive_buffers_is_ended(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.conf->recv_buffers = 8;
    plan.conf->recv_buffer_bytes = 65536;
    struct sim *sim = sim_open(&plan);
    struct sim_client *flood = sim_client_add(sim);
    for (unsigned k = 0; k < SIM_REQUESTS_MAX; k++) {
        (void)sim_client_ask(sim, flood, SIM_GET_LONG, "k64m.bin");
    }
    flood->manner.never_reads = true;
    flood->manner.stops_at = 40000; /* the first are answered, the inbox is half full */
    sim_settle(sim);
    flood->manner.stops_at = 0;
    sim_settle(sim);
    assert_int_equal(sim->worker->counters.connections_sacrificed, 1);
    struct sim_client *client = add_getter(sim, "one.txt");
    sim_settle(sim);
    assert_answered(client, 200);
    assert_true(flood->is_ended);
    sim_close(sim);
}

static void a_peer_that_resets_leaves_nothing_behind(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_slow(sim, "k256.bin");
    client->manner.resets_at = 50000;
    sim_run_for(sim, 2000);
    assert_true(client->has_reset);
    assert_int_equal(worker_connections_count(sim->worker), 0);
    sim_close(sim);
}

static void requests_before_a_half_close_are_answered(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_slow(sim, "k256.bin");
    (void)sim_client_ask(sim, client, SIM_GET, "k64p");
    (void)sim_client_ask(sim, client, SIM_HEAD, "one.txt");
    client->manner.half_closes = true;
    client->manner.stays = true;
    sim_run_for(sim, 5000);
    assert_answered(client, 200);
    assert_true(client->is_ended);
    sim_close(sim);
}

static void a_continue_is_sent_to_who_waits_for_it(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = sim_client_add(sim);
    struct sim_request *request = sim_client_ask(sim, client, SIM_POST_EXPECT, "one.txt");
    sim_settle(sim);
    assert_true(request->is_continued);
    assert_answered(client, 405);
    sim_close(sim);
}

/* Lets the client's bytes up to there into a receive buffer of their own. */
static void receive_up_to(struct sim *sim, struct sim_client *client, uint32_t end)
{
    client->manner.stops_at = end;
    while (client->taken < end) {
        assert_true(sim_step_world(sim));
    }
}

static void an_empty_line_behind_a_body_hides_no_request(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_getter(sim, "one.txt");
    struct sim_request *post = sim_client_ask(sim, client, SIM_POST_LINE, "one.txt");
    struct sim_request *get = sim_client_ask(sim, client, SIM_GET, "one.txt");
    client->manner.stops_at = post->end;
    sim_settle(sim);
    receive_up_to(sim, client, get->start);
    receive_up_to(sim, client, get->end);
    sim_settle(sim);
    assert_answered(client, 200);
    sim_close(sim);
}

/* The last answer must not be lost to a reset, though the peer goes on asking. */
static void the_last_answer_survives_requests_behind_it(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.conf->requests_per_connection_max = 1;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_slow(sim, "k16");
    for (unsigned i = 0; i < 20; i++) {
        (void)sim_client_ask(sim, client, SIM_GET, "one.txt");
    }
    client->manner.read_size_max = 1000;
    client->manner.stops_at = client->requests[0].end;
    sim_run_for(sim, 100);
    assert_int_equal(client->answered_count, 0); /* it has been sent, and not been read */
    client->manner.stops_at = 0;
    sim_run_for(sim, 5000);
    assert_int_equal(client->requests[0].answered_status, 200);
    assert_true(client->says_close);
    assert_false(client->has_lost);
    sim_close(sim);
}

/* --- too many ----------------------------------------------------------------------------------
 */

static void the_longest_idle_makes_room_for_a_newcomer(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.connections_max = 2;
    struct sim *sim = sim_open(&plan);
    for (unsigned i = 0; i < 3; i++) {
        struct sim_client *client = add_getter(sim, "one.txt");
        client->manner.stays = true;
        sim_run_for(sim, 100);
    }
    assert_true(sim->clients[0].is_ended);
    assert_false(sim->clients[1].is_ended);
    assert_answered(&sim->clients[2], 200);
    sim_close(sim);
}

static void accepting_pauses_while_nobody_is_idle(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.connections_max = 2;
    plan.stall_ms = 0;
    struct sim *sim = sim_open(&plan);
    for (unsigned i = 0; i < 3; i++) {
        (void)add_never_reading(sim, "k256.bin");
        sim_settle(sim);
    }
    struct sim_client *client = add_getter(sim, "one.txt");
    sim_run_for(sim, 1000);
    assert_false(client->was_accepted);
    sim_run_for(sim, sim->plan.conf->send_timeout_ms + TICK_MS);
    assert_answered(client, 200);
    sim_close(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fast_peer_gets_through_among_slow_ones),
        cmocka_unit_test(a_fast_peer_gets_through_among_many_that_do_not_read),
        cmocka_unit_test(a_free_chunk_goes_to_who_can_use_it),
        cmocka_unit_test(zero_copy_leaves_half_of_the_chunks),
        cmocka_unit_test(a_flood_of_requests_is_taken_only_as_fast_as_its_answers),
        cmocka_unit_test(a_peer_that_sits_on_the_receive_buffers_is_ended),
        cmocka_unit_test(a_peer_that_resets_leaves_nothing_behind),
        cmocka_unit_test(requests_before_a_half_close_are_answered),
        cmocka_unit_test(a_continue_is_sent_to_who_waits_for_it),
        cmocka_unit_test(an_empty_line_behind_a_body_hides_no_request),
        cmocka_unit_test(the_last_answer_survives_requests_behind_it),
        cmocka_unit_test(the_longest_idle_makes_room_for_a_newcomer),
        cmocka_unit_test(accepting_pauses_while_nobody_is_idle),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("sim_peer", tests, NULL, NULL);
}

/* The server on the fake kernel: deadlines and stopping. */
#include "sim_cases.h"

/* --- deadlines ---------------------------------------------------------------------------------
 */

static void half_a_head_is_a_408(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_getter(sim, "one.txt");
    client->manner.stops_at = 20;
    sim_run_for(sim, sim->plan.conf->head_timeout_ms - 1);
    assert_int_equal(client->answered_count, 0);
    sim_run_for(sim, TICK_MS + 1);
    assert_answered(client, 408);
    sim_close(sim);
}

static void half_a_body_is_a_408(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = sim_client_add(sim);
    struct sim_request *request = sim_client_ask(sim, client, SIM_POST, "one.txt");
    client->manner.stops_at = request->end - 10;
    sim_run_for(sim, sim->plan.conf->body_timeout_ms + TICK_MS);
    assert_answered(client, 408);
    sim_close(sim);
}

static void each_body_has_its_own_time(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = sim_client_add(sim);
    uint32_t first = sim_client_ask(sim, client, SIM_POST, "one.txt")->end;
    uint32_t second = sim_client_ask(sim, client, SIM_POST, "one.txt")->end;
    client->manner.stops_at = first - 10;
    sim_run_for(sim, sim->plan.conf->body_timeout_ms - 1500);
    client->manner.stops_at = second - 10;
    sim_run_for(sim, sim->plan.conf->body_timeout_ms - 1500);
    client->manner.stops_at = 0;
    sim_settle(sim);
    assert_answered(client, 405);
    sim_close(sim);
}

static void a_body_behind_a_long_answer_has_its_own_time(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.conf->body_timeout_ms = 1000;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_slow(sim, "k256.bin");
    (void)sim_client_ask(sim, client, SIM_POST_EXPECT, "one.txt");
    client->manner.read_pause_ms = 500;
    sim_run_for(sim, 20000);
    assert_answered(client, 405);
    sim_close(sim);
}

static void an_idle_connection_is_closed_in_silence(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_getter(sim, "one.txt");
    client->manner.stays = true;
    sim_run_for(sim, sim->plan.conf->keepalive_timeout_ms - 1);
    assert_false(client->is_ended);
    sim_run_for(sim, TICK_MS + 1);
    assert_true(client->is_ended);
    assert_int_equal(client->parsed_size, client->received_size);
    sim_close(sim);
}

static void a_peer_that_does_not_read_is_given_up(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_never_reading(sim, "k256.bin");
    sim_run_for(sim, sim->plan.conf->send_timeout_ms - TICK_MS);
    assert_false(client->is_ended);
    sim_run_for(sim, 2 * TICK_MS);
    assert_true(client->was_aborted);
    assert_int_equal(worker_connections_count(sim->worker), 0);
    sim_close(sim);
}

static void a_slow_peer_is_not_given_up(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.conf->send_timeout_ms = 2000;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_slow(sim, "k64m.bin");
    client->manner.window = 65536;
    client->manner.read_size_max = 3000;
    client->manner.read_pause_ms = 1500;
    sim_run_for(sim, 120000);
    assert_answered(client, 200);
    sim_close(sim);
}

/* What is offloaded next takes so long. */
static void let_work_take(struct sim *sim, uint32_t milliseconds)
{
    bool is_found = false;
    while (!is_found) {
        sim_step(sim, sim->clock_ms);
        for (uint32_t i = 0; i < sim->uring->operations_end; i++) {
            struct sim_operation *operation = &sim->uring->operations[i];
            if (operation->used && operation->kind == SIM_WORK) {
                operation->due_ms = sim->clock_ms + milliseconds;
                is_found = true;
            }
        }
    }
}

static void a_peer_is_not_given_up_for_the_time_that_a_helper_takes(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.conf->etag = CONF_ETAG_HASH;
    plan.conf->send_timeout_ms = 2000;
    plan.stall_ms = 0;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_getter(sim, "k256.bin");
    let_work_take(sim, 5 * plan.conf->send_timeout_ms);
    sim_run_for(sim, 6 * plan.conf->send_timeout_ms);
    assert_answered(client, 200);
    sim_close(sim);
}

/* --- stopping ----------------------------------------------------------------------------------
 */

static void a_stop_finishes_what_runs(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    for (unsigned i = 0; i < 6; i++) {
        (void)add_slow(sim, "k256.bin");
    }
    sim_run_for(sim, 100);
    sim_finish(sim);
    for (unsigned i = 0; i < 6; i++) {
        assert_answered(&sim->clients[i], 200);
    }
    sim_close(sim);
}

static void a_stop_closes_who_is_idle_at_once(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_getter(sim, "one.txt");
    client->manner.stays = true;
    sim_settle(sim);
    sim_tell(sim, WAKE_STOP);
    sim_settle(sim);
    assert_true(client->is_ended);
    assert_true(worker_is_done(sim->worker));
    sim_close(sim);
}

static void a_stop_is_forced_in_the_end(void **state)
{
    (void)state;
    struct sim_plan plan = with_zero_copy();
    plan.conf->send_timeout_ms = 60000;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_never_reading(sim, "k256.bin");
    sim_run_for(sim, 100);
    sim_tell(sim, WAKE_STOP);
    sim_run_for(sim, sim->plan.conf->shutdown_timeout_ms - TICK_MS);
    assert_false(worker_is_done(sim->worker));
    assert_false(client->is_ended);
    sim_run_for(sim, 3 * TICK_MS);
    assert_true(worker_is_done(sim->worker));
    assert_true(client->was_aborted);
    sim_close(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_a_head_is_a_408),
        cmocka_unit_test(half_a_body_is_a_408),
        cmocka_unit_test(each_body_has_its_own_time),
        cmocka_unit_test(a_body_behind_a_long_answer_has_its_own_time),
        cmocka_unit_test(an_idle_connection_is_closed_in_silence),
        cmocka_unit_test(a_peer_that_does_not_read_is_given_up),
        cmocka_unit_test(a_slow_peer_is_not_given_up),
        cmocka_unit_test(a_peer_is_not_given_up_for_the_time_that_a_helper_takes),
        cmocka_unit_test(a_stop_finishes_what_runs),
        cmocka_unit_test(a_stop_closes_who_is_idle_at_once),
        cmocka_unit_test(a_stop_is_forced_in_the_end),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("sim_time", tests, NULL, NULL);
}

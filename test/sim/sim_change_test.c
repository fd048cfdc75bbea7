/* The server on the fake kernel: files that change under it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/freshness.h"
#include "sim_cases.h"

static bool is_reading(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->uring->operations_end; i++) {
        const struct sim_operation *operation = &sim->uring->operations[i];
        if (operation->used && operation->kind == SIM_READ) {
            return true;
        }
    }
    return false;
}

static void a_file_that_changes_while_it_is_read_is_read_again(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.faults[SIM_SLOW_DISK] = 1000;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_getter(sim, "p4096.css");
    while (!is_reading(sim)) {
        sim_run_for(sim, 1);
    }
    change(sim, "p4096.css", SIM_EDIT, 0);
    sim_run_for(sim, 2000);
    assert_answered(client, 200);
    sim_close(sim);
}

static void a_file_that_never_stops_changing_is_a_503(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.faults[SIM_SLOW_DISK] = 1000;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_getter(sim, "p4096.css");
    unsigned changes = 0;
    for (bool was_reading = false; client->answered_count == 0; sim_run_for(sim, 1)) {
        bool reads = is_reading(sim);
        if (reads && !was_reading) {
            change(sim, "p4096.css", SIM_EDIT, 0);
            changes++;
        }
        was_reading = reads;
    }
    assert_answered(client, 503);
    assert_int_equal(changes, 1 + FILL_ATTEMPTS_MAX);
    sim_close(sim);
}

static void a_file_cut_while_it_streams_ends_the_connection(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_slow(sim, "k256.bin");
    sim_run_for(sim, 100);
    change(sim, "k256.bin", SIM_TRUNCATE, 150000);
    sim_run_for(sim, 2000);
    assert_cut(client);
    assert_int_equal(worker_connections_count(sim->worker), 0);
    sim_close(sim);
}

/* What is left of it does not fill the load that a paced connection asks for. */
static void a_file_cut_under_a_paced_connection_ends_it(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.conf->chunks_max = 2;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_slow(sim, "k256.bin");
    sim_run_for(sim, 200);
    change(sim, "k256.bin", SIM_TRUNCATE, client->received_size + 5000);
    sim_run_for(sim, 2000);
    assert_cut(client);
    sim_close(sim);
}

static void a_file_that_grows_while_it_streams_keeps_its_length(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_slow(sim, "k256.bin");
    sim_run_for(sim, 100);
    change(sim, "k256.bin", SIM_GROW, 400000);
    sim_run_for(sim, 2000);
    assert_answered(client, 200);
    assert_int_equal(client->requests[0].body_size, 262144);
    sim_close(sim);
}

static void a_replaced_file_is_served_anew_at_once(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    (void)add_getter(sim, "p4096.css");
    sim_settle(sim);
    change(sim, "p4096.css", SIM_REPLACE, 300);
    struct sim_client *client = add_getter(sim, "p4096.css");
    sim_settle(sim);
    assert_answered(client, 200);
    assert_int_equal(client->requests[0].body_size, 300);
    sim_close(sim);
}

/* The files that the next bytes of the client's script ask for, as they are by then. */
static void go_on_to(struct sim *sim, struct sim_client *client, uint32_t end)
{
    client->manner.stops_at = end;
    sim_settle(sim);
}

static void a_file_that_changes_between_two_batches_is_served_anew(void **state)
{
    (void)state;
    for (unsigned watching = 0; watching < 2; watching++) {
        struct sim_plan plan = plain();
        plan.conf->cache_watch = watching ? CONF_ON : CONF_OFF;
        struct sim *sim = sim_open(&plan);
        struct sim_client *client = add_getter(sim, "p4096.css");
        struct sim_request *second = sim_client_ask(sim, client, SIM_GET, "p4096.css");
        struct sim_request *third = sim_client_ask(sim, client, SIM_GET, "p4096.css");
        go_on_to(sim, client, second->start);
        go_on_to(sim, client, third->start);
        change(sim, "p4096.css", SIM_EDIT, 0);
        go_on_to(sim, client, third->end);
        assert_answered(client, 200); /* and sim_check has compared the bytes */
        sim_close(sim);
    }
}

static bool is_opened(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->uring->events_count; i++) {
        uint32_t index = (sim->uring->events_first + i) % SIM_EVENTS_MAX;
        if (sim->uring->events[index].event.token.op == OP_OPEN) {
            return true;
        }
    }
    return false;
}

/* The watch is set behind the opening, so what comes between them does not show in it. */
static void a_file_replaced_before_it_is_watched_is_not_taken_for_fresh(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_getter(sim, "p4096.css");
    struct sim_request *second = sim_client_ask(sim, client, SIM_GET, "p4096.css");
    client->manner.stops_at = second->start;
    sim_step(sim, sim->clock_ms); /* accept */
    sim_step(sim, sim->clock_ms); /* recv */
    while (!is_opened(sim)) {
        assert_true(sim_step_world(sim));
    }
    change(sim, "p4096.css", SIM_REPLACE, 4096);
    sim_settle(sim);
    assert_int_equal(client->answered_count, 1);
    go_on_to(sim, client, second->end);
    assert_answered(client, 200);
    sim_close(sim);
}

/* The same for what comes to be in a place that was looked at before, and held nothing. */
static void a_place_filled_before_it_is_watched_is_not_taken_for_empty(void **state)
{
    (void)state;
    static const char TRY[] = "[files]\ntry = /p4096.css $uri\n";
    struct sim_plan plan = plain();
    struct conf_errors *errors = calloc(1, sizeof(*errors));
    assert_non_null(errors);
    assert_true(conf_parse(TRY, strlen(TRY), plan.conf, errors));
    free(errors);
    struct sim *sim = sim_open(&plan);
    change(sim, "p4096.css", SIM_DELETE, 0);
    (void)add_getter(sim, "one.txt");
    sim_step(sim, sim->clock_ms); /* accept */
    sim_step(sim, sim->clock_ms); /* recv */
    while (!is_opened(sim)) {
        assert_true(sim_step_world(sim));
    }
    change(sim, "p4096.css", SIM_CREATE, 100);
    sim_settle(sim);
    struct entry *entry = cache_find(&sim->worker->cache, SLICE("one.txt"));
    assert_non_null(entry);
    sim->worker->batch++;
    assert_false(freshness_holds(sim->worker, entry));
    sim_close(sim);
}

static void a_directory_that_moved_is_watched_anew(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.watch_forgetting = 1000;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_getter(sim, "p4096.css");
    struct sim_request *second = sim_client_ask(sim, client, SIM_GET, "p4096.css");
    struct sim_request *third = sim_client_ask(sim, client, SIM_GET, "p4096.css");
    go_on_to(sim, client, second->start);
    change(sim, "p4095.html", SIM_EDIT, 0); /* with it, the watch is lost */
    go_on_to(sim, client, third->start);
    change(sim, "p4096.css", SIM_EDIT, 0);
    go_on_to(sim, client, third->end);
    assert_answered(client, 200);
    sim_close(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_changes_while_it_is_read_is_read_again),
        cmocka_unit_test(a_file_that_never_stops_changing_is_a_503),
        cmocka_unit_test(a_file_cut_while_it_streams_ends_the_connection),
        cmocka_unit_test(a_file_cut_under_a_paced_connection_ends_it),
        cmocka_unit_test(a_file_that_grows_while_it_streams_keeps_its_length),
        cmocka_unit_test(a_replaced_file_is_served_anew_at_once),
        cmocka_unit_test(a_file_that_changes_between_two_batches_is_served_anew),
        cmocka_unit_test(a_file_replaced_before_it_is_watched_is_not_taken_for_fresh),
        cmocka_unit_test(a_place_filled_before_it_is_watched_is_not_taken_for_empty),
        cmocka_unit_test(a_directory_that_moved_is_watched_anew),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("sim_change", tests, NULL, NULL);
}

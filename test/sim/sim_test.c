/* The server on the fake kernel: one fault or one kind of peer a test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "sim.h"

static struct sim_plan plain(void)
{
    struct sim_plan plan;
    sim_plan_init(&plan, 1);
    return plan;
}

static struct sim *open_plain(void)
{
    struct sim_plan plan = plain();
    return sim_open(&plan);
}

static struct sim_client *add_getter(struct sim *sim, const char *name)
{
    struct sim_client *client = sim_client_add(sim);
    (void)sim_client_ask(sim, client, SIM_GET, name);
    return client;
}

static struct sim_client *add_slow(struct sim *sim, const char *name)
{
    struct sim_client *client = add_getter(sim, name);
    client->manner.window = 20000;
    client->manner.read_size_max = 20000;
    client->manner.read_pause_ms = 50;
    return client;
}

static struct sim_client *add_never_reading(struct sim *sim, const char *name)
{
    struct sim_client *client = add_getter(sim, name);
    client->manner.window = 20000;
    client->manner.never_reads = true;
    return client;
}

static void assert_answered(const struct sim_client *client, unsigned status)
{
    assert_int_equal(client->answered_count, client->requests_count);
    assert_int_equal(client->requests[client->requests_count - 1].answered_status, status);
}

/* The answer began, and ended early. */
static void assert_cut(const struct sim_client *client)
{
    assert_true(client->is_ended);
    assert_int_equal(client->answered_count, 0);
    assert_true(client->read_size > 0);
}

/* --- faults, one at a time -------------------------------------------------------------------- */

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

/* --- zero-copy -------------------------------------------------------------------------------- */

static struct sim_plan with_zero_copy(void)
{
    struct sim_plan plan = plain();
    plan.conf.zerocopy = CONF_ON;
    plan.conf.zerocopy_bytes_min = 1;
    return plan;
}

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

static void zero_copy_that_is_refused_becomes_plain(void **state)
{
    (void)state;
    static const int ERRORS[] = { -EOPNOTSUPP, -EINVAL, -ENOMEM, -ENOBUFS };
    for (size_t i = 0; i < sizeof(ERRORS) / sizeof(ERRORS[0]); i++) {
        struct sim_plan plan = with_zero_copy();
        struct sim *sim = sim_open(&plan);
        struct sim_client *client = add_getter(sim, "k256.bin");
        sim_force(sim, OP_SEND_ZERO_COPY, ERRORS[i], 1);
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
    plan.conf.zerocopy = CONF_AUTO;
    plan.faults[SIM_COPIED] = 1000;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_getter(sim, "m1.bin");
    sim_settle(sim);
    assert_answered(client, 200);
    assert_true(sim->worker->zerocopy[0].off);
    assert_true(sim->worker->counters.zero_copy_sends < 16);
    sim_close(sim);
}

/* --- files that change ------------------------------------------------------------------------ */

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

static void change(struct sim *sim, const char *name, enum sim_change change, uint64_t size)
{
    sim_files_change(&sim->files, sim_files_find(&sim->files, name), change, size, sim->clock_ms);
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
    plan.conf.chunks_max = 2;
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

/* --- peers that are slow, rude or many -------------------------------------------------------- */

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
    uint32_t held = sim->plan.conf.recv_buffer_bytes * 4;
    assert_true(client->taken < INBOX_SIZE + held + OUTBOX_SEGMENTS_MAX * 30000);
    assert_true(uring_recv_free_count(sim->uring) >= 60);
    client->manner.never_reads = false;
    client->manner.window = 65536;
    sim_run_for(sim, 2000);
    assert_answered(client, 200);
    sim_close(sim);
}

static void a_peer_that_does_not_read_gives_the_receive_buffers_back_in_time(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.conf.recv_buffers = 8;
    plan.stall_ms = 0;
    struct sim *sim = sim_open(&plan);
    struct sim_client *flood = sim_client_add(sim);
    for (unsigned k = 0; k < 40; k++) {
        (void)sim_client_ask(sim, flood, SIM_GET_LONG, "k64m.bin");
    }
    flood->manner.never_reads = true;
    sim_settle(sim);
    struct sim_client *client = add_getter(sim, "one.txt");
    sim_run_for(sim, sim->plan.conf.send_timeout_ms + 2 * TICK_MS);
    assert_answered(client, 200);
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

/* The last answer must not be lost to a reset, though the peer goes on asking. */
static void the_last_answer_survives_requests_behind_it(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.conf.requests_per_connection_max = 1;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_slow(sim, "k16");
    for (unsigned i = 0; i < 20; i++) {
        (void)sim_client_ask(sim, client, SIM_GET, "one.txt");
    }
    client->manner.read_size_max = 1000;
    client->manner.write_size_max = 1;
    client->manner.write_pause_ms = 5;
    sim_run_for(sim, 5000);
    assert_int_equal(client->requests[0].answered_status, 200);
    assert_true(client->says_close);
    assert_false(client->has_lost);
    sim_close(sim);
}

/* --- deadlines -------------------------------------------------------------------------------- */

static void half_a_head_is_a_408(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_getter(sim, "one.txt");
    client->manner.stops_at = 20;
    sim_run_for(sim, sim->plan.conf.head_timeout_ms - 1);
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
    sim_run_for(sim, sim->plan.conf.body_timeout_ms + TICK_MS);
    assert_answered(client, 408);
    sim_close(sim);
}

static void an_idle_connection_is_closed_in_silence(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = add_getter(sim, "one.txt");
    client->manner.stays = true;
    sim_run_for(sim, sim->plan.conf.keepalive_timeout_ms - 1);
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
    sim_run_for(sim, sim->plan.conf.send_timeout_ms - TICK_MS);
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
    plan.conf.send_timeout_ms = 2000;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_slow(sim, "k64m.bin");
    client->manner.window = 65536;
    client->manner.read_size_max = 3000;
    client->manner.read_pause_ms = 1500;
    sim_run_for(sim, 120000);
    assert_answered(client, 200);
    sim_close(sim);
}

/* --- too many --------------------------------------------------------------------------------- */

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
    sim_run_for(sim, sim->plan.conf.send_timeout_ms + TICK_MS);
    assert_answered(client, 200);
    sim_close(sim);
}

/* --- stopping --------------------------------------------------------------------------------- */

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

static void a_stop_is_forced_in_the_end(void **state)
{
    (void)state;
    struct sim_plan plan = with_zero_copy();
    plan.conf.send_timeout_ms = 60000;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_never_reading(sim, "k256.bin");
    sim_run_for(sim, 100);
    sim_tell_stop(sim);
    sim_run_for(sim, sim->plan.conf.shutdown_timeout_ms - TICK_MS);
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
        cmocka_unit_test(a_file_is_served),
        cmocka_unit_test(a_short_load_is_sent_and_read_on),
        cmocka_unit_test(an_interrupted_load_is_tried_again),
        cmocka_unit_test(a_failed_load_ends_the_connection),
        cmocka_unit_test(a_short_send_is_sent_on),
        cmocka_unit_test(an_interrupted_send_is_tried_again),
        cmocka_unit_test(a_broken_pipe_ends_the_connection),
        cmocka_unit_test(a_recv_without_buffers_is_armed_again),
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
        cmocka_unit_test(a_file_that_changes_while_it_is_read_is_read_again),
        cmocka_unit_test(a_file_that_never_stops_changing_is_a_503),
        cmocka_unit_test(a_file_cut_while_it_streams_ends_the_connection),
        cmocka_unit_test(a_file_cut_under_a_paced_connection_ends_it),
        cmocka_unit_test(a_file_that_grows_while_it_streams_keeps_its_length),
        cmocka_unit_test(a_replaced_file_is_served_anew_at_once),
        cmocka_unit_test(a_fast_peer_gets_through_among_slow_ones),
        cmocka_unit_test(a_fast_peer_gets_through_among_many_that_do_not_read),
        cmocka_unit_test(zero_copy_leaves_half_of_the_chunks),
        cmocka_unit_test(a_flood_of_requests_is_taken_only_as_fast_as_its_answers),
        cmocka_unit_test(a_peer_that_does_not_read_gives_the_receive_buffers_back_in_time),
        cmocka_unit_test(a_peer_that_resets_leaves_nothing_behind),
        cmocka_unit_test(requests_before_a_half_close_are_answered),
        cmocka_unit_test(a_continue_is_sent_to_who_waits_for_it),
        cmocka_unit_test(the_last_answer_survives_requests_behind_it),
        cmocka_unit_test(half_a_head_is_a_408),
        cmocka_unit_test(half_a_body_is_a_408),
        cmocka_unit_test(an_idle_connection_is_closed_in_silence),
        cmocka_unit_test(a_peer_that_does_not_read_is_given_up),
        cmocka_unit_test(a_slow_peer_is_not_given_up),
        cmocka_unit_test(the_longest_idle_makes_room_for_a_newcomer),
        cmocka_unit_test(accepting_pauses_while_nobody_is_idle),
        cmocka_unit_test(a_stop_finishes_what_runs),
        cmocka_unit_test(a_stop_is_forced_in_the_end),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}

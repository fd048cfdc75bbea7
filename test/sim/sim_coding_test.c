/* The server on the fake kernel: codings, made and found, while files, connections and the server
 * itself come and go. */
#include <errno.h>

#include "http/http_coding.h"
#include "sim_cases.h"

/* Asks in a connection of its own. */
static struct sim_client *add_taker(struct sim *sim, const char *name, enum sim_takes takes)
{
    struct sim_client *client = sim_client_add(sim);
    struct sim_wish wish = { .takes = takes };
    (void)sim_client_ask_with(sim, client, SIM_GET, name, &wish);
    return client;
}

static void assert_coded(const struct sim_client *client, enum http_coding coding)
{
    assert_answered(client, 200);
    assert_int_equal(client->requests[client->requests_count - 1].answered_coding, coding);
}

static struct sim_client *take(struct sim *sim, const char *name, enum sim_takes takes)
{
    struct sim_client *client = add_taker(sim, name, takes);
    sim_settle(sim);
    return client;
}

static const struct sim_operation *pending(const struct sim *sim, enum sim_operation_kind kind)
{
    for (uint32_t i = 0; i < sim->uring->operations_end; i++) {
        const struct sim_operation *operation = &sim->uring->operations[i];
        if (operation->used && operation->kind == kind) {
            return operation;
        }
    }
    return NULL;
}

/* Lets time pass until an operation of that kind takes some. */
static void run_until_pending(struct sim *sim, enum sim_operation_kind kind)
{
    for (unsigned i = 0; pending(sim, kind) == NULL; i++) {
        assert_true(i < 10000);
        sim_run_for(sim, 1);
    }
}

/* Lets time pass until the sibling of app.js is being opened. */
static void run_until_sibling_opens(struct sim *sim)
{
    for (unsigned i = 0;; i++) {
        const struct sim_operation *open = pending(sim, SIM_OPEN);
        if (open != NULL && strcmp(open->path, "app.js.br") == 0) {
            return;
        }
        assert_true(i < 10000);
        sim_run_for(sim, 1);
    }
}

static struct sim *open_slow(void)
{
    struct sim_plan plan = plain();
    plan.faults[SIM_SLOW_DISK] = 1000;
    return sim_open(&plan);
}

/* Nothing precompressed: what is coded is made. */
static struct sim_plan making(void)
{
    struct sim_plan plan = plain();
    plan.conf->precompressed = CONF_OFF;
    return plan;
}

/* --- siblings ---------------------------------------------------------------------------------
 */

static void a_sibling_goes_to_those_who_take_it(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    for (unsigned round = 0; round < 2; round++) {
        assert_coded(take(sim, "app.js", SIM_TAKES_ALL), HTTP_CODING_BR);
        assert_coded(take(sim, "app.js", SIM_TAKES_GZIP), HTTP_CODING_GZIP);
        assert_coded(take(sim, "app.js", SIM_TAKES_UNSAID), HTTP_CODING_IDENTITY);
        assert_coded(take(sim, "app.js", SIM_TAKES_ZSTD), HTTP_CODING_IDENTITY);
        assert_answered(take(sim, "app.js", SIM_TAKES_NOTHING), 406);
    }
    sim_close(sim);
}

static void a_sibling_that_vanishes_before_it_is_opened_leaves_another_coding(void **state)
{
    (void)state;
    struct sim *sim = open_slow();
    struct sim_client *client = add_taker(sim, "app.js", SIM_TAKES_ALL);
    run_until_sibling_opens(sim);
    change(sim, "app.js.br", SIM_DELETE, 0);
    sim_run_for(sim, 3000);
    assert_coded(client, HTTP_CODING_GZIP);
    sim_close(sim);
}

static void the_only_sibling_that_vanishes_leaves_the_file(void **state)
{
    (void)state;
    struct sim *sim = open_slow();
    struct sim_client *client = add_taker(sim, "app.js", SIM_TAKES_BR);
    run_until_sibling_opens(sim);
    change(sim, "app.js.br", SIM_DELETE, 0);
    sim_run_for(sim, 3000);
    assert_coded(client, HTTP_CODING_IDENTITY);
    sim_close(sim);
}

static void a_sibling_replaced_before_it_is_opened_is_looked_up_again(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        enum http_coding coding;
    } rows[] = { { 2000, HTTP_CODING_BR }, { 30000, HTTP_CODING_IDENTITY } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sim *sim = open_slow();
        struct sim_client *client = add_taker(sim, "app.js", SIM_TAKES_BR);
        run_until_sibling_opens(sim);
        change(sim, "app.js.br", SIM_REPLACE, rows[i].size);
        sim_run_for(sim, 5000);
        assert_coded(client, rows[i].coding); /* the larger one has no use any more */
        sim_close(sim);
    }
}

static void a_sibling_edited_while_it_is_read_is_read_again(void **state)
{
    (void)state;
    struct sim *sim = open_slow();
    (void)take(sim, "app.js", SIM_TAKES_UNSAID);
    sim_run_for(sim, 3000);
    struct sim_client *client = add_taker(sim, "app.js", SIM_TAKES_BR);
    run_until_pending(sim, SIM_READ);
    change(sim, "app.js.br", SIM_EDIT, 0);
    sim_run_for(sim, 5000);
    assert_coded(client, HTTP_CODING_BR);
    sim_close(sim);
}

static void a_sibling_older_than_its_file_is_not_served(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.conf->compress = CONF_OFF;
    struct sim *sim = sim_open(&plan);
    assert_coded(take(sim, "app.js", SIM_TAKES_BR), HTTP_CODING_BR);
    change(sim, "app.js", SIM_REPLACE, 25000);
    assert_coded(take(sim, "app.js", SIM_TAKES_BR), HTTP_CODING_IDENTITY);
    sim_run_for(sim, 3000);
    assert_coded(take(sim, "app.js", SIM_TAKES_BR), HTTP_CODING_IDENTITY);
    change(sim, "app.js.br", SIM_REPLACE, 2500);
    assert_coded(take(sim, "app.js", SIM_TAKES_BR), HTTP_CODING_BR);
    sim_close(sim);
}

static void a_sibling_that_comes_to_be_is_served_at_once(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.conf->compress = CONF_OFF;
    struct sim *sim = sim_open(&plan);
    change(sim, "app.js.br", SIM_DELETE, 0);
    assert_coded(take(sim, "app.js", SIM_TAKES_BR), HTTP_CODING_IDENTITY);
    change(sim, "app.js.br", SIM_CREATE, 2500);
    assert_coded(take(sim, "app.js", SIM_TAKES_BR), HTTP_CODING_BR);
    sim_close(sim);
}

/* --- making ------------------------------------------------------------------------------------
 */

static void what_was_made_goes_to_whoever_asks_later(void **state)
{
    (void)state;
    static const struct {
        enum sim_takes takes;
        enum http_coding coding;
    } rows[] = {
        { SIM_TAKES_GZIP, HTTP_CODING_GZIP },
        { SIM_TAKES_BR, HTTP_CODING_BR },
        { SIM_TAKES_ZSTD, HTTP_CODING_ZSTD },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (unsigned streams = 0; streams < 2; streams++) {
            struct sim_plan plan = making();
            plan.conf->cache_file_bytes_max = streams ? 0 : 65536;
            struct sim *sim = sim_open(&plan);
            assert_coded(take(sim, "app.js", rows[i].takes), HTTP_CODING_IDENTITY);
            assert_coded(take(sim, "app.js", rows[i].takes), rows[i].coding);
            sim_close(sim);
        }
    }
}

static void who_refuses_identity_waits_for_the_coding(void **state)
{
    (void)state;
    struct sim_plan plan = making();
    struct sim *sim = sim_open(&plan);
    assert_coded(take(sim, "app.js", SIM_TAKES_ONLY_GZIP), HTTP_CODING_GZIP);
    assert_coded(take(sim, "app.js", SIM_TAKES_GZIP), HTTP_CODING_GZIP);
    sim_close(sim);
}

static void what_gets_no_smaller_is_sent_as_it_is_or_not_at_all(void **state)
{
    (void)state;
    struct sim_plan plan = making();
    struct sim *sim = sim_open(&plan);
    for (unsigned round = 0; round < 2; round++) {
        assert_coded(take(sim, "k16p.txt", SIM_TAKES_GZIP), HTTP_CODING_IDENTITY);
        assert_answered(take(sim, "k16p.txt", SIM_TAKES_ONLY_GZIP), 406);
    }
    sim_close(sim);
}

static void a_coding_is_not_served_for_the_version_after(void **state)
{
    (void)state;
    for (unsigned change_kind = SIM_REPLACE; change_kind <= SIM_EDIT; change_kind++) {
        struct sim_plan plan = making();
        plan.faults[SIM_SLOW_DISK] = 1000;
        struct sim *sim = sim_open(&plan);
        (void)add_taker(sim, "app.js", SIM_TAKES_GZIP);
        run_until_pending(sim, SIM_WORK);
        change(sim, "app.js", (enum sim_change)change_kind, 20000);
        sim_run_for(sim, 1000); /* the job ends, with what was */
        assert_null(pending(sim, SIM_WORK));
        struct sim_client *client = add_taker(sim, "app.js", SIM_TAKES_GZIP);
        sim_run_for(sim, 4000);
        assert_coded(client, HTTP_CODING_IDENTITY);
        (void)add_taker(sim, "app.js", SIM_TAKES_GZIP);
        sim_run_for(sim, 1000);
        client = add_taker(sim, "app.js", SIM_TAKES_GZIP);
        sim_run_for(sim, 1000);
        assert_coded(client, HTTP_CODING_GZIP);
        sim_close(sim);
    }
}

/* Its tag would be that of bytes that it does not have. */
static void a_file_edited_while_it_is_coded_is_looked_up_again(void **state)
{
    (void)state;
    struct sim_plan plan = making();
    plan.faults[SIM_SLOW_DISK] = 1000;
    plan.conf->cache_file_bytes_max = 0;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_taker(sim, "app.js", SIM_TAKES_ONLY_GZIP);
    run_until_pending(sim, SIM_WORK);
    change(sim, "app.js", SIM_EDIT, 0);
    sim_run_for(sim, 5000);
    assert_int_equal(client->answered_count, 1);
    sim_close(sim);
}

/* --- the end of those who wait ----------------------------------------------------------------
 */

static void a_connection_may_end_while_a_task_runs_for_it(void **state)
{
    (void)state;
    static const struct {
        enum sim_takes takes;
        enum conf_etag etag;
        const char *name;
    } rows[] = {
        { SIM_TAKES_ONLY_GZIP, CONF_ETAG_STAT, "app.js" },
        { SIM_TAKES_UNSAID, CONF_ETAG_HASH, "k256.bin" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sim_plan plan = making();
        plan.faults[SIM_SLOW_DISK] = 1000;
        plan.conf->etag = rows[i].etag;
        struct sim *sim = sim_open(&plan);
        struct sim_client *client = add_taker(sim, rows[i].name, rows[i].takes);
        run_until_pending(sim, SIM_WORK);
        client->manner.patience_ms = 1; /* it resets now */
        sim_settle(sim);
        assert_non_null(pending(sim, SIM_WORK));
        sim_run_for(sim, 1000);
        assert_int_equal(worker_connections_count(sim->worker), 0);
        assert_int_equal(client->answered_count, 0);
        sim_close(sim);
    }
}

static void a_server_that_stops_waits_for_its_jobs(void **state)
{
    (void)state;
    static const enum sim_takes takes[] = { SIM_TAKES_GZIP, SIM_TAKES_ONLY_GZIP };
    for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++) {
        struct sim_plan plan = making();
        plan.faults[SIM_SLOW_DISK] = 1000;
        struct sim *sim = sim_open(&plan);
        struct sim_client *client = add_taker(sim, "app.js", takes[i]);
        run_until_pending(sim, SIM_WORK);
        sim_finish(sim);
        assert_null(pending(sim, SIM_WORK));
        assert_answered(client, 200);
        sim_close(sim);
    }
}

/* --- refusals ---------------------------------------------------------------------------------
 */

static void a_job_that_is_refused_is_asked_for_again(void **state)
{
    (void)state;
    struct sim_plan plan = making();
    struct sim *sim = sim_open(&plan);
    sim_force(sim, OP_CODING, -EAGAIN, 0);
    assert_coded(take(sim, "app.js", SIM_TAKES_GZIP), HTTP_CODING_IDENTITY);
    assert_coded(take(sim, "app.js", SIM_TAKES_GZIP), HTTP_CODING_IDENTITY);
    assert_coded(take(sim, "app.js", SIM_TAKES_GZIP), HTTP_CODING_GZIP);
    sim_close(sim);
}

static void a_task_that_is_refused_is_a_503(void **state)
{
    (void)state;
    struct sim_plan plan = making();
    plan.conf->etag = CONF_ETAG_HASH;
    struct sim *sim = sim_open(&plan);
    sim_force(sim, OP_TASK, -EAGAIN, 0);
    assert_answered(take(sim, "app.js", SIM_TAKES_ONLY_GZIP), 503);
    assert_coded(take(sim, "app.js", SIM_TAKES_ONLY_GZIP), HTTP_CODING_GZIP);
    sim_force(sim, OP_TASK, -EAGAIN, 0);
    assert_answered(take(sim, "k256.bin", SIM_TAKES_UNSAID), 503);
    assert_answered(take(sim, "k256.bin", SIM_TAKES_UNSAID), 200);
    sim_close(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sibling_goes_to_those_who_take_it),
        cmocka_unit_test(a_sibling_that_vanishes_before_it_is_opened_leaves_another_coding),
        cmocka_unit_test(the_only_sibling_that_vanishes_leaves_the_file),
        cmocka_unit_test(a_sibling_replaced_before_it_is_opened_is_looked_up_again),
        cmocka_unit_test(a_sibling_edited_while_it_is_read_is_read_again),
        cmocka_unit_test(a_sibling_older_than_its_file_is_not_served),
        cmocka_unit_test(a_sibling_that_comes_to_be_is_served_at_once),
        cmocka_unit_test(what_was_made_goes_to_whoever_asks_later),
        cmocka_unit_test(who_refuses_identity_waits_for_the_coding),
        cmocka_unit_test(what_gets_no_smaller_is_sent_as_it_is_or_not_at_all),
        cmocka_unit_test(a_coding_is_not_served_for_the_version_after),
        cmocka_unit_test(a_file_edited_while_it_is_coded_is_looked_up_again),
        cmocka_unit_test(a_connection_may_end_while_a_task_runs_for_it),
        cmocka_unit_test(a_server_that_stops_waits_for_its_jobs),
        cmocka_unit_test(a_job_that_is_refused_is_asked_for_again),
        cmocka_unit_test(a_task_that_is_refused_is_a_503),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("sim_coding", tests, NULL, NULL);
}

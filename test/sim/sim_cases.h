/* sim_cases: what the directed tests share. */
#ifndef GYRE_TEST_SIM_CASES_H
#define GYRE_TEST_SIM_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim.h"

static inline struct sim_plan plain(void)
{
    struct sim_plan plan;
    sim_plan_init(&plan, 1);
    return plan;
}

static inline struct sim *open_plain(void)
{
    struct sim_plan plan = plain();
    return sim_open(&plan);
}

static inline struct sim_client *add_getter(struct sim *sim, const char *name)
{
    struct sim_client *client = sim_client_add(sim);
    (void)sim_client_ask(sim, client, SIM_GET, name);
    return client;
}

static inline struct sim_client *add_slow(struct sim *sim, const char *name)
{
    struct sim_client *client = add_getter(sim, name);
    client->manner.window = 20000;
    client->manner.read_size_max = 20000;
    client->manner.read_pause_ms = 50;
    return client;
}

static inline struct sim_client *add_never_reading(struct sim *sim, const char *name)
{
    struct sim_client *client = add_getter(sim, name);
    client->manner.window = 20000;
    client->manner.never_reads = true;
    return client;
}

static inline void assert_answered(const struct sim_client *client, unsigned status)
{
    assert_int_equal(client->answered_count, client->requests_count);
    assert_int_equal(client->requests[client->requests_count - 1].answered_status, status);
}

/* The answer began, and ended early. */
static inline void assert_cut(const struct sim_client *client)
{
    assert_true(client->is_ended);
    assert_int_equal(client->answered_count, 0);
    assert_true(client->read_size > 0);
}

static inline struct sim_plan with_zero_copy(void)
{
    struct sim_plan plan = plain();
    plan.conf->zerocopy = CONF_ON;
    plan.conf->zerocopy_bytes_min = 1;
    return plan;
}

static inline void change(struct sim *sim, const char *name, enum sim_change change, uint64_t size)
{
    sim_files_change(&sim->files, sim_files_find(&sim->files, name), change, size, sim->clock_ms);
}

#endif

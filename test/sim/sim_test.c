/* The server on the fake kernel, one behaviour a test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "sim.h"

static struct sim *open_plain(void)
{
    struct sim_plan plan;
    sim_plan_init(&plan, 1);
    return sim_open(&plan);
}

static void a_file_is_served(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct sim_client *client = sim_client_add(sim);
    struct sim_request *request = sim_client_ask(sim, client, SIM_GET, "k256p.bin");
    sim_settle(sim);
    assert_int_equal(request->answered_status, 200);
    assert_int_equal(request->body_size, 262145);
    sim_close(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_served),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}

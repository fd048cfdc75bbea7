/* budget: what is left for connections and cached files, once all else has its descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/budget.h"
#include "server/limits.h"

enum {
    DESCRIPTORS = 4000,
};

static int setup(void **state)
{
    struct conf *conf = malloc(sizeof(*conf));
    if (conf == NULL) {
        return -1;
    }
    conf_init(conf);
    *state = conf;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

/* Descriptors that one worker of one listener may use. */
static uint32_t share_of(const struct conf *conf)
{
    struct budget_limits limits = { .descriptors = DESCRIPTORS, .locked_bytes = UINT64_MAX };
    struct budget budget = budget_divide(conf, &limits, 1, 1);
    return budget.connections_max + budget.cached_files_max;
}

static void each_root_takes_a_descriptor(void **state)
{
    struct conf *conf = *state;
    uint32_t before = share_of(conf);
    conf->hosts_count = 3;
    conf->mounts_count = 4;
    assert_int_equal(share_of(conf), before - 7);
}

static void archives_take_descriptors_where_they_are_offered(void **state)
{
    struct conf *conf = *state;
    uint32_t before = share_of(conf);
    conf->files.archive = CONF_ON;
    uint32_t everywhere = share_of(conf);
    assert_true(everywhere + ARCHIVES_MAX <= before);
    conf->files.archive = CONF_OFF;
    conf->rules_count = 2;
    conf->rules[0].archive = CONF_UNSET;
    conf->rules[1].archive = CONF_ON;
    assert_int_equal(share_of(conf), everywhere);
    conf->rules[1].archive = CONF_OFF;
    assert_int_equal(share_of(conf), before);
}

static void there_is_always_room_for_a_connection(void **state)
{
    struct conf *conf = *state;
    conf->files.archive = CONF_ON;
    for (uint64_t descriptors = 1; descriptors < 300; descriptors++) {
        struct budget_limits limits = { .descriptors = descriptors, .locked_bytes = UINT64_MAX };
        struct budget budget = budget_divide(conf, &limits, 4, 2);
        assert_true(budget.connections_max >= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_root_takes_a_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown(archives_take_descriptors_where_they_are_offered, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(there_is_always_room_for_a_connection, setup, teardown),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_budget", tests, NULL, NULL);
}

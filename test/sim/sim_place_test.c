/* The server on the fake kernel: places that are looked at in turn, hosts, and tags that come back,
 * while the files change. */
#include "http/http_coding.h"
#include "sim_cases.h"

static struct sim_client *ask(struct sim *sim, enum sim_ask how, const char *name,
                              struct sim_wish wish)
{
    struct sim_client *client = sim_client_add(sim);
    (void)sim_client_ask_with(sim, client, how, name, &wish);
    sim_settle(sim);
    return client;
}

static struct sim_client *get(struct sim *sim, const char *name)
{
    return ask(sim, SIM_GET, name, (struct sim_wish){ 0 });
}

/* Asks again as was asked last, whether that has changed. */
static struct sim_client *get_if_new(struct sim *sim, const struct sim_seen *seen)
{
    return ask(sim, SIM_GET_IF_NEW, seen->name, seen->wish);
}

static struct sim_seen last_seen(const struct sim *sim)
{
    assert_true(sim->seen_count > 0);
    return sim->seen[(sim->seen_count - 1) % SIM_SEEN_MAX];
}

static void assert_size(const struct sim_client *client, uint64_t size)
{
    assert_answered(client, 200);
    assert_int_equal(client->requests[client->requests_count - 1].body_size, size);
}

/* --- places in turn ---------------------------------------------------------------------------
 */

static void a_file_that_comes_to_be_goes_before_a_later_place(void **state)
{
    (void)state;
    for (unsigned watching = 0; watching < 2; watching++) {
        struct sim_plan plan = plain();
        sim_plan_configure(&plan, "[files]\ntry = $uri $uri.html $uri/\n");
        plan.conf->cache_watch = watching ? CONF_ON : CONF_OFF;
        struct sim *sim = sim_open(&plan);
        change(sim, "page", SIM_DELETE, 0);
        assert_size(get(sim, "page"), 8000);
        assert_size(get(sim, "page"), 8000);
        assert_int_equal(sim->worker->cache.entries_count, 1);
        change(sim, "page", SIM_CREATE, 300);
        assert_size(get(sim, "page"), 300);
        sim_run_for(sim, 3000);
        assert_size(get(sim, "page"), 300);
        change(sim, "page", SIM_DELETE, 0);
        assert_size(get(sim, "page"), 8000);
        change(sim, "page.html", SIM_DELETE, 0);
        assert_answered(get(sim, "page"), 404);
        sim_close(sim);
    }
}

/* The watch tells only of what comes after it was set. */
static void a_file_that_comes_to_be_during_the_look_up_is_not_missed(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    sim_plan_configure(&plan, "[files]\ntry = $uri $uri.html $uri/\n");
    plan.conf->cache_revalidate_ms = 10000;
    plan.faults[SIM_SLOW_DISK] = 1000;
    struct sim *sim = sim_open(&plan);
    (void)add_getter(sim, "one.txt"); /* so that there is a watch */
    sim_run_for(sim, 3000);
    change(sim, "page", SIM_DELETE, 0);
    struct sim_client *client = add_getter(sim, "page");
    for (bool is_second = false; !is_second; sim_run_for(sim, 1)) {
        for (uint32_t i = 0; i < sim->uring->operations_end; i++) {
            const struct sim_operation *operation = &sim->uring->operations[i];
            is_second = is_second || (operation->used && operation->kind == SIM_OPEN &&
                                      strcmp(operation->path, "page.html") == 0);
        }
    }
    change(sim, "page", SIM_CREATE, 300);
    sim_run_for(sim, 1000);
    assert_size(client, 8000);
    client = add_getter(sim, "page");
    sim_run_for(sim, 1000);
    assert_size(client, 300);
    sim_close(sim);
}

static void a_directory_is_no_file_but_the_last_place_is_its_slash(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    sim_plan_configure(&plan, "[files]\ntry = $uri $uri.html $uri/\n");
    struct sim *sim = sim_open(&plan);
    assert_answered(get(sim, "dir"), 301);
    assert_size(get(sim, "dir/"), 5000);
    assert_answered(get(sim, "bare/"), 403);
    assert_answered(get(sim, "nope"), 404);
    sim_close(sim);
}

/* --- hosts ------------------------------------------------------------------------------------
 */

static void each_host_has_its_own_files_codings_and_rules(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    sim_plan_configure(&plan, "[files]\nprecompressed = off\n"
                              "[path /**.js]\nheader = X-Rule: all\n"
                              "[host other.sim]\nroot = /.\n"
                              "[path /**.js]\nheader = X-Rule: other\n");
    struct sim *sim = sim_open(&plan);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned other = 0; other < 2; other++) {
            for (unsigned takes = SIM_TAKES_UNSAID; takes <= SIM_TAKES_ZSTD; takes++) {
                struct sim_client *client =
                    ask(sim, SIM_GET, "p4097.js",
                        (struct sim_wish){ .is_other_host = other != 0, .takes = takes });
                assert_answered(client, 200);
                assert_true(round == 0 || takes == SIM_TAKES_UNSAID ||
                            client->requests[0].answered_coding != HTTP_CODING_IDENTITY);
            }
        }
    }
    assert_answered(ask(sim, SIM_GET, "app.js", (struct sim_wish){ .is_other_host = true }), 404);
    assert_size(ask(sim, SIM_GET, "", (struct sim_wish){ .is_other_host = true }), 900);
    change(sim, "other/p4097.js", SIM_REPLACE, 500);
    assert_size(ask(sim, SIM_GET, "p4097.js", (struct sim_wish){ .is_other_host = true }), 500);
    assert_size(get(sim, "p4097.js"), 4097);
    sim_close(sim);
}

/* --- tags --------------------------------------------------------------------------------------
 */

static void a_tag_of_any_coding_says_whether_it_changed(void **state)
{
    (void)state;
    static const enum conf_etag etags[] = { CONF_ETAG_STAT, CONF_ETAG_HASH };
    for (size_t i = 0; i < sizeof(etags) / sizeof(etags[0]); i++) {
        for (unsigned precompressed = 0; precompressed < 2; precompressed++) {
            for (unsigned takes = SIM_TAKES_UNSAID; takes <= SIM_TAKES_ONLY_CODED; takes++) {
                struct sim_plan plan = plain();
                plan.conf->etag = etags[i];
                plan.conf->precompressed = precompressed != 0 ? CONF_ON : CONF_OFF;
                struct sim *sim = sim_open(&plan);
                struct sim_wish wish = { .takes = takes };
                assert_answered(ask(sim, SIM_GET, "app.js", wish), 200);
                assert_answered(ask(sim, SIM_GET, "app.js", wish), 200); /* of what was made */
                struct sim_seen seen = last_seen(sim);
                assert_answered(get_if_new(sim, &seen), 304);
                change(sim, "app.js", SIM_REPLACE, 20000);
                assert_answered(get_if_new(sim, &seen), 200);
                sim_run_for(sim, 3000);
                assert_answered(get_if_new(sim, &seen), 200);
                sim_close(sim);
            }
        }
    }
}

static void a_tag_of_another_coding_is_no_match(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    assert_answered(ask(sim, SIM_GET, "app.js", (struct sim_wish){ .takes = SIM_TAKES_BR }), 200);
    struct sim_seen seen = last_seen(sim);
    seen.wish.takes = SIM_TAKES_GZIP;
    struct sim_client *client = get_if_new(sim, &seen);
    assert_answered(client, 200);
    assert_int_equal(client->requests[0].answered_coding, HTTP_CODING_GZIP);
    sim_close(sim);
}

/* The hash is of what is there after it was made. */
static void a_file_edited_while_it_is_hashed_is_hashed_again(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.conf->etag = CONF_ETAG_HASH;
    plan.faults[SIM_SLOW_DISK] = 1000;
    struct sim *sim = sim_open(&plan);
    struct sim_client *client = add_getter(sim, "k256.bin");
    bool hashes = false;
    for (unsigned i = 0; i < 10000 && !hashes; i++) {
        sim_run_for(sim, 1);
        for (uint32_t k = 0; k < sim->uring->operations_end; k++) {
            const struct sim_operation *operation = &sim->uring->operations[k];
            hashes = hashes || (operation->used && operation->kind == SIM_WORK);
        }
    }
    assert_true(hashes);
    change(sim, "k256.bin", SIM_EDIT, 0);
    sim_run_for(sim, 5000);
    assert_answered(client, 200);
    sim_close(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_comes_to_be_goes_before_a_later_place),
        cmocka_unit_test(a_file_that_comes_to_be_during_the_look_up_is_not_missed),
        cmocka_unit_test(a_directory_is_no_file_but_the_last_place_is_its_slash),
        cmocka_unit_test(each_host_has_its_own_files_codings_and_rules),
        cmocka_unit_test(a_tag_of_any_coding_says_whether_it_changed),
        cmocka_unit_test(a_tag_of_another_coding_is_no_match),
        cmocka_unit_test(a_file_edited_while_it_is_hashed_is_hashed_again),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("sim_place", tests, NULL, NULL);
}

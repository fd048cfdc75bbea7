/* A rule's redirect: from the path that was asked for to a Location, through the real rule. */
#include "server/answer.h"
#include "server/worker.h"
#include "site_fixture.h"

/* The Location for "/PATH?QUERY" under the rules of a text; in the worker. */
static struct slice locate(struct fixture *fixture, struct worker *worker, const char *path,
                           const char *query)
{
    worker->settings.conf = fixture->conf;
    worker->settings.sites = fixture->sites;
    struct exchange *exchange = test_calloc(1, sizeof(*exchange));
    size_t size = strlen(path);
    exchange->target.is_directory = size == 0 || path[size - 1] == '/';
    exchange->target.path_size = (uint16_t)(size - (size > 0 && exchange->target.is_directory));
    memcpy(exchange->target.path, path, exchange->target.path_size);
    exchange->request.query = query != NULL ? slice_from_string(query) : SLICE_NONE;
    char whole[256];
    snprintf(whole, sizeof(whole), "/%s", path);
    exchange->policy =
        sites_policy(fixture->sites, 0, slice_from_string(whole), &exchange->own_policy);
    assert_true(exchange->policy->redirect != 0);
    size_t written = answer_write_redirect(worker, exchange);
    test_free(exchange);
    return slice_of(worker->location, written);
}

static void a_location_is_made_of_rule_path_and_query(void **state)
{
    static const struct {
        const char *path;
        const char *query;
        const char *location;
    } rows[] = {
        { "old/a/b", NULL, "/new/a/b" },
        { "old/a/b", "q=1", "/new/a/b?q=1" },
        { "old/", NULL, "/new/" },
        { "old/x y", NULL, "/new/x%20y" },
        { "old/dir/", NULL, "/new/dir/" },
        { "a.htm", NULL, "/a.html" },
        { "whole/x", "a", "https://example.org/whole/x?a" },
        { "", NULL, "/home" },
    };
    struct fixture *fixture = *state;
    (void)make_sites(fixture, "[server]\nroot = @/main\n"
                              "[path /]\nredirect = /home\n"
                              "[path /old/**]\nredirect = 308 /new/$1\n"
                              "[path /*.htm]\nredirect = 302 /$1.html\n"
                              "[path /whole/*]\nredirect = https://example.org/$path\n");
    struct worker *worker = test_calloc(1, sizeof(*worker));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_slice_equal(rows[i].path, locate(fixture, worker, rows[i].path, rows[i].query),
                           slice_from_string(rows[i].location));
    }
    test_free(worker);
}

/* What is needed is said, so that the caller can refuse it; nothing past the bound is written. */
static void a_location_that_is_too_long_says_its_size(void **state)
{
    struct fixture *fixture = *state;
    (void)make_sites(fixture, "[server]\nroot = @/main\n[path /**]\nredirect = /x\n");
    struct worker *worker = test_calloc(1, sizeof(*worker));
    char *query = test_malloc(HTTP_HEAD_LOCATION_SIZE_MAX + 2);
    memset(query, 'q', HTTP_HEAD_LOCATION_SIZE_MAX + 1);
    memset(worker->lines, '#', sizeof(worker->lines));
    for (size_t size = HTTP_HEAD_LOCATION_SIZE_MAX - 1; size <= HTTP_HEAD_LOCATION_SIZE_MAX + 1;
         size++) {
        size_t query_size = size - strlen("/x?");
        query[query_size] = '\0';
        assert_int_equal(locate(fixture, worker, "a", query).size, size);
        query[query_size] = 'q';
        assert_int_equal(worker->lines[0], '#'); /* it lies behind the location */
    }
    test_free(query);
    test_free(worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_fixture(a_location_is_made_of_rule_path_and_query),
        with_fixture(a_location_that_is_too_long_says_its_size),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_redirect", tests, NULL, NULL) == 0 ? 0 : 1;
}

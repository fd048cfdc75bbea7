/* What a listing or an archive may show of a directory, by rules and mounts. */
#include "http/http_target.h"
#include "server/reach.h"
#include "slice_assert.h"

static const char INI[] = "[mount /d/m/]\n"
                          "root = /tmp\n"
                          "[path /d/hide]\n"
                          "deny = hide\n"
                          "[path /d/hidden/]\n"
                          "deny = hide\n"
                          "[path /d/deny]\n"
                          "deny = on\n"
                          "[path /d/one/]\n"
                          "auth = /one\n"
                          "[path /d/two]\n"
                          "auth = /two\n"
                          "[path /d/one/again]\n"
                          "auth = /one\n"
                          "[path /d/one/open]\n"
                          "auth = off\n"
                          "[path /top.key]\n"
                          "deny = hide\n";

struct fixture {
    struct conf conf;
    struct conf_errors errors;
    struct sites *sites;
    struct reach reach;
};

static int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof(*fixture));
    *state = fixture;
    conf_init(&fixture->conf);
    assert_true(conf_parse(INI, sizeof(INI) - 1, &fixture->conf, &fixture->errors));
    assert_int_equal(sites_create(&fixture->conf, stderr, &fixture->sites), 0);
    fixture->reach = (struct reach){ .conf = &fixture->conf,
                                     .sites = fixture->sites,
                                     .root = sites_place(fixture->sites, 0, SLICE("d"), true).root,
                                     .directory = SLICE("d") };
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    sites_destroy(fixture->sites);
    test_free(fixture);
    return 0;
}

struct row {
    const char *path;
    bool is_directory;
    bool is_listed;
    bool is_archived;
    bool is_archived_for_one; /* for who knows the password of /one */
};

static const struct row ROWS[] = {
    { "file", false, true, true, true },       { "folder", true, true, true, true },
    { "hide", false, false, false, false },    { "hide", true, true, true, true },
    { "hidden", true, false, false, false },   { "hidden/x", false, false, false, false },
    { "deny", false, true, false, false },     { "one", true, true, false, true },
    { "one/x", false, true, false, true },     { "two", false, true, false, false },
    { "one/again", false, true, false, true }, { "one/open", false, true, true, true },
    { "m", true, true, false, false },         { "m/x", false, true, false, false },
    { "mm", true, true, true, true },          { "d/hide", false, true, true, true },
};

static void it_ends_at_what_the_rules_keep_back(void **state)
{
    struct fixture *fixture = *state;
    struct reach *reach = &fixture->reach;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        const struct row *row = &ROWS[i];
        struct slice path = slice_from_string(row->path);
        reach->users = NULL;
        assert_number_equal(row->path, reach_lists(reach, path, row->is_directory), row->is_listed);
        assert_number_equal(row->path, reach_archives(reach, path, row->is_directory),
                            row->is_archived);
        reach->users = "/one";
        assert_number_equal(row->path, reach_archives(reach, path, row->is_directory),
                            row->is_archived_for_one);
    }
}

static void the_top_has_no_name_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    fixture->reach.directory = SLICE_NONE;
    assert_false(reach_lists(&fixture->reach, SLICE("top.key"), false));
    assert_false(reach_archives(&fixture->reach, SLICE("top.key"), false));
    assert_false(reach_archives(&fixture->reach, SLICE("d/hide"), false));
    assert_true(reach_archives(&fixture->reach, SLICE("d"), true));
}

static void what_no_request_can_name_is_out_of_it(void **state)
{
    struct fixture *fixture = *state;
    char path[HTTP_PATH_SIZE_MAX];
    memset(path, 'x', sizeof(path));
    size_t directory_size = strlen("d/");
    struct slice longest = slice_of(path, HTTP_PATH_SIZE_MAX - directory_size);
    assert_true(reach_lists(&fixture->reach, longest, true));
    assert_true(reach_archives(&fixture->reach, longest, true));
    longest.size++;
    assert_false(reach_lists(&fixture->reach, longest, true));
    assert_false(reach_archives(&fixture->reach, longest, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_ends_at_what_the_rules_keep_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_top_has_no_name_of_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_no_request_can_name_is_out_of_it, set_up, tear_down),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_reach", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* Sites: which host leads where, which directory a path lies in, which rules hold for it; and that
 * a root that is missing ends it all with one line and nothing left open. */
#include <errno.h>

#include "site_fixture.h"

static const char hosts_text[] = "[server]\nroot = @/main\n"
                                 "[host example.org 192.0.2.7]\nroot = @/one\n"
                                 "[host *.example.org]\nroot = @/two\n"
                                 "[host *.deep.example.org [::1]]\nroot = @/three\n";

/* --- hosts -------------------------------------------------------------------------------------
 */

static void a_host_leads_to_its_site(void **state)
{
    static const struct {
        const char *host;
        uint16_t site;
    } rows[] = {
        { "example.org", 1 },
        { "EXAMPLE.Org", 1 },
        { "example.org.", 1 },
        { "example.org:8080", 1 },
        { "example.org.:8080", 1 },
        { "example.org:", 1 },
        { "192.0.2.7", 1 },
        { "192.0.2.7:80", 1 },
        { "www.example.org", 2 },
        { "WWW.EXAMPLE.ORG.:443", 2 },
        { "a.b.example.org", 2 },
        { "deep.example.org", 2 },
        { "x.deep.example.org", 3 },
        { "x.y.deep.example.org", 3 },
        { "[::1]", 3 },
        { "[::1]:8080", 3 },
        { ".example.org", 0 },
        { "*.example.org", 2 },
        { "notexample.org", 0 },
        { "example.org.net", 0 },
        { "org", 0 },
        { "::1", 0 },
        { "[::1", 0 },
        { "[::2]", 0 },
        { ".", 0 },
        { ":80", 0 },
        { "", 0 },
        { "default", 0 },
        { "example.org..", 0 },
    };
    struct sites *sites = make_sites(*state, hosts_text);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_number_equal(rows[i].host, sites_find(sites, slice_from_string(rows[i].host)),
                            rows[i].site);
    }
    assert_int_equal(sites_find(sites, SLICE_NONE), 0);
}

static void what_no_host_takes_goes_to_the_default_host(void **state)
{
    struct sites *sites = make_sites(*state, "[server]\nroot = @/main\n[host a]\n"
                                             "[host b default]\nroot = @/one\n[host c]\n");
    assert_int_equal(sites_find(sites, SLICE("a")), 1);
    assert_int_equal(sites_find(sites, SLICE("b")), 2);
    assert_int_equal(sites_find(sites, SLICE("c")), 3);
    assert_int_equal(sites_find(sites, SLICE("default")), 2);
    assert_int_equal(sites_find(sites, SLICE("d")), 2);
    assert_int_equal(sites_find(sites, SLICE_NONE), 2);
}

static void without_hosts_every_name_is_the_one_site_s(void **state)
{
    struct sites *sites = make_sites(*state, "[server]\nroot = @/main\n");
    assert_int_equal(sites_find(sites, SLICE("example.org")), 0);
    assert_int_equal(sites_find(sites, SLICE_NONE), 0);
}

/* "xx...x.example.org" of a size, the dot at its end not counted. */
static uint16_t find_of_size(const struct sites *sites, size_t size, const char *behind)
{
    char host[512];
    size_t tail_size = strlen(".example.org");
    memset(host, 'x', size - tail_size);
    memcpy(host + size - tail_size, ".example.org", tail_size);
    memcpy(host + size, behind, strlen(behind));
    return sites_find(sites, slice_of(host, size + strlen(behind)));
}

static void a_name_past_255_bytes_is_nobody_s(void **state)
{
    struct sites *sites = make_sites(*state, hosts_text);
    assert_int_equal(find_of_size(sites, 254, ""), 2);
    assert_int_equal(find_of_size(sites, 255, ""), 2);
    assert_int_equal(find_of_size(sites, 255, "."), 2);
    assert_int_equal(find_of_size(sites, 255, ".:8080"), 2);
    assert_int_equal(find_of_size(sites, 256, ""), 0);
    assert_int_equal(find_of_size(sites, 256, ":8080"), 0);
    assert_int_equal(find_of_size(sites, 400, ""), 0);
}

static void as_many_names_as_there_may_be_are_all_found(void **state)
{
    struct fixture *fixture = *state;
    char *text = test_malloc(FIXTURE_TEXT_SIZE);
    size_t size = (size_t)snprintf(text, FIXTURE_TEXT_SIZE, "[server]\nroot = @/main\n");
    unsigned names_a_host = CONF_HOST_NAMES_MAX / CONF_HOSTS_MAX;
    for (unsigned i = 0; i < CONF_HOST_NAMES_MAX; i++) {
        bool is_first = i % names_a_host == 0;
        bool is_last = i % names_a_host == names_a_host - 1;
        size += (size_t)snprintf(text + size, FIXTURE_TEXT_SIZE - size, "%sn%u.example%s",
                                 is_first ? "[host " : "", i, is_last ? "]\n" : " ");
    }
    struct sites *sites = make_sites(fixture, text);
    test_free(text);
    for (unsigned i = 0; i < CONF_HOST_NAMES_MAX; i++) {
        char host[64];
        snprintf(host, sizeof(host), "n%u.example", i);
        assert_number_equal(host, sites_find(sites, slice_from_string(host)), 1 + i / names_a_host);
    }
    assert_int_equal(sites_find(sites, SLICE("n512.example")), 0);
}

/* --- roots -------------------------------------------------------------------------------------
 */

static void a_root_named_twice_is_opened_once(void **state)
{
    unsigned before = descriptors_count();
    struct sites *sites = make_sites(*state, "[server]\nroot = @/main\n"
                                             "[mount /m/]\nroot = @/one\n"
                                             "[host a]\nroot = @/one\n"
                                             "[host b]\n"
                                             "[host c]\nroot = @/main\n"
                                             "[mount /n/]\nroot = @/two\n");
    assert_int_equal(sites_roots_count(sites), 3);
    assert_int_equal(descriptors_count(), before + 3);
    static const char *const names[] = { "main", "one", "main", "main" };
    for (uint16_t site = 0; site < 4; site++) {
        struct site_place place = sites_place(sites, site, SLICE("x"), false);
        assert_string_equal(root_name(sites, place.root), names[site]);
    }
    for (uint16_t root = 0; root < 3; root++) {
        struct stat a;
        struct stat b;
        assert_int_equal(fstat(sites_root(sites, root), &a), 0);
        assert_int_equal(stat(sites_root_path(sites, root), &b), 0);
        assert_true(a.st_ino == b.st_ino);
    }
}

static void a_missing_root_is_one_line_and_nothing_stays_open(void **state)
{
    static const struct {
        const char *text;
        const char *name;
    } rows[] = {
        { "[server]\nroot = @/nope\n[host a]\nroot = @/one\n", "/nope" },
        { "[server]\nroot = @/main\n[host a]\nroot = @/one\n[host b]\nroot = @/nope\n", "/nope" },
        { "[server]\nroot = @/main\n[path /a]\ndeny = on\n[mount /m/]\nroot = @/gone\n", "/gone" },
        { "[server]\nroot = @/main\n[host a]\n[path /a]\ndeny = on\n[mount /m/]\nroot = @/gone\n",
          "/gone" },
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        configure(fixture, rows[i].text);
        unsigned before = descriptors_count();
        char *said = NULL;
        size_t said_size = 0;
        FILE *errors = open_memstream(&said, &said_size);
        assert_non_null(errors);
        struct sites *sites = NULL;
        assert_int_equal(sites_create(fixture->conf, errors, &sites), -ENOENT);
        assert_null(sites);
        assert_int_equal(fclose(errors), 0);
        assert_int_equal(descriptors_count(), before);
        assert_non_null(strstr(said, fixture->path));
        assert_non_null(strstr(said, rows[i].name));
        assert_ptr_equal(strchr(said, '\n'), said + said_size - 1);
        free(said);
    }
}

static void a_root_that_is_a_file_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    configure(fixture, "[server]\nroot = /proc/self/status\n");
    FILE *errors = fopen("/dev/null", "w");
    assert_non_null(errors);
    struct sites *sites = NULL;
    assert_int_equal(sites_create(fixture->conf, errors, &sites), -ENOTDIR);
    assert_int_equal(fclose(errors), 0);
}

static void roots_do_not_outlive_their_sites(void **state)
{
    struct fixture *fixture = *state;
    unsigned before = descriptors_count();
    struct sites *sites = make_sites(fixture, hosts_text);
    assert_int_equal(descriptors_count(), before + 4);
    sites_destroy(sites);
    fixture->sites = NULL;
    assert_int_equal(descriptors_count(), before);
}

/* --- places ------------------------------------------------------------------------------------
 */

static const char mounts_text[] = "[server]\nroot = @/main\n"
                                  "[mount /docs/]\nroot = @/one\n"
                                  "[mount /docs/api/]\nroot = @/two\n"
                                  "[host a]\n"
                                  "[mount /docs/]\nroot = @/three\n"
                                  "[mount /own/]\nroot = @/two\n";

static void a_path_lies_where_the_longest_mount_says(void **state)
{
    static const struct {
        uint16_t site;
        const char *path;
        bool is_directory;
        const char *root;
        const char *beneath;
        bool is_mount;
    } rows[] = {
        { 0, "", true, "main", "", false },
        { 0, "a.txt", false, "main", "a.txt", false },
        { 0, "doc", false, "main", "doc", false },
        { 0, "docs", false, "one", "", true },
        { 0, "docs", true, "one", "", false },
        { 0, "docsx", false, "main", "docsx", false },
        { 0, "docs/a.txt", false, "one", "a.txt", false },
        { 0, "docs/a/b", true, "one", "a/b", false },
        { 0, "docs/apis", false, "one", "apis", false },
        { 0, "docs/api", false, "two", "", true },
        { 0, "docs/api", true, "two", "", false },
        { 0, "docs/api/x", false, "two", "x", false },
        { 0, "x/docs/a", false, "main", "x/docs/a", false },
        { 0, "Docs/a", false, "main", "Docs/a", false },
        { 0, "own/a", false, "main", "own/a", false },
        /* the host's own goes before one of all hosts, but not before a longer one */
        { 1, "docs/a", false, "three", "a", false },
        { 1, "docs/api/x", false, "two", "x", false },
        { 1, "own", false, "two", "", true },
        { 1, "own/a", false, "two", "a", false },
        { 1, "a", false, "main", "a", false },
    };
    struct sites *sites = make_sites(*state, mounts_text);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice path = slice_from_string(rows[i].path);
        struct site_place place = sites_place(sites, rows[i].site, path, rows[i].is_directory);
        assert_slice_equal(rows[i].path, slice_from_string(root_name(sites, place.root)),
                           slice_from_string(rows[i].root));
        assert_slice_equal(rows[i].path,
                           slice_of(path.data + place.offset, path.size - place.offset),
                           slice_from_string(rows[i].beneath));
        assert_number_equal(rows[i].path, place.is_mount, rows[i].is_mount);
    }
}

/* --- rules -------------------------------------------------------------------------------------
 */

static const char rules_text[] = "[server]\nroot = @/main\n"
                                 "[files]\nlisting = on\n"
                                 "[path /all/**]\ndeny = on\n"
                                 "[host a]\n"
                                 "[path /all/open]\ndeny = off\n"
                                 "[path /**.a]\nlisting = off\n"
                                 "[host b]\n"
                                 "[path /**.b]\nlisting = off\n"
                                 "[host c]\n";

static void rules_hold_for_their_host_and_those_before_any_for_all(void **state)
{
    static const struct {
        uint16_t site;
        const char *path;
        uint32_t deny;
        bool listing;
    } rows[] = {
        { 0, "/", CONF_DENY_OFF, true },         { 0, "/all/x", CONF_DENY_ON, true },
        { 0, "/all/open", CONF_DENY_ON, true },  { 0, "/x.a", CONF_DENY_OFF, true },
        { 0, "/x.b", CONF_DENY_OFF, true },      { 1, "/all/x", CONF_DENY_ON, true },
        { 1, "/all/open", CONF_DENY_OFF, true }, { 1, "/x.a", CONF_DENY_OFF, false },
        { 1, "/all/x.a", CONF_DENY_ON, false },  { 1, "/x.b", CONF_DENY_OFF, true },
        { 2, "/x.a", CONF_DENY_OFF, true },      { 2, "/x.b", CONF_DENY_OFF, false },
        { 2, "/all/open", CONF_DENY_ON, true },  { 3, "/all/x.b", CONF_DENY_ON, true },
        { 3, "/x.b", CONF_DENY_OFF, true },
    };
    struct sites *sites = make_sites(*state, rules_text);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct policy own;
        const struct policy *policy =
            sites_policy(sites, rows[i].site, slice_from_string(rows[i].path), &own);
        assert_number_equal(rows[i].path, policy->deny, rows[i].deny);
        assert_number_equal(rows[i].path, policy->listing, rows[i].listing);
    }
}

static void where_no_rule_matches_the_base_is_answered(void **state)
{
    struct sites *sites = make_sites(*state, rules_text);
    struct policy own;
    const struct policy *base = sites_base_policy(sites);
    assert_true(base->listing);
    assert_ptr_equal(sites_policy(sites, 0, SLICE("/x"), &own), base);
    assert_ptr_equal(sites_policy(sites, 0, SLICE("/all/x"), &own), &own);
    assert_ptr_not_equal(sites_policy(sites, 2, SLICE("/x"), &own), &own);
}

static void a_site_without_rules_looks_at_no_path(void **state)
{
    struct sites *sites = make_sites(*state, "[server]\nroot = @/main\n[host a]\n"
                                             "[path /x]\ndeny = on\n[host b]\n");
    assert_false(sites_has_rules(sites, 0));
    assert_true(sites_has_rules(sites, 1));
    assert_false(sites_has_rules(sites, 2));
    struct policy own;
    assert_ptr_not_equal(sites_policy(sites, 2, SLICE_NONE, &own), &own);
}

static void the_base_is_that_of_the_default_site(void **state)
{
    struct sites *sites = make_sites(*state, "[server]\nroot = @/main\n[host default]\n"
                                             "[path /x]\ndeny = on\n");
    struct policy own;
    assert_ptr_equal(sites_base_policy(sites), sites_policy(sites, 1, SLICE("/y"), &own));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_fixture(a_host_leads_to_its_site),
        with_fixture(what_no_host_takes_goes_to_the_default_host),
        with_fixture(without_hosts_every_name_is_the_one_site_s),
        with_fixture(a_name_past_255_bytes_is_nobody_s),
        with_fixture(as_many_names_as_there_may_be_are_all_found),
        with_fixture(a_root_named_twice_is_opened_once),
        with_fixture(a_missing_root_is_one_line_and_nothing_stays_open),
        with_fixture(a_root_that_is_a_file_is_an_error),
        with_fixture(roots_do_not_outlive_their_sites),
        with_fixture(a_path_lies_where_the_longest_mount_says),
        with_fixture(rules_hold_for_their_host_and_those_before_any_for_all),
        with_fixture(where_no_rule_matches_the_base_is_answered),
        with_fixture(a_site_without_rules_looks_at_no_path),
        with_fixture(the_base_is_that_of_the_default_site),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_site", tests, NULL, NULL) == 0 ? 0 : 1;
}

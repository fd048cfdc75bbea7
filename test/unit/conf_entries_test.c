/* Lists and maps: addresses, index names, types, error pages. */
#include "conf_assert.h"

static void index_names_are_a_list(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[files]\nindex = index.html\tindex.htm   default.html ; c\n", conf);
    assert_int_equal(conf->index_count, 3);
    assert_string_equal(conf->index[1], "index.htm");
    assert_string_equal(conf->index[2], "default.html");
}

static void an_empty_index_means_none(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[files]\nindex =\n", conf);
    assert_int_equal(conf->index_count, 0);
    assert_string_equal(conf->index[0], "");
}

static void index_names_that_are_paths_are_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[files]\nindex = a/b\n", 2, "a/b", "without '/'");
    conf_assert_refuses("[files]\nindex = ..\n", 2, "..", "expected names of files");
    conf_assert_refuses("[files]\nindex = a b c d e f g h i\n", 2, "h i", "at most 8");
}

static void types_are_stored_in_lower_case_without_the_dot(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[types]\n.MJS = text/javascript;charset=utf-8\n.x = a/b; c=\"d e\"\n",
                       conf);
    assert_int_equal(conf->types_count, 2);
    assert_string_equal(conf->types[0].extension, "mjs");
    assert_string_equal(conf->types[0].type, "text/javascript;charset=utf-8");
    assert_string_equal(conf->types[1].type, "a/b; c=\"d e\"");
}

static void what_is_no_extension_is_refused(void **state)
{
    (void)state;
    static const char *const keys[] = { "js", ".", ".tar.gz", ".a/b",
                                        ".abcdefghijklmnopqrstuvwxyzabcdef" };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "[types]\n%s = a/b\n", keys[i]);
        conf_assert_refuses(text, 2, keys[i], "expected an extension");
    }
}

static void what_is_no_media_type_is_refused(void **state)
{
    (void)state;
    static const char *const types[] = {
        "",       "text",   "/html",     "text/",    "text/html;",   "a/b c", "a/b;c",
        "a/b;c=", "a/b;=c", "a/b;c=\"d", "a/b;c=\"", "a/b;c=\"d\"e", "a/b/c", "a(/b"
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "[types]\n.x = %s\n", types[i]);
        conf_assert_refuses(text, 2, types[i], "expected a media type");
    }
}

static void an_extension_given_twice_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[types]\n.js = a/b\n.JS = a/b\n", 3, ".JS", "every extension once");
}

static void error_pages_lose_their_leading_slash(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[errors]\n404 = /errors/404.html\n503=/busy\n", conf);
    assert_int_equal(conf->error_pages_count, 2);
    assert_int_equal(conf->error_pages[0].status, 404);
    assert_string_equal(conf->error_pages[0].path, "errors/404.html");
    assert_int_equal(conf->error_pages[1].status, 503);
}

static void error_pages_that_could_leave_the_root_are_refused(void **state)
{
    (void)state;
    static const char *const paths[] = { "a",   "/",     "/../a", "/a/../../b",
                                         "//a", "/a//b", "/a/",   "/./a" };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "[errors]\n404 = %s\n", paths[i]);
        conf_assert_refuses(text, 2, paths[i], "beneath the root");
    }
}

static void statuses_that_are_no_errors_are_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[errors]\n399 = /a\n", 2, "399", "expected 400, 403, 404");
    conf_assert_refuses("[errors]\n600 = /a\n", 2, "600", "expected 400, 403, 404");
    conf_assert_refuses("[errors]\n4o4 = /a\n", 2, "4o4", "expected 400, 403, 404");
    conf_assert_refuses("[errors]\n404 = /a\n404 = /b\n", 3, "404", "every status once");
}

struct listen_row {
    const char *address;
    enum conf_family family;
    uint16_t port;
    const char *host;
};

static void addresses_are_taken_apart(void **state)
{
    (void)state;
    static const struct listen_row rows[] = {
        { "127.0.0.1:8080", CONF_FAMILY_IPV4, 8080, "127.0.0.1" },
        { "0.0.0.0:0", CONF_FAMILY_IPV4, 0, "0.0.0.0" },
        { "localhost:65535", CONF_FAMILY_IPV4, 65535, "127.0.0.1" },
        { "[::1]:80", CONF_FAMILY_IPV6, 80, "::1" },
        { "[fe80::1%eth0]:80", CONF_FAMILY_IPV6, 80, "fe80::1%eth0" },
        { "*:80", CONF_FAMILY_DUAL, 80, "::" },
        { ":80", CONF_FAMILY_DUAL, 80, "::" },
        { "unix:/run/gyre.sock", CONF_FAMILY_UNIX, 0, "/run/gyre.sock" },
        { "unix:a:1", CONF_FAMILY_UNIX, 0, "a:1" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct conf_endpoint endpoint;
        assert_null(conf_listen_parse(rows[i].address, &endpoint));
        assert_int_equal(endpoint.family, rows[i].family);
        assert_int_equal(endpoint.port, rows[i].port);
        assert_string_equal(endpoint.host, rows[i].host);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const addresses[] = {
        "",
        "8080",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "1.2.3:80",
        "1.2.3.4.5:80",
        "01.2.3.4:80",
        "example.org:80",
        "::1:80",
        "[::1]",
        "[::1:80",
        "[]:80",
        "[1.2.3.4]:80",
        "[::1%]:80",
        "[::1%a/b]:80",
        "unix:",
        "[::1]:80a",
        "**:80",
        ":000080",
        "unix:a\nb",
        "[fe80::1%abcdefghijklmnop]:1",
    };
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct conf_endpoint endpoint;
        const char *expected = conf_listen_parse(addresses[i], &endpoint);
        if (expected == NULL || strncmp(expected, "expected ", 9) != 0) {
            fail_msg("'%s' was taken for an address", addresses[i]);
        }
    }
}

static void a_socket_path_may_have_107_bytes(void **state)
{
    (void)state;
    struct conf_endpoint endpoint;
    char address[5 + 108 + 1] = "unix:";
    memset(address + 5, 'p', 108);
    assert_non_null(conf_listen_parse(address, &endpoint));
    address[5 + 107] = '\0';
    assert_null(conf_listen_parse(address, &endpoint));
    assert_string_equal(endpoint.host, address + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_names_are_a_list),
        cmocka_unit_test(an_empty_index_means_none),
        cmocka_unit_test(index_names_that_are_paths_are_refused),
        cmocka_unit_test(types_are_stored_in_lower_case_without_the_dot),
        cmocka_unit_test(what_is_no_extension_is_refused),
        cmocka_unit_test(what_is_no_media_type_is_refused),
        cmocka_unit_test(an_extension_given_twice_is_refused),
        cmocka_unit_test(error_pages_lose_their_leading_slash),
        cmocka_unit_test(error_pages_that_could_leave_the_root_are_refused),
        cmocka_unit_test(statuses_that_are_no_errors_are_refused),
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_socket_path_may_have_107_bytes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("conf_entries", tests, conf_set_up, conf_tear_down) == 0 ? 0
                                                                                                : 1;
}

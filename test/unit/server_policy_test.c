/* Policies: rules laid over one another, the header lines that come of it, and Cache-Control. */
#include "server/policy.h"
#include "site_fixture.h"

/* What the rules of a text say together, all of them matching. */
static struct policy stack_all(struct fixture *fixture, const char *text)
{
    configure(fixture, text);
    struct policy policy;
    policy_start(fixture->conf, &policy);
    for (uint16_t i = 0; i < fixture->conf->rules_count; i++) {
        policy_stack(fixture->conf, i, &policy);
    }
    return policy;
}

static void assert_text(const struct fixture *fixture, uint32_t offset, const char *expected)
{
    assert_slice_equal(expected, policy_text(fixture->conf, offset), slice_from_string(expected));
}

/* --- stacking ----------------------------------------------------------------------------------
 */

static const char full_rule[] =
    "[files]\nlisting = on\narchive = on\ntry = $uri\nspa = /app.html\ncors = *\ncache = 1h\n"
    "[path /**]\nauth = /users\nauth_realm = here\nredirect = 302 /elsewhere\n";

static void what_holds_without_rules_is_what_files_says(void **state)
{
    struct fixture *fixture = *state;
    struct policy policy = stack_all(fixture, "[files]\nlisting = on\narchive = on\ntry = $uri\n"
                                              "spa = /app.html\ncors = *\ncache = 1h\n");
    assert_int_equal(policy.deny, CONF_DENY_OFF);
    assert_true(policy.listing);
    assert_true(policy.archive);
    assert_text(fixture, policy.try_list, "$uri");
    assert_text(fixture, policy.spa, "/app.html");
    assert_text(fixture, policy.cors, "*");
    assert_text(fixture, policy.cache, "max-age=3600");
    assert_int_equal(policy.redirect, 0);
    assert_int_equal(policy.auth, 0);
    assert_int_equal(policy.header_rules_count, 0);
}

static void a_rule_that_says_nothing_leaves_all_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    char text[1024];
    snprintf(text, sizeof(text), "%s[path /**]\n", full_rule);
    struct policy with = stack_all(fixture, text);
    struct policy without = stack_all(fixture, full_rule);
    assert_memory_equal(&with, &without, sizeof(with));
    assert_text(fixture, with.auth, "/users");
    assert_text(fixture, with.auth_realm, "here");
    assert_text(fixture, with.redirect, "302 /elsewhere");
    assert_text(fixture, with.redirect_pattern, "/**");
}

static void off_takes_back_what_an_earlier_rule_said(void **state)
{
    struct fixture *fixture = *state;
    char text[1024];
    snprintf(text, sizeof(text),
             "%s[path /*]\nlisting = off\narchive = off\ntry = off\nspa = off\ncors = off\n"
             "auth = off\nredirect = off\ncache = off\n",
             full_rule);
    struct policy policy = stack_all(fixture, text);
    assert_false(policy.listing);
    assert_false(policy.archive);
    assert_int_equal(policy.try_list, 0);
    assert_int_equal(policy.spa, 0);
    assert_int_equal(policy.cors, 0);
    assert_int_equal(policy.auth, 0);
    assert_int_equal(policy.redirect, 0);
    assert_null(policy_cache_control(fixture->conf, &policy, SLICE("a")).data);
}

static void a_later_rule_wins_key_by_key(void **state)
{
    struct fixture *fixture = *state;
    struct policy policy = stack_all(fixture, "[path /a*]\ndeny = on\ncors = *\n"
                                              "[path /*b]\ndeny = hide\nredirect = off\n"
                                              "[path /**]\nlisting = on\n");
    assert_int_equal(policy.deny, CONF_DENY_HIDE);
    assert_text(fixture, policy.cors, "*");
    assert_true(policy.listing);
    policy = stack_all(fixture, "[path /a*]\ndeny = hide\n[path /**]\ndeny = off\n");
    assert_int_equal(policy.deny, CONF_DENY_OFF);
}

static void a_redirect_keeps_the_pattern_of_its_own_rule(void **state)
{
    struct fixture *fixture = *state;
    struct policy policy = stack_all(fixture, "[path /a/*]\nredirect = /1/$1\n"
                                              "[path /b/*]\nredirect = 308 /2/$1\n"
                                              "[path /c/*]\ncors = *\n");
    assert_text(fixture, policy.redirect, "308 /2/$1");
    assert_text(fixture, policy.redirect_pattern, "/b/*");
}

static void dev_lists_directories_where_no_rule_says_otherwise(void **state)
{
    struct fixture *fixture = *state;
    assert_true(stack_all(fixture, "[server]\ndev = on\n").listing);
    assert_true(stack_all(fixture, "[server]\ndev = on\n[files]\nlisting = off\n").listing);
    assert_false(stack_all(fixture, "[server]\ndev = on\n[path /**]\nlisting = off\n").listing);
    assert_false(stack_all(fixture, "[server]\ndev = off\n").listing);
}

/* --- headers -----------------------------------------------------------------------------------
 */

static void assert_lines(struct fixture *fixture, const char *text, const char *expected)
{
    struct policy policy = stack_all(fixture, text);
    char buffer[1024];
    size_t size = policy_write_lines(fixture->conf, &policy, SLICE_NONE, buffer, sizeof(buffer));
    assert_slice_equal(text, slice_of(buffer, size), slice_from_string(expected));
}

static void headers_of_all_rules_are_written_in_order(void **state)
{
    assert_lines(*state, "[path /**]\ndeny = off\n", "");
    assert_lines(*state,
                 "[path /a]\nheader = X-One: 1\nheader = X-Two: 2\n[path /b]\n"
                 "[path /c]\nheader = X-Three: 3\n",
                 "X-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\n");
}

static void a_later_rule_s_header_takes_the_place_of_an_earlier_one_s(void **state)
{
    assert_lines(*state,
                 "[path /a]\nheader = X-One: 1\nheader = X-Two: 2\n"
                 "[path /b]\nheader = x-ONE: other\n",
                 "X-Two: 2\r\nx-ONE: other\r\n");
    assert_lines(*state,
                 "[path /a]\nheader = X-On: 1\n[path /b]\nheader = X-One: 2\n"
                 "[path /c]\nheader = X-On: 3\n",
                 "X-One: 2\r\nX-On: 3\r\n");
}

static void an_empty_header_takes_one_back_and_writes_nothing(void **state)
{
    assert_lines(*state,
                 "[path /a]\nheader = X-One: 1\nheader = X-Two: 2\n[path /b]\nheader = X-One:\n",
                 "X-Two: 2\r\n");
    assert_lines(*state, "[path /b]\nheader = X-One:\n", "");
    assert_lines(*state,
                 "[path /a]\nheader = X-One: 1\n[path /b]\nheader = X-One:\n"
                 "[path /c]\nheader = X-One: 3\n",
                 "X-One: 3\r\n");
}

/* Rules with a header each: "X-0: v" and on. */
static struct policy stack_headers(struct fixture *fixture, unsigned count)
{
    char *text = test_malloc(FIXTURE_TEXT_SIZE);
    size_t size = 0;
    for (unsigned i = 0; i < count; i++) {
        size += (size_t)snprintf(text + size, FIXTURE_TEXT_SIZE - size,
                                 "[path /%u]\nheader = X-%u: v\n[path /**]\ndeny = off\n", i, i);
    }
    struct policy policy = stack_all(fixture, text);
    test_free(text);
    return policy;
}

static void of_too_many_rules_with_headers_the_last_ones_count(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned count = POLICY_HEADER_RULES_MAX - 1; count <= POLICY_HEADER_RULES_MAX + 2;
         count++) {
        struct policy policy = stack_headers(fixture, count);
        char buffer[2048];
        size_t size =
            policy_write_lines(fixture->conf, &policy, SLICE_NONE, buffer, sizeof(buffer));
        struct slice lines = slice_of(buffer, size);
        unsigned lost = count > POLICY_HEADER_RULES_MAX ? count - POLICY_HEADER_RULES_MAX : 0;
        assert_int_equal(policy.header_rules_count, count - lost);
        for (unsigned i = 0; i < count; i++) {
            char line[32];
            snprintf(line, sizeof(line), "X-%u: v\r\n", i);
            assert_number_equal(line, slice_contains(lines, slice_from_string(line)), i >= lost);
        }
    }
}

static void the_size_needed_is_said_also_past_the_buffer(void **state)
{
    struct fixture *fixture = *state;
    struct policy policy = stack_all(fixture, "[path /a]\nheader = X-One: 1\n"
                                              "[path /b]\nheader = X-Two: 2\n");
    size_t needed = strlen("X-One: 1\r\nX-Two: 2\r\n");
    for (size_t size = 0; size <= needed + 1; size++) {
        char buffer[64];
        memset(buffer, '#', sizeof(buffer));
        assert_int_equal(policy_write_lines(fixture->conf, &policy, SLICE_NONE, buffer, size),
                         needed);
        for (size_t i = size; i < sizeof(buffer); i++) {
            assert_int_equal(buffer[i], '#');
        }
    }
}

/* --- Cache-Control -----------------------------------------------------------------------------
 */

static void cache_control_follows_rules_name_and_credentials(void **state)
{
    static const struct {
        const char *rule;
        const char *name;
        const char *value; /* NULL: none */
    } rows[] = {
        { "", "app.js", "no-cache" },
        { "", "app.9f86d081.js", "public, max-age=31536000, immutable" },
        { "auth = /users\n", "app.js", "private, no-cache" },
        { "auth = /users\n", "app.9f86d081.js", "private, max-age=31536000, immutable" },
        { "cache = auto\n", "app.9f86d081.js", "public, max-age=31536000, immutable" },
        { "cache = off\n", "app.js", NULL },
        { "cache = off\n", "app.9f86d081.js", NULL },
        { "cache = 10m\n", "app.js", "max-age=600" },
        { "cache = 10m\nauth = /users\n", "app.9f86d081.js", "max-age=600" },
        { "cache = public, max-age=5\n", "app.js", "public, max-age=5" },
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (unsigned dev = 0; dev < 2; dev++) {
            char text[256];
            snprintf(text, sizeof(text), "[server]\ndev = %s\n[path /**]\n%s",
                     dev != 0 ? "on" : "off", rows[i].rule);
            struct policy policy = stack_all(fixture, text);
            const char *expected = dev != 0 ? "no-store" : rows[i].value;
            struct slice got =
                policy_cache_control(fixture->conf, &policy, slice_from_string(rows[i].name));
            assert_int_equal(got.data == NULL, expected == NULL);
            if (expected != NULL) {
                assert_slice_equal(rows[i].rule, got, slice_from_string(expected));
            }
        }
    }
}

static void a_rule_may_go_back_to_auto(void **state)
{
    struct fixture *fixture = *state;
    struct policy policy = stack_all(fixture, "[files]\ncache = off\n[path /**]\ncache = auto\n");
    assert_slice_equal("auto", policy_cache_control(fixture->conf, &policy, SLICE("a")),
                       SLICE("no-cache"));
}

static void a_text_that_is_not_there_is_none(void **state)
{
    struct fixture *fixture = *state;
    configure(fixture, "");
    assert_null(policy_text(fixture->conf, 0).data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_fixture(what_holds_without_rules_is_what_files_says),
        with_fixture(a_rule_that_says_nothing_leaves_all_as_it_is),
        with_fixture(off_takes_back_what_an_earlier_rule_said),
        with_fixture(a_later_rule_wins_key_by_key),
        with_fixture(a_redirect_keeps_the_pattern_of_its_own_rule),
        with_fixture(dev_lists_directories_where_no_rule_says_otherwise),
        with_fixture(headers_of_all_rules_are_written_in_order),
        with_fixture(a_later_rule_s_header_takes_the_place_of_an_earlier_one_s),
        with_fixture(an_empty_header_takes_one_back_and_writes_nothing),
        with_fixture(of_too_many_rules_with_headers_the_last_ones_count),
        with_fixture(the_size_needed_is_said_also_past_the_buffer),
        with_fixture(cache_control_follows_rules_name_and_credentials),
        with_fixture(a_rule_may_go_back_to_auto),
        with_fixture(a_text_that_is_not_there_is_none),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_policy", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* Sections with an argument: what opens one, what belongs to it, how many there may be. */
#include "conf_assert.h"

static void a_host_has_names_and_a_root(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("\n[host  Example.ORG\t*.example.org [::1] ]; comment\nroot = /srv/a\n"
                       "[host default]\n",
                       conf);
    assert_int_equal(conf->hosts_count, 2);
    assert_string_equal(conf_text(conf, conf->hosts[0].names), "example.org *.example.org [::1]");
    assert_string_equal(conf_text(conf, conf->hosts[0].root), "/srv/a");
    assert_int_equal(conf->hosts[0].line, 2);
    assert_string_equal(conf_text(conf, conf->hosts[1].names), "default");
    assert_int_equal(conf->hosts[1].root, 0);
    assert_int_equal(conf->hosts[1].line, 4);
}

static void a_mount_has_a_prefix_and_a_root(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[mount /a b/c;d/]\nroot = \"/srv ; b\"\n", conf);
    assert_int_equal(conf->mounts_count, 1);
    assert_string_equal(conf_text(conf, conf->mounts[0].prefix), "/a b/c;d/");
    assert_string_equal(conf_text(conf, conf->mounts[0].root), "/srv ; b");
    assert_int_equal(conf->mounts[0].host, CONF_HOST_ALL);
    assert_int_equal(conf->mounts[0].line, 1);
}

static void a_rule_leaves_what_it_does_not_say(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[path /a ; b # c] # d\n", conf);
    assert_int_equal(conf->rules_count, 1);
    const struct conf_rule *rule = &conf->rules[0];
    assert_string_equal(conf_text(conf, rule->pattern), "/a ; b # c");
    assert_int_equal(rule->host, CONF_HOST_ALL);
    assert_int_equal(rule->line, 1);
    assert_int_equal(rule->deny, CONF_UNSET);
    assert_int_equal(rule->listing, CONF_UNSET);
    assert_int_equal(rule->archive, CONF_UNSET);
    const uint32_t texts[] = { rule->redirect,   rule->cache, rule->cors, rule->auth,
                               rule->auth_realm, rule->try,   rule->spa,  rule->headers };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(texts[i], 0);
    }
}

static void mounts_and_rules_belong_to_the_host_above_them(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses(
        "[path /0]\n[mount /0/]\nroot = a\n[host a]\n[path /1]\n[server]\n[path /2]\n"
        "[mount /0/]\nroot = b\n[host b]\n[mount /0/]\nroot = c\n[path /1]\n",
        conf);
    assert_int_equal(conf->rules_count, 4);
    assert_int_equal(conf->rules[0].host, CONF_HOST_ALL);
    assert_int_equal(conf->rules[1].host, 0);
    assert_int_equal(conf->rules[2].host, 0);
    assert_int_equal(conf->rules[3].host, 1);
    assert_int_equal(conf->mounts_count, 3);
    assert_int_equal(conf->mounts[0].host, CONF_HOST_ALL);
    assert_int_equal(conf->mounts[1].host, 0);
    assert_int_equal(conf->mounts[2].host, 1);
}

static void sections_without_an_argument_stay_global_behind_a_host(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses(
        "[host a]\n[server]\nroot = /g\nworkers = 2\n[path /a]\n[server]\ndev = on\n", conf);
    assert_string_equal(conf->root, "/g");
    assert_int_equal(conf->workers, 2);
    assert_int_equal(conf->dev, CONF_ON);
    assert_int_equal(conf->hosts[0].root, 0);
}

static void the_same_pattern_may_have_several_rules(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[path /a]\ncache = off\n[path /a]\ncache = 1h\n", conf);
    assert_int_equal(conf->rules_count, 2);
    assert_string_equal(conf_text(conf, conf->rules[0].cache), "off");
    assert_string_equal(conf_text(conf, conf->rules[1].cache), "max-age=3600");
}

static void a_key_given_twice_in_one_instance_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[path /a]\ndeny = on\n[path /b]\ndeny = on\ndeny = off\n", 5,
                        "'deny' given twice", "line 4");
    conf_assert_refuses("[server]\nroot = a\n[host a]\nroot = a\n[server]\nroot = b\n", 6,
                        "'root' given twice", "line 2");
}

static void an_argument_that_is_missing_or_too_many_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[host]\nroot = a\n", 1, "[host]", "expected [host NAME ...]");
    conf_assert_refuses("[mount ]\nroot = a\n", 1, "[mount]", "expected [mount /PREFIX/]");
    conf_assert_refuses("[path\t]\ndeny = x\n", 1, "[path]", "expected [path /PATTERN]");
    conf_assert_refuses("[server x]\nroot = a\nroot = b\n", 1, "[server x]", "expected [server]");
    conf_assert_refuses("[hosts a]\nroot = a\n", 1, "unknown section [hosts]",
                        "[host NAME ...], [mount /PREFIX/], [path /PATTERN]");
}

static void what_is_no_name_of_a_host_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = { "example.org:80",
                                         "a_b",
                                         "-a",
                                         "a-",
                                         "a..b",
                                         ".a",
                                         "a.",
                                         "*",
                                         "*.",
                                         "*.*.a",
                                         "a.*",
                                         "*a",
                                         "[::1",
                                         "[1.2.3.4]",
                                         "[::1]:80",
                                         "*.[::1]",
                                         "[]",
                                         "a/b",
                                         "\xc3\xa9.org",
                                         "a,b",
                                         "::1",
                                         "*.default.org.:1" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "[host %s]\nroot = a\n", names[i]);
        conf_assert_refuses(text, 1, names[i], "expected names such as example.org");
    }
}

/* The name of a host with that many bytes, of labels of at most 63. */
static void name_fill(char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        name[i] = (char)(i % 64 == 63 ? '.' : 'a' + i % 26);
    }
    name[size] = '\0';
}

static void names_of_hosts_have_the_limits_of_dns(void **state)
{
    struct conf *conf = *state;
    char name[300];
    char text[700];
    name_fill(name, 253);
    snprintf(text, sizeof(text), "[host *.%s %s]\n", name, name);
    conf_assert_parses(text, conf);
    name_fill(name, 254);
    snprintf(text, sizeof(text), "[host %s]\n", name);
    conf_assert_refuses(text, 1, "...", "expected names such as");
    memset(name, 'l', 64);
    name[63] = '\0';
    snprintf(text, sizeof(text), "[host %s]\n", name);
    conf_assert_parses(text, conf);
    snprintf(text, sizeof(text), "[host l%s]\n", name);
    conf_assert_refuses(text, 1, "lll", "expected names such as");
}

static void a_name_of_a_host_is_refused_the_second_time(void **state)
{
    (void)state;
    conf_assert_refuses("[host a b]\n[host c B]\n", 2, "c B", "every name in one [host], once");
    conf_assert_refuses("[host default DEFAULT]\n", 1, "default", "every name in one [host], once");
    conf_assert_refuses("[host *.a a *.A]\n", 1, "*.a", "every name in one [host], once");
}

static void what_is_no_prefix_is_refused(void **state)
{
    (void)state;
    static const char *const prefixes[] = { "/",     "a/",      "/a",     "//",
                                            "/a//",  "/./",     "/../",   "/a/../",
                                            "/a]b/", "/a/./b/", "/a\tb/", "example" };
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "[mount %s]\nroot = a\n", prefixes[i]);
        conf_assert_refuses(text, 1, prefixes[i], "expected a path that begins and ends with '/'");
    }
}

static void a_prefix_may_have_255_bytes(void **state)
{
    struct conf *conf = *state;
    char prefix[300];
    char text[400];
    memset(prefix, 'p', sizeof(prefix));
    prefix[0] = '/';
    memcpy(prefix + 254, "/", 2);
    snprintf(text, sizeof(text), "[mount %s]\nroot = a\n", prefix);
    conf_assert_parses(text, conf);
    memcpy(prefix + 254, "p/", 3);
    snprintf(text, sizeof(text), "[mount %s]\nroot = a\n", prefix);
    conf_assert_refuses(text, 1, "[mount /ppp", "255 bytes");
}

static void a_prefix_is_refused_the_second_time_in_a_host(void **state)
{
    (void)state;
    conf_assert_refuses("[host a]\n[mount /a/]\nroot = a\n[mount /a/]\nroot = a\n", 4, "/a/",
                        "every prefix once in a [host]");
    conf_assert_refuses("[mount /a/]\nroot = a\n[mount /a/]\nroot = a\n", 3, "/a/",
                        "every prefix once in a [host]");
}

static void a_mount_without_a_root_is_refused_at_its_line(void **state)
{
    (void)state;
    conf_assert_refuses("[mount /a/]\n\n[server]\nworkers = 1\n", 1, "[mount /a/] without root",
                        "expected");
    conf_assert_refuses("[mount /a/]\nroot = a\n[mount /b/]\n", 3, "[mount /b/] without root",
                        "expected");
    conf_assert_refuses("[mount /a/]\nroot = a\n[broken\nroot = b\n", 3, "[broken",
                        "expected [SECTION]");
}

static void a_root_that_is_wrong_is_not_missing_too(void **state)
{
    (void)state;
    conf_assert_refuses("[mount /a/]\nroot =\n", 2, "root = ", "path of 1 to 4095 bytes");
    conf_assert_refuses("[host a]\nroot = \"\"\n", 2, "root = ", "path of 1 to 4095 bytes");
}

static void a_root_named_off_is_a_path(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[host a]\nroot = off\n", conf);
    assert_string_equal(conf_text(conf, conf->hosts[0].root), "off");
}

static void what_follows_a_wrong_host_does_not_belong_to_the_one_above(void **state)
{
    (void)state;
    conf_assert_refuses("[host a]\n[mount /a/]\nroot = a\n[host a_b]\n[mount /a/]\nroot = b\n", 4,
                        "a_b", "expected names");
}

static void errors_of_sections_are_in_the_order_of_their_lines(void **state)
{
    struct conf *conf = *state;
    static const char text[] = "[mount /a/]\n[path b]\ndeny = x\n[host a]\n[mount /b/]\n"
                               "[path /]\nredirect = /\ndeny = on\n[nope]\nx = y\n[host a]\n";
    static const uint32_t lines[] = { 1, 2, 3, 5, 8, 9, 11 };
    struct conf_errors errors;
    conf_init(conf);
    assert_false(conf_parse(text, sizeof(text) - 1, conf, &errors));
    assert_int_equal(errors.count, sizeof(lines) / sizeof(lines[0]));
    for (uint32_t i = 0; i < errors.count; i++) {
        assert_int_equal(errors.errors[i].line, lines[i]);
    }
}

static void a_section_with_a_word_too_long_is_unknown(void **state)
{
    (void)state;
    conf_assert_refuses("[server"
                        "server"
                        "server"
                        "server"
                        "server"
                        "server"
                        "server"
                        "server"
                        "server a]\nroot = a\n",
                        1, "unknown section [serverserver", "expected one of [server]");
}

static void a_section_without_its_bracket_is_refused_and_its_keys_skipped(void **state)
{
    (void)state;
    conf_assert_refuses("[cache]\n[server\nroot = a\n", 2, "[server", "expected [SECTION]");
    conf_assert_refuses("[server\nroot = a\n", 1, "[server", "expected [SECTION]");
    conf_assert_refuses("[]\nroot = a\n", 1, "unknown section []", "expected one of");
}

/* Writes `count` lines, each of the text before, a number, and the text behind. */
static char *lines_write(const char *before, uint32_t count, const char *behind)
{
    size_t line_size = strlen(before) + strlen(behind) + 16;
    char *text = malloc(count * line_size + 1);
    assert_non_null(text);
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        used += (size_t)snprintf(text + used, line_size, "%s%u%s", before, i, behind);
    }
    return text;
}

static void assert_count_is_limited(const char *before, uint32_t max, const char *behind,
                                    uint32_t last_line, const char *word, struct conf *conf)
{
    char *text = lines_write(before, max - 1, behind);
    conf_assert_parses(text, conf);
    free(text);
    text = lines_write(before, max, behind);
    conf_assert_parses(text, conf);
    free(text);
    text = lines_write(before, max + 1, behind);
    conf_assert_refuses(text, last_line, word, "expected at most");
    free(text);
}

static void hosts_mounts_and_rules_have_their_limits(void **state)
{
    struct conf *conf = *state;
    assert_count_is_limited("[host h", CONF_HOSTS_MAX, "]\n", CONF_HOSTS_MAX + 1, "one more [host]",
                            conf);
    assert_int_equal(conf->hosts_count, CONF_HOSTS_MAX);
    assert_count_is_limited("[mount /m", CONF_MOUNTS_MAX, "/]\nroot = a\n", 2 * CONF_MOUNTS_MAX + 1,
                            "one more [mount]", conf);
    assert_int_equal(conf->mounts_count, CONF_MOUNTS_MAX);
    assert_count_is_limited("[path /p", CONF_RULES_MAX, "]\n", CONF_RULES_MAX + 1,
                            "one more [path]", conf);
    assert_int_equal(conf->rules_count, CONF_RULES_MAX);
}

static void names_of_hosts_have_their_limit(void **state)
{
    struct conf *conf = *state;
    char *names = lines_write(" n", CONF_HOST_NAMES_MAX - 1, "");
    size_t size = strlen(names) + 64;
    char *text = malloc(size);
    assert_non_null(text);
    snprintf(text, size, "[host%s]\n[host last]\n", names);
    conf_assert_parses(text, conf);
    snprintf(text, size, "[host%s]\n[host last more]\n", names);
    conf_assert_refuses(text, 2, "last more", "at most 512 names");
    free(text);
    free(names);
}

/* Byte by byte: a text of the rest but one, of the rest, and of one more. */
static void the_strings_have_their_limit(void **state)
{
    struct conf *conf = *state;
    enum {
        FULL_COUNT = CONF_STRINGS_SIZE / (CONF_PATH_SIZE_MAX + 1) - 1
    };
    size_t size = CONF_TEXT_SIZE_MAX;
    char *text = malloc(size);
    char path[CONF_PATH_SIZE_MAX + 1];
    assert_non_null(text);
    memset(path, 'p', CONF_PATH_SIZE_MAX);
    path[CONF_PATH_SIZE_MAX] = '\0';
    size_t used = 0;
    for (uint32_t i = 0; i < FULL_COUNT; i++) {
        used += (size_t)snprintf(text + used, size - used, "[path /]\nauth = %s\n", path);
    }
    used += (size_t)snprintf(text + used, size - used, "[path /]\n[path /]\nauth = ");
    conf_assert_parses_bytes(text, used - strlen("auth = "), conf);
    size_t rest = CONF_STRINGS_SIZE - conf->strings_used - 1;
    assert_in_range(rest, 10, CONF_PATH_SIZE_MAX - 1);
    for (size_t i = rest - 1; i <= rest; i++) {
        snprintf(text + used, size - used, "%.*s\n", (int)i, path);
        conf_assert_parses(text, conf);
        conf_assert_reads_back(conf);
    }
    assert_int_equal(conf->strings_used, CONF_STRINGS_SIZE);
    snprintf(text + used, size - used, "%.*s\n[path /a]\n", (int)rest + 1, path);
    conf_assert_refuses(text, 2 * FULL_COUNT + 3, "auth = ppp", "at most 512K of texts");
    snprintf(text + used, size - used, "%.*s\n[path /a]\n", (int)rest, path);
    conf_assert_refuses(text, 2 * FULL_COUNT + 4, "[path /a]", "at most 512K of texts");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_has_names_and_a_root),
        cmocka_unit_test(a_mount_has_a_prefix_and_a_root),
        cmocka_unit_test(a_rule_leaves_what_it_does_not_say),
        cmocka_unit_test(mounts_and_rules_belong_to_the_host_above_them),
        cmocka_unit_test(sections_without_an_argument_stay_global_behind_a_host),
        cmocka_unit_test(the_same_pattern_may_have_several_rules),
        cmocka_unit_test(a_key_given_twice_in_one_instance_is_refused),
        cmocka_unit_test(an_argument_that_is_missing_or_too_many_is_refused),
        cmocka_unit_test(what_is_no_name_of_a_host_is_refused),
        cmocka_unit_test(names_of_hosts_have_the_limits_of_dns),
        cmocka_unit_test(a_name_of_a_host_is_refused_the_second_time),
        cmocka_unit_test(what_is_no_prefix_is_refused),
        cmocka_unit_test(a_prefix_may_have_255_bytes),
        cmocka_unit_test(a_prefix_is_refused_the_second_time_in_a_host),
        cmocka_unit_test(a_mount_without_a_root_is_refused_at_its_line),
        cmocka_unit_test(a_root_that_is_wrong_is_not_missing_too),
        cmocka_unit_test(a_root_named_off_is_a_path),
        cmocka_unit_test(what_follows_a_wrong_host_does_not_belong_to_the_one_above),
        cmocka_unit_test(errors_of_sections_are_in_the_order_of_their_lines),
        cmocka_unit_test(a_section_with_a_word_too_long_is_unknown),
        cmocka_unit_test(a_section_without_its_bracket_is_refused_and_its_keys_skipped),
        cmocka_unit_test(hosts_mounts_and_rules_have_their_limits),
        cmocka_unit_test(names_of_hosts_have_their_limit),
        cmocka_unit_test(the_strings_have_their_limit),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("conf_sections", tests, conf_set_up, conf_tear_down) == 0
               ? 0
               : 1;
}

/* The keys of [path] that are texts of their own grammar, and its pattern. */
#include "conf/conf_syntax.h"

#include "conf_rule_assert.h"

static void a_password_file_is_a_path_or_off(void **state)
{
    struct conf *conf = *state;
    char path[CONF_PATH_SIZE_MAX + 2];
    const struct conf_rule *rule = rule_parse(conf, "auth", "\" a ; b\"");
    assert_string_equal(conf_text(conf, rule->auth), " a ; b");
    rule = rule_parse(conf, "auth", "off");
    assert_string_equal(conf_text(conf, rule->auth), "off");
    memset(path, '"', sizeof(path));
    path[0] = 'a';
    path[CONF_PATH_SIZE_MAX] = '\0';
    rule = rule_parse(conf, "auth", path);
    assert_int_equal(strlen(conf_text(conf, rule->auth)), CONF_PATH_SIZE_MAX);
    path[CONF_PATH_SIZE_MAX] = 'a';
    path[CONF_PATH_SIZE_MAX + 1] = '\0';
    rule_refuse("auth", path, "path of 1 to 4095 bytes");
    rule_refuse("auth", "", "path of 1 to 4095 bytes");
}

static void a_realm_is_a_short_text(void **state)
{
    struct conf *conf = *state;
    char realm[CONF_REALM_SIZE_MAX + 2];
    const struct conf_rule *rule = rule_parse(conf, "auth_realm", "caf\xc3\xa9 of the 1; 2");
    assert_string_equal(conf_text(conf, rule->auth_realm), "caf\xc3\xa9 of the 1; 2");
    memset(realm, 'r', sizeof(realm));
    realm[CONF_REALM_SIZE_MAX] = '\0';
    rule_parse(conf, "auth_realm", realm);
    realm[CONF_REALM_SIZE_MAX] = 'r';
    realm[CONF_REALM_SIZE_MAX + 1] = '\0';
    rule_refuse("auth_realm", realm, "1 to 127 bytes");
    static const char *const texts[] = { "", "a\"b", "a\\b", "a\tb" };
    rules_refuse("auth_realm", texts, COUNT_OF(texts), "1 to 127 bytes without quotes");
}

static void origins_are_kept_in_lower_case_with_one_space_between(void **state)
{
    struct conf *conf = *state;
    static const struct kept_row rows[] = {
        { "*", "*" },
        { "off", "off" },
        { "https://Example.org", "https://example.org" },
        { "HTTP://a:1\thttps://[::1]:65535   x+y-z.1://127.0.0.1",
          "http://a:1 https://[::1]:65535 x+y-z.1://127.0.0.1" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct conf_rule *rule = rule_parse(conf, "cors", rows[i].text);
        assert_string_equal(conf_text(conf, rule->cors), rows[i].kept);
    }
}

static void what_is_no_origin_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "null",
        "on",
        "* https://a",
        "https://a *",
        "https://a/",
        "https://",
        "https:/a",
        "://a",
        "1http://a",
        "a",
        "https://a:",
        "https://a:0",
        "https://a:65536",
        "https://a:000080",
        "https://u@a",
        "https://*.a",
        "https://a,b",
        "https",
        "https:",
        "https://a off",
    };
    rules_refuse("cors", texts, COUNT_OF(texts), "expected off, *");
}

static void there_may_be_64_origins(void **state)
{
    struct conf *conf = *state;
    char text[CONF_LINE_SIZE_MAX] = "";
    for (size_t i = 0; i < CONF_ORIGINS_MAX; i++) {
        memcpy(text + strlen(text), " http://a", sizeof(" http://a"));
    }
    rule_parse(conf, "cors", text + 1);
    memcpy(text + strlen(text), " http://a", sizeof(" http://a"));
    rule_refuse("cors", text + 1, "at most 64 origins");
}

static void origins_may_have_4095_bytes(void **state)
{
    struct conf *conf = *state;
    static const char origin[] =
        "http://a.example-of-a-name-whose-origin-takes-up-128-bytes.and-so-on"
        ".and-so-on.and-so-on.and-so-on.and-so-on.and-so-on.examples ";
    char text[CONF_ORIGINS_SIZE_MAX + 2];
    assert_int_equal(strlen(origin), 128);
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = origin[i % 128];
    }
    text[CONF_ORIGINS_SIZE_MAX] = '\0';
    const struct conf_rule *rule = rule_parse(conf, "cors", text);
    assert_int_equal(strlen(conf_text(conf, rule->cors)), CONF_ORIGINS_SIZE_MAX);
    text[CONF_ORIGINS_SIZE_MAX] = 'e';
    text[CONF_ORIGINS_SIZE_MAX + 1] = '\0';
    rule_refuse("cors", text, "at most 4095 bytes");
}

static void items_to_try_are_kept_with_one_space_between(void **state)
{
    struct conf *conf = *state;
    static const struct kept_row rows[] = {
        { "off", "off" },
        { "$uri", "$uri" },
        { "=404", "=404" },
        { "$uri   $uri.html\t$uri/ $uri/index.html $uri.tar.gz /a/b.html =404",
          "$uri $uri.html $uri/ $uri/index.html $uri.tar.gz /a/b.html =404" },
        { "/1 /2 /3 /4 /5 /6 /7 /8", "/1 /2 /3 /4 /5 /6 /7 /8" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct conf_rule *rule = rule_parse(conf, "try", rows[i].text);
        assert_string_equal(conf_text(conf, rule->try), rows[i].kept);
    }
}

static void what_is_nothing_to_try_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",        "a",        "/",         "//a",     "/a/",   "/../a",    "$uri.",
        "$uri/..", "$uri/a/b", "$uri-a",    "$urix",   "$path", "$uri$uri", "$uri.$1",
        "/a$uri",  "=403",     "$uri/../a", "$uri. a", "on",    "$uri.a/b", "$uri off",
    };
    rules_refuse("try", texts, COUNT_OF(texts), "expected off, or ");
    rule_refuse("try", "=404 $uri", "=404 as the last item");
    rule_refuse("try", "=404 =404", "=404 as the last item");
    rule_refuse("try", "/1 /2 /3 /4 /5 /6 /7 /8 =404", "at most 8 items");
}

static void a_page_of_an_application_is_a_path(void **state)
{
    struct conf *conf = *state;
    char path[CONF_NAME_SIZE_MAX + 3];
    const struct conf_rule *rule = rule_parse(conf, "spa", "/app/a b.html");
    assert_string_equal(conf_text(conf, rule->spa), "/app/a b.html");
    memset(path, 'p', sizeof(path));
    path[0] = '/';
    path[CONF_NAME_SIZE_MAX + 1] = '\0';
    rule = rule_parse(conf, "spa", path);
    assert_int_equal(strlen(conf_text(conf, rule->spa)), CONF_NAME_SIZE_MAX + 1);
    path[CONF_NAME_SIZE_MAX + 1] = 'p';
    path[CONF_NAME_SIZE_MAX + 2] = '\0';
    rule_refuse("spa", path, "at most 256 bytes");
    static const char *const texts[] = { "", "on", "/", "a", "/a/", "/a/../b", "//a", "/." };
    rules_refuse("spa", texts, COUNT_OF(texts), "expected off, or the path of a file");
}

struct glob_row {
    const char *pattern;
    uint32_t captures_count;
};

static void patterns_are_counted(void **state)
{
    (void)state;
    static const struct glob_row rows[] = {
        { "/", 1 },
        { "/a", 0 },
        { "/*", 1 },
        { "/**", 1 },
        { "/**/", 2 },
        { "/?a?", 2 },
        { "/{a,b}*", 2 },
        { "/{a\\{,\\},\\*}", 1 },
        { "/\\*\\?\\{", 0 },
        { "/a/\\/", 0 },
        { "/a}", 0 },
        { "/*?*?*?*?", 8 },
        { "/{}/", 2 },
        { "/*?*?*?*?/", 9 },
        { "/{a\\\\}", 1 },
        { "/...", 0 },
        { "/.a/..b/", 1 },
        { "/{a/b,c}", 1 },
        { "/a b\xc3\xa9[;#", 0 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint32_t count = 77;
        const char *expected = conf_glob_check(rows[i].pattern, &count);
        if (expected != NULL || count != rows[i].captures_count) {
            fail_msg("'%s': %u, %s", rows[i].pattern, count, expected != NULL ? expected : "");
        }
    }
}

static void what_is_no_pattern_is_refused(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "a",      "*",         "/a\\",    "/{a",        "/{a,{b}}", "/{a*}",       "/{a?}",
        "/{a\\}", "/{a\\\\{}", "/***",    "/*?*?*?*?*", "//",       "/a//b",       "/.",
        "/./a",   "/a/..",     "/a/../b", "/a]b",       "/a\tb",    "/*?*?*?*?{}", "/{a\\",
    };
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        char text[64];
        snprintf(text, sizeof(text), "[path %s]\ndeny = on\n", patterns[i]);
        conf_assert_refuses(text, 1, patterns[i], "expected ");
    }
}

static void a_pattern_may_have_255_bytes(void **state)
{
    struct conf *conf = *state;
    char pattern[CONF_PATTERN_SIZE_MAX + 2];
    char text[300];
    memset(pattern, 'p', sizeof(pattern));
    pattern[0] = '/';
    pattern[CONF_PATTERN_SIZE_MAX] = '\0';
    snprintf(text, sizeof(text), "[path %s]\n", pattern);
    conf_assert_parses(text, conf);
    assert_string_equal(conf_text(conf, conf->rules[0].pattern), pattern);
    pattern[CONF_PATTERN_SIZE_MAX] = 'p';
    pattern[CONF_PATTERN_SIZE_MAX + 1] = '\0';
    snprintf(text, sizeof(text), "[path %s]\n", pattern);
    conf_assert_refuses(text, 1, "[path /ppp", "at most 255 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_file_is_a_path_or_off),
        cmocka_unit_test(a_realm_is_a_short_text),
        cmocka_unit_test(origins_are_kept_in_lower_case_with_one_space_between),
        cmocka_unit_test(what_is_no_origin_is_refused),
        cmocka_unit_test(there_may_be_64_origins),
        cmocka_unit_test(origins_may_have_4095_bytes),
        cmocka_unit_test(items_to_try_are_kept_with_one_space_between),
        cmocka_unit_test(what_is_nothing_to_try_is_refused),
        cmocka_unit_test(a_page_of_an_application_is_a_path),
        cmocka_unit_test(patterns_are_counted),
        cmocka_unit_test(what_is_no_pattern_is_refused),
        cmocka_unit_test(a_pattern_may_have_255_bytes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("conf_texts", tests, conf_set_up, conf_tear_down) == 0 ? 0
                                                                                              : 1;
}

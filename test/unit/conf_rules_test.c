/* The keys of [path], and of [files] that are the same: headers, caching, redirects, choices. */
#include "conf_rule_assert.h"

static void headers_are_kept_as_lines_of_a_head(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[path /]\nheader = X-A:b\nlisting = on\nheader = \"X-B:  c ; d\t \"\n"
                       "deny = on\nheader = X-C:\nheader = X-D: \xc3\xa9: \"e\"\n",
                       conf);
    assert_string_equal(conf_text(conf, conf->rules[0].headers),
                        "X-A: b\r\nX-B: c ; d\r\nX-C: \r\nX-D: \xc3\xa9: \"e\"\r\n");
    conf_assert_reads_back(conf);
}

static void headers_survive_texts_between_them(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses(
        "[path /]\nheader = A: 1\ncache = off\nheader = B: 2\nauth = f\nheader = C: 3\n", conf);
    assert_string_equal(conf_text(conf, conf->rules[0].headers), "A: 1\r\nB: 2\r\nC: 3\r\n");
    assert_string_equal(conf_text(conf, conf->rules[0].cache), "off");
    assert_string_equal(conf_text(conf, conf->rules[0].auth), "f");
}

static void what_is_no_header_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = { "X", ": a", "X : a", "X(: a", "X Y: a", "", "\xc3: a" };
    rules_refuse("header", texts, COUNT_OF(texts), "expected Name: value");
}

static void headers_that_are_written_by_gyre_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "Date",
        "Content-Range",
        "Content-Encoding",
        "Keep-Alive",
        "Upgrade",
        "Trailer",
        "TE",
        "Server",
        "ETag",
        "Last-Modified",
        "Vary",
        "Accept-Ranges",
        "Allow",
        "Retry-After",
        "Location",
        "WWW-Authenticate",
        "Set-Cookie",
        "etag",
        "Content-Type",
        "SET-COOKIE",
        "X-Content-Type-Options",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char text[64];
        snprintf(text, sizeof(text), "%s: a", names[i]);
        rule_refuse("header", text, "not gyre's own");
        snprintf(text, sizeof(text), "%s:", names[i]);
        rule_refuse("header", text, "not gyre's own");
    }
    rule_refuse("header", "cache-control: no-store", "expected cache =");
    rule_refuse("header", "Access-Control-Allow-Origin: *", "expected cors =");
}

static void headers_whose_names_only_begin_as_those_do_are_taken(void **state)
{
    struct conf *conf = *state;
    const struct conf_rule *rule = rule_parse(conf, "header", "Content-Language: de");
    assert_string_equal(conf_text(conf, rule->headers), "Content-Language: de\r\n");
    rule = rule_parse(conf, "header", "Date-X: a");
    assert_string_equal(conf_text(conf, rule->headers), "Date-X: a\r\n");
}

static void a_header_given_twice_in_a_rule_is_refused(void **state)
{
    struct conf *conf = *state;
    conf_assert_refuses("[path /]\nheader = X-A: 1\nheader = X: 2\nheader = x-a: 3\n", 4, "x-a: 3",
                        "every header once in a [path]");
    conf_assert_parses("[path /]\nheader = X: 1\n[path /]\nheader = X: 2\n", conf);
    assert_string_equal(conf_text(conf, conf->rules[1].headers), "X: 2\r\n");
}

static void headers_of_a_rule_may_have_2048_bytes(void **state)
{
    struct conf *conf = *state;
    char text[CONF_LINE_SIZE_MAX];
    for (int size = CONF_RULE_HEADERS_SIZE_MAX - 1; size <= CONF_RULE_HEADERS_SIZE_MAX + 1;
         size++) {
        int value_size = size - (int)strlen("A: 1\r\nB: \r\n");
        snprintf(text, sizeof(text), "[path /]\nheader = A: 1\nheader = B: %0*d\n", value_size, 7);
        if (size <= CONF_RULE_HEADERS_SIZE_MAX) {
            conf_assert_parses(text, conf);
            assert_int_equal(strlen(conf_text(conf, conf->rules[0].headers)), size);
            conf_assert_reads_back(conf);
        } else {
            conf_assert_refuses(text, 3, "B: 000", "at most 2048 bytes");
        }
    }
}

static void caching_is_kept_as_the_value_of_a_header(void **state)
{
    struct conf *conf = *state;
    static const struct kept_row rows[] = {
        { "auto", "auto" },
        { "off", "off" },
        { "10m", "max-age=600" },
        { "1000ms", "max-age=1" },
        { "0s", "max-age=0" },
        { "2147483647s", "max-age=2147483647" },
        { "no-store", "no-store" },
        { "public,max-age=600 ,\timmutable", "public, max-age=600, immutable" },
        { "private=\"Set-Cookie; a\", x=y", "private=\"Set-Cookie; a\", x=y" },
        { "Max-Age=2147483647", "Max-Age=2147483647" },
        { "s-maxage=1, stale-while-revalidate=2, stale-if-error=3",
          "s-maxage=1, stale-while-revalidate=2, stale-if-error=3" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct conf_rule *rule = rule_parse(conf, "cache", rows[i].text);
        assert_string_equal(conf_text(conf, rule->cache), rows[i].kept);
    }
}

static void what_is_no_cache_control_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",   "10", "1d",    "on",       "auto, public", "a b",    "a,",  ",a",        "a,,b",
        "a=", "=a", "a=\"b", "a=\"b\"c", "a=b=c",        "off, a", "a;b", "a=\"\\\"\""
    };
    rules_refuse("cache", texts, COUNT_OF(texts), "expected auto, off, a duration such as 10m");
    static const char *const ages[] = { "1500ms",       "1ms",      "2147483648s",
                                        "max-age",      "max-age=", "max-age=1h",
                                        "max-age=-1",   "s-maxage", "max-age=2147483648",
                                        "max-age=\"1\"" };
    rules_refuse("cache", ages, COUNT_OF(ages), "expected whole seconds");
}

static void a_cache_control_may_have_255_bytes(void **state)
{
    struct conf *conf = *state;
    char text[300] = "a,";
    memset(text + 2, 'b', 252);
    const struct conf_rule *rule = rule_parse(conf, "cache", text);
    assert_int_equal(strlen(conf_text(conf, rule->cache)), 255);
    text[254] = 'b';
    rule_refuse("cache", text, "at most 255 bytes");
}

static void redirects_are_kept_with_their_status(void **state)
{
    struct conf *conf = *state;
    static const struct kept_row rows[] = {
        { "/", "301 /" },
        { "/a?b#c", "301 /a?b#c" },
        { "302  /a", "302 /a" },
        { "307\t/a", "307 /a" },
        { "308 https://example.org", "308 https://example.org" },
        { "http://[::1]:8080/$1", "301 http://[::1]:8080/$1" },
        { "https://127.0.0.1?a=$path", "301 https://127.0.0.1?a=$path" },
        { "/$$$1$path", "301 /$$$1$path" },
        { "off", "off" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct conf_rule *rule = rule_parse(conf, "redirect", rows[i].text);
        assert_string_equal(conf_text(conf, rule->redirect), rows[i].kept);
    }
}

static void what_is_no_redirect_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = { "",        "301",     "300 /a",    "303 /a",
                                         "a",       "ftp://a", "mailto:a",  "30 /a",
                                         "3011 /a", "$path",   "HTTPS://a/" };
    rules_refuse("redirect", texts, COUNT_OF(texts), "expected [301|302|307|308] and a target");
    static const char *const hosts[] = { "http://",        "https:///a",     "https://$1/",
                                         "https://a$path", "https://a:0/",   "https://a:65536/",
                                         "https://a@b/",   "https://a:/",    "https://a_b/",
                                         "https://[::1/",  "https://a.$1?a", "https://a\\b/" };
    rules_refuse("redirect", hosts, COUNT_OF(hosts), "expected a host, without '$'");
    rule_refuse("redirect", "//a", "one '/' at the start");
    rule_refuse("redirect", "/\\a", "one '/' at the start");
    rule_refuse("redirect", "301 /a b", "visible ASCII");
    rule_refuse("redirect", "/\xc3\xa9", "visible ASCII");
    static const char *const bytes[] = { "/a\"b", "/<", "/>", "/a\\b", "/^", "/`", "/{a}", "/|" };
    rules_refuse("redirect", bytes, COUNT_OF(bytes), "percent-encode");
    static const char *const escapes[] = { "/%", "/%4", "/%zz", "/%4g", "/%$1", "https://a/%g0" };
    rules_refuse("redirect", escapes, COUNT_OF(escapes), "two hexadecimal digits");
    static const char *const dollars[] = { "/$", "/$0", "/$x", "/$pat", "/$uri", "/$$$" };
    rules_refuse("redirect", dollars, COUNT_OF(dollars), "$1 to $9, $path or $$");
}

static void a_target_may_use_what_the_pattern_captures(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[path /*/?/**/{a,b}]\nredirect = /$1$2$3$4\n", conf);
    conf_assert_parses("[path /a/]\nredirect = /$1\n", conf);
    conf_assert_parses("[path /*?*?*?*?/]\nredirect = /$9\n", conf);
    conf_assert_refuses("[path /*/?/**/{a,b}]\nredirect = /$5\n", 2, "/$5", "no more of $1 to $9");
    conf_assert_refuses("[path /a]\nredirect = /$1\n", 2, "/$1", "no more of $1 to $9");
    conf_assert_refuses("[path /\\*]\nredirect = /$1\n", 2, "/$1", "no more of $1 to $9");
    conf_assert_refuses("[path a]\nredirect = /$9\n", 1, "a", "begins with '/'");
}

static void a_target_may_have_2047_bytes(void **state)
{
    struct conf *conf = *state;
    char text[CONF_REDIRECT_SIZE_MAX + 2];
    memset(text, 't', sizeof(text));
    text[0] = '/';
    text[CONF_REDIRECT_SIZE_MAX] = '\0';
    const struct conf_rule *rule = rule_parse(conf, "redirect", text);
    assert_int_equal(strlen(conf_text(conf, rule->redirect)), 4 + CONF_REDIRECT_SIZE_MAX);
    text[CONF_REDIRECT_SIZE_MAX] = 't';
    text[CONF_REDIRECT_SIZE_MAX + 1] = '\0';
    rule_refuse("redirect", text, "at most 2047 bytes");
}

static void a_redirect_that_is_denied_is_refused(void **state)
{
    struct conf *conf = *state;
    conf_assert_refuses("[path /]\ndeny = hide\nredirect = /a\n", 3, "redirect and deny",
                        "expected one of them");
    conf_assert_refuses("[path /]\nredirect = /a\n\ndeny = on\n[path /]\n", 4, "redirect and deny",
                        "expected one of them");
    conf_assert_parses("[path /]\ndeny = off\nredirect = /a\n[path /]\ndeny = on\nredirect = off\n",
                       conf);
}

static void the_words_of_choices_are_taken(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[path /]\ndeny = off\nlisting = on\narchive = off\n[path /]\ndeny = hide\n"
                       "listing = off\narchive = on\n[path /]\ndeny = on\n",
                       conf);
    assert_int_equal(conf->rules[0].deny, CONF_DENY_OFF);
    assert_int_equal(conf->rules[0].listing, CONF_ON);
    assert_int_equal(conf->rules[0].archive, CONF_OFF);
    assert_int_equal(conf->rules[1].deny, CONF_DENY_HIDE);
    assert_int_equal(conf->rules[1].listing, CONF_OFF);
    assert_int_equal(conf->rules[1].archive, CONF_ON);
    assert_int_equal(conf->rules[2].deny, CONF_DENY_ON);
    assert_int_equal(conf->rules[2].listing, CONF_UNSET);
    conf_assert_reads_back(conf);
    rule_refuse("deny", "yes", "expected off, on or hide");
    rule_refuse("listing", "auto", "expected off or on");
}

static void files_has_the_same_keys(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[files]\nlisting = on\narchive = on\ntry = $uri =404\nspa = /a\ncors = *\n"
                       "cache = 1h\n[path /]\ncache = auto\n",
                       conf);
    assert_int_equal(conf->files.listing, CONF_ON);
    assert_int_equal(conf->files.archive, CONF_ON);
    assert_string_equal(conf_text(conf, conf->files.try), "$uri =404");
    assert_string_equal(conf_text(conf, conf->files.spa), "/a");
    assert_string_equal(conf_text(conf, conf->files.cors), "*");
    assert_string_equal(conf_text(conf, conf->files.cache), "max-age=3600");
    assert_string_equal(conf_text(conf, conf->rules[0].cache), "auto");
    conf_assert_reads_back(conf);
    conf_assert_refuses("[files]\ndeny = on\n", 2, "'deny' in [files]", "expected in [path]");
    conf_assert_refuses("[files]\nspa = a\n", 2, "spa = a", "expected off, or the path");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_kept_as_lines_of_a_head),
        cmocka_unit_test(headers_survive_texts_between_them),
        cmocka_unit_test(what_is_no_header_is_refused),
        cmocka_unit_test(headers_that_are_written_by_gyre_are_refused),
        cmocka_unit_test(headers_whose_names_only_begin_as_those_do_are_taken),
        cmocka_unit_test(a_header_given_twice_in_a_rule_is_refused),
        cmocka_unit_test(headers_of_a_rule_may_have_2048_bytes),
        cmocka_unit_test(caching_is_kept_as_the_value_of_a_header),
        cmocka_unit_test(what_is_no_cache_control_is_refused),
        cmocka_unit_test(a_cache_control_may_have_255_bytes),
        cmocka_unit_test(redirects_are_kept_with_their_status),
        cmocka_unit_test(what_is_no_redirect_is_refused),
        cmocka_unit_test(a_target_may_use_what_the_pattern_captures),
        cmocka_unit_test(a_target_may_have_2047_bytes),
        cmocka_unit_test(a_redirect_that_is_denied_is_refused),
        cmocka_unit_test(the_words_of_choices_are_taken),
        cmocka_unit_test(files_has_the_same_keys),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("conf_rules", tests, conf_set_up, conf_tear_down) == 0 ? 0
                                                                                              : 1;
}

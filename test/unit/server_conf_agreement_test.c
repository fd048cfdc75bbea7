/* What conf/ accepts by its own means, http/ has to accept, too: or -t would call a configuration
 * good that does not start. Texts are made of pieces that matter, from a fixed seed. */
#include "http/http_basic.h"
#include "http/http_glob.h"
#include "http/http_redirect.h"
#include "server/policy.h"

#include "conf_assert.h"

enum {
    TEXTS_COUNT = 20000,
    PIECES_MAX = 6,
    TEXT_SIZE_MAX = 256,
};

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 16;
}

static void text_make(uint32_t *state, const char *const *pieces, size_t count, char *text)
{
    size_t size = 0;
    for (uint32_t left = 1 + random_next(state) % PIECES_MAX; left > 0; left--) {
        const char *piece = pieces[random_next(state) % count];
        memcpy(text + size, piece, strlen(piece));
        size += strlen(piece);
    }
    text[size] = '\0';
}

struct parsed {
    struct conf conf;
    struct conf_errors errors;
};

/* Returns the rule of that text, or NULL where it is refused. */
static const struct conf_rule *rule_parse(struct parsed *parsed, const char *pattern,
                                          const char *key, const char *value)
{
    char text[4 * TEXT_SIZE_MAX];
    int size = snprintf(text, sizeof(text), "[path %s]\n%s = %s\n", pattern, key, value);
    memset(&parsed->errors, 0, sizeof(parsed->errors));
    conf_init(&parsed->conf);
    bool is_good = conf_parse(text, (size_t)size, &parsed->conf, &parsed->errors);
    return is_good ? &parsed->conf.rules[0] : NULL;
}

static void each_redirect_that_is_accepted_is_one(void **state)
{
    static const char *const pieces[] = {
        "/",       "//",   "http://", "https://", "a.example", ":80", ":", "@",     "?",
        "#",       "$1",   "$path",   "$$",       "$",         "%",   "a", "%41",   "%4",
        "\\",      "<",    "\"",      "^",        "`",         "{",   "|", "[::1]", "[",
        "1.2.3.4", "302 ", "x=y",     "&",        "~",         "!",   "'", "%zz",   "-",
    };
    uint32_t seed = 1;
    unsigned accepted = 0;
    for (unsigned i = 0; i < TEXTS_COUNT; i++) {
        char text[TEXT_SIZE_MAX];
        text_make(&seed, pieces, sizeof(pieces) / sizeof(pieces[0]), text);
        const struct conf_rule *rule = rule_parse(*state, "/**", "redirect", text);
        if (rule == NULL || rule->redirect == 0) {
            continue;
        }
        struct slice redirect = policy_text(&((struct parsed *)*state)->conf, rule->redirect);
        const char *expected = http_redirect_check(slice_of(redirect.data + 4, redirect.size - 4));
        if (expected != NULL) {
            fail_msg("redirect = %s: %s", text, expected);
        }
        accepted++;
    }
    assert_in_range(accepted, 100, TEXTS_COUNT);
}

static void each_pattern_that_is_accepted_is_one(void **state)
{
    static const char *const pieces[] = {
        "/", "*", "**", "?", "{", "}", ",", "\\", "a", ".", "..", "//", "/./", "{a,b}", "b/", "\\*",
    };
    uint32_t seed = 2;
    unsigned accepted = 0;
    for (unsigned i = 0; i < TEXTS_COUNT; i++) {
        char text[TEXT_SIZE_MAX] = "/";
        text_make(&seed, pieces, sizeof(pieces) / sizeof(pieces[0]), text + 1);
        const struct conf_rule *rule = rule_parse(*state, text, "listing", "on");
        if (rule == NULL) {
            continue;
        }
        const char *expected =
            http_glob_check(policy_text(&((struct parsed *)*state)->conf, rule->pattern));
        if (expected != NULL) {
            fail_msg("[path %s]: %s", text, expected);
        }
        accepted++;
    }
    assert_in_range(accepted, 100, TEXTS_COUNT);
}

static void each_realm_that_is_accepted_is_one(void **state)
{
    for (unsigned byte = 1; byte < 256; byte++) {
        char text[] = { '"', 'a', (char)byte, 'b', '"', '\0' };
        const struct conf_rule *rule = rule_parse(*state, "/**", "auth_realm", text);
        if (rule == NULL || rule->auth_realm == 0) {
            continue;
        }
        struct slice realm = policy_text(&((struct parsed *)*state)->conf, rule->auth_realm);
        assert_null(http_basic_check_realm(realm));
    }
}

/* Too large for the stack. */
static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct parsed));
    return *state != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_redirect_that_is_accepted_is_one),
        cmocka_unit_test(each_pattern_that_is_accepted_is_one),
        cmocka_unit_test(each_realm_that_is_accepted_is_one),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_conf_agreement", tests, set_up, tear_down) == 0 ? 0
                                                                                               : 1;
}

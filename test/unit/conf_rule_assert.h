/* conf_rule_assert: rules of one key. */
#ifndef GYRE_TEST_CONF_RULE_ASSERT_H
#define GYRE_TEST_CONF_RULE_ASSERT_H

#include "conf_assert.h"

struct kept_row {
    const char *text;
    const char *kept;
};

/* Gives one key of a rule whose pattern captures one text. */
static inline const struct conf_rule *rule_parse(struct conf *conf, const char *key,
                                                 const char *text)
{
    char line[2 * CONF_LINE_SIZE_MAX];
    snprintf(line, sizeof(line), "[path /*]\n%s = %s\n", key, text);
    conf_assert_parses(line, conf);
    conf_assert_reads_back(conf);
    assert_int_equal(conf->rules_count, 1);
    return &conf->rules[0];
}

static inline void rule_refuse(const char *key, const char *text, const char *expected)
{
    char line[2 * CONF_LINE_SIZE_MAX];
    char start[64];
    snprintf(line, sizeof(line), "[path /*]\n%s = %s\n", key, text);
    snprintf(start, sizeof(start), "%s = %.30s", key, text[0] != '"' ? text : "");
    conf_assert_refuses(line, 2, start, expected);
}

static inline void rules_refuse(const char *key, const char *const *texts, size_t count,
                                const char *expected)
{
    for (size_t i = 0; i < count; i++) {
        rule_refuse(key, texts[i], expected);
    }
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif

/* conf_assert: what the tests of conf share. */
#ifndef GYRE_TEST_CONF_ASSERT_H
#define GYRE_TEST_CONF_ASSERT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "conf_same.h"

/* A configuration is too large for the stack. The caller frees it. */
static inline struct conf *conf_assert_defaults(void)
{
    struct conf *conf = malloc(sizeof(*conf));
    assert_non_null(conf);
    conf_init(conf);
    return conf;
}

/* Gives the tests of a group one to use, as *state. */
static inline int conf_set_up(void **state)
{
    *state = conf_assert_defaults();
    return 0;
}

static inline int conf_tear_down(void **state)
{
    free(*state);
    return 0;
}

/* Parses over the defaults; fails the test, with the first error, when there is one. */
static inline void conf_assert_parses_bytes(const char *text, size_t size, struct conf *conf)
{
    struct conf_errors errors;
    conf_init(conf);
    if (!conf_parse(text, size, conf, &errors)) {
        fail_msg("line %u: %s", errors.errors[0].line, errors.errors[0].text);
    }
    assert_int_equal(errors.count, 0);
}

static inline void conf_assert_parses(const char *text, struct conf *conf)
{
    conf_assert_parses_bytes(text, strlen(text), conf);
}

/* Expects exactly one error, at that line, and each of the words in its text. */
static inline void conf_assert_refuses_bytes(const char *text, size_t size, uint32_t line,
                                             const char *word, const char *other_word)
{
    struct conf *conf = conf_assert_defaults();
    struct conf_errors errors;
    assert_false(conf_parse(text, size, conf, &errors));
    free(conf);
    assert_int_equal(errors.count, 1);
    if (errors.errors[0].line != line || strstr(errors.errors[0].text, word) == NULL ||
        strstr(errors.errors[0].text, other_word) == NULL) {
        fail_msg("expected line %u with '%s' and '%s', got line %u: %s", line, word, other_word,
                 errors.errors[0].line, errors.errors[0].text);
    }
}

static inline void conf_assert_refuses(const char *text, uint32_t line, const char *word,
                                       const char *other_word)
{
    conf_assert_refuses_bytes(text, strlen(text), line, word, other_word);
}

/* Expects conf_print() to write what reads back to the same configuration. */
static inline void conf_assert_reads_back(const struct conf *conf)
{
    size_t size = conf_print(conf, NULL, 0) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    assert_int_equal(conf_print(conf, text, size), size - 1);
    assert_int_equal(strlen(text), size - 1);
    struct conf *again = conf_assert_defaults();
    conf_assert_parses(text, again);
    if (!conf_same(again, conf)) {
        fail_msg("printed, it reads back as something else: %s", text);
    }
    free(again);
    free(text);
}

/* Reads a file of the repository, and adds a NUL; the caller frees it. */
static inline char *conf_assert_reads_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("%s cannot be opened: tests run at the root of the repository", path);
    }
    char *text = malloc(CONF_TEXT_SIZE_MAX + 1);
    assert_non_null(text);
    *size = fread(text, 1, CONF_TEXT_SIZE_MAX, file);
    assert_int_equal(ferror(file), 0);
    fclose(file);
    text[*size] = '\0';
    return text;
}

#endif

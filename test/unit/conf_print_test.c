/* conf_print() as the inverse of conf_parse(), and the ini files that come with gyre. */
#include "conf/conf_value.h"

#include "conf_assert.h"

static void the_defaults_read_back(void **state)
{
    struct conf *conf = *state;
    conf_init(conf);
    conf_assert_reads_back(conf);
}

static void a_configuration_with_all_kinds_reads_back(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses(
        "[server]\nlisten = :80\nlisten = unix:a b\nroot = \"a ; b\"\nworkers = 3\n"
        "[timeouts]\nhead = 1500ms\nlinger = 0s\n[limits]\nbody_max = 3G\n"
        "[files]\nindex = a b \"c\nsymlinks = none\n[cache]\nfile_bytes_max = 1023\n"
        "[ring]\nzerocopy = on\nsqpoll = on\nsqpoll_cpu = 3\n[log]\naccess = stdout\n"
        "[types]\n.x = a/b; c=\"d e\"\n.y = c/d\n[errors]\n404 = /\"a ;b\"\n",
        conf);
    assert_string_equal(conf->index[2], "\"c");
    conf_assert_reads_back(conf);
}

static void values_that_need_quotes_read_back(void **state)
{
    struct conf *conf = *state;
    static const char *const paths[] = { " a",    "a ",    "a ;b", "a #b", ";a",        "#a",
                                         "\"",    "\"a\"", "a\"b", "a\t;", "\ta",       "a\\",
                                         "\\\"a", "a;b",   "=",    "[a]",  "a ;\"\" b", "\"\"" };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        conf_init(conf);
        memset(conf->root, 0, sizeof(conf->root));
        memcpy(conf->root, paths[i], strlen(paths[i]));
        conf_assert_reads_back(conf);
    }
}

static void a_path_of_quotes_as_long_as_can_be_reads_back(void **state)
{
    struct conf *conf = *state;
    conf_init(conf);
    memset(conf->root, '"', CONF_PATH_SIZE_MAX);
    memset(conf->access_log, ' ', CONF_PATH_SIZE_MAX);
    conf_assert_reads_back(conf);
}

static void a_small_buffer_gets_the_beginning_and_a_nul(void **state)
{
    struct conf *conf = *state;
    conf_init(conf);
    size_t needed = conf_print(conf, NULL, 0);
    char *whole = malloc(needed + 1);
    char *part = malloc(needed + 1);
    assert_non_null(whole);
    assert_non_null(part);
    conf_print(conf, whole, needed + 1);
    for (size_t size = 1; size <= needed; size++) {
        memset(part, 'x', needed + 1);
        assert_int_equal(conf_print(conf, part, size), needed);
        assert_memory_equal(part, whole, size - 1);
        assert_int_equal(part[size - 1], '\0');
        assert_int_equal(part[size], 'x');
    }
    free(part);
    free(whole);
}

/* Whether the text has the line "NAME = VALUE", or "[NAME]" when value is NULL. */
static bool text_has_line(const char *text, const char *name, const char *value)
{
    char line[256];
    if (value == NULL) {
        snprintf(line, sizeof(line), "\n[%s]\n", name);
    } else {
        snprintf(line, sizeof(line), "\n%s = %s\n", name, value);
    }
    return strstr(text, line) != NULL;
}

/* Sections with an argument stand there as comments: "; [path /a]", and ";   KEY = VALUE". */
static const char *example_find(const char *text, const struct conf_key *key)
{
    char line[CONF_KEY_SIZE_MAX + 8];
    snprintf(line, sizeof(line), "\n; [%s ", key->section);
    return strstr(text, line);
}

static bool text_has_example(const char *text, const struct conf_key *key)
{
    char line[CONF_KEY_SIZE_MAX + 8];
    snprintf(line, sizeof(line), "\n;   %s = ", key->name);
    return strstr(text, line) != NULL;
}

static void gyre_ini_has_every_key_at_its_default(void **state)
{
    (void)state;
    size_t size = 0;
    char *text = conf_assert_reads_file("conf/gyre.ini", &size);
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        bool has_key = true;
        bool has_section = text_has_line(text, key->section, NULL);
        if (key->base != CONF_BASE_CONF) {
            const char *example = example_find(text, key);
            has_section = example != NULL;
            has_key = example != NULL && text_has_example(example, key);
        } else if (key->initial != NULL) {
            has_key = text_has_line(text, key->name, key->initial);
        } else if (key->kind == CONF_KIND_LISTEN) {
            has_key = text_has_line(text, "listen", "127.0.0.1:8080");
        }
        if (!has_key || !has_section) {
            fail_msg("conf/gyre.ini lacks [%s] %s = %s", key->section, key->name,
                     key->initial != NULL ? key->initial : "");
        }
    }
    free(text);
}

static void gyre_ini_parses_to_the_defaults(void **state)
{
    struct conf *conf = *state;
    size_t size = 0;
    char *text = conf_assert_reads_file("conf/gyre.ini", &size);
    struct conf *defaults = conf_assert_defaults();
    conf_assert_parses_bytes(text, size, conf);
    free(text);
    assert_int_equal(conf->listen_count, 1);
    assert_string_equal(conf->listen[0].address, "127.0.0.1:8080");
    /* Of listen only, the default is the caller's. */
    memset(conf->listen, 0, sizeof(conf->listen));
    conf->listen_count = 0;
    assert_true(conf_same(conf, defaults));
    free(defaults);
}

/* Copies the comment above a key of a section, its lines joined by blanks. */
static void comment_copy(const char *text, const struct conf_key *key, char *comment, size_t size)
{
    char line[64];
    snprintf(line, sizeof(line), "\n[%s]\n", key->section);
    const char *section = strstr(text, line);
    assert_non_null(section);
    snprintf(line, sizeof(line), "\n%s = ", key->name);
    const char *end = strstr(section, line);
    assert_non_null(end);
    const char *start = end;
    while (start[-1] != '\n' || start[0] == ';') {
        start--;
    }
    assert_in_range(end - start, 1, size - 1);
    size_t used = 0;
    for (const char *c = start; c < end; c++) {
        bool is_margin = *c == ';' && c[-1] == '\n';
        if (!is_margin && *c != '\n') {
            comment[used++] = *c;
        }
    }
    comment[used] = '\0';
}

/* Copies what stands between a key of a section's example and the next one: its comment. */
static void example_copy(const char *text, const struct conf_key *key, char *comment, size_t size)
{
    char line[CONF_KEY_SIZE_MAX + 8];
    const char *example = example_find(text, key);
    assert_non_null(example);
    snprintf(line, sizeof(line), "\n;   %s = ", key->name);
    const char *start = strstr(example, line);
    assert_non_null(start);
    const char *end = strstr(start + 1, "\n;   ");
    end = end != NULL ? end : start + strlen(start);
    assert_in_range(end - start, 1, size - 1);
    memcpy(comment, start, (size_t)(end - start));
    comment[end - start] = '\0';
}

static void bound_write(const struct conf_key *key, uint64_t value, char text[CONF_NUMBER_SIZE_MAX])
{
    if (key->kind == CONF_KIND_DURATION) {
        conf_duration_write(value, text);
    } else if (key->kind == CONF_KIND_COUNT) {
        snprintf(text, CONF_NUMBER_SIZE_MAX, "%llu", (unsigned long long)value);
    } else {
        conf_size_write(value, text);
    }
}

static void gyre_ini_documents_the_range_of_every_number(void **state)
{
    (void)state;
    size_t size = 0;
    char *text = conf_assert_reads_file("conf/gyre.ini", &size);
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (key->kind < CONF_KIND_COUNT || key->kind > CONF_KIND_SIZE64) {
            continue;
        }
        char comment[1024];
        char min[CONF_NUMBER_SIZE_MAX];
        char max[CONF_NUMBER_SIZE_MAX];
        char range[2 * CONF_NUMBER_SIZE_MAX + 8];
        bound_write(key, key->min, min);
        bound_write(key, key->max, max);
        snprintf(range, sizeof(range), "%s to %s", min, max);
        comment_copy(text, key, comment, sizeof(comment));
        if (strstr(comment, range) == NULL) {
            fail_msg("expected '%s' above %s, got: %s", range, key->name, comment);
        }
    }
    free(text);
}

static void gyre_ini_documents_the_words_of_every_choice(void **state)
{
    (void)state;
    size_t size = 0;
    char *text = conf_assert_reads_file("conf/gyre.ini", &size);
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        for (uint64_t j = 0; key->kind == CONF_KIND_CHOICE && j <= key->max; j++) {
            char comment[1024] = "";
            if (key->base == CONF_BASE_CONF) {
                comment_copy(text, key, comment, sizeof(comment));
            } else {
                example_copy(text, key, comment, sizeof(comment));
            }
            if (strstr(comment, key->words[j]) == NULL) {
                fail_msg("expected '%s' above %s, got: %s", key->words[j], key->name, comment);
            }
        }
    }
    free(text);
}

static void www_ini_parses_to_the_sample_site(void **state)
{
    struct conf *conf = *state;
    size_t size = 0;
    char *text = conf_assert_reads_file("conf/www.ini", &size);
    conf_assert_parses_bytes(text, size, conf);
    free(text);
    assert_int_equal(conf->listen_count, 1);
    assert_string_equal(conf->listen[0].address, "127.0.0.1:8080");
    assert_string_equal(conf->access_log, "stdout");
    assert_int_equal(conf->error_pages_count, 1);
    assert_int_equal(conf->error_pages[0].status, 404);
    assert_string_equal(conf->error_pages[0].path, "404.html");
    conf_assert_reads_back(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_read_back),
        cmocka_unit_test(a_configuration_with_all_kinds_reads_back),
        cmocka_unit_test(values_that_need_quotes_read_back),
        cmocka_unit_test(a_path_of_quotes_as_long_as_can_be_reads_back),
        cmocka_unit_test(a_small_buffer_gets_the_beginning_and_a_nul),
        cmocka_unit_test(gyre_ini_has_every_key_at_its_default),
        cmocka_unit_test(gyre_ini_parses_to_the_defaults),
        cmocka_unit_test(gyre_ini_documents_the_range_of_every_number),
        cmocka_unit_test(gyre_ini_documents_the_words_of_every_choice),
        cmocka_unit_test(www_ini_parses_to_the_sample_site),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("conf_print", tests, conf_set_up, conf_tear_down) == 0 ? 0
                                                                                              : 1;
}

/* Values: numbers, durations, sizes, words, addresses, names, types; their bounds and their texts.
 */
#include "conf/conf_value.h"

#include "conf_assert.h"

/* One of each section with an argument, for the keys that need one to be in. */
#define SECTIONS "[host a]\n[mount /a/]\nroot = a\n[path /a]\n"

struct number_row {
    const char *text;
    uint64_t value;
};

static void durations_are_read_in_all_units(void **state)
{
    (void)state;
    static const struct number_row rows[] = {
        { "0ms", 0 },     { "500ms", 500 },  { "10s", 10000 },
        { "2m", 120000 }, { "1h", 3600000 }, { "007s", 7000 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t value = 77;
        assert_true(conf_duration_parse(rows[i].text, &value));
        assert_int_equal(value, rows[i].value);
    }
}

static void sizes_are_read_in_all_units(void **state)
{
    (void)state;
    static const struct number_row rows[] = {
        { "0", 0 },
        { "4095", 4095 },
        { "64K", 65536 },
        { "1M", 1048576 },
        { "3G", UINT64_C(3) << 30 },
        { "18446744073709551615", UINT64_MAX },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t value = 77;
        assert_true(conf_size_parse(rows[i].text, &value));
        assert_int_equal(value, rows[i].value);
    }
}

static void what_is_not_a_duration_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = { "",
                                         "10",
                                         "s",
                                         "-1s",
                                         "+1s",
                                         "1 s",
                                         "1.5s",
                                         "1d",
                                         "1s ",
                                         " 1s",
                                         "0x1s",
                                         "1sec",
                                         "1S",
                                         "1ms1",
                                         "18446744073709551615h",
                                         "18446744073709551616ms" };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint64_t value;
        if (conf_duration_parse(texts[i], &value)) {
            fail_msg("'%s' was read as a duration", texts[i]);
        }
    }
}

static void what_is_not_a_size_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = { "",
                                         "K",
                                         "1k",
                                         "1KB",
                                         "1 K",
                                         "-1",
                                         "1.5M",
                                         "0x10",
                                         "1T",
                                         "1e3",
                                         "1K1",
                                         "18446744073709551616",
                                         "17179869184G" };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint64_t value;
        if (conf_size_parse(texts[i], &value)) {
            fail_msg("'%s' was read as a size", texts[i]);
        }
    }
}

static void written_durations_and_sizes_read_back(void **state)
{
    (void)state;
    static const uint64_t values[] = { 0,       1,       999,     1000,       1024,      1025,
                                       60000,   3600000, 5400000, 1048576,    104857600, 86400000,
                                       1000001, 65535,   65536,   UINT32_MAX, UINT64_MAX };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[CONF_NUMBER_SIZE_MAX];
        uint64_t value = 77;
        conf_duration_write(values[i], text);
        assert_true(conf_duration_parse(text, &value));
        assert_int_equal(value, values[i]);
        conf_size_write(values[i], text);
        assert_true(conf_size_parse(text, &value));
        assert_int_equal(value, values[i]);
    }
}

static void numbers_are_written_in_the_largest_unit_that_fits(void **state)
{
    (void)state;
    char text[CONF_NUMBER_SIZE_MAX];
    conf_duration_write(90000, text);
    assert_string_equal(text, "90s");
    conf_duration_write(7200000, text);
    assert_string_equal(text, "2h");
    conf_size_write(1536, text);
    assert_string_equal(text, "1536");
    conf_size_write(UINT64_C(5) << 30, text);
    assert_string_equal(text, "5G");
}

/* Writes a number as its row wants it. */
static void number_write(const struct conf_key *key, uint64_t value,
                         char text[CONF_NUMBER_SIZE_MAX])
{
    if (key->kind == CONF_KIND_DURATION) {
        conf_duration_write(value, text);
    } else {
        snprintf(text, CONF_NUMBER_SIZE_MAX, "%llu", (unsigned long long)value);
    }
}

static bool key_is_number(const struct conf_key *key)
{
    return key->kind == CONF_KIND_COUNT || key->kind == CONF_KIND_DURATION ||
           key->kind == CONF_KIND_SIZE32 || key->kind == CONF_KIND_SIZE64;
}

static void every_number_takes_its_bounds(void **state)
{
    struct conf *conf = *state;
    uint32_t checked = 0;
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        char text[CONF_NUMBER_SIZE_MAX];
        char reason[CONF_ERROR_SIZE_MAX + 1];
        conf_init(conf);
        if (key_is_number(key)) {
            number_write(key, key->min, text);
            assert_true(conf_value_set(key, key->name, text, conf, reason));
            number_write(key, key->max, text);
            assert_true(conf_value_set(key, key->name, text, conf, reason));
            checked++;
        }
    }
    assert_in_range(checked, 20, CONF_KEYS_MAX);
}

static void every_number_refuses_what_is_past_its_bounds(void **state)
{
    struct conf *conf = *state;
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        char text[CONF_NUMBER_SIZE_MAX];
        char reason[CONF_ERROR_SIZE_MAX + 1];
        conf_init(conf);
        if (!key_is_number(key)) {
            continue;
        }
        uint64_t step = key->shape == CONF_SHAPE_ANY ? 1 : key->min;
        number_write(key, key->max + step, text);
        assert_false(conf_value_set(key, key->name, text, conf, reason));
        assert_non_null(strstr(reason, "expected a "));
        if (key->min > 0) {
            number_write(key, key->min - step, text);
            assert_false(conf_value_set(key, key->name, text, conf, reason));
        }
    }
}

static void a_refused_value_changes_nothing(void **state)
{
    struct conf *conf = *state;
    struct conf *before = conf_assert_defaults();
    conf_assert_parses(SECTIONS, before);
    static const char *const texts[] = { "99999999999999", "a/b/../c", "\x01" };
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++) {
            char reason[CONF_ERROR_SIZE_MAX + 1];
            conf_assert_parses(SECTIONS, conf);
            if (!conf_value_set(&conf_keys[i], conf_keys[i].name, texts[j], conf, reason)) {
                assert_true(conf_same(conf, before));
                assert_int_equal(conf->strings_used, before->strings_used);
            }
        }
    }
    free(before);
}

static void a_count_that_is_no_power_of_two_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[ring]\nrecv_buffers = 1000\n", 2, "recv_buffers = 1000",
                        "expected a power of two from 8 to 32768 (buffers)");
}

static void chunks_that_are_no_whole_pages_are_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[ring]\nchunk_bytes = 10000\n", 2, "chunk_bytes = 10000",
                        "expected a multiple of 4K from 4K to 16M");
}

static void a_bare_number_is_no_duration(void **state)
{
    (void)state;
    conf_assert_refuses("[timeouts]\nhead = 10\n", 2, "head = 10",
                        "expected a duration from 1ms to 1h, with its unit");
}

static void workers_may_be_auto(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[server]\nworkers = auto\n", conf);
    assert_int_equal(conf->workers, 0);
    conf_assert_refuses("[server]\nworkers = 0\n", 2, "workers = 0",
                        "expected a number from 1 to 256 (threads), or auto");
}

static void every_word_of_a_choice_is_taken(void **state)
{
    struct conf *conf = *state;
    conf_assert_parses("[files]\nsymlinks = all\ndotfiles = show\nmagic = off\n"
                       "[ring]\nzerocopy = on\n",
                       conf);
    assert_int_equal(conf->symlinks, CONF_SYMLINKS_ALL);
    assert_int_equal(conf->dotfiles, CONF_DOTFILES_SHOW);
    assert_int_equal(conf->magic, CONF_OFF);
    assert_int_equal(conf->zerocopy, CONF_ON);
}

static void a_choice_refuses_the_words_of_others(void **state)
{
    (void)state;
    conf_assert_refuses("[cache]\ncache = auto\n", 2, "cache = auto", "expected off or on");
    conf_assert_refuses("[server]\nengine = on\n", 2, "on", "expected auto, ring or epoll");
    conf_assert_refuses("[files]\nsymlinks = On\n", 2, "On", "expected within, none or all");
}

static void an_empty_path_is_refused(void **state)
{
    (void)state;
    conf_assert_refuses("[server]\nroot =\n", 2, "root = ", "expected a path of 1 to 4095 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_in_all_units),
        cmocka_unit_test(sizes_are_read_in_all_units),
        cmocka_unit_test(what_is_not_a_duration_is_refused),
        cmocka_unit_test(what_is_not_a_size_is_refused),
        cmocka_unit_test(written_durations_and_sizes_read_back),
        cmocka_unit_test(numbers_are_written_in_the_largest_unit_that_fits),
        cmocka_unit_test(every_number_takes_its_bounds),
        cmocka_unit_test(every_number_refuses_what_is_past_its_bounds),
        cmocka_unit_test(a_refused_value_changes_nothing),
        cmocka_unit_test(a_count_that_is_no_power_of_two_is_refused),
        cmocka_unit_test(chunks_that_are_no_whole_pages_are_refused),
        cmocka_unit_test(a_bare_number_is_no_duration),
        cmocka_unit_test(workers_may_be_auto),
        cmocka_unit_test(every_word_of_a_choice_is_taken),
        cmocka_unit_test(a_choice_refuses_the_words_of_others),
        cmocka_unit_test(an_empty_path_is_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("conf_value", tests, conf_set_up, conf_tear_down) == 0 ? 0
                                                                                              : 1;
}

/* The command line: what each option sets, and the one line that a wrong one gets. */
#include "server/options.h"

#include "conf_assert.h"

enum {
    ARGUMENTS_MAX = 40
};

struct outcome {
    int status;
    struct options options;
    char errors[1024];
};

/* Parses "gyre" and the arguments up to the first NULL. */
static void outcome_take(struct outcome *outcome, const char *const arguments[])
{
    char name[] = "gyre";
    char *argv[ARGUMENTS_MAX + 2] = { name };
    int argc = 1;
    for (size_t i = 0; arguments[i] != NULL; i++) {
        assert_in_range(argc, 1, ARGUMENTS_MAX);
        /* getopt_long() reorders the pointers and leaves the bytes alone. */
        argv[argc++] = (char *)(uintptr_t)arguments[i];
    }
    memset(outcome->errors, 0, sizeof(outcome->errors));
    FILE *errors = fmemopen(outcome->errors, sizeof(outcome->errors) - 1, "w");
    assert_non_null(errors);
    outcome->status = options_parse(argc, argv, &outcome->options, errors);
    fclose(errors);
}

#define ARGUMENTS(...)    \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

static void options_assert_parses(struct outcome *outcome, const char *const arguments[])
{
    outcome_take(outcome, arguments);
    assert_string_equal(outcome->errors, "");
    assert_int_equal(outcome->status, 0);
}

static void options_assert_refuses(const char *const arguments[], const char *line)
{
    struct outcome outcome;
    outcome_take(&outcome, arguments);
    assert_string_equal(outcome.errors, line);
    assert_int_equal(outcome.status, 2);
}

static void no_arguments_mean_run_with_defaults(void **state)
{
    (void)state;
    struct outcome outcome;
    options_assert_parses(&outcome, (const char *const[]){ NULL });
    assert_int_equal(outcome.options.action, OPTIONS_RUN);
    assert_null(outcome.options.config);
    assert_null(outcome.options.dir);
    assert_int_equal(outcome.options.listens_count, 0);
    assert_false(outcome.options.has_workers);
}

static void all_short_options_are_read(void **state)
{
    (void)state;
    struct outcome outcome;
    options_assert_parses(
        &outcome, ARGUMENTS("-c", "a.ini", "-l", ":80", "-l[::1]:0", "-w", "3", "-t", "www"));
    assert_int_equal(outcome.options.action, OPTIONS_TEST);
    assert_string_equal(outcome.options.config, "a.ini");
    assert_int_equal(outcome.options.listens_count, 2);
    assert_string_equal(outcome.options.listens[0], ":80");
    assert_string_equal(outcome.options.listens[1], "[::1]:0");
    assert_true(outcome.options.has_workers);
    assert_int_equal(outcome.options.workers, 3);
    assert_string_equal(outcome.options.dir, "www");
}

static void all_long_options_are_read(void **state)
{
    (void)state;
    struct outcome outcome;
    options_assert_parses(&outcome, ARGUMENTS("--config=a.ini", "--listen", "unix:s", "--workers",
                                              "auto", "--test", "www"));
    assert_int_equal(outcome.options.action, OPTIONS_TEST);
    assert_string_equal(outcome.options.config, "a.ini");
    assert_string_equal(outcome.options.listens[0], "unix:s");
    assert_true(outcome.options.has_workers);
    assert_int_equal(outcome.options.workers, 0);
    assert_string_equal(outcome.options.dir, "www");
}

static void options_may_follow_the_directory(void **state)
{
    (void)state;
    struct outcome outcome;
    options_assert_parses(&outcome, ARGUMENTS("www", "-w", "2"));
    assert_string_equal(outcome.options.dir, "www");
    assert_int_equal(outcome.options.workers, 2);
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct outcome outcome;
    options_assert_parses(&outcome, ARGUMENTS("--", "-t"));
    assert_string_equal(outcome.options.dir, "-t");
    assert_int_equal(outcome.options.action, OPTIONS_RUN);
}

static void help_and_version_end_the_reading(void **state)
{
    (void)state;
    struct outcome outcome;
    options_assert_parses(&outcome, ARGUMENTS("-h", "--nonsense"));
    assert_int_equal(outcome.options.action, OPTIONS_HELP);
    options_assert_parses(&outcome, ARGUMENTS("--version", "-w", "x"));
    assert_int_equal(outcome.options.action, OPTIONS_VERSION);
    options_assert_parses(&outcome, ARGUMENTS("-V"));
    assert_int_equal(outcome.options.action, OPTIONS_VERSION);
    options_assert_parses(&outcome, ARGUMENTS("--help"));
    assert_int_equal(outcome.options.action, OPTIONS_HELP);
}

static void an_unknown_option_is_named(void **state)
{
    (void)state;
    options_assert_refuses(ARGUMENTS("-x"), "gyre: unknown option -x; try gyre --help\n");
    options_assert_refuses(ARGUMENTS("--test", "-tx"),
                           "gyre: unknown option -x; try gyre --help\n");
    options_assert_refuses(ARGUMENTS("--port", "80"),
                           "gyre: unknown or ambiguous option --port; try gyre --help\n");
}

static void an_option_without_its_value_is_named(void **state)
{
    (void)state;
    options_assert_refuses(ARGUMENTS("-l"),
                           "gyre: option -l needs a value after it; try gyre --help\n");
    options_assert_refuses(ARGUMENTS("--workers"),
                           "gyre: option -w needs a value after it; try gyre --help\n");
    options_assert_refuses(ARGUMENTS("--engine"),
                           "gyre: option --engine needs a value after it; try gyre --help\n");
}

static void the_engine_is_a_key_of_the_configuration(void **state)
{
    (void)state;
    struct outcome outcome;
    options_assert_parses(&outcome, ARGUMENTS("--engine", "epoll"));
    assert_int_equal(outcome.options.switches_count, 1);
    assert_string_equal(outcome.options.switches[0].section, "server");
    assert_string_equal(outcome.options.switches[0].key, "engine");
    assert_string_equal(outcome.options.switches[0].value, "epoll");
}

static void an_option_with_a_value_too_many_is_named(void **state)
{
    (void)state;
    options_assert_refuses(ARGUMENTS("--test=yes"),
                           "gyre: option --test takes no value; try gyre --help\n");
}

static void a_wrong_address_is_refused_with_what_was_expected(void **state)
{
    (void)state;
    options_assert_refuses(ARGUMENTS("-l", "127.0.0.1:99999"),
                           "gyre: -l 127.0.0.1:99999: expected a port from 0 to 65535 after the "
                           "last colon; try gyre --help\n");
}

static void a_seventeenth_address_is_refused(void **state)
{
    (void)state;
    const char *arguments[CONF_LISTEN_MAX + 2] = { NULL };
    for (size_t i = 0; i < CONF_LISTEN_MAX; i++) {
        arguments[i] = "-l:0";
    }
    struct outcome outcome;
    options_assert_parses(&outcome, arguments);
    assert_int_equal(outcome.options.listens_count, CONF_LISTEN_MAX);
    arguments[CONF_LISTEN_MAX] = "-l:1";
    options_assert_refuses(arguments,
                           "gyre: -l :1: expected at most 16 addresses; try gyre --help\n");
}

static void wrong_workers_are_refused_with_their_range(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0", "257", "many", "-1", "", "1 ", "99999999999999999999"
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char line[160];
        snprintf(line, sizeof(line),
                 "gyre: -w %s: expected a number from 1 to 256, or auto; try gyre --help\n",
                 texts[i]);
        options_assert_refuses(ARGUMENTS("-w", texts[i]), line);
    }
}

static void two_directories_are_refused(void **state)
{
    (void)state;
    options_assert_refuses(ARGUMENTS("a", "b"),
                           "gyre: two directories, a and b: give one; try gyre --help\n");
}

static void two_configurations_are_refused(void **state)
{
    (void)state;
    options_assert_refuses(ARGUMENTS("-c", "a", "-c", "b"),
                           "gyre: two configurations, a and b: give one; try gyre --help\n");
}

static void empty_names_are_refused(void **state)
{
    (void)state;
    options_assert_refuses(
        ARGUMENTS(""),
        "gyre: the name of the directory is empty: give its path; try gyre --help\n");
    options_assert_refuses(ARGUMENTS("-c", ""),
                           "gyre: the name after -c is empty: give the path of an ini file; "
                           "try gyre --help\n");
}

static void a_directory_with_a_control_byte_is_refused(void **state)
{
    (void)state;
    options_assert_refuses(ARGUMENTS("a\nb"),
                           "gyre: the path of the directory holds a control byte: "
                           "rename it; try gyre --help\n");
}

static void a_directory_too_long_is_refused(void **state)
{
    (void)state;
    char path[CONF_PATH_SIZE_MAX + 2];
    memset(path, 'd', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    options_assert_refuses(ARGUMENTS(path), "gyre: the path of the directory is longer than 4095 "
                                            "bytes; try gyre --help\n");
    path[CONF_PATH_SIZE_MAX] = '\0';
    struct outcome outcome;
    options_assert_parses(&outcome, ARGUMENTS(path));
    assert_ptr_equal(outcome.options.dir, path);
}

static void help_names_every_option_and_fits_a_terminal(void **state)
{
    (void)state;
    static const char *const words[] = { "-c, --config",   "-l, --listen",  "-w, --workers",
                                         "-t, --test",     "-V, --version", "-h, --help",
                                         "127.0.0.1:8080", "--engine",      "USR1",
                                         "USR2",           "Examples:" };
    char text[8192] = { 0 };
    FILE *stream = fmemopen(text, sizeof(text) - 1, "w");
    assert_non_null(stream);
    options_print_help(stream);
    fclose(stream);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_non_null(strstr(text, words[i]));
    }
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        assert_in_range(strcspn(line, "\n"), 0, 80);
    }
}

static void the_version_is_one_line(void **state)
{
    (void)state;
    char text[64] = { 0 };
    FILE *stream = fmemopen(text, sizeof(text) - 1, "w");
    assert_non_null(stream);
    options_print_version(stream);
    fclose(stream);
    assert_string_equal(text, "gyre 0.1.0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_arguments_mean_run_with_defaults),
        cmocka_unit_test(all_short_options_are_read),
        cmocka_unit_test(all_long_options_are_read),
        cmocka_unit_test(options_may_follow_the_directory),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(help_and_version_end_the_reading),
        cmocka_unit_test(an_unknown_option_is_named),
        cmocka_unit_test(an_option_without_its_value_is_named),
        cmocka_unit_test(the_engine_is_a_key_of_the_configuration),
        cmocka_unit_test(an_option_with_a_value_too_many_is_named),
        cmocka_unit_test(a_wrong_address_is_refused_with_what_was_expected),
        cmocka_unit_test(a_seventeenth_address_is_refused),
        cmocka_unit_test(wrong_workers_are_refused_with_their_range),
        cmocka_unit_test(two_directories_are_refused),
        cmocka_unit_test(two_configurations_are_refused),
        cmocka_unit_test(empty_names_are_refused),
        cmocka_unit_test(a_directory_with_a_control_byte_is_refused),
        cmocka_unit_test(a_directory_too_long_is_refused),
        cmocka_unit_test(help_names_every_option_and_fits_a_terminal),
        cmocka_unit_test(the_version_is_one_line),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_options", tests, NULL, NULL) == 0 ? 0 : 1;
}

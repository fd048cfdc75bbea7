/* settings_load(): the file, the command line over it, and how errors are printed. */
#include "server/settings.h"

#include <unistd.h>

#include "conf_assert.h"

struct outcome {
    int status;
    struct conf conf;
    char path[64]; /* of the file: gone by now, but errors name it */
    char errors[8192];
};

static void outcome_take(struct outcome *outcome, const struct options *options)
{
    memset(outcome->errors, 0, sizeof(outcome->errors));
    FILE *errors = fmemopen(outcome->errors, sizeof(outcome->errors) - 1, "w");
    assert_non_null(errors);
    outcome->status = settings_load(options, &outcome->conf, errors);
    fclose(errors);
}

/* Loads a file of that text, with the rest of the options as given. */
static void outcome_take_file(struct outcome *outcome, struct options options, const char *text,
                              size_t size)
{
    snprintf(outcome->path, sizeof(outcome->path), "/tmp/gyre-settings-XXXXXX");
    int descriptor = mkstemp(outcome->path);
    assert_in_range(descriptor, 0, 1 << 20);
    assert_int_equal(write(descriptor, text, size), size);
    assert_int_equal(close(descriptor), 0);
    options.config = outcome->path;
    outcome_take(outcome, &options);
    assert_int_equal(unlink(outcome->path), 0);
}

/* Too large for the stack. */
static int outcome_set_up(void **state)
{
    *state = calloc(1, sizeof(struct outcome));
    return *state == NULL;
}

static int outcome_tear_down(void **state)
{
    free(*state);
    return 0;
}

static void without_a_file_the_default_address_is_added(void **state)
{
    struct outcome *outcome = *state;
    struct options options = { 0 };
    outcome_take(outcome, &options);
    assert_int_equal(outcome->status, 0);
    assert_string_equal(outcome->errors, "");
    assert_int_equal(outcome->conf.listen_count, 1);
    assert_string_equal(outcome->conf.listen[0].address, "127.0.0.1:8080");
    assert_string_equal(outcome->conf.root, ".");
}

static void the_file_is_read(void **state)
{
    struct outcome *outcome = *state;
    static const char text[] = "[server]\nlisten = :80\nroot = /srv\nworkers = 2\n";
    outcome_take_file(outcome, (struct options){ 0 }, text, sizeof(text) - 1);
    assert_string_equal(outcome->errors, "");
    assert_int_equal(outcome->status, 0);
    assert_int_equal(outcome->conf.listen_count, 1);
    assert_string_equal(outcome->conf.listen[0].address, ":80");
    assert_string_equal(outcome->conf.root, "/srv");
    assert_int_equal(outcome->conf.workers, 2);
}

static void the_command_line_takes_the_place_of_the_file(void **state)
{
    struct outcome *outcome = *state;
    static const char text[] =
        "[server]\nlisten = :80\nlisten = :81\nroot = /a/longer/path\nworkers = 2\n";
    struct options options = { 0 };
    options.listens[0] = "[::1]:0";
    options.listens_count = 1;
    options.has_workers = true;
    options.workers = 0;
    options.dir = "www";
    outcome_take_file(outcome, options, text, sizeof(text) - 1);
    assert_int_equal(outcome->status, 0);
    assert_int_equal(outcome->conf.listen_count, 1);
    assert_string_equal(outcome->conf.listen[0].address, "[::1]:0");
    assert_string_equal(outcome->conf.listen[1].address, "");
    assert_string_equal(outcome->conf.root, "www");
    assert_int_equal(outcome->conf.workers, 0);
}

static void every_error_is_a_line_with_file_and_line(void **state)
{
    struct outcome *outcome = *state;
    static const char text[] = "[server]\nworkers = x\nroot =\n";
    outcome_take_file(outcome, (struct options){ 0 }, text, sizeof(text) - 1);
    assert_int_equal(outcome->status, 2);
    char expected[1024];
    snprintf(expected, sizeof(expected),
             "gyre: %s:2: workers = x: expected a number from 1 to 256 (threads), or auto\n"
             "gyre: %s:3: root = : expected a path of 1 to 4095 bytes\n",
             outcome->path, outcome->path);
    assert_string_equal(outcome->errors, expected);
}

static void errors_that_are_not_kept_are_counted(void **state)
{
    struct outcome *outcome = *state;
    char text[2 * (CONF_ERRORS_MAX + 3)];
    for (size_t i = 0; i < sizeof(text); i += 2) {
        memcpy(text + i, "x\n", 2);
    }
    outcome_take_file(outcome, (struct options){ 0 }, text, sizeof(text));
    assert_int_equal(outcome->status, 2);
    char expected[128];
    snprintf(expected, sizeof(expected), "gyre: %s: and 3 more errors\n", outcome->path);
    assert_non_null(strstr(outcome->errors, expected));
}

static void a_missing_file_is_named_with_the_reason(void **state)
{
    struct outcome *outcome = *state;
    struct options options = { .config = "/nonexistent/gyre.ini" };
    outcome_take(outcome, &options);
    assert_int_equal(outcome->status, 2);
    assert_string_equal(outcome->errors,
                        "gyre: /nonexistent/gyre.ini: cannot be read: No such file "
                        "or directory; give -c the path of an ini file\n");
}

static void a_directory_for_a_file_is_named_with_the_reason(void **state)
{
    struct outcome *outcome = *state;
    struct options options = { .config = "/" };
    outcome_take(outcome, &options);
    assert_int_equal(outcome->status, 2);
    assert_string_equal(outcome->errors,
                        "gyre: /: cannot be read: Is a directory; give -c the path "
                        "of an ini file\n");
}

static void a_file_past_the_limit_is_refused(void **state)
{
    struct outcome *outcome = *state;
    size_t size = CONF_TEXT_SIZE_MAX + 100;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '\n', size);
    outcome_take_file(outcome, (struct options){ 0 }, text, size);
    free(text);
    assert_int_equal(outcome->status, 2);
    assert_non_null(strstr(outcome->errors, ":1: the text has more than 1048576 bytes"));
}

static void the_same_address_twice_on_the_command_line_is_refused(void **state)
{
    struct outcome *outcome = *state;
    struct options options = { .listens = { ":80", ":80" }, .listens_count = 2 };
    outcome_take(outcome, &options);
    assert_int_equal(outcome->status, 2);
    assert_string_equal(outcome->errors, "gyre: -l :80: expected every address once\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_the_default_address_is_added),
        cmocka_unit_test(the_file_is_read),
        cmocka_unit_test(the_command_line_takes_the_place_of_the_file),
        cmocka_unit_test(every_error_is_a_line_with_file_and_line),
        cmocka_unit_test(errors_that_are_not_kept_are_counted),
        cmocka_unit_test(a_missing_file_is_named_with_the_reason),
        cmocka_unit_test(a_directory_for_a_file_is_named_with_the_reason),
        cmocka_unit_test(a_file_past_the_limit_is_refused),
        cmocka_unit_test(the_same_address_twice_on_the_command_line_is_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_settings", tests, outcome_set_up,
                                       outcome_tear_down) == 0
               ? 0
               : 1;
}

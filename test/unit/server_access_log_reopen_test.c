/* The access log under logrotate: the path is opened anew, and no line is in two files or none. */
#include <errno.h>
#include <sys/stat.h>

#include "log_fixture.h"

/* The file is moved away, as logrotate does, and forgotten. */
static void rotate(const struct fixture *fixture)
{
    assert_int_equal(unlink(fixture->path), 0);
}

/* Whether the descriptor is of the file that the path names now. */
static bool is_current(const struct fixture *fixture, int file)
{
    struct stat opened;
    struct stat named;
    assert_int_equal(fstat(file, &opened), 0);
    assert_int_equal(stat(fixture->path, &named), 0);
    return opened.st_ino == named.st_ino && opened.st_nlink > 0;
}

static void an_idle_log_takes_the_new_file_at_once(void **state)
{
    struct fixture *fixture = *state;
    rotate(fixture);
    assert_int_equal(access_log_reopen(&fixture->log), 0);
    assert_true(is_current(fixture, fixture->log.file));
    add(fixture);
    access_log_tick(&fixture->log);
    assert_true(is_current(fixture, fixture->uring.file));
    complete_all(fixture);
}

static void lines_that_wait_go_to_the_new_file(void **state)
{
    struct fixture *fixture = *state;
    add(fixture);
    rotate(fixture);
    assert_int_equal(access_log_reopen(&fixture->log), 0);
    access_log_tick(&fixture->log);
    assert_true(is_current(fixture, fixture->uring.file));
    complete_all(fixture);
    assert_output_is(fixture, 0, 0);
}

static void a_write_in_flight_ends_in_the_old_file(void **state)
{
    struct fixture *fixture = *state;
    add(fixture);
    access_log_flush(&fixture->log, true);
    int old = fixture->uring.file;
    rotate(fixture);
    assert_int_equal(access_log_reopen(&fixture->log), 0);
    assert_true(is_open(old));
    complete(fixture, 10);
    assert_int_equal(fixture->uring.file, old);
    assert_false(is_current(fixture, old));
    add(fixture);
    complete_all(fixture);
    assert_true(is_current(fixture, fixture->log.file));
    assert_false(is_open(old));
    access_log_tick(&fixture->log);
    assert_true(is_current(fixture, fixture->uring.file));
    complete_all(fixture);
    assert_output_is(fixture, 0, 1);
}

static void a_stalled_write_ends_in_the_old_file(void **state)
{
    struct fixture *fixture = *state;
    add(fixture);
    access_log_flush(&fixture->log, true);
    int old = fixture->uring.file;
    complete(fixture, -EAGAIN);
    rotate(fixture);
    assert_int_equal(access_log_reopen(&fixture->log), 0);
    access_log_tick(&fixture->log);
    assert_int_equal(fixture->uring.file, old);
    complete_all(fixture);
    assert_true(is_current(fixture, fixture->log.file));
    assert_output_is(fixture, 0, 0);
}

static void a_failed_write_hands_over_to_the_new_file(void **state)
{
    struct fixture *fixture = *state;
    add(fixture);
    access_log_flush(&fixture->log, true);
    rotate(fixture);
    assert_int_equal(access_log_reopen(&fixture->log), 0);
    complete(fixture, -EIO);
    assert_true(is_current(fixture, fixture->log.file));
    assert_true(fixture->log.dropped_count == 1);
}

static void reopening_twice_during_a_write_keeps_the_last_file_only(void **state)
{
    struct fixture *fixture = *state;
    add(fixture);
    access_log_flush(&fixture->log, true);
    rotate(fixture);
    assert_int_equal(access_log_reopen(&fixture->log), 0);
    int skipped = fixture->log.file_next;
    rotate(fixture);
    assert_int_equal(access_log_reopen(&fixture->log), 0);
    assert_false(is_open(skipped));
    assert_true(is_current(fixture, fixture->log.file_next));
    complete_all(fixture);
    assert_true(is_current(fixture, fixture->log.file));
    assert_int_equal(fixture->log.file_next, -1);
}

static void a_path_that_cannot_be_opened_leaves_the_old_file_in_use(void **state)
{
    struct fixture *fixture = *state;
    int old = fixture->log.file;
    rotate(fixture);
    assert_int_equal(mkdir(fixture->path, 0700), 0);
    assert_int_equal(access_log_reopen(&fixture->log), -EISDIR);
    assert_int_equal(fixture->log.file, old);
    add(fixture);
    access_log_tick(&fixture->log);
    assert_int_equal(fixture->uring.file, old);
    complete_all(fixture);
    assert_int_equal(rmdir(fixture->path), 0);
}

static void closing_closes_the_file_that_was_to_take_over(void **state)
{
    struct fixture *fixture = *state;
    struct access_log *log = &fixture->log;
    add(fixture);
    access_log_flush(log, true);
    complete(fixture, -EAGAIN);
    assert_int_equal(access_log_reopen(log), 0);
    int file = log->file;
    int file_next = log->file_next;
    assert_true(file_next >= 0);
    access_log_close(log);
    assert_false(is_open(file));
    assert_false(is_open(file_next));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_idle_log_takes_the_new_file_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_that_wait_go_to_the_new_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_write_in_flight_ends_in_the_old_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stalled_write_ends_in_the_old_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_write_hands_over_to_the_new_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(reopening_twice_during_a_write_keeps_the_last_file_only,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_path_that_cannot_be_opened_leaves_the_old_file_in_use,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_closes_the_file_that_was_to_take_over, set_up,
                                        tear_down),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_access_log_reopen", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* The access log on a fake engine: two buffers, one write at a time, lines whole or counted as
 * dropped, whatever a write does. */
#include <errno.h>

#include "log_fixture.h"

static void a_log_that_is_off_has_no_file(void **state)
{
    struct fixture *fixture = *state;
    struct access_log log;
    assert_int_equal(access_log_open(&log, &fixture->uring, "off", false), 0);
    assert_false(access_log_is_on(&log));
    assert_false(access_log_is_pending(&log));
    assert_int_equal(access_log_reopen(&log), 0);
    access_log_tick(&log);
    assert_int_equal(fixture->uring.writes_count, 0);
    access_log_close(&log);
}

static void standard_output_is_duplicated_and_survives_the_log(void **state)
{
    struct fixture *fixture = *state;
    struct access_log log;
    assert_int_equal(access_log_open(&log, &fixture->uring, "stdout", false), 0);
    int file = log.file;
    assert_true(file > STDERR_FILENO);
    assert_int_equal(access_log_reopen(&log), 0);
    assert_int_equal(log.file, file);
    access_log_close(&log);
    assert_false(is_open(file));
    assert_true(is_open(STDOUT_FILENO));
}

static void a_log_that_cannot_be_opened_says_why(void **state)
{
    struct fixture *fixture = *state;
    struct access_log log;
    assert_int_equal(access_log_open(&log, &fixture->uring, "/tmp/gyre-no-such/log", false),
                     -ENOENT);
    assert_int_equal(access_log_open(&log, &fixture->uring, fixture->folder, false), -EISDIR);
    assert_false(access_log_is_on(&log));
}

static void lines_wait_until_there_are_enough_of_them(void **state)
{
    struct fixture *fixture = *state;
    while (fixture->log.size[fixture->log.active] < LOG_FLUSH_SIZE) {
        access_log_flush(&fixture->log, false);
        assert_false(fixture->uring.writing);
        add(fixture);
        assert_true(access_log_is_pending(&fixture->log));
    }
    access_log_flush(&fixture->log, false);
    assert_true(fixture->uring.writing);
    assert_true(access_log_is_pending(&fixture->log));
    complete_all(fixture);
    assert_false(access_log_is_pending(&fixture->log));
    assert_output_is(fixture, 0, fixture->added_count - 1);
}

static void a_tick_writes_what_there_is(void **state)
{
    struct fixture *fixture = *state;
    access_log_tick(&fixture->log);
    assert_false(fixture->uring.writing);
    add(fixture);
    access_log_tick(&fixture->log);
    complete_all(fixture);
    assert_output_is(fixture, 0, 0);
}

static void a_terminal_sees_every_batch_at_once(void **state)
{
    struct fixture *fixture = *state;
    fixture->log.is_terminal = true;
    add(fixture);
    access_log_flush(&fixture->log, false);
    complete_all(fixture);
    assert_output_is(fixture, 0, 0);
}

static void lines_added_during_a_write_follow_it(void **state)
{
    struct fixture *fixture = *state;
    add(fixture);
    access_log_flush(&fixture->log, true);
    add(fixture);
    add(fixture);
    access_log_flush(&fixture->log, true);
    assert_int_equal(fixture->uring.writes_count, 1);
    complete_all(fixture);
    access_log_flush(&fixture->log, true);
    complete_all(fixture);
    assert_output_is(fixture, 0, 2);
    assert_true(fixture->log.dropped_count == 0);
}

static void a_full_buffer_is_written_without_being_asked(void **state)
{
    struct fixture *fixture = *state;
    while (!fixture->uring.writing) {
        add(fixture);
    }
    assert_true(fixture->uring.size > LOG_BUFFER_SIZE - LOG_LINE_SIZE_MAX);
    complete_all(fixture);
    access_log_tick(&fixture->log);
    complete_all(fixture);
    assert_output_is(fixture, 0, fixture->added_count - 1);
    assert_true(fixture->log.dropped_count == 0);
}

static void lines_are_dropped_and_counted_only_when_both_buffers_are_taken(void **state)
{
    struct fixture *fixture = *state;
    add_until_dropped(fixture);
    unsigned kept_count = fixture->added_count - 1;
    assert_int_equal(fixture->uring.writes_count, 1);
    add(fixture);
    add(fixture);
    assert_true(fixture->log.dropped_count == 3);
    complete_all(fixture);
    access_log_tick(&fixture->log);
    complete_all(fixture);
    assert_output_is(fixture, 0, kept_count - 1);
    assert_true(fixture->log.dropped_count == 3);
}

static void lines_are_taken_again_when_a_buffer_is_free(void **state)
{
    struct fixture *fixture = *state;
    add_until_dropped(fixture);
    complete_all(fixture);
    fixture->uring.output_size = 0;
    unsigned first = fixture->added_count;
    add(fixture);
    complete_all(fixture); /* the second buffer, which the line set off */
    fixture->uring.output_size = 0;
    access_log_tick(&fixture->log);
    complete_all(fixture);
    assert_output_is(fixture, first, first);
    assert_true(fixture->log.dropped_count == 1);
}

static void a_short_write_is_continued_at_once(void **state)
{
    struct fixture *fixture = *state;
    add(fixture);
    add(fixture);
    access_log_flush(&fixture->log, true);
    uint32_t size = fixture->uring.size;
    complete(fixture, 1);
    assert_int_equal(fixture->uring.size, size - 1);
    complete(fixture, (int32_t)size - 2);
    assert_int_equal(fixture->uring.size, 1);
    complete(fixture, 1);
    assert_output_is(fixture, 0, 1);
}

static void an_interrupted_write_is_repeated_at_once(void **state)
{
    struct fixture *fixture = *state;
    add(fixture);
    access_log_flush(&fixture->log, true);
    complete(fixture, -EINTR);
    complete_all(fixture);
    assert_output_is(fixture, 0, 0);
}

static void a_target_that_takes_nothing_is_tried_again_at_the_tick(void **state)
{
    struct fixture *fixture = *state;
    add(fixture);
    add(fixture);
    access_log_flush(&fixture->log, true);
    complete(fixture, 100);
    complete(fixture, -EAGAIN);
    add(fixture);
    access_log_flush(&fixture->log, true);
    assert_false(fixture->uring.writing);
    assert_true(access_log_is_pending(&fixture->log));
    access_log_tick(&fixture->log);
    complete_all(fixture);
    access_log_tick(&fixture->log);
    complete_all(fixture);
    assert_output_is(fixture, 0, 2);
}

static void a_stalled_target_costs_lines_and_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    add(fixture);
    access_log_flush(&fixture->log, true);
    complete(fixture, -EAGAIN);
    add_until_dropped(fixture);
    assert_false(fixture->uring.writing);
    unsigned kept_count = fixture->added_count - 1;
    access_log_tick(&fixture->log);
    complete_all(fixture);
    access_log_tick(&fixture->log);
    complete_all(fixture);
    assert_output_is(fixture, 0, kept_count - 1);
    assert_true(fixture->log.dropped_count == 1);
}

static void lines_that_a_failed_write_loses_are_counted(void **state)
{
    static const int32_t results[] = { -ENOSPC, -EIO, -EPIPE, 0 };
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < 4; i++) {
        add(fixture);
        add(fixture);
        access_log_flush(&fixture->log, true);
        complete(fixture, results[i]);
        assert_false(access_log_is_pending(&fixture->log));
        assert_true(fixture->log.dropped_count == 2 * (i + 1));
    }
    assert_int_equal(fixture->uring.output_size, 0);
}

static void a_line_that_was_written_before_the_failure_is_not_counted(void **state)
{
    struct fixture *fixture = *state;
    add(fixture);
    add(fixture);
    add(fixture);
    access_log_flush(&fixture->log, true);
    complete(fixture, (int32_t)fixture->uring.size / 2); /* within the second line */
    complete(fixture, -ENOSPC);
    assert_true(fixture->log.dropped_count == 2);
}

static void giving_up_cancels_the_write_and_counts_what_is_lost(void **state)
{
    struct fixture *fixture = *state;
    add(fixture);
    access_log_flush(&fixture->log, true);
    add(fixture);
    access_log_give_up(&fixture->log);
    access_log_give_up(&fixture->log);
    assert_int_equal(fixture->uring.cancels_count, 1);
    add(fixture);
    assert_true(fixture->log.dropped_count == 2);
    complete(fixture, -ECANCELED);
    assert_true(fixture->log.dropped_count == 3);
    assert_false(access_log_is_pending(&fixture->log));
}

static void a_write_that_went_through_all_the_same_is_not_lost(void **state)
{
    struct fixture *fixture = *state;
    add(fixture);
    access_log_flush(&fixture->log, true);
    access_log_give_up(&fixture->log);
    complete_all(fixture);
    assert_output_is(fixture, 0, 0);
    assert_true(fixture->log.dropped_count == 0);
    assert_false(access_log_is_pending(&fixture->log));
}

static void giving_up_a_stalled_log_counts_the_lines_that_were_not_written(void **state)
{
    struct fixture *fixture = *state;
    add(fixture);
    add(fixture);
    add(fixture);
    access_log_flush(&fixture->log, true);
    complete(fixture, (int32_t)fixture->uring.size / 2); /* within the second line */
    complete(fixture, -EAGAIN);
    access_log_give_up(&fixture->log);
    assert_int_equal(fixture->uring.cancels_count, 0);
    assert_true(fixture->log.dropped_count == 2);
    assert_false(access_log_is_pending(&fixture->log));
    access_log_tick(&fixture->log);
    assert_false(fixture->uring.writing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_log_that_is_off_has_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(standard_output_is_duplicated_and_survives_the_log, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_log_that_cannot_be_opened_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_wait_until_there_are_enough_of_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_tick_writes_what_there_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_terminal_sees_every_batch_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_added_during_a_write_follow_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_buffer_is_written_without_being_asked, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            lines_are_dropped_and_counted_only_when_both_buffers_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_are_taken_again_when_a_buffer_is_free, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_short_write_is_continued_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_interrupted_write_is_repeated_at_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_target_that_takes_nothing_is_tried_again_at_the_tick,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stalled_target_costs_lines_and_nothing_else, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(lines_that_a_failed_write_loses_are_counted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_line_that_was_written_before_the_failure_is_not_counted,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(giving_up_cancels_the_write_and_counts_what_is_lost, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_write_that_went_through_all_the_same_is_not_lost, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            giving_up_a_stalled_log_counts_the_lines_that_were_not_written, set_up, tear_down),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_access_log", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* The input, case by case: what the view is, when buffers go home, what a pin keeps, how much an
 * inbox holds. What random sequences of these do is server_input_model_test.c's. */
#include "fake_receive.h"

struct fixture {
    struct uring uring;
    struct input_pool pool;
    struct input input;
    uint16_t next_buffer;
    uint64_t received;
};

static int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof(*fixture));
    *state = fixture;
    input_init(&fixture->input);
    return input_pool_create(&fixture->pool, &fixture->uring, RECEIVE_BUFFERS, 1);
}

/* Whatever a case did: at the end every buffer and the inbox are home. */
static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    input_discard(&fixture->pool, &fixture->input);
    input_unpin(&fixture->pool, &fixture->input);
    assert_null(fixture->input.inbox);
    assert_int_equal(fixture->uring.out_count, 0);
    assert_int_equal(fixture->uring.released_count, fixture->next_buffer);
    assert_int_equal(fixture->pool.inboxes_free_count, 1);
    input_pool_destroy(&fixture->pool);
    test_free(fixture);
    return 0;
}

/* Each buffer is used once in a case. */
static void receive(struct fixture *fixture, uint32_t size)
{
    receive_into(&fixture->pool, &fixture->input, fixture->next_buffer, 0, fixture->received, size);
    fixture->next_buffer++;
    fixture->received += size;
}

static void receive_in_all(struct fixture *fixture, uint32_t size)
{
    while (size > 0) {
        uint32_t part = size < RECEIVE_SIZE ? size : RECEIVE_SIZE;
        receive(fixture, part);
        size -= part;
    }
}

static void consume(struct fixture *fixture, size_t size)
{
    input_consume(&fixture->pool, &fixture->input, size);
}

static void assert_is_stream(struct slice got, uint64_t at, size_t size)
{
    assert_int_equal(got.size, size);
    assert_int_equal(stream_mismatch(got, 0, at), size);
}

static void assert_view(const struct fixture *fixture, uint64_t at, size_t size)
{
    assert_is_stream(input_view(&fixture->pool, &fixture->input), at, size);
}

static void a_new_input_is_empty_and_owns_nothing(void **state)
{
    struct fixture *fixture = *state;
    assert_true(input_is_empty(&fixture->input));
    assert_false(input_has_more(&fixture->input));
    assert_view(fixture, 0, 0);
    assert_null(fixture->input.inbox);
}

static void one_buffer_is_seen_in_place(void **state)
{
    struct fixture *fixture = *state;
    receive(fixture, 100);
    assert_view(fixture, 0, 100);
    assert_ptr_equal(input_view(&fixture->pool, &fixture->input).data, fixture->uring.data[0]);
    assert_false(input_has_more(&fixture->input));
    assert_null(fixture->input.inbox);
}

static void a_second_buffer_is_more_behind_the_view(void **state)
{
    struct fixture *fixture = *state;
    receive(fixture, 100);
    receive(fixture, 50);
    assert_view(fixture, 0, 100);
    assert_true(input_has_more(&fixture->input));
}

static void a_buffer_goes_home_with_its_last_byte(void **state)
{
    struct fixture *fixture = *state;
    receive(fixture, 100);
    receive(fixture, 50);
    consume(fixture, 99);
    assert_int_equal(fixture->uring.released_count, 0);
    assert_view(fixture, 99, 1);
    consume(fixture, 1);
    assert_int_equal(fixture->uring.released_count, 1);
    assert_view(fixture, 100, 50);
    consume(fixture, 50);
    assert_int_equal(fixture->uring.released_count, 2);
    assert_true(input_is_empty(&fixture->input));
}

static void consuming_nothing_is_nothing(void **state)
{
    struct fixture *fixture = *state;
    consume(fixture, 0);
    receive(fixture, 10);
    consume(fixture, 0);
    assert_view(fixture, 0, 10);
}

static void gathering_joins_buffers_and_sends_them_home(void **state)
{
    struct fixture *fixture = *state;
    receive(fixture, 100);
    receive(fixture, 50);
    receive(fixture, 7);
    consume(fixture, 40);
    input_gather(&fixture->pool, &fixture->input);
    assert_view(fixture, 40, 117);
    assert_false(input_has_more(&fixture->input));
    assert_int_equal(fixture->uring.out_count, 0);
}

static void gathering_nothing_takes_no_inbox(void **state)
{
    struct fixture *fixture = *state;
    input_gather(&fixture->pool, &fixture->input);
    assert_null(fixture->input.inbox);
}

static void bytes_in_the_inbox_come_before_newer_buffers(void **state)
{
    struct fixture *fixture = *state;
    receive(fixture, 100);
    input_gather(&fixture->pool, &fixture->input);
    receive(fixture, 50);
    assert_view(fixture, 0, 100);
    assert_true(input_has_more(&fixture->input));
    consume(fixture, 100);
    assert_null(fixture->input.inbox);
    assert_view(fixture, 100, 50);
}

static void an_inbox_takes_its_size_and_not_a_byte_more(void **state)
{
    struct fixture *fixture = *state;
    receive_in_all(fixture, INBOX_SIZE + 1);
    input_gather(&fixture->pool, &fixture->input);
    assert_view(fixture, 0, INBOX_SIZE);
    assert_true(input_has_more(&fixture->input));
    assert_int_equal(fixture->uring.out_count, 1);
    input_gather(&fixture->pool, &fixture->input);
    assert_view(fixture, 0, INBOX_SIZE);
    consume(fixture, INBOX_SIZE);
    assert_view(fixture, INBOX_SIZE, 1);
}

static void what_was_consumed_of_an_inbox_is_room_again(void **state)
{
    struct fixture *fixture = *state;
    receive_in_all(fixture, INBOX_SIZE + 100);
    input_gather(&fixture->pool, &fixture->input);
    consume(fixture, 99);
    input_gather(&fixture->pool, &fixture->input);
    assert_view(fixture, 99, INBOX_SIZE);
    assert_true(input_has_more(&fixture->input));
    consume(fixture, 1);
    input_gather(&fixture->pool, &fixture->input);
    assert_view(fixture, 100, INBOX_SIZE);
    assert_false(input_has_more(&fixture->input));
}

static void a_pinned_head_outlives_its_buffer(void **state)
{
    struct fixture *fixture = *state;
    receive(fixture, 100);
    struct slice pin = input_pin(&fixture->pool, &fixture->input, 100);
    assert_int_equal(fixture->uring.out_count, 0);
    assert_true(input_is_empty(&fixture->input));
    assert_is_stream(pin, 0, 100);
}

static void what_follows_a_pinned_head_is_still_to_be_used(void **state)
{
    struct fixture *fixture = *state;
    receive(fixture, 100);
    struct slice pin = input_pin(&fixture->pool, &fixture->input, 60);
    assert_is_stream(pin, 0, 60);
    assert_view(fixture, 60, 40);
    assert_int_equal(fixture->uring.out_count, 1);
}

static void a_pin_stays_while_more_is_received_gathered_and_consumed(void **state)
{
    struct fixture *fixture = *state;
    receive(fixture, 100);
    receive(fixture, 100);
    input_gather(&fixture->pool, &fixture->input);
    consume(fixture, 30);
    struct slice pin = input_pin(&fixture->pool, &fixture->input, 50);
    receive_in_all(fixture, INBOX_SIZE);
    input_gather(&fixture->pool, &fixture->input);
    assert_view(fixture, 80, INBOX_SIZE - 50);
    consume(fixture, INBOX_SIZE - 50);
    input_gather(&fixture->pool, &fixture->input);
    assert_is_stream(pin, 30, 50);
}

static void an_unpinned_inbox_without_bytes_goes_home(void **state)
{
    struct fixture *fixture = *state;
    receive(fixture, 100);
    (void)input_pin(&fixture->pool, &fixture->input, 100);
    assert_int_equal(fixture->pool.inboxes_free_count, 0);
    input_unpin(&fixture->pool, &fixture->input);
    assert_int_equal(fixture->pool.inboxes_free_count, 1);
}

static void an_unpinned_inbox_with_bytes_stays_until_they_are_used(void **state)
{
    struct fixture *fixture = *state;
    receive(fixture, 100);
    (void)input_pin(&fixture->pool, &fixture->input, 60);
    input_settle(&fixture->pool, &fixture->input);
    input_unpin(&fixture->pool, &fixture->input);
    assert_view(fixture, 60, 40);
    assert_int_equal(fixture->pool.inboxes_free_count, 0);
    consume(fixture, 40);
    assert_int_equal(fixture->pool.inboxes_free_count, 1);
}

static void settling_sends_home_every_buffer_that_fits(void **state)
{
    struct fixture *fixture = *state;
    receive_in_all(fixture, INBOX_SIZE + 1);
    input_settle(&fixture->pool, &fixture->input);
    assert_int_equal(fixture->uring.out_count, 1);
    assert_view(fixture, 0, INBOX_SIZE);
    consume(fixture, 1);
    input_settle(&fixture->pool, &fixture->input);
    assert_int_equal(fixture->uring.out_count, 0);
    assert_view(fixture, 1, INBOX_SIZE);
}

static void settling_counts_the_pin_against_the_inbox(void **state)
{
    struct fixture *fixture = *state;
    receive(fixture, 100);
    struct slice pin = input_pin(&fixture->pool, &fixture->input, 100);
    receive_in_all(fixture, INBOX_SIZE - 99);
    input_settle(&fixture->pool, &fixture->input);
    assert_int_equal(fixture->uring.out_count, 1);
    consume(fixture, 1);
    input_settle(&fixture->pool, &fixture->input);
    assert_int_equal(fixture->uring.out_count, 0);
    assert_view(fixture, 101, INBOX_SIZE - 100);
    assert_is_stream(pin, 0, 100);
}

static void an_input_is_flooded_by_more_than_a_head_or_a_buffer_that_did_not_fit(void **state)
{
    struct fixture *fixture = *state;
    assert_false(input_is_flooded(&fixture->input));
    receive_in_all(fixture, HTTP_HEAD_SIZE_MAX);
    assert_true(input_is_flooded(&fixture->input));
    input_settle(&fixture->pool, &fixture->input);
    assert_false(input_is_flooded(&fixture->input));
    receive(fixture, 1);
    input_settle(&fixture->pool, &fixture->input);
    assert_true(input_is_flooded(&fixture->input));
    consume(fixture, 1);
    assert_false(input_is_flooded(&fixture->input));
}

static void discarding_forgets_inbox_and_buffers_but_not_the_pin(void **state)
{
    struct fixture *fixture = *state;
    receive(fixture, 100);
    struct slice pin = input_pin(&fixture->pool, &fixture->input, 60);
    input_settle(&fixture->pool, &fixture->input);
    receive(fixture, 100);
    receive(fixture, 100);
    input_discard(&fixture->pool, &fixture->input);
    assert_true(input_is_empty(&fixture->input));
    assert_false(input_has_more(&fixture->input));
    assert_int_equal(fixture->uring.out_count, 0);
    assert_is_stream(pin, 0, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_input_is_empty_and_owns_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_buffer_is_seen_in_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_buffer_is_more_behind_the_view, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_buffer_goes_home_with_its_last_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(consuming_nothing_is_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gathering_joins_buffers_and_sends_them_home, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(gathering_nothing_takes_no_inbox, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_in_the_inbox_come_before_newer_buffers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_inbox_takes_its_size_and_not_a_byte_more, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_consumed_of_an_inbox_is_room_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_pinned_head_outlives_its_buffer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_follows_a_pinned_head_is_still_to_be_used, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_pin_stays_while_more_is_received_gathered_and_consumed,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unpinned_inbox_without_bytes_goes_home, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_unpinned_inbox_with_bytes_stays_until_they_are_used,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(settling_sends_home_every_buffer_that_fits, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            an_input_is_flooded_by_more_than_a_head_or_a_buffer_that_did_not_fit, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(settling_counts_the_pin_against_the_inbox, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(discarding_forgets_inbox_and_buffers_but_not_the_pin,
                                        set_up, tear_down),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_input", tests, NULL, NULL) == 0 ? 0 : 1;
}

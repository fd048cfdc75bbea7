/* The outbox, case by case: loading, unloading, gathering, advancing, room. What random sequences
 * of these do is server_outbox_model_test.c's. */
#include <string.h>

#include "server/outbox.h"
#include "slice_assert.h"

enum {
    TEXT_SIZE = 4096
};

/* Bytes to point into; byte i depends on i. */
struct fixture {
    struct outbox outbox;
    char outbuf[TEXT_SIZE];
    char body[TEXT_SIZE];
    char chunk[TEXT_SIZE];
};

static void init(struct fixture *fixture)
{
    memset(&fixture->outbox, 0, sizeof(fixture->outbox));
    for (unsigned i = 0; i < TEXT_SIZE; i++) {
        fixture->outbuf[i] = (char)(i * 7 + (i >> 8));
        fixture->body[i] = (char)(i * 11 + (i >> 8));
        fixture->chunk[i] = (char)(i * 13 + (i >> 8));
    }
}

static void append_outbuf(struct fixture *fixture, size_t start, uint64_t length)
{
    outbox_append(&fixture->outbox, (struct segment){ .home = SEGMENT_IN_OUTBUF,
                                                      .data = fixture->outbuf + start,
                                                      .length = length });
}

static void append_body(struct fixture *fixture, size_t start, uint64_t length)
{
    outbox_append(&fixture->outbox, (struct segment){ .home = SEGMENT_IN_ENTRY,
                                                      .data = fixture->body + start,
                                                      .length = length });
}

static void append_file(struct fixture *fixture, uint64_t offset, uint64_t length)
{
    outbox_append(&fixture->outbox,
                  (struct segment){ .home = SEGMENT_IN_FILE, .offset = offset, .length = length });
}

static void load(struct fixture *fixture, uint64_t length)
{
    outbox_load(&fixture->outbox, fixture->chunk, 0, length);
}

/* The pieces that a send would get now, as (data, size) pairs that end with NULL. */
static void assert_gathers(const struct fixture *fixture, const struct slice *expected)
{
    struct iovec pieces[OUTBOX_SEGMENTS_MAX];
    uint64_t size = UINT64_MAX;
    uint64_t sum = 0;
    unsigned count = outbox_gather(&fixture->outbox, pieces, &size);
    for (unsigned i = 0; i < count; i++) {
        assert_non_null(expected[i].data);
        assert_ptr_equal(pieces[i].iov_base, expected[i].data);
        assert_int_equal(pieces[i].iov_len, expected[i].size);
        sum += expected[i].size;
    }
    assert_null(expected[count].data);
    assert_true(size == sum);
}

/* The front segment is used up and was at home there; it is gone afterwards. */
static void assert_spent(struct fixture *fixture, enum segment_home home)
{
    struct segment segment;
    assert_true(outbox_take_spent(&fixture->outbox, &segment));
    assert_int_equal(segment.home, home);
    assert_true(segment.length == 0);
}

static void assert_none_spent(struct fixture *fixture)
{
    struct segment segment;
    assert_false(outbox_take_spent(&fixture->outbox, &segment));
}

static void an_empty_outbox_has_nothing_to_send_or_load(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    struct segment segment;
    assert_true(outbox_is_empty(&fixture.outbox));
    assert_null(outbox_front(&fixture.outbox));
    assert_null(outbox_file(&fixture.outbox));
    assert_null(outbox_chunk(&fixture.outbox));
    assert_false(outbox_take_any(&fixture.outbox, &segment));
    assert_none_spent(&fixture);
    assert_gathers(&fixture, (const struct slice[]){ SLICE_NONE });
}

static void adjacent_outbuf_bytes_become_one_segment(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_outbuf(&fixture, 0, 100);
    append_outbuf(&fixture, 100, 23);
    append_outbuf(&fixture, 123, 1);
    assert_int_equal(fixture.outbox.count, 1);
    assert_gathers(&fixture, (const struct slice[]){ { fixture.outbuf, 124 }, SLICE_NONE });
}

static void adjacent_bytes_join_even_when_the_ones_before_are_sent(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_outbuf(&fixture, 0, 100);
    outbox_advance(&fixture.outbox, 100);
    append_outbuf(&fixture, 100, 10);
    assert_none_spent(&fixture);
    assert_gathers(&fixture, (const struct slice[]){ { fixture.outbuf + 100, 10 }, SLICE_NONE });
}

static void outbuf_bytes_with_a_gap_stay_apart(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_outbuf(&fixture, 0, 100);
    append_outbuf(&fixture, 101, 10);
    assert_gathers(&fixture, (const struct slice[]){ { fixture.outbuf, 100 },
                                                     { fixture.outbuf + 101, 10 },
                                                     SLICE_NONE });
}

static void a_body_in_between_keeps_outbuf_bytes_apart(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_outbuf(&fixture, 0, 100);
    append_body(&fixture, 0, 50);
    append_outbuf(&fixture, 100, 10);
    assert_gathers(&fixture, (const struct slice[]){ { fixture.outbuf, 100 },
                                                     { fixture.body, 50 },
                                                     { fixture.outbuf + 100, 10 },
                                                     SLICE_NONE });
}

/* Each response holds its own count of the entry, and each gives it back. */
static void adjacent_bodies_stay_apart(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_body(&fixture, 0, 50);
    append_body(&fixture, 50, 50);
    assert_int_equal(fixture.outbox.count, 2);
    outbox_advance(&fixture.outbox, 100);
    assert_spent(&fixture, SEGMENT_IN_ENTRY);
    assert_spent(&fixture, SEGMENT_IN_ENTRY);
}

static void gathering_stops_at_a_file_that_is_not_loaded(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_outbuf(&fixture, 0, 100);
    append_file(&fixture, 0, 1000);
    append_outbuf(&fixture, 100, 10);
    assert_gathers(&fixture, (const struct slice[]){ { fixture.outbuf, 100 }, SLICE_NONE });
}

static void a_file_at_the_front_has_nothing_to_gather(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_file(&fixture, 0, 1000);
    append_body(&fixture, 0, 10);
    assert_gathers(&fixture, (const struct slice[]){ SLICE_NONE });
}

static void loaded_bytes_lie_between_their_head_and_the_rest_of_their_file(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_outbuf(&fixture, 0, 100);
    append_file(&fixture, 5000, 1000);
    load(&fixture, 600);
    assert_gathers(&fixture, (const struct slice[]){
                                 { fixture.outbuf, 100 }, { fixture.chunk, 600 }, SLICE_NONE });
    assert_true(outbox_is_loaded(&fixture.outbox));
    assert_ptr_equal(outbox_chunk(&fixture.outbox)->data, fixture.chunk);
    assert_true(outbox_file(&fixture.outbox)->offset == 5600);
    assert_true(outbox_file(&fixture.outbox)->length == 400);
}

static void a_file_loaded_whole_lets_the_next_head_through(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_outbuf(&fixture, 0, 100);
    append_file(&fixture, 0, 1000);
    append_outbuf(&fixture, 100, 10);
    load(&fixture, 1000);
    assert_null(outbox_file(&fixture.outbox));
    assert_gathers(&fixture, (const struct slice[]){ { fixture.outbuf, 100 },
                                                     { fixture.chunk, 1000 },
                                                     { fixture.outbuf + 100, 10 },
                                                     SLICE_NONE });
}

static void the_second_file_is_loaded_when_the_first_is_used_up(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_file(&fixture, 0, 10);
    append_file(&fixture, 7000, 20);
    assert_true(outbox_file(&fixture.outbox)->offset == 0);
    load(&fixture, 10);
    assert_true(outbox_file(&fixture.outbox)->offset == 7000);
    outbox_advance(&fixture.outbox, 10);
    assert_spent(&fixture, SEGMENT_IN_CHUNK);
    assert_spent(&fixture, SEGMENT_IN_FILE);
    load(&fixture, 20);
    assert_gathers(&fixture, (const struct slice[]){ { fixture.chunk, 20 }, SLICE_NONE });
}

static void a_short_read_puts_its_rest_back_into_the_file(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_outbuf(&fixture, 0, 100);
    append_file(&fixture, 5000, 1000);
    load(&fixture, 600);
    outbox_unload(&fixture.outbox, 200);
    assert_gathers(&fixture, (const struct slice[]){
                                 { fixture.outbuf, 100 }, { fixture.chunk, 400 }, SLICE_NONE });
    assert_true(outbox_file(&fixture.outbox)->offset == 5400);
    assert_true(outbox_file(&fixture.outbox)->length == 600);
}

static void a_file_loaded_whole_is_a_file_again_after_a_short_read(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_file(&fixture, 0, 1000);
    append_outbuf(&fixture, 0, 10);
    load(&fixture, 1000);
    outbox_unload(&fixture.outbox, 1);
    assert_gathers(&fixture, (const struct slice[]){ { fixture.chunk, 999 }, SLICE_NONE });
    assert_true(outbox_file(&fixture.outbox)->offset == 999);
    assert_true(outbox_file(&fixture.outbox)->length == 1);
}

static void a_load_taken_back_to_zero_hands_its_chunk_back(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_file(&fixture, 5000, 1000);
    load(&fixture, 600);
    outbox_unload(&fixture.outbox, 600);
    assert_gathers(&fixture, (const struct slice[]){ SLICE_NONE });
    assert_spent(&fixture, SEGMENT_IN_CHUNK);
    assert_none_spent(&fixture);
    assert_false(outbox_is_loaded(&fixture.outbox));
    assert_true(outbox_file(&fixture.outbox)->offset == 5000);
    assert_true(outbox_file(&fixture.outbox)->length == 1000);
}

static void an_emptied_chunk_behind_a_head_waits_for_the_head(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_outbuf(&fixture, 0, 100);
    append_file(&fixture, 0, 1000);
    load(&fixture, 600);
    outbox_unload(&fixture.outbox, 600);
    assert_gathers(&fixture, (const struct slice[]){ { fixture.outbuf, 100 }, SLICE_NONE });
    assert_none_spent(&fixture);
    outbox_advance(&fixture.outbox, 100);
    assert_spent(&fixture, SEGMENT_IN_OUTBUF);
    assert_spent(&fixture, SEGMENT_IN_CHUNK);
    assert_none_spent(&fixture);
}

static void what_was_sent_of_a_chunk_stays_sent_when_the_rest_is_taken_back(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_file(&fixture, 5000, 1000);
    load(&fixture, 600);
    outbox_advance(&fixture.outbox, 250);
    assert_true(outbox_chunk(&fixture.outbox)->offset == 250);
    assert_ptr_equal(outbox_chunk(&fixture.outbox)->data, fixture.chunk + 250);
    outbox_unload(&fixture.outbox, 350);
    assert_spent(&fixture, SEGMENT_IN_CHUNK);
    assert_true(outbox_front(&fixture.outbox)->offset == 5250);
    assert_true(outbox_front(&fixture.outbox)->length == 750);
}

static void advancing_crosses_segments(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_outbuf(&fixture, 0, 100);
    append_body(&fixture, 0, 50);
    append_outbuf(&fixture, 100, 10);
    outbox_advance(&fixture.outbox, 120);
    assert_spent(&fixture, SEGMENT_IN_OUTBUF);
    assert_none_spent(&fixture);
    assert_gathers(&fixture, (const struct slice[]){ { fixture.body + 20, 30 },
                                                     { fixture.outbuf + 100, 10 },
                                                     SLICE_NONE });
}

static void advancing_to_the_end_of_a_segment_stops_before_the_next(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_outbuf(&fixture, 0, 100);
    append_body(&fixture, 0, 50);
    outbox_advance(&fixture.outbox, 99);
    assert_none_spent(&fixture);
    outbox_advance(&fixture.outbox, 1);
    assert_spent(&fixture, SEGMENT_IN_OUTBUF);
    assert_none_spent(&fixture);
    assert_gathers(&fixture, (const struct slice[]){ { fixture.body, 50 }, SLICE_NONE });
}

static void advancing_crosses_a_file_that_is_used_up(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_file(&fixture, 0, 1000);
    append_outbuf(&fixture, 0, 10);
    load(&fixture, 1000);
    outbox_advance(&fixture.outbox, 1004);
    assert_spent(&fixture, SEGMENT_IN_CHUNK);
    assert_spent(&fixture, SEGMENT_IN_FILE);
    assert_gathers(&fixture, (const struct slice[]){ { fixture.outbuf + 4, 6 }, SLICE_NONE });
}

static void room_is_there_up_to_the_place_kept_for_loading(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    for (unsigned count = 0; count < OUTBOX_SEGMENTS_MAX; count++) {
        unsigned left = OUTBOX_SEGMENTS_MAX - 1 - count;
        assert_true(left == 0 || outbox_has_room(&fixture.outbox, left - 1));
        assert_true(outbox_has_room(&fixture.outbox, left));
        assert_false(outbox_has_room(&fixture.outbox, left + 1));
        if (left > 0) {
            append_file(&fixture, count * 100, 100);
        }
    }
}

static void a_full_outbox_can_still_load_and_send(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    for (unsigned i = 0; i < OUTBOX_SEGMENTS_MAX - 1; i++) {
        append_file(&fixture, i * 100, 100);
    }
    for (unsigned i = 0; i < OUTBOX_SEGMENTS_MAX - 1; i++) {
        assert_true(outbox_file(&fixture.outbox)->offset == i * 100);
        load(&fixture, 100);
        outbox_advance(&fixture.outbox, 100);
        assert_spent(&fixture, SEGMENT_IN_CHUNK);
        assert_spent(&fixture, SEGMENT_IN_FILE);
    }
    assert_true(outbox_is_empty(&fixture.outbox));
}

static void a_connection_that_ends_takes_out_whatever_is_left(void **state)
{
    (void)state;
    struct fixture fixture;
    init(&fixture);
    append_outbuf(&fixture, 0, 100);
    append_file(&fixture, 0, 1000);
    load(&fixture, 600);
    outbox_advance(&fixture.outbox, 50);
    static const enum segment_home homes[] = { SEGMENT_IN_OUTBUF, SEGMENT_IN_CHUNK,
                                               SEGMENT_IN_FILE };
    static const uint64_t lengths[] = { 50, 600, 400 };
    struct segment segment;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(outbox_take_any(&fixture.outbox, &segment));
        assert_int_equal(segment.home, homes[i]);
        assert_true(segment.length == lengths[i]);
    }
    assert_true(outbox_is_empty(&fixture.outbox));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_outbox_has_nothing_to_send_or_load),
        cmocka_unit_test(adjacent_outbuf_bytes_become_one_segment),
        cmocka_unit_test(adjacent_bytes_join_even_when_the_ones_before_are_sent),
        cmocka_unit_test(outbuf_bytes_with_a_gap_stay_apart),
        cmocka_unit_test(a_body_in_between_keeps_outbuf_bytes_apart),
        cmocka_unit_test(adjacent_bodies_stay_apart),
        cmocka_unit_test(gathering_stops_at_a_file_that_is_not_loaded),
        cmocka_unit_test(a_file_at_the_front_has_nothing_to_gather),
        cmocka_unit_test(loaded_bytes_lie_between_their_head_and_the_rest_of_their_file),
        cmocka_unit_test(a_file_loaded_whole_lets_the_next_head_through),
        cmocka_unit_test(the_second_file_is_loaded_when_the_first_is_used_up),
        cmocka_unit_test(a_short_read_puts_its_rest_back_into_the_file),
        cmocka_unit_test(a_file_loaded_whole_is_a_file_again_after_a_short_read),
        cmocka_unit_test(a_load_taken_back_to_zero_hands_its_chunk_back),
        cmocka_unit_test(an_emptied_chunk_behind_a_head_waits_for_the_head),
        cmocka_unit_test(what_was_sent_of_a_chunk_stays_sent_when_the_rest_is_taken_back),
        cmocka_unit_test(advancing_crosses_segments),
        cmocka_unit_test(advancing_to_the_end_of_a_segment_stops_before_the_next),
        cmocka_unit_test(advancing_crosses_a_file_that_is_used_up),
        cmocka_unit_test(room_is_there_up_to_the_place_kept_for_loading),
        cmocka_unit_test(a_full_outbox_can_still_load_and_send),
        cmocka_unit_test(a_connection_that_ends_takes_out_whatever_is_left),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_outbox", tests, NULL, NULL) == 0 ? 0 : 1;
}

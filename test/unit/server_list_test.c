/* The intrusive FIFO: order, membership, and removal from anywhere. */
#include "server/list.h"
#include "slice_assert.h"

enum {
    ITEMS_COUNT = 4
};

struct item {
    int number;
    struct list_node node;
};

struct fixture {
    struct list list;
    struct item items[ITEMS_COUNT];
};

/* A list of the items 0 to ITEMS_COUNT - 1. */
static void fill(struct fixture *fixture)
{
    list_init(&fixture->list);
    for (int i = 0; i < ITEMS_COUNT; i++) {
        fixture->items[i] = (struct item){ .number = i };
        list_append(&fixture->list, &fixture->items[i].node);
    }
}

/* The number of the oldest item, which leaves the list; -1: there is none. */
static int take(struct fixture *fixture)
{
    struct list_node *node = list_take_first(&fixture->list);
    return node != NULL ? LIST_ITEM(node, struct item, node)->number : -1;
}

static void assert_holds(struct fixture *fixture, const int *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(take(fixture), numbers[i]);
    }
    assert_int_equal(take(fixture), -1);
    assert_true(list_is_empty(&fixture->list));
}

static void a_new_list_is_empty(void **state)
{
    (void)state;
    struct list list;
    list_init(&list);
    assert_true(list_is_empty(&list));
    assert_null(list_first(&list));
    assert_null(list_take_first(&list));
}

static void items_leave_in_the_order_they_came(void **state)
{
    (void)state;
    struct fixture fixture;
    fill(&fixture);
    assert_false(list_is_empty(&fixture.list));
    assert_holds(&fixture, (const int[]){ 0, 1, 2, 3 }, 4);
}

static void looking_at_the_first_leaves_it_there(void **state)
{
    (void)state;
    struct fixture fixture;
    fill(&fixture);
    assert_ptr_equal(list_first(&fixture.list), &fixture.items[0].node);
    assert_ptr_equal(list_first(&fixture.list), &fixture.items[0].node);
    assert_holds(&fixture, (const int[]){ 0, 1, 2, 3 }, 4);
}

static void the_oldest_can_be_removed(void **state)
{
    (void)state;
    struct fixture fixture;
    fill(&fixture);
    list_remove(&fixture.items[0].node);
    assert_holds(&fixture, (const int[]){ 1, 2, 3 }, 3);
}

static void one_in_the_middle_can_be_removed(void **state)
{
    (void)state;
    struct fixture fixture;
    fill(&fixture);
    list_remove(&fixture.items[2].node);
    assert_holds(&fixture, (const int[]){ 0, 1, 3 }, 3);
}

static void the_newest_can_be_removed_and_the_next_is_behind_the_rest(void **state)
{
    (void)state;
    struct fixture fixture;
    fill(&fixture);
    list_remove(&fixture.items[3].node);
    list_append(&fixture.list, &fixture.items[3].node);
    assert_holds(&fixture, (const int[]){ 0, 1, 2, 3 }, 4);
}

static void an_item_appended_again_is_the_newest(void **state)
{
    (void)state;
    struct fixture fixture;
    fill(&fixture);
    list_remove(&fixture.items[1].node);
    list_append(&fixture.list, &fixture.items[1].node);
    assert_holds(&fixture, (const int[]){ 0, 2, 3, 1 }, 4);
}

static void removing_what_is_in_no_list_does_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    fill(&fixture);
    struct item other = { .number = 9 };
    list_remove(&other.node);
    list_remove(&fixture.items[0].node);
    list_remove(&fixture.items[0].node);
    assert_holds(&fixture, (const int[]){ 1, 2, 3 }, 3);
}

static void a_node_knows_whether_it_is_in_a_list(void **state)
{
    (void)state;
    struct fixture fixture;
    struct item other = { .number = 9 };
    fill(&fixture);
    assert_false(list_contains(&other.node));
    assert_true(list_contains(&fixture.items[0].node));
    assert_true(list_contains(&fixture.items[3].node));
    assert_int_equal(take(&fixture), 0);
    assert_false(list_contains(&fixture.items[0].node));
    list_remove(&fixture.items[3].node);
    assert_false(list_contains(&fixture.items[3].node));
}

static void an_item_moves_from_one_list_to_another(void **state)
{
    (void)state;
    struct fixture from;
    struct list into;
    fill(&from);
    list_init(&into);
    list_remove(&from.items[2].node);
    list_append(&into, &from.items[2].node);
    assert_ptr_equal(list_take_first(&into), &from.items[2].node);
    assert_true(list_is_empty(&into));
    assert_holds(&from, (const int[]){ 0, 1, 3 }, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_list_is_empty),
        cmocka_unit_test(items_leave_in_the_order_they_came),
        cmocka_unit_test(looking_at_the_first_leaves_it_there),
        cmocka_unit_test(the_oldest_can_be_removed),
        cmocka_unit_test(one_in_the_middle_can_be_removed),
        cmocka_unit_test(the_newest_can_be_removed_and_the_next_is_behind_the_rest),
        cmocka_unit_test(an_item_appended_again_is_the_newest),
        cmocka_unit_test(removing_what_is_in_no_list_does_nothing),
        cmocka_unit_test(a_node_knows_whether_it_is_in_a_list),
        cmocka_unit_test(an_item_moves_from_one_list_to_another),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_list", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* The encoder's allocator: its bound, its jump, and that nothing is left. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "server/brotli_memory.h"
#include "slice_assert.h"

enum {
    SIZE_MAX_BYTES = 1000
};

/* Whether the memory gives that much; it is filled, for the sanitizers to see. */
static bool takes(struct brotli_memory *memory, size_t size)
{
    if (setjmp(memory->failed) != 0) {
        return false;
    }
    void *data = brotli_memory_take(memory, size);
    assert_int_equal((uintptr_t)data % _Alignof(max_align_t), 0);
    memset(data, 0xa5, size);
    return true;
}

static void it_gives_up_to_its_bound_and_jumps_beyond(void **state)
{
    (void)state;
    struct brotli_memory memory = { .size_max = SIZE_MAX_BYTES };
    assert_false(takes(&memory, SIZE_MAX_BYTES + 1));
    assert_false(takes(&memory, SIZE_MAX));
    assert_true(takes(&memory, SIZE_MAX_BYTES - 1));
    assert_false(takes(&memory, 2));
    assert_true(takes(&memory, 1));
    assert_false(takes(&memory, 1));
    assert_int_equal(memory.size, SIZE_MAX_BYTES);
    brotli_memory_free(&memory);
    assert_true(takes(&memory, SIZE_MAX_BYTES));
    brotli_memory_free(&memory);
}

static void what_is_given_back_can_be_taken_again_in_any_order(void **state)
{
    (void)state;
    struct brotli_memory memory = { .size_max = SIZE_MAX_BYTES };
    static const unsigned ORDERS[][3] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 0, 2 }, { 1, 2, 0 } };
    for (size_t i = 0; i < sizeof(ORDERS) / sizeof(ORDERS[0]); i++) {
        void *data[3];
        for (size_t j = 0; j < 3; j++) {
            data[j] = brotli_memory_take(&memory, SIZE_MAX_BYTES / 3);
        }
        for (size_t j = 0; j < 3; j++) {
            brotli_memory_give(&memory, data[ORDERS[i][j]]);
        }
        assert_int_equal(memory.size, 0);
        assert_null(memory.first);
    }
    brotli_memory_give(&memory, NULL);
    brotli_memory_free(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gives_up_to_its_bound_and_jumps_beyond),
        cmocka_unit_test(what_is_given_back_can_be_taken_again_in_any_order),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_brotli_memory", tests, NULL, NULL);
}

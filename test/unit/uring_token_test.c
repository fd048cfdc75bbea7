/* Tokens: 64 bits that carry op, slot and generation, and mix none of them up. */
#include "seeded.h"
#include "slice_assert.h"
#include "uring/uring.h"

enum {
    ROUNDS = 10000
};

static void assert_survives(const char *row, struct uring_token token)
{
    struct uring_token back = uring_token_unpack(uring_token_pack(token));
    assert_number_equal(row, back.op, token.op);
    assert_number_equal(row, back.slot, token.slot);
    assert_number_equal(row, back.generation, token.generation);
}

static void the_layout_is_op_8_slot_24_generation_32(void **state)
{
    (void)state;
    struct uring_token token = { .op = 0xab, .slot = 0xcdef01, .generation = 0x23456789 };
    assert_true(uring_token_pack(token) == 0xabcdef0123456789U);
}

static void nothing_packs_to_zero(void **state)
{
    (void)state;
    assert_true(uring_token_pack((struct uring_token){ 0 }) == 0);
}

static void each_field_survives_at_its_ends(void **state)
{
    (void)state;
    assert_survives("zero", (struct uring_token){ 0 });
    assert_survives("op 1", (struct uring_token){ .op = 1 });
    assert_survives("op 255", (struct uring_token){ .op = UINT8_MAX });
    assert_survives("slot 1", (struct uring_token){ .slot = 1 });
    assert_survives("last slot", (struct uring_token){ .slot = URING_SLOT_MAX });
    assert_survives("generation 1", (struct uring_token){ .generation = 1 });
    assert_survives("last generation", (struct uring_token){ .generation = UINT32_MAX });
    assert_survives("all", (struct uring_token){ UINT8_MAX, (uint32_t)URING_SLOT_MAX, UINT32_MAX });
}

static void one_bit_of_user_data_is_one_bit_of_one_field(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        struct uring_token token = uring_token_unpack((uint64_t)1 << bit);
        int bits = __builtin_popcount(token.op) + __builtin_popcount(token.slot) +
                   __builtin_popcount(token.generation);
        assert_int_equal(bits, 1);
        assert_true(uring_token_pack(token) == (uint64_t)1 << bit);
    }
}

static void any_bits_survive_unpacking_and_packing(void **state)
{
    (void)state;
    struct seeded seeded = seeded_start(1);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t bits = seeded_next(&seeded);
        if (uring_token_pack(uring_token_unpack(bits)) != bits) {
            fail_msg("seed 1, round %u: %llx", i, (unsigned long long)bits);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layout_is_op_8_slot_24_generation_32),
        cmocka_unit_test(nothing_packs_to_zero),
        cmocka_unit_test(each_field_survives_at_its_ends),
        cmocka_unit_test(one_bit_of_user_data_is_one_bit_of_one_field),
        cmocka_unit_test(any_bits_survive_unpacking_and_packing),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("uring_token", tests, NULL, NULL) == 0 ? 0 : 1;
}

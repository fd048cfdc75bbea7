/* Registered memory: a sparse table filled slab by slab, fixed reads into it, and the limit on it.
 */
#include "ring_helpers.h"

#include <sys/prctl.h>
#include <sys/resource.h>

enum {
    TOKEN_READ = 1,
    TOKEN_SEND
};
enum {
    SLABS = 16,
    SLAB_SIZE = 64 * 1024,
    FILE_SIZE = 10000,
    OVERFLOW_USER = 65534
};
enum {
    MEMLOCK_LIMIT = 64 * 1024,
    PAGE = 4096
};

/* A ring with an empty table of slabs, and a file of the pattern to read from. */
struct table {
    struct io_uring ring;
    int file;
};

static void table_open(struct table *table)
{
    ring_open(&table->ring);
    assert_int_equal(io_uring_register_buffers_sparse(&table->ring, SLABS), 0);
    table->file = scratch_open(FILE_SIZE);
}

static void table_close(struct table *table)
{
    io_uring_queue_exit(&table->ring);
    close(table->file);
}

static int slab_register(struct io_uring *ring, unsigned slot, void *memory, size_t size)
{
    struct iovec vector = { memory, size };
    __u64 tag = 0;

    return io_uring_register_buffers_update_tag(ring, slot, &vector, &tag, 1);
}

static int32_t read_fixed(struct table *table, int slot, void *memory, unsigned size)
{
    struct io_uring_sqe *sqe = ring_sqe(&table->ring, TOKEN_READ);

    io_uring_prep_read_fixed(sqe, table->file, memory, size, 1000, slot);
    sqe_finish(sqe, TOKEN_READ, 0);
    return ring_result(&table->ring, TOKEN_READ);
}

static void slabs_are_registered_one_by_one_as_they_are_needed(void **state)
{
    struct table table;
    uint8_t *memory = pages_map((size_t)SLABS * SLAB_SIZE);

    (void)state;
    table_open(&table);
    for (unsigned slot = 0; slot < SLABS; slot++) {
        uint8_t *slab = memory + (size_t)slot * SLAB_SIZE;
        assert_int_equal(slab_register(&table.ring, slot, slab, SLAB_SIZE), 1);
        assert_int_equal(read_fixed(&table, (int)slot, slab, 100), 100);
        assert_pattern(slab, 1000, 100);
    }
    table_close(&table);
    munmap(memory, (size_t)SLABS * SLAB_SIZE);
}

static void read_fixed_lands_at_an_offset_inside_a_slab(void **state)
{
    struct table table;
    uint8_t *slab = pages_map(SLAB_SIZE);

    (void)state;
    table_open(&table);
    assert_int_equal(slab_register(&table.ring, 3, slab, SLAB_SIZE), 1);
    assert_int_equal(read_fixed(&table, 3, slab + 12345, 5000), 5000);
    assert_pattern(slab + 12345, 1000, 5000);
    assert_int_equal(slab[12344], 0);
    assert_int_equal(slab[12345 + 5000], 0);
    table_close(&table);
    munmap(slab, SLAB_SIZE);
}

static void read_fixed_into_a_slot_not_yet_filled_gives_efault(void **state)
{
    struct table table;
    uint8_t *slab = pages_map(SLAB_SIZE);

    (void)state;
    table_open(&table);
    assert_int_equal(slab_register(&table.ring, 3, slab, SLAB_SIZE), 1);
    assert_int_equal(read_fixed(&table, 4, slab, 100), -EFAULT);
    table_close(&table);
    munmap(slab, SLAB_SIZE);
}

static void read_fixed_past_the_end_of_its_slab_gives_efault(void **state)
{
    struct table table;
    uint8_t *memory = pages_map((size_t)2 * SLAB_SIZE);

    (void)state;
    table_open(&table);
    assert_int_equal(slab_register(&table.ring, 0, memory, SLAB_SIZE), 1);
    assert_int_equal(slab_register(&table.ring, 1, memory + SLAB_SIZE, SLAB_SIZE), 1);
    assert_int_equal(read_fixed(&table, 0, memory + SLAB_SIZE - 10, 11), -EFAULT);
    assert_int_equal(read_fixed(&table, 0, memory + SLAB_SIZE - 10, 10), 10);
    table_close(&table);
    munmap(memory, (size_t)2 * SLAB_SIZE);
}

static void an_update_outside_the_table_gives_einval(void **state)
{
    struct table table;
    uint8_t *slab = pages_map(SLAB_SIZE);

    (void)state;
    table_open(&table);
    assert_int_equal(slab_register(&table.ring, SLABS, slab, SLAB_SIZE), -EINVAL);
    table_close(&table);
    munmap(slab, SLAB_SIZE);
}

static void a_slot_can_be_emptied_and_filled_again(void **state)
{
    struct table table;
    uint8_t *slab = pages_map(SLAB_SIZE);

    (void)state;
    table_open(&table);
    assert_int_equal(slab_register(&table.ring, 0, slab, SLAB_SIZE), 1);
    assert_int_equal(slab_register(&table.ring, 0, NULL, 0), 1);
    assert_int_equal(read_fixed(&table, 0, slab, 100), -EFAULT);
    assert_int_equal(slab_register(&table.ring, 0, slab, SLAB_SIZE), 1);
    assert_int_equal(read_fixed(&table, 0, slab, 100), 100);
    table_close(&table);
    munmap(slab, SLAB_SIZE);
}

static void a_sparse_table_of_1024_slots_can_be_registered(void **state)
{
    struct io_uring ring;

    (void)state;
    ring_open(&ring);
    assert_int_equal(io_uring_register_buffers_sparse(&ring, 1024), 0);
    io_uring_queue_exit(&ring);
}

/* --- the limit on locked memory --------------------------------------------------------------- */

/* From here on the process is an ordinary one with `limit` bytes of lockable memory. */
static int privileges_drop(rlim_t limit)
{
    struct rlimit limits = { limit, limit };

    if (setrlimit(RLIMIT_MEMLOCK, &limits) != 0 || prctl(PR_SET_KEEPCAPS, 0) != 0) {
        return -errno;
    }
    if (geteuid() == 0 && (setgid(OVERFLOW_USER) != 0 || setuid(OVERFLOW_USER) != 0)) {
        return -errno;
    }
    return 0;
}

/* values: [0] dropping, [1] ring set-up, [2] sparse table, [3] a slab of the whole limit and one
 * page, [4] one page in the same slot afterwards, [5] dropping the
 * table, [6] registering more than half of the limit, and [7] once more after dropping that. */
static void register_past_the_limit(struct child_report *report, void *argument)
{
    uint8_t *memory = argument;
    struct io_uring ring;

    report->values[0] = privileges_drop(MEMLOCK_LIMIT);
    report->values[1] = ring_create(&ring, 8, 0);
    if (report->values[0] != 0 || report->values[1] != 0) {
        return;
    }
    report->values[2] = io_uring_register_buffers_sparse(&ring, SLABS);
    report->values[3] = slab_register(&ring, 0, memory, MEMLOCK_LIMIT + PAGE);
    report->values[4] = slab_register(&ring, 0, memory, PAGE);
    struct iovec most = { memory, MEMLOCK_LIMIT / 2 + PAGE };
    report->values[5] = io_uring_unregister_buffers(&ring);
    report->values[6] = io_uring_register_buffers(&ring, &most, 1);
    io_uring_unregister_buffers(&ring);
    report->values[7] = io_uring_register_buffers(&ring, &most, 1);
    io_uring_unregister_buffers(&ring);
}

static struct child_report limited_child(void (*body)(struct child_report *, void *))
{
    struct io_uring ring;
    uint8_t *memory = pages_map(MEMLOCK_LIMIT + PAGE);

    ring_open(&ring);
    io_uring_queue_exit(&ring);
    struct child_report report = child_run(body, memory);
    munmap(memory, MEMLOCK_LIMIT + PAGE);
    if (report.values[0] != 0) {
        skip_because("privileges cannot be dropped here", report.values[0]);
    }
    if (report.values[1] == -ENOMEM) {
        skip_because("this user has locked the memory already", ENOMEM);
    }
    assert_int_equal(report.values[1], 0);
    return report;
}

static void registering_past_the_memlock_limit_gives_enomem(void **state)
{
    (void)state;
    assert_int_equal(limited_child(register_past_the_limit).values[3], -ENOMEM);
}

static void after_enomem_a_smaller_slab_can_still_be_registered(void **state)
{
    (void)state;
    assert_int_equal(limited_child(register_past_the_limit).values[4], 1);
}

/* Closing a ring gives its memory back later, on a kernel thread: a successor that starts at once
 * finds the limit still used up. Unregistering first does not have that gap. */
static void unregistering_gives_the_locked_memory_back_at_once(void **state)
{
    (void)state;
    struct child_report report = limited_child(register_past_the_limit);
    assert_int_equal(report.values[5], 0);
    assert_int_equal(report.values[6], 0);
    assert_int_equal(report.values[7], 0);
}

/* values: [0] dropping, [1] ring set-up, [2] the result of the send. */
static void zero_copy_past_the_limit(struct child_report *report, void *argument)
{
    struct io_uring ring;
    struct ring_event event = { .result = -ETIME };
    struct tcp_pair pair = tcp_pair_open();

    report->values[0] = privileges_drop(MEMLOCK_LIMIT);
    report->values[1] = ring_create(&ring, 8, 0);
    if (report->values[0] != 0 || report->values[1] != 0) {
        return;
    }
    struct io_uring_sqe *sqe = ring_sqe(&ring, TOKEN_SEND);
    io_uring_prep_send_zc(sqe, pair.near, argument, MEMLOCK_LIMIT + PAGE, MSG_NOSIGNAL, 0);
    sqe_finish(sqe, TOKEN_SEND, 0);
    ring_try_next(&ring, &event);
    report->values[2] = event.result;
}

/* So zero-copy sends take registered memory, which is paid for once. */
static void zero_copy_of_unregistered_memory_past_the_memlock_limit_gives_enomem(void **state)
{
    (void)state;
    struct child_report report = limited_child(zero_copy_past_the_limit);
    assert_int_equal(report.values[2], -ENOMEM);
}

int main(void)
{
    /* Those of the limit come first: what the others lock is given back only later. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registering_past_the_memlock_limit_gives_enomem),
        cmocka_unit_test(after_enomem_a_smaller_slab_can_still_be_registered),
        cmocka_unit_test(unregistering_gives_the_locked_memory_back_at_once),
        cmocka_unit_test(zero_copy_of_unregistered_memory_past_the_memlock_limit_gives_enomem),
        cmocka_unit_test(slabs_are_registered_one_by_one_as_they_are_needed),
        cmocka_unit_test(read_fixed_lands_at_an_offset_inside_a_slab),
        cmocka_unit_test(read_fixed_into_a_slot_not_yet_filled_gives_efault),
        cmocka_unit_test(read_fixed_past_the_end_of_its_slab_gives_efault),
        cmocka_unit_test(an_update_outside_the_table_gives_einval),
        cmocka_unit_test(a_slot_can_be_emptied_and_filled_again),
        cmocka_unit_test(a_sparse_table_of_1024_slots_can_be_registered),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring_buffer", tests, NULL, NULL) == 0 ? 0 : 1;
}

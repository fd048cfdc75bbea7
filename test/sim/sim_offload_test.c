/* The fake of offloading: that it keeps to what uring/uring.h says, as the server's tests build on
 * it. Nothing of the server takes part but its files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/digest.h"
#include "sim_cases.h"

enum {
    EVENTS_COUNT_MAX = 16,
    WAITS_MAX = 100,
};

static struct uring_token token_of(uint32_t slot)
{
    return (struct uring_token){ .op = OP_REPORT, .slot = slot, .generation = 9 };
}

struct job {
    struct uring_work work;
    unsigned runs_count;
};

static void job_run(struct uring_work *work)
{
    struct job *job = (void *)((char *)work - offsetof(struct job, work));
    job->runs_count++;
}

/* Waits until the event of that token has come; the tick's pass by. */
static void take(struct sim *sim, uint32_t slot)
{
    for (unsigned i = 0; i < WAITS_MAX; i++) {
        struct uring_event events[EVENTS_COUNT_MAX];
        sim->clock_limit_ms = sim->clock_ms + 1000;
        sim->is_quiet = false;
        int count = uring_wait(sim->uring, events, EVENTS_COUNT_MAX);
        for (int j = 0; j < count; j++) {
            if (uring_token_pack(events[j].token) == uring_token_pack(token_of(slot))) {
                assert_int_equal(events[j].result, 0);
                assert_int_equal(events[j].buffer, URING_BUFFER_NONE);
                assert_false(events[j].more);
                return;
            }
        }
    }
    fail_msg("no event of work %u", slot);
}

static void a_work_runs_once_and_not_before_it_is_waited_for(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    struct job job = { .work.run = job_run };
    assert_int_equal(uring_offload(sim->uring, token_of(4), URING_BACKGROUND, &job.work), 0);
    assert_int_equal(job.runs_count, 0);
    take(sim, 4);
    assert_int_equal(job.runs_count, 1);
    sim_close(sim);
}

static void a_work_may_take_its_time(void **state)
{
    (void)state;
    bool has_waited = false;
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct sim_plan plan = plain();
        plan.seed = seed;
        plan.faults[SIM_SLOW_DISK] = 1000;
        struct sim *sim = sim_open(&plan);
        uint64_t start_ms = sim->clock_ms;
        struct job job = { .work.run = job_run };
        assert_int_equal(uring_offload(sim->uring, token_of(4), URING_URGENT, &job.work), 0);
        take(sim, 4);
        has_waited = has_waited || sim->clock_ms > start_ms;
        sim_close(sim);
    }
    assert_true(has_waited);
}

static void a_work_may_be_refused_and_has_no_event_then(void **state)
{
    (void)state;
    struct sim_plan plan = plain();
    plan.faults[SIM_WORK_REFUSED] = 1000;
    struct sim *sim = sim_open(&plan);
    struct job jobs[2] = { { .work.run = job_run }, { .work.run = job_run } };
    assert_int_equal(uring_offload(sim->uring, token_of(4), URING_URGENT, &jobs[0].work), -EAGAIN);
    sim->plan.faults[SIM_WORK_REFUSED] = 0;
    sim_force(sim, OP_REPORT, -EAGAIN, 1);
    assert_int_equal(uring_offload(sim->uring, token_of(5), URING_URGENT, &jobs[1].work), 0);
    assert_int_equal(uring_offload(sim->uring, token_of(6), URING_URGENT, &jobs[0].work), -EAGAIN);
    take(sim, 5);
    assert_int_equal(jobs[0].runs_count, 0);
    assert_int_equal(jobs[1].runs_count, 1);
    sim_close(sim);
}

static void a_work_reads_the_files_of_the_model(void **state)
{
    (void)state;
    struct sim *sim = open_plain();
    int inode = sim_files_open(&sim->files, "k256.bin");
    struct stat status;
    sim_files_stat(&sim->files, (uint32_t)inode, &status);
    int file = sim_descriptor_take(sim, SIM_FD_FILE, (uint32_t)inode);
    struct digest_job job = {
        .work.run = digest_run, .file = file, .size = (uint64_t)status.st_size, .error = 1
    };
    assert_int_equal(uring_offload(sim->uring, token_of(4), URING_URGENT, &job.work), 0);
    take(sim, 4);
    assert_int_equal(job.error, 0);
    char *bytes = malloc((size_t)status.st_size);
    assert_non_null(bytes);
    uint8_t digest[DIGEST_SIZE];
    (void)sim_files_read(&sim->files, (uint32_t)inode, 0, bytes, (uint32_t)status.st_size);
    assert_int_equal(digest_bytes(bytes, (size_t)status.st_size, digest), 0);
    assert_memory_equal(job.digest, digest, DIGEST_SIZE);
    free(bytes);
    uring_close(sim->uring, file);
    sim_close(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_work_runs_once_and_not_before_it_is_waited_for),
        cmocka_unit_test(a_work_may_take_its_time),
        cmocka_unit_test(a_work_may_be_refused_and_has_no_event_then),
        cmocka_unit_test(a_work_reads_the_files_of_the_model),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("sim_offload", tests, NULL, NULL);
}

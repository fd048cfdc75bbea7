/*
 * Offloaded work: how much may wait, how many threads there are, and how it all ends.
 */
#include "ring_offload.h"

#include <stdio.h>

/* --- bounds ------------------------------------------------------------------------------------
 */

static void a_full_queue_takes_no_more_until_one_has_run(void **state)
{
    static const uint32_t LIMITS[] = {
        [URING_URGENT] = URING_WORKS_MAX, [URING_BACKGROUND] = URING_BACKGROUND_WORKS_MAX
    };

    for (int urgency = URING_URGENT; urgency <= URING_BACKGROUND; urgency++) {
        struct scene scene;
        scene_init(&scene);
        struct uring_helpers *helpers = helpers_open(state, 1);
        struct uring *uring = engine_open(state, helpers);
        uint32_t limit = LIMITS[urgency];
        struct job *jobs = calloc(limit + 2, sizeof(*jobs));
        assert_non_null(jobs);
        for (uint32_t i = 0; i < limit + 2; i++) {
            jobs[i] = job_make(&scene, i, i == 0);
            int error = offload(uring, (enum uring_urgency)urgency, &jobs[i]);
            assert_int_equal(error, i <= limit ? 0 : -EAGAIN); /* the first one runs */
            scene_wait_at_gate(&scene, 1);
        }
        assert_int_equal(offload(uring, (enum uring_urgency)urgency, &jobs[limit + 1]), -EAGAIN);
        scene_open_gate(&scene);
        assert_int_equal(take(uring, 0, limit + 1), 0);
        assert_int_equal(jobs[limit + 1].runs_count, 0);
        assert_int_equal(offload(uring, (enum uring_urgency)urgency, &jobs[limit + 1]), 0);
        assert_int_equal(take(uring, limit + 1, 1), 0);
        uring_destroy(uring);
        uring_helpers_destroy(helpers);
        free(jobs);
        scene_free(&scene);
    }
}

static void the_two_queues_do_not_fill_one_another(void **state)
{
    struct scene scene;

    scene_init(&scene);
    struct uring_helpers *helpers = helpers_open(state, 1);
    struct uring *uring = engine_open(state, helpers);
    uint32_t count = URING_BACKGROUND_WORKS_MAX + 2;
    struct job *jobs = calloc(count, sizeof(*jobs));
    assert_non_null(jobs);
    for (uint32_t i = 0; i < count; i++) {
        jobs[i] = job_make(&scene, i, i == 0);
        bool is_urgent = i == 0 || i == count - 1;
        assert_int_equal(offload(uring, is_urgent ? URING_URGENT : URING_BACKGROUND, &jobs[i]), 0);
        scene_wait_at_gate(&scene, 1);
    }
    scene_open_gate(&scene);
    assert_int_equal(take(uring, 0, count), 0);
    assert_int_equal(scene.order[1], count - 1);
    uring_destroy(uring);
    uring_helpers_destroy(helpers);
    free(jobs);
    scene_free(&scene);
}

static void the_most_helpers_start_and_end(void **state)
{
    static const uint32_t COUNTS[] = { 1, URING_HELPERS_MAX - 1, URING_HELPERS_MAX };

    for (size_t i = 0; i < sizeof(COUNTS) / sizeof(COUNTS[0]); i++) {
        uring_helpers_destroy(helpers_open(state, COUNTS[i]));
    }
}

static void run_out_of_descriptors(struct child_report *report, void *argument)
{
    (void)argument;
    struct uring_helpers *helpers = NULL;
    report->values[0] = uring_helpers_create(URING_RING, 1, &helpers);
    uring_helpers_destroy(helpers);
    helpers = NULL;
    struct rlimit limit;
    int next = dup(0);
    close(next);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t)next + 2; /* two rings, not three */
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    report->values[1] = uring_helpers_create(URING_RING, 3, &helpers);
    report->values[2] = helpers != NULL;
    report->values[3] = uring_helpers_create(URING_RING, 2, &helpers);
    uring_helpers_destroy(helpers);
}

static void helpers_that_cannot_all_start_leave_nothing(void **state)
{
    (void)state;
    struct child_report report = child_run(run_out_of_descriptors, NULL);
    if (report.values[0] != 0) {
        skip_because("io_uring is not allowed here", report.values[0]);
    }
    assert_int_equal(report.values[1], -EMFILE);
    assert_int_equal(report.values[2], 0);
    assert_int_equal(report.values[3], 0);
}

/* --- the end -----------------------------------------------------------------------------------
 */

struct destroyer {
    struct uring_helpers *helpers;
    pthread_mutex_t lock;
    pid_t thread; /* 0: not there yet */
};

static void *destroyer_main(void *argument)
{
    struct destroyer *destroyer = argument;
    pthread_mutex_lock(&destroyer->lock);
    destroyer->thread = (pid_t)syscall(SYS_gettid);
    pthread_mutex_unlock(&destroyer->lock);
    uring_helpers_destroy(destroyer->helpers);
    return NULL;
}

/* Whether it sleeps: it waits for the helpers' threads to end. */
static bool destroyer_sleeps(struct destroyer *destroyer)
{
    pthread_mutex_lock(&destroyer->lock);
    pid_t thread = destroyer->thread;
    pthread_mutex_unlock(&destroyer->lock);
    char path[64];
    char state = '?';
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    FILE *file = thread == 0 ? NULL : fopen(path, "re");
    if (file != NULL) {
        assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
        fclose(file);
    }
    return state == 'S';
}

/* The helper is at the gate while the rest is dropped: the destroyer waits for it alone. */
static void destroying_finishes_what_runs_and_drops_what_waits(void **state)
{
    struct scene scene;
    struct job jobs[4];
    pthread_t thread;

    scene_init(&scene);
    struct destroyer destroyer = { .helpers = helpers_open(state, 1) };
    pthread_mutex_init(&destroyer.lock, NULL);
    struct uring *uring = engine_open(state, destroyer.helpers);
    for (uint32_t i = 0; i < 4; i++) {
        jobs[i] = job_make(&scene, i, i == 0);
        assert_int_equal(offload(uring, i % 2 == 0 ? URING_URGENT : URING_BACKGROUND, &jobs[i]), 0);
        scene_wait_at_gate(&scene, 1);
    }
    assert_int_equal(pthread_create(&thread, NULL, destroyer_main, &destroyer), 0);
    while (!destroyer_sleeps(&destroyer)) {
        (void)poll(NULL, 0, 1);
    }
    scene_open_gate(&scene);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(take(uring, 0, 1), 0);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(jobs[i].runs_count, i == 0);
    }
    uring_destroy(uring);
    pthread_mutex_destroy(&destroyer.lock);
    scene_free(&scene);
}

static void leave_with_work_pending(struct child_report *report, void *argument)
{
    struct scene scene;
    struct uring *uring = NULL;
    struct uring_helpers *helpers = NULL;
    enum uring_kind kind = *(const enum uring_kind *)argument;
    scene_init(&scene);
    report->values[0] = uring_helpers_create(kind, 1, &helpers);
    if (report->values[0] == 0) {
        report->values[0] = engine_try(kind, helpers, &uring);
    }
    if (report->values[0] != 0) {
        return;
    }
    struct job job = job_make(&scene, 1, true);
    (void)offload(uring, URING_URGENT, &job);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(null, STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        uring_destroy(uring);
        _exit(0);
    }
    int status = 0;
    (void)waitpid(child, &status, 0);
    report->values[1] = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void an_engine_with_work_pending_cannot_be_destroyed(void **state)
{
    struct child_report report = child_run(leave_with_work_pending, *state);
    if (report.values[0] != 0) {
        skip_because("io_uring is not allowed here", report.values[0]);
    }
    assert_int_equal(report.values[1], SIGABRT);
}

struct runaway {
    enum uring_kind kind;
    struct uring_helpers *helpers;
    struct job *job;
    struct uring *uring;
    int error;
};

static void *runaway_main(void *argument)
{
    struct runaway *runaway = argument;
    runaway->error = engine_try(runaway->kind, runaway->helpers, &runaway->uring);
    if (runaway->error == 0) {
        runaway->error = offload(runaway->uring, URING_URGENT, runaway->job);
    }
    return NULL;
}

static void leave_an_engine_behind(struct child_report *report, void *argument)
{
    struct scene scene;
    struct runaway runaway = { .kind = *(const enum uring_kind *)argument };
    pthread_t thread;
    scene_init(&scene);
    report->values[0] = uring_helpers_create(runaway.kind, 1, &runaway.helpers);
    if (report->values[0] != 0) {
        return;
    }
    struct job job = job_make(&scene, 1, true);
    runaway.job = &job;
    (void)pthread_create(&thread, NULL, runaway_main, &runaway);
    (void)pthread_join(thread, NULL);
    report->values[0] = runaway.error;
    scene_open_gate(&scene);
    uring_helpers_destroy(runaway.helpers);
    report->values[1] = 1;
}

/* A worker that has to give up leaves its ring to the end of the process. */
static void an_engine_whose_thread_has_ended_does_not_hold_the_helpers_up(void **state)
{
    struct child_report report = child_run(leave_an_engine_behind, *state);
    if (report.values[0] != 0) {
        skip_because("io_uring is not allowed here", report.values[0]);
    }
    assert_int_equal(report.values[1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_full_queue_takes_no_more_until_one_has_run),
        ON_BOTH(the_two_queues_do_not_fill_one_another),
        ON_BOTH(the_most_helpers_start_and_end),
        ON_ENGINE(helpers_that_cannot_all_start_leave_nothing, URING_RING),
        ON_BOTH(destroying_finishes_what_runs_and_drops_what_waits),
        ON_BOTH(an_engine_with_work_pending_cannot_be_destroyed),
        ON_BOTH(an_engine_whose_thread_has_ended_does_not_hold_the_helpers_up),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring_offload_bounds", tests, NULL, NULL);
}

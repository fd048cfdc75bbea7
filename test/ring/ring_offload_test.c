/*
 * Offloaded work: who runs it, in which order, and that its event finds an engine that sleeps.
 */
#include "ring_offload.h"

/* --- one work ----------------------------------------------------------------------------------
 */

static void a_work_runs_once_on_another_thread_and_its_event_comes(void **state)
{
    struct scene scene;

    scene_init(&scene);
    struct uring_helpers *helpers = helpers_open(state, 2);
    struct uring *uring = engine_open(state, helpers);
    for (int urgency = URING_URGENT; urgency <= URING_BACKGROUND; urgency++) {
        struct job job = job_make(&scene, 77, false);
        assert_int_equal(offload(uring, (enum uring_urgency)urgency, &job), 0);
        assert_int_equal(take(uring, 77, 1), 0);
        assert_int_equal(job.runs_count, 1);
        assert_false(pthread_equal(job.thread, pthread_self()));
    }
    uring_destroy(uring);
    uring_helpers_destroy(helpers);
    scene_free(&scene);
}

static void *open_the_gate_when_somebody_sleeps(void *argument)
{
    struct scene *scene = argument;
    scene_wait_at_gate(scene, 1);
    (void)poll(NULL, 0, 20); /* for the engine to fall asleep; if it has not, it is no less right */
    scene_open_gate(scene);
    return NULL;
}

static void an_event_wakes_an_engine_that_sleeps(void **state)
{
    struct scene scene;
    pthread_t opener;

    scene_init(&scene);
    struct uring_helpers *helpers = helpers_open(state, 1);
    struct uring *uring = engine_open(state, helpers);
    struct job job = job_make(&scene, 5, true);
    assert_int_equal(pthread_create(&opener, NULL, open_the_gate_when_somebody_sleeps, &scene), 0);
    assert_int_equal(offload(uring, URING_URGENT, &job), 0);
    assert_int_equal(take(uring, 5, 1), 0);
    assert_int_equal(pthread_join(opener, NULL), 0);
    uring_destroy(uring);
    uring_helpers_destroy(helpers);
    scene_free(&scene);
}

static void helpers_block_all_signals(void **state)
{
    static const int SIGNALS[] = { SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP, SIGPIPE, SIGCHLD };
    struct scene scene;

    scene_init(&scene);
    struct uring_helpers *helpers = helpers_open(state, 1);
    struct uring *uring = engine_open(state, helpers);
    struct job job = job_make(&scene, 1, false);
    assert_int_equal(offload(uring, URING_URGENT, &job), 0);
    assert_int_equal(take(uring, 1, 1), 0);
    for (size_t i = 0; i < sizeof(SIGNALS) / sizeof(SIGNALS[0]); i++) {
        assert_int_equal(sigismember(&job.signals, SIGNALS[i]), 1);
    }
    sigset_t own;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &own), 0);
    assert_int_equal(sigismember(&own, SIGUSR1), 0);
    uring_destroy(uring);
    uring_helpers_destroy(helpers);
    scene_free(&scene);
}

static void without_helpers_nothing_is_taken(void **state)
{
    struct scene scene;

    scene_init(&scene);
    struct uring *uring = engine_open(state, NULL);
    struct job job = job_make(&scene, 1, false);
    assert_int_equal(offload(uring, URING_URGENT, &job), -EAGAIN);
    assert_int_equal(offload(uring, URING_BACKGROUND, &job), -EAGAIN);
    assert_int_equal(job.runs_count, 0);
    uring_destroy(uring);
    uring_helpers_destroy(NULL);
    scene_free(&scene);
}

/* --- many works --------------------------------------------------------------------------------
 */

enum {
    MANY = 20000,
    IN_FLIGHT = 200,
};

struct crowd {
    enum uring_kind kind;
    struct uring_helpers *helpers;
    struct scene *scene;
    int error;
};

static int offload_many(struct uring *uring, struct job *jobs)
{
    for (uint32_t first = 0; first < MANY; first += IN_FLIGHT) {
        for (uint32_t i = first; i < first + IN_FLIGHT; i++) {
            enum uring_urgency urgency = i % 3 == 0 ? URING_BACKGROUND : URING_URGENT;
            if (offload(uring, urgency, &jobs[i]) != 0) {
                return -1;
            }
        }
        if (take(uring, first, IN_FLIGHT) != 0) {
            return -1;
        }
    }
    for (uint32_t i = 0; i < MANY; i++) {
        if (jobs[i].runs_count != 1) {
            return -1;
        }
    }
    return 0;
}

/* cmocka's asserts are for the main thread alone. */
static void *crowd_main(void *argument)
{
    struct crowd *crowd = argument;
    struct job *jobs = calloc(MANY, sizeof(*jobs));
    struct uring *uring = NULL;
    crowd->error = jobs == NULL ? -ENOMEM : engine_try(crowd->kind, crowd->helpers, &uring);
    if (crowd->error == 0) {
        for (uint32_t i = 0; i < MANY; i++) {
            jobs[i] = job_make(crowd->scene, i, false);
        }
        crowd->error = offload_many(uring, jobs);
        uring_destroy(uring);
    }
    free(jobs);
    return NULL;
}

static void many_works_of_two_engines_all_come_home(void **state)
{
    struct scene scene;
    pthread_t threads[2];
    struct crowd crowds[2];

    scene_init(&scene);
    struct uring_helpers *helpers = helpers_open(state, 3);
    for (size_t i = 0; i < 2; i++) {
        crowds[i] = (struct crowd){ .kind = kind_of(state), .helpers = helpers, .scene = &scene };
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_main, &crowds[i]), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(crowds[i].error, 0);
    }
    assert_int_equal(scene.ran_count, 2 * MANY);
    uring_helpers_destroy(helpers);
    scene_free(&scene);
}

static void more_events_than_the_completion_queue_holds_are_not_lost(void **state)
{
    struct scene scene;

    scene_init(&scene);
    struct uring_helpers *helpers = helpers_open(state, 2);
    struct uring *uring = engine_open(state, helpers);
    struct job *jobs = calloc(URING_WORKS_MAX, sizeof(*jobs));
    assert_non_null(jobs);
    for (uint32_t i = 0; i < URING_WORKS_MAX; i++) {
        jobs[i] = job_make(&scene, i, false);
        assert_int_equal(offload(uring, URING_URGENT, &jobs[i]), 0);
    }
    pthread_mutex_lock(&scene.lock);
    while (scene.ran_count < 256 + 64) {
        pthread_cond_wait(&scene.changed, &scene.lock);
    }
    pthread_mutex_unlock(&scene.lock);
    assert_int_equal(take(uring, 0, URING_WORKS_MAX), 0);
    uring_destroy(uring);
    uring_helpers_destroy(helpers);
    free(jobs);
    scene_free(&scene);
}

/* --- order -------------------------------------------------------------------------------------
 */

static void urgent_work_goes_before_background_work(void **state)
{
    static const enum uring_urgency URGENCIES[] = { URING_URGENT,     URING_BACKGROUND,
                                                    URING_BACKGROUND, URING_URGENT,
                                                    URING_BACKGROUND, URING_URGENT };
    static const uint32_t ORDER[] = { 0, 3, 5, 1, 2, 4 };
    enum {
        COUNT = sizeof(URGENCIES) / sizeof(URGENCIES[0])
    };
    struct scene scene;
    struct job jobs[COUNT];

    scene_init(&scene);
    struct uring_helpers *helpers = helpers_open(state, 1);
    struct uring *uring = engine_open(state, helpers);
    for (uint32_t i = 0; i < COUNT; i++) {
        jobs[i] = job_make(&scene, i, i == 0);
        assert_int_equal(offload(uring, URGENCIES[i], &jobs[i]), 0);
        scene_wait_at_gate(&scene, 1); /* the first holds the thread */
    }
    scene_open_gate(&scene);
    assert_int_equal(take(uring, 0, COUNT), 0);
    assert_memory_equal(scene.order, ORDER, sizeof(ORDER));
    uring_destroy(uring);
    uring_helpers_destroy(helpers);
    scene_free(&scene);
}

/* As many background works as come: the gate is kept shut, and what is urgent still runs. */
static void background_work_leaves_a_thread_to_what_is_urgent(void **state)
{
    for (uint32_t threads = 2; threads <= 4; threads++) {
        struct scene scene;
        struct job background[4];
        scene_init(&scene);
        struct uring_helpers *helpers = helpers_open(state, threads);
        struct uring *uring = engine_open(state, helpers);
        for (uint32_t i = 0; i < 4; i++) {
            background[i] = job_make(&scene, 10 + i, true);
            assert_int_equal(offload(uring, URING_BACKGROUND, &background[i]), 0);
        }
        scene_wait_at_gate(&scene, threads - 1);
        for (uint32_t i = 0; i < 10; i++) {
            struct job urgent = job_make(&scene, 1, false);
            assert_int_equal(offload(uring, URING_URGENT, &urgent), 0);
            assert_int_equal(take(uring, 1, 1), 0);
        }
        pthread_mutex_lock(&scene.lock);
        assert_int_equal(scene.at_gate_count, threads - 1);
        pthread_mutex_unlock(&scene.lock);
        scene_open_gate(&scene);
        assert_int_equal(take(uring, 10, 4), 0);
        uring_destroy(uring);
        uring_helpers_destroy(helpers);
        scene_free(&scene);
    }
}

/* The one free thread may not take it; it has to start when another becomes free. */
static void background_work_starts_when_urgent_work_ends(void **state)
{
    struct scene scene;

    scene_init(&scene);
    struct uring_helpers *helpers = helpers_open(state, 2);
    struct uring *uring = engine_open(state, helpers);
    struct job urgent = job_make(&scene, 1, true);
    struct job background = job_make(&scene, 2, false);
    assert_int_equal(offload(uring, URING_URGENT, &urgent), 0);
    scene_wait_at_gate(&scene, 1);
    assert_int_equal(offload(uring, URING_BACKGROUND, &background), 0);
    scene_open_gate(&scene);
    assert_int_equal(take(uring, 1, 2), 0);
    assert_int_equal(scene.order[0], 1);
    assert_int_equal(scene.order[1], 2);
    uring_destroy(uring);
    uring_helpers_destroy(helpers);
    scene_free(&scene);
}

static void background_work_is_nice_and_never_on_the_first_of_several(void **state)
{
    struct scene scene;

    scene_init(&scene);
    struct uring_helpers *helpers = helpers_open(state, 2);
    struct uring *uring = engine_open(state, helpers);
    int niceness = getpriority(PRIO_PROCESS, 0);
    for (uint32_t i = 0; i < 20; i++) {
        struct job urgent = job_make(&scene, 1, false);
        struct job background = job_make(&scene, 2, false);
        assert_int_equal(offload(uring, URING_URGENT, &urgent), 0);
        assert_int_equal(take(uring, 1, 1), 0);
        assert_int_equal(offload(uring, URING_BACKGROUND, &background), 0);
        assert_int_equal(take(uring, 2, 1), 0);
        assert_true(background.niceness > niceness || niceness == 19);
        assert_true(urgent.niceness >= niceness);
    }
    assert_int_equal(getpriority(PRIO_PROCESS, 0), niceness);
    uring_destroy(uring);
    uring_helpers_destroy(helpers);
    scene_free(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_work_runs_once_on_another_thread_and_its_event_comes),
        ON_BOTH(an_event_wakes_an_engine_that_sleeps),
        ON_BOTH(helpers_block_all_signals),
        ON_BOTH(without_helpers_nothing_is_taken),
        ON_BOTH(many_works_of_two_engines_all_come_home),
        ON_BOTH(more_events_than_the_completion_queue_holds_are_not_lost),
        ON_BOTH(urgent_work_goes_before_background_work),
        ON_BOTH(background_work_leaves_a_thread_to_what_is_urgent),
        ON_BOTH(background_work_starts_when_urgent_work_ends),
        ON_BOTH(background_work_is_nice_and_never_on_the_first_of_several),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring_offload", tests, NULL, NULL);
}

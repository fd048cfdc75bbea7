/*
 * What the tests of offloaded work share. They use the engine itself. The wait of a work is for a
 * gate that the test opens; a test that hangs is ended by its alarm.
 */
#ifndef GYRE_TEST_RING_OFFLOAD_H
#define GYRE_TEST_RING_OFFLOAD_H

#include "ring_engine.h"

#include <pthread.h>
#include <sys/resource.h>

enum {
    OP_WORK = 3,
    EVENTS_MAX = 64,
    ORDER_MAX = 16,
};

/* What the works of a test share. */
struct scene {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_open;              /* the gate */
    uint32_t at_gate_count;    /* works that have come to it */
    uint32_t order[ORDER_MAX]; /* slots of the works, as they ran */
    uint32_t ran_count;
};

struct job {
    struct uring_work work;
    struct scene *scene;
    bool waits; /* at the gate */
    uint32_t slot;
    pthread_t thread; /* that ran it */
    sigset_t signals; /* that were blocked there */
    int niceness;
    uint32_t runs_count;
};

static inline struct job *job_of(struct uring_work *work)
{
    return (void *)((char *)work - offsetof(struct job, work));
}

static inline void job_run(struct uring_work *work)
{
    struct job *job = job_of(work);
    struct scene *scene = job->scene;
    job->thread = pthread_self();
    pthread_sigmask(SIG_SETMASK, NULL, &job->signals);
    job->niceness = getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid));
    job->runs_count++;
    pthread_mutex_lock(&scene->lock);
    if (scene->ran_count < ORDER_MAX) {
        scene->order[scene->ran_count] = job->slot;
    }
    scene->ran_count++;
    scene->at_gate_count += job->waits;
    pthread_cond_broadcast(&scene->changed);
    while (job->waits && !scene->is_open) {
        pthread_cond_wait(&scene->changed, &scene->lock);
    }
    pthread_mutex_unlock(&scene->lock);
}

static inline void scene_init(struct scene *scene)
{
    *scene = (struct scene){ .is_open = false };
    pthread_mutex_init(&scene->lock, NULL);
    pthread_cond_init(&scene->changed, NULL);
}

static inline void scene_wait_at_gate(struct scene *scene, uint32_t count)
{
    pthread_mutex_lock(&scene->lock);
    while (scene->at_gate_count < count) {
        pthread_cond_wait(&scene->changed, &scene->lock);
    }
    pthread_mutex_unlock(&scene->lock);
}

static inline void scene_open_gate(struct scene *scene)
{
    pthread_mutex_lock(&scene->lock);
    scene->is_open = true;
    pthread_cond_broadcast(&scene->changed);
    pthread_mutex_unlock(&scene->lock);
}

static inline void scene_free(struct scene *scene)
{
    pthread_cond_destroy(&scene->changed);
    pthread_mutex_destroy(&scene->lock);
}

static inline struct uring_helpers *helpers_open(void **state, uint32_t threads_count)
{
    struct uring_helpers *helpers = NULL;
    int error = uring_helpers_create(kind_of(state), threads_count, &helpers);
    if (kind_of(state) == URING_RING && (error == -ENOSYS || error == -EPERM || error == -EACCES)) {
        skip_because("io_uring is not allowed here", error);
    }
    assert_int_equal(error, 0);
    return helpers;
}

static inline int engine_try(enum uring_kind kind, struct uring_helpers *helpers,
                             struct uring **uring)
{
    struct uring_options options = engine_options(kind, BUFFERS_COUNT);
    options.helpers = helpers;
    return uring_create(&options, uring);
}

static inline struct uring *engine_open(void **state, struct uring_helpers *helpers)
{
    struct uring *uring = NULL;
    int error = engine_try(kind_of(state), helpers, &uring);
    if (error == -EINVAL && kind_of(state) == URING_RING) {
        skip_because("the kernel is older than 6.1", error);
    }
    assert_int_equal(error, 0);
    return uring;
}

static inline struct job job_make(struct scene *scene, uint32_t slot, bool waits)
{
    return (struct job){ .work.run = job_run, .scene = scene, .slot = slot, .waits = waits };
}

static inline struct uring_token token_of(uint32_t slot)
{
    return (struct uring_token){ .op = OP_WORK, .slot = slot, .generation = ~slot };
}

static inline int offload(struct uring *uring, enum uring_urgency urgency, struct job *job)
{
    return uring_offload(uring, token_of(job->slot), urgency, &job->work);
}

static inline bool is_as_queued(const struct uring_event *event)
{
    return event->token.op == OP_WORK && event->token.generation == ~event->token.slot &&
           event->result == 0 && event->buffer == URING_BUFFER_NONE && !event->more &&
           !event->notice;
}

/* Takes the events of `count` works with slots from `first` on, each once. */
static inline int take(struct uring *uring, uint32_t first, uint32_t count)
{
    bool *seen = calloc(count, sizeof(*seen));
    uint32_t taken = 0;
    bool fine = seen != NULL;
    while (fine && taken < count) {
        struct uring_event events[EVENTS_MAX];
        int got = uring_wait(uring, events, EVENTS_MAX);
        fine = got >= 0;
        for (int i = 0; fine && i < got; i++) {
            uint32_t index = events[i].token.slot - first;
            fine = is_as_queued(&events[i]) && index < count && !seen[index];
            if (fine) {
                seen[index] = true;
                taken++;
            }
        }
    }
    free(seen);
    return fine ? 0 : -1;
}

#endif

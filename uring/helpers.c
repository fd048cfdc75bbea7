/* helpers: threads that run what would hold an event loop up.
 *
 *     uring_offload() --> queue of its urgency --> a helper: run() --> works_done of its engine
 *                                                       \--> MSG_RING, eventfd: an event there
 *
 * Duty: urgent work before background work, in the order of coming; background work never on the
 * last free thread, so that what is urgent finds one (of a single thread: only when nothing urgent
 * waits). The first helper runs background work only when it is alone: the others become nice for
 * it, and going back takes a privilege (RLIMIT_NICE) that is mostly not there.
 *
 * Invariants: a work is in one of three places: a queue, a helper's hands, or works_done. Each that
 * comes to works_done of a ring is followed by exactly one message, and each message takes one work
 * out: so however messages overtake one another, an engine whose works_pending is 0 has had them
 * all, and may go. The epoll engine is told under works_lock, and is not touched after that. A
 * helper that waits is idle; who makes work startable (a new one, or a helper that has become free)
 * wakes one that may take it.
 *
 * Ownership: from uring_offload() to works_done a work is ours; after that it may be gone at any
 * time. The engine's ring stays until the message has come, and that is all that the helper still
 * needs. The lock guards queues and the helpers' state; the engine has one of its own for
 * works_done, which outlives us. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uring/engine.h"

enum {
    URGENCIES_COUNT = URING_BACKGROUND + 1,
    BACKGROUND_NICENESS = 10, /* on top of the process's */
    PAUSE_MS_MAX = 64,        /* between two attempts to post an event */
    ATTEMPTS_MIN = 50,        /* about a second; more of them, until we are to stop */
};

static const uint32_t WORKS_MAX[URGENCIES_COUNT] = {
    [URING_URGENT] = URING_WORKS_MAX,
    [URING_BACKGROUND] = URING_BACKGROUND_WORKS_MAX,
};

struct queue {
    struct uring_work *first;
    struct uring_work **end;
    uint32_t count;
};

struct helper {
    struct uring_helpers *helpers;
    uint32_t index;
    pthread_t thread;
    pthread_cond_t wake;
    bool is_idle;
    bool has_started; /* and tried to create its waker */
    int error;        /* why it could not */
    struct uring_waker *waker;
};

struct uring_helpers {
    pthread_mutex_t lock;
    pthread_cond_t started;
    struct queue queues[URGENCIES_COUNT];
    enum uring_kind kind;   /* of the engines that offload to them */
    uint32_t running_count; /* helpers with a work in hand */
    bool is_stopping;
    uint32_t count;
    struct helper list[];
};

/* --- who runs what; all under the lock ---------------------------------------------------------
 */

static void queue_put(struct queue *queue, struct uring_work *work)
{
    work->next = NULL;
    *queue->end = work;
    queue->end = &work->next;
    queue->count++;
}

static struct uring_work *queue_take(struct queue *queue)
{
    struct uring_work *work = queue->first;
    assert((work != NULL) == (queue->count > 0));
    if (work != NULL) {
        queue->first = work->next;
        queue->count--;
        if (queue->first == NULL) {
            queue->end = &queue->first;
        }
    }
    return work;
}

static bool may_start_background(const struct helper *helper)
{
    const struct uring_helpers *helpers = helper->helpers;
    bool leaves_one_free = helpers->running_count + 2 <= helpers->count;
    return helpers->count == 1 || (helper->index > 0 && leaves_one_free);
}

/* Wakes an idle helper that may start work of this urgency. The first is the best for what is
 * urgent: it has never been nice. */
static void wake_one(struct uring_helpers *helpers, enum uring_urgency urgency)
{
    for (uint32_t i = 0; i < helpers->count; i++) {
        struct helper *helper = &helpers->list[i];
        if (helper->is_idle && (urgency == URING_URGENT || may_start_background(helper))) {
            helper->is_idle = false;
            pthread_cond_signal(&helper->wake);
            return;
        }
    }
}

static struct uring_work *take_startable(struct helper *helper)
{
    struct queue *queues = helper->helpers->queues;
    struct uring_work *work = queue_take(&queues[URING_URGENT]);
    if (work == NULL && may_start_background(helper)) {
        work = queue_take(&queues[URING_BACKGROUND]);
    }
    return work;
}

/* The next work, marked as running; NULL: it is over. */
static struct uring_work *wait_for_work(struct helper *helper)
{
    struct uring_helpers *helpers = helper->helpers;
    struct uring_work *work = NULL;
    while (!helpers->is_stopping && (work = take_startable(helper)) == NULL) {
        helper->is_idle = true;
        if (helpers->queues[URING_BACKGROUND].count > 0) {
            wake_one(helpers, URING_BACKGROUND); /* one more is free now */
        }
        while (helper->is_idle && !helpers->is_stopping) {
            pthread_cond_wait(&helper->wake, &helpers->lock);
        }
        helper->is_idle = false;
    }
    helpers->running_count += work != NULL;
    return work;
}

/* --- a helper's thread -------------------------------------------------------------------------
 */

static void run(const struct helper *helper, struct uring_work *work)
{
    if (work->urgency == URING_URGENT || helper->index == 0) {
        work->run(work);
        return;
    }
    id_t thread = (id_t)syscall(SYS_gettid);
    int niceness = getpriority(PRIO_PROCESS, thread);
    (void)setpriority(PRIO_PROCESS, thread, niceness + BACKGROUND_NICENESS);
    work->run(work);
    (void)setpriority(PRIO_PROCESS, thread, niceness);
}

/* Want of memory and of room in the queue pass. */
static bool is_passing(int error)
{
    return error == -EAGAIN || error == -EBUSY || error == -ENOMEM || error == -EOVERFLOW ||
           error == -EINTR;
}

static bool is_stopping(struct uring_helpers *helpers)
{
    pthread_mutex_lock(&helpers->lock);
    bool stopping = helpers->is_stopping;
    pthread_mutex_unlock(&helpers->lock);
    return stopping;
}

/* Any other error means that the thread of that engine has ended: nobody waits for the event. */
static void post_event(struct helper *helper, int ring_fd)
{
    struct uring_token token = { .op = ENGINE_OP_OWN, .slot = ENGINE_OWN_WORK_DONE };
    for (int attempts = 1; is_passing(engine_message_send(helper->waker, ring_fd, token, 0));) {
        if (attempts >= ATTEMPTS_MIN && is_stopping(helper->helpers)) {
            return;
        }
        (void)poll(NULL, 0, attempts < PAUSE_MS_MAX ? attempts++ : PAUSE_MS_MAX);
    }
}

static void finish(struct helper *helper, struct uring_work *work)
{
    struct uring *uring = work->uring;
    pthread_mutex_lock(&uring->works_lock);
    work->next = NULL;
    *uring->works_done_end = work;
    uring->works_done_end = &work->next;
    int ring_fd = uring->ops->work_done(uring);
    pthread_mutex_unlock(&uring->works_lock);
    if (ring_fd >= 0) {
        post_event(helper, ring_fd);
    }
}

static void *helper_main(void *argument)
{
    struct helper *helper = argument;
    struct uring_helpers *helpers = helper->helpers;
    int error = uring_waker_create(helpers->kind, &helper->waker);
    pthread_mutex_lock(&helpers->lock);
    helper->error = error;
    helper->has_started = true;
    pthread_cond_signal(&helpers->started);
    struct uring_work *work;
    while (error == 0 && (work = wait_for_work(helper)) != NULL) {
        pthread_mutex_unlock(&helpers->lock);
        run(helper, work);
        finish(helper, work);
        pthread_mutex_lock(&helpers->lock);
        helpers->running_count--;
    }
    pthread_mutex_unlock(&helpers->lock);
    if (error == 0) {
        uring_waker_destroy(helper->waker);
    }
    return NULL;
}

/* --- life --------------------------------------------------------------------------------------
 */

/* Starts one more and waits until it has its waker. */
static int start_helper(struct uring_helpers *helpers)
{
    struct helper *helper = &helpers->list[helpers->count];
    *helper = (struct helper){ .helpers = helpers, .index = helpers->count };
    pthread_cond_init(&helper->wake, NULL);
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* a thread begins with its creator's mask */
    int error = pthread_create(&helper->thread, NULL, helper_main, helper);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        pthread_cond_destroy(&helper->wake);
        return -error;
    }
    pthread_mutex_lock(&helpers->lock);
    helpers->count++;
    while (!helper->has_started) {
        pthread_cond_wait(&helpers->started, &helpers->lock);
    }
    error = helper->error;
    pthread_mutex_unlock(&helpers->lock);
    return error;
}

int uring_helpers_create(enum uring_kind kind, uint32_t threads_count,
                         struct uring_helpers **result)
{
    assert(threads_count >= 1);
    assert(threads_count <= URING_HELPERS_MAX);
    struct uring_helpers *helpers =
        calloc(1, sizeof(*helpers) + threads_count * sizeof(helpers->list[0]));
    if (helpers == NULL) {
        return -ENOMEM;
    }
    helpers->kind = kind;
    pthread_mutex_init(&helpers->lock, NULL);
    pthread_cond_init(&helpers->started, NULL);
    for (unsigned i = 0; i < URGENCIES_COUNT; i++) {
        helpers->queues[i].end = &helpers->queues[i].first;
    }
    for (uint32_t i = 0; i < threads_count; i++) {
        int error = start_helper(helpers);
        if (error != 0) {
            uring_helpers_destroy(helpers);
            return error;
        }
    }
    *result = helpers;
    return 0;
}

static void stop(struct uring_helpers *helpers)
{
    pthread_mutex_lock(&helpers->lock);
    helpers->is_stopping = true;
    for (uint32_t i = 0; i < helpers->count; i++) {
        pthread_cond_signal(&helpers->list[i].wake);
    }
    pthread_mutex_unlock(&helpers->lock);
    for (uint32_t i = 0; i < helpers->count; i++) {
        pthread_join(helpers->list[i].thread, NULL);
    }
    assert(helpers->running_count == 0);
}

void uring_helpers_destroy(struct uring_helpers *helpers)
{
    if (helpers == NULL) {
        return;
    }
    stop(helpers);
    for (unsigned i = 0; i < URGENCIES_COUNT; i++) {
        struct uring_work *work;
        while ((work = queue_take(&helpers->queues[i])) != NULL) {
            work->uring->works_pending--; /* its thread is in no call: see the header */
        }
    }
    for (uint32_t i = 0; i < helpers->count; i++) {
        pthread_cond_destroy(&helpers->list[i].wake);
    }
    pthread_cond_destroy(&helpers->started);
    pthread_mutex_destroy(&helpers->lock);
    free(helpers);
}

int uring_offload(struct uring *uring, struct uring_token token, enum uring_urgency urgency,
                  struct uring_work *work)
{
    assert(token.op != ENGINE_OP_OWN);
    assert(work->run != NULL);
    struct uring_helpers *helpers = uring->helpers;
    if (helpers == NULL) {
        return -EAGAIN;
    }
    assert(helpers->kind == uring->ops->kind);
    work->uring = uring;
    work->token = token;
    work->urgency = urgency;
    pthread_mutex_lock(&helpers->lock);
    assert(!helpers->is_stopping);
    struct queue *queue = &helpers->queues[urgency];
    bool is_full = queue->count == WORKS_MAX[urgency];
    if (!is_full) {
        queue_put(queue, work);
        wake_one(helpers, urgency);
    }
    pthread_mutex_unlock(&helpers->lock);
    if (is_full) {
        return -EAGAIN;
    }
    uring->works_pending++;
    return 0;
}

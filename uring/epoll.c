/* epoll: the engine for where io_uring may not be used: the same operations and events, by plain
 * system calls.
 *
 *     queue --start--> told: it went through at once            most sends, every file operation
 *                 \--> pending on an endpoint --edge--> told    recv, accept, a send to a slow peer
 *
 * A wait first runs what is queued: each operation is tried, and only what would block is left to
 * epoll. When that alone has given events, they are told without asking epoll; but then epoll comes
 * first in the next wait, so that connections that have always something to do do not starve the
 * others. For the same reason the bytes that are read
 * from files in one wait are bounded, and what is ready has its turn in order, one step at a time.
 *
 * Invariants: an event is told in the wait that finds it, or its cause stays (in the queue, in the
 * list of ready endpoints, in the mailbox) and the next wait does not sleep. Each provided buffer
 * is on the stack of free ones or in the caller's hands. This thread alone touches all of it but
 * for the mailbox: works_done, messages and the eventfd, which others may touch under works_lock.
 *
 * Ownership: as with the ring. An operation's memory is the caller's, and must stay put until its
 * event. */
#include "uring/epoll_internal.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    REPORTS_MAX = 256,            /* of epoll, in one wait */
    READ_BYTES_MAX = 1024 * 1024, /* from files, before others have their turn */
};

/* --- life --------------------------------------------------------------------------------------
 */

static int create_descriptors(struct epoll *epoll)
{
    epoll->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll->epoll_fd < 0) {
        return -errno;
    }
    epoll->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (epoll->wake_fd < 0) {
        return -errno;
    }
    struct epoll_event event = { .events = EPOLLIN, .data.fd = epoll->wake_fd };
    return epoll_ctl(epoll->epoll_fd, EPOLL_CTL_ADD, epoll->wake_fd, &event) == 0 ? 0 : -errno;
}

static int create_buffers(struct epoll *epoll)
{
    uint32_t count = epoll->base.buffers_count;
    epoll->buffers_free = malloc(count * sizeof(epoll->buffers_free[0]));
    if (epoll->buffers_free == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        epoll->buffers_free[i] = (uint16_t)(count - 1 - i);
    }
    return 0;
}

int epoll_create_engine(const struct uring_options *options, struct uring **result)
{
    struct epoll *epoll = calloc(1, sizeof(*epoll));
    if (epoll == NULL) {
        return -ENOMEM;
    }
    epoll->epoll_fd = -1;
    epoll->wake_fd = -1;
    epoll->ready_first = -1;
    int error = engine_init(&epoll->base, &EPOLL_OPS, options);
    if (error == 0) {
        error = operations_init(epoll, options->completions);
    }
    if (error == 0) {
        error = create_buffers(epoll);
    }
    if (error == 0) {
        error = create_descriptors(epoll);
    }
    if (error != 0) {
        engine_epoll_destroy(&epoll->base);
        return error;
    }
    *result = &epoll->base;
    return 0;
}

void engine_epoll_destroy(struct uring *uring)
{
    struct epoll *epoll = epoll_of(uring);
    while (epoll->queue_first != NULL) { /* the last closes may still be queued */
        struct operation *operation = operation_dequeue(epoll);
        if (operation->kind == OPERATION_CLOSE) {
            (void)close(operation->fd);
        }
    }
    if (epoll->wake_fd >= 0) {
        close(epoll->wake_fd);
    }
    if (epoll->epoll_fd >= 0) {
        close(epoll->epoll_fd);
    }
    free(epoll->buffers_free);
    endpoints_free(epoll);
    operations_free(epoll);
    engine_release(uring);
    free(epoll);
}

/* --- the timer ---------------------------------------------------------------------------------
 */

static uint64_t clock_ns(void)
{
    struct timespec now;
    int error = clock_gettime(CLOCK_MONOTONIC, &now);
    assert(error == 0);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void start_timer(struct epoll *epoll, struct operation *operation)
{
    assert(epoll->timer == NULL); /* one at a time */
    epoll->timer = operation;
    epoll->timer_due_ns = clock_ns() + (uint64_t)operation->size * 1000000;
}

static void run_timer(struct epoll *epoll)
{
    if (epoll->timer != NULL && has_room(epoll) && clock_ns() >= epoll->timer_due_ns) {
        operation_finish(epoll, epoll->timer, -ETIME);
        epoll->timer = NULL;
    }
}

/* How long there is nothing to do. */
static int timeout_ms(const struct epoll *epoll)
{
    if (epoll->events_count > 0 || epoll->queue_first != NULL || epoll->ready_first >= 0 ||
        epoll->is_woken) {
        return 0;
    }
    if (epoll->timer == NULL) {
        return -1;
    }
    uint64_t now = clock_ns();
    if (epoll->timer_due_ns <= now) {
        return 0;
    }
    uint64_t left_ms = (epoll->timer_due_ns - now + 999999) / 1000000;
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

/* --- the mailbox -------------------------------------------------------------------------------
 */

int engine_epoll_work_done(struct uring *uring)
{
    (void)eventfd_write(epoll_of(uring)->wake_fd, 1); /* full: then it has spoken */
    return -1;
}

int engine_epoll_wake(struct uring *target, struct uring_waker *waker, struct uring_token token,
                      uint32_t result)
{
    (void)waker;
    struct epoll *epoll = epoll_of(target);
    pthread_mutex_lock(&target->works_lock);
    bool is_full = epoll->messages_count == URING_MESSAGES_MAX;
    if (!is_full) {
        uint32_t index = (epoll->messages_first + epoll->messages_count) % URING_MESSAGES_MAX;
        epoll->messages[index] = (struct message){ .token = token, .result = result };
        epoll->messages_count++;
        (void)eventfd_write(epoll->wake_fd, 1);
    }
    pthread_mutex_unlock(&target->works_lock);
    return is_full ? -EAGAIN : 0;
}

static bool take_message(struct epoll *epoll, struct message *message)
{
    pthread_mutex_lock(&epoll->base.works_lock);
    bool is_there = epoll->messages_count > 0;
    if (is_there) {
        *message = epoll->messages[epoll->messages_first];
        epoll->messages_first = (epoll->messages_first + 1) % URING_MESSAGES_MAX;
        epoll->messages_count--;
    }
    pthread_mutex_unlock(&epoll->base.works_lock);
    return is_there;
}

static void run_mailbox(struct epoll *epoll)
{
    while (epoll->is_woken && has_room(epoll)) {
        struct message message;
        struct uring_work *work = engine_take_done(&epoll->base);
        if (work != NULL) {
            assert(epoll->base.works_pending > 0);
            epoll->base.works_pending--;
            (void)operation_tell(epoll, uring_token_pack(work->token), 0);
        } else if (take_message(epoll, &message)) {
            (void)operation_tell(epoll, uring_token_pack(message.token), (int32_t)message.result);
        } else {
            epoll->is_woken = false;
        }
    }
}

/* --- waiting -----------------------------------------------------------------------------------
 */

static void run(struct epoll *epoll, struct operation *operation)
{
    switch (operation->kind) {
    case OPERATION_ACCEPT:
    case OPERATION_RECV:
    case OPERATION_SEND:
    case OPERATION_POLL:
    case OPERATION_WRITE:
        operation_start(epoll, operation);
        break;
    case OPERATION_OPEN:
        operation_open(epoll, operation);
        break;
    case OPERATION_READ:
        operation_read(epoll, operation);
        break;
    case OPERATION_CLOSE:
        operation_close(epoll, operation);
        break;
    case OPERATION_TIMER:
        start_timer(epoll, operation);
        break;
    case OPERATION_ENDED:
        operation_end(epoll, operation);
        break;
    }
}

static void run_queue(struct epoll *epoll)
{
    epoll->read_bytes = 0;
    while (epoll->queue_first != NULL && has_room(epoll) && epoll->read_bytes < READ_BYTES_MAX) {
        struct operation *operation = operation_dequeue(epoll);
        epoll->base.counters.submissions += operation->kind != OPERATION_ENDED;
        run(epoll, operation);
    }
}

static void note_report(struct epoll *epoll, const struct epoll_event *report)
{
    int fd = report->data.fd;
    if (fd == epoll->wake_fd) {
        eventfd_t count;
        (void)eventfd_read(fd, &count);
        epoll->is_woken = true;
        return;
    }
    assert((uint32_t)fd < epoll->endpoints_count);
    epoll->endpoints[fd].seen |= report->events;
    endpoint_make_ready(epoll, fd);
}

static void advance_endpoint(struct epoll *epoll, int fd)
{
    const struct endpoint *endpoint = &epoll->endpoints[fd];
    uint32_t seen = endpoint->seen;
    if (endpoint->in != NULL && (seen & ~(uint32_t)EPOLLOUT) != 0) {
        operation_advance(epoll, endpoint->in);
    }
    if (endpoint->out == NULL || (seen & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) {
        return;
    }
    if (has_room(epoll)) {
        operation_advance(epoll, endpoint->out);
    } else {
        endpoint_make_ready(epoll, fd);
    }
}

/* One step of each that is ready; what becomes ready meanwhile comes next time. */
static void run_ready(struct epoll *epoll)
{
    int last = epoll->ready_first >= 0 ? epoll->ready_last : -1;
    for (int fd = -1; fd != last && has_room(epoll);) {
        fd = endpoint_take_ready(epoll);
        advance_endpoint(epoll, fd);
    }
}

static int ask_epoll(struct epoll *epoll)
{
    struct epoll_event reports[REPORTS_MAX];
    int count = epoll_wait(epoll->epoll_fd, reports, REPORTS_MAX, timeout_ms(epoll));
    epoll->base.counters.waits++;
    if (count < 0) {
        return -errno;
    }
    for (int i = 0; i < count; i++) {
        note_report(epoll, &reports[i]);
    }
    run_timer(epoll);
    run_mailbox(epoll);
    run_ready(epoll);
    return 0;
}

int engine_epoll_wait(struct uring *uring, struct uring_event *events, size_t events_max)
{
    struct epoll *epoll = epoll_of(uring);
    epoll->events = events;
    epoll->events_max = events_max;
    epoll->events_count = 0;
    int error = 0;
    bool has_asked = epoll->has_skipped && epoll->queue_first != NULL;
    if (has_asked) {
        error = ask_epoll(epoll);
    }
    run_queue(epoll);
    while (error == 0 && epoll->events_count == 0) {
        error = ask_epoll(epoll);
        has_asked = true;
    }
    epoll->has_skipped = !has_asked;
    if (error != 0 && error != -EINTR) {
        return error;
    }
    uring->counters.events += epoll->events_count;
    return (int)epoll->events_count;
}

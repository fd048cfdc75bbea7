/* service: sets the stage, starts the workers, turns signals into wakes, and waits for the end.
 *
 * Duty: everything that happens once a process. The main thread only waits for signals: all are
 * blocked in every thread and taken with sigwait, so no handler ever runs. It speaks to the workers
 * through a waker, and they tell it that they are gone by a signal of their own.
 *
 * Ownership: listeners, sites, type table and helpers are the service's; workers borrow them. */
#include "server/service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/compress.h"
#include "server/listener.h"
#include "server/probe.h"
#include "server/type_table.h"
#include "server/worker.h"

enum thread_state {
    THREAD_STARTING,
    THREAD_RUNNING,
    THREAD_ENDED,
};

struct service;

struct worker_thread {
    struct service *service;
    struct worker *worker;
    struct worker_settings settings;
    pthread_t thread;
    enum thread_state state; /* guarded by service->lock; the ring may be used only while RUNNING */
    bool is_reduced;         /* little memory may be locked */
    bool is_left;            /* it has ended, but what the kernel or a helper still uses is kept */
    int error;               /* read after the join */
};

struct service {
    const struct conf *conf;
    struct http_type_table *types;
    struct sites *sites;
    enum uring_kind engine;
    uint32_t workers_count;
    uint32_t listeners_count;
    struct listener listeners[CONF_LISTEN_MAX];
    struct worker_thread *threads;
    uint32_t started_count; /* of the threads */
    pthread_t main_thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

/* A worker's thread has ended. */
static int ended_signal(void)
{
    return SIGRTMIN;
}

static sigset_t watched_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, ended_signal());
    return set;
}

static uint32_t cpus_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0) {
        return 1;
    }
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : (uint32_t)count;
}

/* --- set-up ------------------------------------------------------------------------------------
 */

static int create_types(struct service *service)
{
    service->types = type_table_create(service->conf);
    if (service->types == NULL) {
        fprintf(stderr, "gyre: out of memory\n");
        return 1;
    }
    return 0;
}

static int open_listeners(struct service *service)
{
    const struct conf *conf = service->conf;
    for (uint32_t i = 0; i < conf->listen_count; i++) {
        if (listener_open(&service->listeners[i], conf->listen[i].address, service->workers_count,
                          conf, stderr) != 0) {
            return 1;
        }
        service->listeners_count++;
    }
    return 0;
}

/* Where little may be locked, files are served all the same, but for what helpers do. */
static struct uring_helpers *create_helpers(const struct service *service)
{
    struct uring_helpers *helpers = NULL;
    int error = uring_helpers_create(service->engine, service->conf->compress_threads, &helpers);
    if (error != 0) {
        fprintf(stderr,
                "gyre: cannot start the helper threads: nothing is compressed, listed, archived or "
                "authorized: %s\n",
                strerror(-error));
    }
    return helpers;
}

/* --- workers ------------------------------------------------------------------------------------
 */

static void set_state(struct worker_thread *thread, enum thread_state state)
{
    struct service *service = thread->service;
    pthread_mutex_lock(&service->lock);
    thread->state = state;
    pthread_cond_signal(&service->changed);
    pthread_mutex_unlock(&service->lock);
}

static void *thread_main(void *argument)
{
    struct worker_thread *thread = argument;
    thread->error = worker_create(thread->worker, &thread->settings);
    if (thread->error == 0) {
        const struct uring_counters *counters = uring_counters(thread->worker->uring);
        thread->is_reduced = counters->slabs_plain > 0 || counters->is_reduced;
        set_state(thread, THREAD_RUNNING);
        thread->error = worker_run(thread->worker);
        set_state(thread, THREAD_ENDED); /* nobody wakes it from here on */
        thread->is_left = !worker_is_joined(thread->worker);
        if (!thread->is_left) {
            worker_destroy(thread->worker);
        }
    }
    set_state(thread, THREAD_ENDED);
    pthread_kill(thread->service->main_thread, ended_signal());
    return NULL;
}

static void warn_of_locked_memory(const struct service *service)
{
    bool is_reduced = false;
    for (uint32_t i = 0; i < service->workers_count; i++) {
        is_reduced = is_reduced || service->threads[i].is_reduced;
    }
    if (is_reduced) {
        fprintf(stderr,
                "gyre: little memory may be locked (ulimit -l): serving with smaller queues or "
                "plain buffers, a little slower\n");
    }
}

/* Starts one worker and waits until it serves. False: it has said why it cannot. */
static bool start_worker(struct service *service, uint32_t index,
                         const struct worker_settings *common)
{
    struct worker_thread *thread = &service->threads[index];
    thread->service = service;
    thread->settings = *common;
    thread->settings.index = index;
    for (uint32_t i = 0; i < service->listeners_count; i++) {
        thread->settings.listeners[i] = listener_socket(&service->listeners[i], index);
    }
    thread->worker = malloc(sizeof(*thread->worker));
    int error = thread->worker == NULL ? ENOMEM
                                       : pthread_create(&thread->thread, NULL, thread_main, thread);
    if (error != 0) {
        fprintf(stderr, "gyre: cannot start worker %u: %s\n", index, strerror(error));
        return false;
    }
    service->started_count++;
    pthread_mutex_lock(&service->lock);
    while (thread->state == THREAD_STARTING) {
        pthread_cond_wait(&service->changed, &service->lock);
    }
    bool running = thread->state == THREAD_RUNNING;
    pthread_mutex_unlock(&service->lock);
    return running;
}

static bool start_workers(struct service *service, const struct worker_settings *common)
{
    service->threads = calloc(service->workers_count, sizeof(*service->threads));
    if (service->threads == NULL) {
        fprintf(stderr, "gyre: out of memory\n");
        return false;
    }
    for (uint32_t i = 0; i < service->workers_count; i++) {
        if (!start_worker(service, i, common)) {
            return false;
        }
    }
    return true;
}

static void wake_workers(struct service *service, struct uring_waker *waker, enum wake wake)
{
    struct uring_token token = { .op = OP_WAKE, .slot = wake };
    for (uint32_t i = 0; i < service->started_count; i++) {
        pthread_mutex_lock(&service->lock);
        bool running = service->threads[i].state == THREAD_RUNNING;
        int error =
            running ? uring_waker_wake(waker, service->threads[i].worker->uring, token, 0) : 0;
        pthread_mutex_unlock(&service->lock);
        if (error != 0) {
            fprintf(stderr, "gyre: cannot wake worker %u: %s\n", i, strerror(-error));
        }
    }
}

static bool all_ended(struct service *service)
{
    bool ended = true;
    pthread_mutex_lock(&service->lock);
    for (uint32_t i = 0; i < service->workers_count; i++) {
        ended = ended && service->threads[i].state == THREAD_ENDED;
    }
    pthread_mutex_unlock(&service->lock);
    return ended;
}

static void stop_workers(struct service *service, struct uring_waker *waker)
{
    wake_workers(service, waker, WAKE_STOP);
    for (uint32_t i = 0; i < service->listeners_count; i++) {
        listener_stop(&service->listeners[i]);
    }
}

/* Returns the exit status. */
static int join_workers(struct service *service)
{
    int status = 0;
    for (uint32_t i = 0; i < service->started_count; i++) {
        pthread_join(service->threads[i].thread, NULL);
        status = service->threads[i].error != 0 ? 1 : status;
    }
    return status;
}

static void close_listeners(struct service *service)
{
    for (uint32_t i = 0; i < service->listeners_count; i++) {
        listener_close(&service->listeners[i]);
    }
}

static void wait_for_end(struct service *service, struct uring_waker *waker)
{
    sigset_t signals = watched_signals();
    bool stopping = false;
    while (!all_ended(service)) {
        int number = 0;
        if (sigwait(&signals, &number) != 0) {
            continue;
        }
        if (number == SIGUSR1) {
            wake_workers(service, waker, WAKE_REOPEN_LOG);
        } else if (number == SIGUSR2) {
            wake_workers(service, waker, WAKE_REPORT);
        } else if (number != ended_signal() && stopping) {
            fprintf(stderr, "gyre: second signal: ending at once\n");
            _exit(1); /* the listeners were shut down with the first */
        } else if (!stopping) {
            /* Asked to; or a worker broke, and the others must not pretend that all is well. */
            stopping = true;
            stop_workers(service, waker);
        }
    }
}

/* Whether a worker could not be destroyed: then nothing is freed that it shares. */
static bool any_left(const struct service *service)
{
    bool left = false;
    for (uint32_t i = 0; i < service->started_count; i++) {
        left = left || service->threads[i].is_left;
    }
    return left;
}

/* Bytes that all threads together may come to use at most. */
static uint64_t memory_max(const struct service *service, const struct worker_settings *settings)
{
    const struct conf *conf = service->conf;
    uint64_t a_job = COMPRESS_MEMORY_MAX + (uint64_t)conf->compress_bytes_max;
    return worker_memory_max(settings) * service->workers_count +
           (settings->helpers != NULL ? conf->compress_threads * a_job : 0);
}

static void announce(const struct service *service, const struct worker_settings *settings)
{
    warn_of_locked_memory(service);
    fprintf(stderr,
            "gyre: %u workers on %s, up to %u connections each, at most %" PRIu64
            " MiB of memory\n",
            service->workers_count, uring_kind_name(service->engine),
            settings->budget.connections_max, memory_max(service, settings) >> 20);
    for (uint32_t i = 0; i < service->listeners_count; i++) {
        listener_print(&service->listeners[i], service->conf->root, stdout);
    }
    fflush(stdout);
}

static int serve(struct service *service)
{
    struct worker_settings settings = {
        .conf = service->conf,
        .types = service->types,
        .sites = service->sites,
        .engine = service->engine,
        .listeners_count = service->listeners_count,
    };
    struct budget_limits limits = budget_read_limits();
    if (service->engine != URING_RING) {
        limits.locked_bytes = UINT64_MAX; /* none is locked */
    }
    settings.budget =
        budget_divide(service->conf, &limits, service->workers_count, service->listeners_count);
    budget_warn(&settings.budget, service->conf, &limits, stderr);
    struct uring_waker *waker;
    int error = uring_waker_create(service->engine, &waker);
    if (error != 0) {
        fprintf(stderr, "gyre: cannot create the waker: %s\n", strerror(-error));
        return 1;
    }
    settings.helpers = create_helpers(service);
    bool started = start_workers(service, &settings);
    if (started) {
        announce(service, &settings);
        wait_for_end(service, waker);
    } else {
        stop_workers(service, waker);
    }
    int status = join_workers(service);
    if (any_left(service)) { /* it may take a helper minutes to end: the process ends around it */
        close_listeners(service);
        fflush(NULL);
        _exit(started ? status : 1);
    }
    uring_helpers_destroy(settings.helpers);
    uring_waker_destroy(waker);
    return started ? status : 1;
}

static void release(struct service *service)
{
    close_listeners(service);
    for (uint32_t i = 0; service->threads != NULL && i < service->workers_count; i++) {
        free(service->threads[i].worker);
    }
    free(service->threads);
    if (service->sites != NULL) {
        sites_destroy(service->sites);
    }
    free(service->types);
    pthread_cond_destroy(&service->changed);
    pthread_mutex_destroy(&service->lock);
}

/* Several rings write there: at an offset of their own each, they would overwrite one another. */
static void append_to_standard_files(void)
{
    static const int FILES[] = { STDOUT_FILENO, STDERR_FILENO };
    for (size_t i = 0; i < sizeof(FILES) / sizeof(FILES[0]); i++) {
        struct stat status;
        int flags = fcntl(FILES[i], F_GETFL);
        if (flags >= 0 && fstat(FILES[i], &status) == 0 && S_ISREG(status.st_mode)) {
            (void)fcntl(FILES[i], F_SETFL, flags | O_APPEND);
        }
    }
}

int service_run(const struct conf *conf)
{
    sigset_t signals = watched_signals();
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    append_to_standard_files();

    struct service *service = calloc(1, sizeof(*service));
    if (service == NULL) {
        fprintf(stderr, "gyre: out of memory\n");
        return 1;
    }
    service->conf = conf;
    service->workers_count = conf->workers > 0 ? conf->workers : cpus_count();
    service->main_thread = pthread_self();
    pthread_mutex_init(&service->lock, NULL);
    pthread_cond_init(&service->changed, NULL);

    int status = 1;
    if (probe_engine(conf->engine, &service->engine, stderr) == 0 &&
        sites_create(conf, stderr, &service->sites) == 0 && create_types(service) == 0 &&
        open_listeners(service) == 0) {
        status = serve(service);
    }
    release(service);
    free(service);
    return status;
}

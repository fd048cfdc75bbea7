/* worker_create: everything a worker ever uses is allocated here, bounded, and given back here. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "server/worker.h"

static uint32_t slots_count_of(const struct worker_settings *settings)
{
    return settings->budget.connections_max;
}

static int create_engine(struct worker *worker)
{
    const struct conf *conf = worker->settings.conf;
    const struct budget *budget = &worker->settings.budget;
    struct uring_options options = {
        .kind = worker->settings.engine,
        .entries = budget->ring_entries,
        .completions = budget->completions,
        .recv_buffers = budget->recv_buffers,
        .recv_buffer_size = conf->recv_buffer_bytes,
        .workers_max = 64,
        .sqpoll = conf->sqpoll == CONF_ON,
        .sqpoll_cpu = conf->sqpoll_cpu,
        .helpers = worker->settings.helpers,
    };
    int error = uring_create(&options, &worker->uring);
    if (error != 0) {
        return error;
    }
    error = uring_pool_create(worker->uring, OUTBUF_SIZE, slots_count_of(&worker->settings), false,
                              &worker->outbufs);
    if (error != 0) {
        return error;
    }
    return uring_pool_create(worker->uring, conf->chunk_bytes, conf->chunks_max, true,
                             &worker->chunks);
}

/* epoll copies whatever is sent: then chunks are best read and sent in one go. */
static void init_zerocopy(struct worker *worker)
{
    for (uint32_t i = 0; i < CONF_LISTEN_MAX; i++) {
        worker->zerocopy[i].off = worker->settings.engine != URING_RING;
    }
}

static uint32_t *free_stack_create(uint32_t count)
{
    uint32_t *stack = malloc(count * sizeof(*stack));
    for (uint32_t i = 0; stack != NULL && i < count; i++) {
        stack[i] = count - 1 - i;
    }
    return stack;
}

/* calloc of large tables maps zero pages: what no connection has used yet costs no memory. */
static int create_tables(struct worker *worker)
{
    const struct conf *conf = worker->settings.conf;
    uint32_t slots = slots_count_of(&worker->settings);
    worker->slots_count = slots;
    worker->connections = calloc(slots, sizeof(*worker->connections));
    worker->slots_free = free_stack_create(slots);
    worker->exchanges = calloc(slots, sizeof(*worker->exchanges));
    worker->exchanges_free = free_stack_create(slots);
    worker->chunk_owners = calloc(conf->chunks_max, sizeof(*worker->chunk_owners));
    if (worker->connections == NULL || worker->slots_free == NULL || worker->exchanges == NULL ||
        worker->exchanges_free == NULL || worker->chunk_owners == NULL) {
        return -ENOMEM;
    }
    worker->slots_free_count = slots;
    worker->exchanges_free_count = slots;
    int error = input_pool_create(&worker->inputs, worker->uring,
                                  worker->settings.budget.recv_buffers, slots);
    if (error != 0) {
        return error;
    }
    error = acceptor_create(&worker->acceptor, conf);
    if (error != 0) {
        return error;
    }
    bool caching = conf->cache == CONF_ON;
    return cache_create(&worker->cache, caching ? conf->cache_entries_max : 0,
                        conf->cache_bytes_max, worker->settings.budget.cached_files_max);
}

static void init_lists(struct worker *worker)
{
    const struct conf *conf = worker->settings.conf;
    list_init(&worker->ready);
    list_init(&worker->waiting_outbuf);
    list_init(&worker->waiting_chunk);
    list_init(&worker->waiting_buffer);
    list_init(&worker->holding);
    for (unsigned i = 0; i < DEADLINES_COUNT; i++) {
        list_init(&worker->deadlines[i]);
    }
    worker->deadline_ms[DEADLINE_IDLE] = conf->keepalive_timeout_ms;
    worker->deadline_ms[DEADLINE_HEAD] = conf->head_timeout_ms;
    worker->deadline_ms[DEADLINE_BODY] = conf->body_timeout_ms;
    worker->deadline_ms[DEADLINE_SEND] = conf->send_timeout_ms;
    worker->deadline_ms[DEADLINE_LINGER] = conf->linger_timeout_ms;
}

int worker_create(struct worker *worker, const struct worker_settings *settings)
{
    memset(worker, 0, sizeof(*worker));
    worker->settings = *settings;
    worker->date_s = -1;
    if (getrandom(worker->random, sizeof(worker->random), GRND_NONBLOCK) < 0) {
        worker->random[0] = (uint64_t)time(NULL); /* no entropy yet: early at boot */
    }
    worker->random[1] |= 1; /* the state must not be zero */
    uint8_t salt[AUTH_SALT_SIZE] = { 0 };
    if (getrandom(salt, sizeof(salt), GRND_NONBLOCK) < 0) {
        memcpy(salt, worker->random, sizeof(worker->random));
    }
    auth_cache_init(&worker->auth, salt);
    worker->log.file = -1;
    worker->log.file_next = -1;
    worker->watch.fd = -1;
    init_lists(worker);
    init_zerocopy(worker);
    int error = create_engine(worker);
    if (error == 0) {
        error = create_tables(worker);
    }
    if (error != 0) {
        fprintf(stderr, "gyre: worker %u cannot start: %s\n", settings->index, strerror(-error));
        worker_destroy(worker);
        return error;
    }
    error = access_log_open(&worker->log, worker->uring, settings->conf->access_log,
                            settings->conf->dev == CONF_ON);
    if (error != 0) {
        fprintf(stderr, "gyre: cannot open the access log '%s': %s\n", settings->conf->access_log,
                strerror(-error));
        worker_destroy(worker);
        return error;
    }
    bool watching = settings->conf->cache == CONF_ON && settings->conf->cache_watch == CONF_ON;
    watch_create(&worker->watch, worker->uring, watching);
    if (settings->conf->magic == CONF_ON) {
        worker->magic = magic_type_create();
    }
    return 0;
}

void worker_destroy(struct worker *worker)
{
    magic_type_destroy(worker->magic);
    access_log_close(&worker->log);
    watch_destroy(&worker->watch);
    if (worker->cache.buckets != NULL) {
        cache_destroy(&worker->cache, worker->uring);
    }
    acceptor_destroy(&worker->acceptor);
    input_pool_destroy(&worker->inputs);
    if (worker->chunks != NULL) {
        uring_pool_destroy(worker->chunks);
    }
    if (worker->outbufs != NULL) {
        uring_pool_destroy(worker->outbufs);
    }
    if (worker->uring != NULL) {
        uring_destroy(worker->uring);
    }
    free(worker->chunk_owners);
    free(worker->exchanges_free);
    free(worker->exchanges);
    free(worker->slots_free);
    free(worker->connections);
    /* worker->report: NULL, or in the hands of the kernel for as long as the process lasts. */
}

uint64_t worker_memory_max(const struct worker_settings *settings)
{
    const struct conf *conf = settings->conf;
    uint64_t slots = slots_count_of(settings);
    return slots * (sizeof(struct connection) + sizeof(struct exchange) + INBOX_SIZE + OUTBUF_SIZE +
                    2 * sizeof(uint32_t)) +
           (uint64_t)conf->chunks_max * conf->chunk_bytes +
           (uint64_t)settings->budget.recv_buffers * conf->recv_buffer_bytes +
           2 * conf->cache_bytes_max + settings->budget.completions * 16ULL +
           2ULL * LOG_BUFFER_SIZE + sizeof(struct worker);
}

/* budget: see the header. */
#include "server/budget.h"

#include <inttypes.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/limits.h"
#include "uring/uring.h"

enum {
    DESCRIPTORS_OWN = 32,    /* standard streams, the root, libmagic, the waker */
    DESCRIPTORS_WORKER = 8,  /* ring, log, its successor, files between open and answer */
    DESCRIPTORS_HELPER = 4,  /* its ring; the file of passwords, or the directory, at work */
    DESCRIPTORS_ARCHIVE = 8, /* the depth that is common; deeper ones take of what files leave */
    CACHED_FILES_MAX = 1024,
    COMPLETIONS_MAX = 65536, /* the kernel's bound */
    RECV_BUFFERS_MIN = 64,
    ENTRY_BYTES = 64 + 4, /* of locked memory: a submission entry and its index */
    COMPLETION_BYTES = 16,
    RECV_BUFFER_BYTES = 16, /* its place in the buffer ring */
};

struct budget_limits budget_read_limits(void)
{
    struct budget_limits limits = { .descriptors = 1024, .locked_bytes = UINT64_MAX };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        struct rlimit raised = { .rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max };
        bool is_raised = setrlimit(RLIMIT_NOFILE, &raised) == 0;
        limits.descriptors = is_raised ? limit.rlim_max : limit.rlim_cur;
    }
    /* Root may lock what it likes; a capability without root is found out by trying. */
    if (geteuid() != 0 && getrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
        limit.rlim_cur != RLIM_INFINITY) {
        limits.locked_bytes = limit.rlim_cur;
    }
    return limits;
}

static bool offers_archives(const struct conf *conf)
{
    bool offers = conf->files.archive == CONF_ON;
    for (uint32_t i = 0; i < conf->rules_count; i++) {
        offers = offers || conf->rules[i].archive == CONF_ON;
    }
    return offers;
}

static void divide_descriptors(struct budget *budget, const struct conf *conf, uint64_t descriptors,
                               uint32_t workers_count, uint32_t listeners_count)
{
    uint32_t archives = offers_archives(conf) ? ARCHIVES_MAX * DESCRIPTORS_ARCHIVE : 0;
    uint64_t own = DESCRIPTORS_OWN + conf->hosts_count + conf->mounts_count + /* a root each */
                   (uint64_t)conf->compress_threads * DESCRIPTORS_HELPER +
                   (uint64_t)workers_count * (DESCRIPTORS_WORKER + listeners_count + archives);
    uint64_t left = descriptors > 2 * own ? descriptors - own : descriptors / 2;
    uint64_t share = left / workers_count;
    uint64_t files = share / 4 < CACHED_FILES_MAX ? share / 4 : CACHED_FILES_MAX;
    uint64_t connections = share - files;
    budget->cached_files_max = (uint32_t)files;
    budget->connections_max =
        connections < conf->connections_max ? (uint32_t)connections : conf->connections_max;
    if (budget->connections_max == 0) {
        budget->connections_max = 1;
    }
}

static uint64_t ring_bytes(const struct budget *budget)
{
    return (uint64_t)budget->ring_entries * ENTRY_BYTES +
           (uint64_t)budget->completions * COMPLETION_BYTES +
           (uint64_t)budget->recv_buffers * RECV_BUFFER_BYTES;
}

/* Halves the queues, the largest first, until they fit or are as small as they can be. */
static void shrink_queues(struct budget *budget, uint64_t bytes)
{
    while (ring_bytes(budget) > bytes) {
        if (budget->completions > 4 * budget->ring_entries) {
            budget->completions /= 2;
        } else if (budget->ring_entries > URING_ENTRIES_MIN) {
            budget->ring_entries /= 2;
        } else if (budget->recv_buffers > RECV_BUFFERS_MIN) {
            budget->recv_buffers /= 2;
        } else {
            return;
        }
    }
}

struct budget budget_divide(const struct conf *conf, const struct budget_limits *limits,
                            uint32_t workers_count, uint32_t listeners_count)
{
    struct budget budget = {
        .ring_entries = conf->ring_entries,
        .recv_buffers = conf->recv_buffers,
        .completions = 4 * conf->ring_entries,
    };
    divide_descriptors(&budget, conf, limits->descriptors, workers_count, listeners_count);
    /* A connection may have a recv, a file operation, a load, a send and a notice under way. */
    uint64_t wanted = 5 * (uint64_t)budget.connections_max + budget.recv_buffers;
    while (budget.completions < wanted && budget.completions < COMPLETIONS_MAX) {
        budget.completions *= 2;
    }
    if (limits->locked_bytes != UINT64_MAX) {
        /* The other half is for registered chunks. */
        shrink_queues(&budget, limits->locked_bytes / workers_count / 2);
    }
    return budget;
}

void budget_warn(const struct budget *budget, const struct conf *conf,
                 const struct budget_limits *limits, FILE *stream)
{
    if (budget->connections_max < conf->connections_max) {
        fprintf(stream,
                "gyre: %u connections a worker instead of %u: the descriptor limit (ulimit -n) is "
                "%" PRIu64 "\n",
                budget->connections_max, conf->connections_max, limits->descriptors);
    }
    if (budget->ring_entries < conf->ring_entries || budget->recv_buffers < conf->recv_buffers) {
        fprintf(stream,
                "gyre: smaller queues than configured: the limit of locked memory (ulimit -l) is "
                "%" PRIu64 " KiB\n",
                limits->locked_bytes >> 10);
    }
}

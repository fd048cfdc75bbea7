/* coding: see the header. */
#include "server/coding.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/digest.h"
#include "server/fill.h"
#include "server/task.h"
#include "server/worker.h"

enum {
    MADE = 1U << HTTP_CODING_BR | 1U << HTTP_CODING_ZSTD | 1U << HTTP_CODING_GZIP,
};

bool coding_is_makeable(const struct worker *worker, const struct entry *entry)
{
    const struct conf *conf = worker->settings.conf;
    return conf->compress == CONF_ON && conf->cache == CONF_ON && entry->siblings == 0 &&
           entry->coding == HTTP_CODING_IDENTITY && entry->size >= conf->compress_bytes_min &&
           entry->size <= conf->compress_bytes_max && entry->size <= conf->cache_bytes_max / 2 &&
           http_coding_is_compressible(entry->type);
}

/* An entry of a coding is good when it was made from what the resource is now. */
static struct entry *find_coded(struct worker *worker, struct exchange *exchange,
                                const struct entry *resource, enum http_coding coding)
{
    struct entry *coded = cache_find(&worker->cache, exchange_key(exchange, coding));
    if (coded == NULL) {
        return NULL;
    }
    bool is_sibling = (resource->siblings & 1U << coding) != 0;
    const struct entry_identity *source =
        is_sibling ? &resource->sibling_identities[coding] : &resource->identity;
    bool is_settled = coded->settles_s == 0 || worker->now_s < coded->settles_s;
    if (is_settled && entry_identity_equal(&coded->identity, source)) {
        return coded;
    }
    cache_remove(&worker->cache, worker->uring, coded);
    return NULL;
}

void coding_swap(struct worker *worker, struct exchange *exchange, struct entry *coded)
{
    struct entry *resource = exchange->resource;
    assert(resource != NULL);
    if (exchange->policy == &resource->policy) {
        exchange->policy = &coded->policy;
    }
    exchange->resource = NULL;
    exchange->entry = coded;
    entry_release(worker->uring, resource);
}

static void open_sibling(struct worker *worker, struct connection *connection,
                         enum http_coding coding)
{
    struct exchange *exchange = connection->exchange;
    struct entry *resource = exchange->entry;
    struct candidate *place = &exchange->place;
    struct slice suffix = http_coding_suffix(coding);
    size_t size = strlen(resource->path);
    assert(size + suffix.size < sizeof(place->path)); /* it was found by this name */
    memmove(place->path, resource->path, size);
    memcpy(place->path + size, suffix.data, suffix.size);
    place->path[size + suffix.size] = '\0';
    place->kind = CANDIDATE_FILE;
    place->root = resource->root;
    exchange->coding = (uint8_t)coding;
    exchange->resource = resource;
    exchange->entry = NULL;
    exchange_open(worker, connection);
}

void coding_miss_sibling(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    assert(exchange->entry == NULL);
    exchange->codings_missed |= (uint8_t)(1U << exchange->coding);
    exchange->entry = exchange->resource;
    exchange->resource = NULL;
    exchange_found(worker, connection);
}

/* --- making ------------------------------------------------------------------------------------
 */

struct compress_job coding_job_for(const struct entry *resource, enum http_coding coding)
{
    bool in_memory = resource->file < 0;
    return (struct compress_job){
        .work = { .run = compress_run },
        .coding = coding,
        .data = in_memory ? resource->body : NULL,
        .file = resource->file,
        .size = resource->size,
    };
}

/* Of the whole queue of helpers background work has its share; when that is full, a later request
 * asks again. */
static void start_job(struct worker *worker, struct entry *resource, enum http_coding coding)
{
    uint32_t place = CODING_JOBS_MAX;
    for (uint32_t i = 0; i < CODING_JOBS_MAX; i++) {
        const struct coding_job *job = &worker->coding_jobs[i];
        if (job->resource == resource && job->compress.coding == coding) {
            return;
        }
        place = job->resource == NULL ? i : place;
    }
    if (place == CODING_JOBS_MAX || !resource->cached) {
        return;
    }
    struct coding_job *job = &worker->coding_jobs[place];
    job->compress = coding_job_for(resource, coding);
    struct uring_token token = { .op = OP_CODING, .slot = place };
    if (uring_offload(worker->uring, token, URING_BACKGROUND, &job->compress.work) == 0) {
        job->resource = entry_acquire(resource);
        worker->coding_jobs_count++;
    }
}

/* The key of the resource in another coding. */
static struct slice coded_key(struct worker *worker, const struct entry *resource,
                              enum http_coding coding)
{
    return slice_of(worker->path, exchange_write_key(entry_address(resource), resource->site,
                                                     coding, worker->path));
}

static struct entry *create_coded(struct worker *worker, struct entry *resource,
                                  const struct compress_job *job)
{
    struct entry *coded =
        entry_create_body(coded_key(worker, resource, job->coding), resource->path,
                          slice_of(job->result, job->result_size));
    if (coded == NULL) {
        return NULL;
    }
    entry_account(coded, &worker->live_bytes);
    coded->identity = resource->identity;
    coded->site = resource->site;
    coded->root = resource->root;
    coded->coding = (uint8_t)job->coding;
    coded->negotiable = true;
    coded->has_no_etag = resource->has_no_etag;
    coded->policy = resource->policy;
    coded->type = entry_borrow_type(coded, resource);
    coded->cache_control = resource->cache_control;
    coded->lines = resource->lines;
    /* Other versions of the libraries make other bytes: replicas must not share that tag. */
    coded->has_digest =
        resource->has_digest && digest_bytes(job->result, job->result_size, coded->digest) == 0;
    if (!entry_render(coded, worker->now_s)) {
        entry_release(worker->uring, coded);
        return NULL;
    }
    return coded;
}

struct entry *coding_take_result(struct worker *worker, struct entry *resource,
                                 struct compress_job *job)
{
    struct entry *coded = NULL;
    bool from_file = job->data == NULL;
    if (job->error == 0 && from_file && !fill_file_is_unchanged(worker, resource)) {
        free(job->result); /* other bytes than its tag would stand for */
        job->error = -EIO;
    } else if (job->error == 0) {
        coded = create_coded(worker, resource, job);
        free(job->result);
        if (coded != NULL && resource->cached && !coded->young) {
            cache_insert(&worker->cache, worker->uring, coded);
        }
    } else if (job->error == -ENOSPC) {
        resource->codings_failed |= (uint8_t)(1U << job->coding);
    }
    return coded;
}

void coding_handle_job(struct worker *worker, const struct uring_event *event)
{
    assert(event->token.slot < CODING_JOBS_MAX);
    struct coding_job *job = &worker->coding_jobs[event->token.slot];
    assert(job->resource != NULL);
    struct entry *coded = coding_take_result(worker, job->resource, &job->compress);
    if (coded != NULL) {
        entry_release(worker->uring, coded);
    }
    entry_release(worker->uring, job->resource);
    job->resource = NULL;
    worker->coding_jobs_count--;
}

/* --- choosing ----------------------------------------------------------------------------------
 */

static unsigned codings_makeable(const struct worker *worker, const struct entry *resource)
{
    return coding_is_makeable(worker, resource) ? MADE & ~(unsigned)resource->codings_failed : 0;
}

/* Of what is too young to be kept a coding serves one request: it is made only for who will have
 * nothing else. */
static enum http_coding choose(const struct worker *worker, const struct exchange *exchange)
{
    const struct entry *resource = exchange->entry;
    unsigned missed = exchange->codings_missed;
    unsigned makeable = codings_makeable(worker, resource) & ~missed;
    unsigned ready = (1U << HTTP_CODING_IDENTITY | resource->siblings) & ~missed;
    unsigned available = resource->cached ? ready | makeable : ready;
    enum http_coding coding = http_coding_choose(&exchange->request, available);
    if (coding == HTTP_CODING_NONE && makeable != 0) {
        coding = http_coding_choose(&exchange->request, makeable);
    }
    return coding;
}

/* The coding has to be made, and is wanted now. */
static void make(struct worker *worker, struct connection *connection, enum http_coding coding)
{
    struct exchange *exchange = connection->exchange;
    enum http_coding other = http_coding_choose(&exchange->request, 1U << HTTP_CODING_IDENTITY);
    if (other == HTTP_CODING_IDENTITY) {
        start_job(worker, exchange->entry, coding);
    } else {
        task_make_coding(worker, connection, coding);
    }
}

void coding_select(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    struct entry *resource = exchange->entry;
    if (exchange->request.accept_encoding.data == NULL) {
        return;
    }
    enum http_coding coding = choose(worker, exchange);
    if (coding == HTTP_CODING_IDENTITY) {
        return;
    }
    if (coding == HTTP_CODING_NONE) {
        exchange_conclude(worker, connection, 406);
        return;
    }
    struct entry *coded = find_coded(worker, exchange, resource, coding);
    if (coded != NULL) {
        exchange->resource = resource;
        coding_swap(worker, exchange, entry_acquire(coded));
    } else if ((resource->siblings & 1U << coding) != 0) {
        open_sibling(worker, connection, coding);
    } else {
        make(worker, connection, coding);
    }
}

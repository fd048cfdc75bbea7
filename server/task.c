/* task: see the header. */
#include "server/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_accept.h"
#include "server/answer.h"
#include "server/archive.h"
#include "server/coding.h"
#include "server/fill.h"
#include "server/freshness.h"
#include "server/listing_entry.h"
#include "server/notice.h"
#include "server/task_internal.h"
#include "server/worker.h"

struct task *task_create(struct exchange *exchange, enum task_kind kind)
{
    assert(exchange->task == NULL);
    exchange->task = calloc(1, sizeof(*exchange->task));
    if (exchange->task != NULL) {
        exchange->task->kind = kind;
    }
    return exchange->task;
}

void task_free(struct exchange *exchange)
{
    free(exchange->task);
    exchange->task = NULL;
}

bool task_start(struct worker *worker, struct connection *connection, struct uring_work *work)
{
    struct exchange *exchange = connection->exchange;
    if (uring_offload(worker->uring, connection_token(connection, OP_TASK), URING_URGENT, work) !=
        0) {
        return false;
    }
    exchange->step = EXCHANGE_TASK;
    connection_occupy(connection, LANE_FILE);
    return true;
}

void task_give_up(struct worker *worker, struct connection *connection)
{
    task_free(connection->exchange);
    exchange_conclude(worker, connection, 503);
}

/* --- digests and codings -----------------------------------------------------------------------
 */

void task_digest(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    struct task *task = task_create(exchange, TASK_DIGEST);
    if (task == NULL) {
        task_give_up(worker, connection);
        return;
    }
    task->job.digest = (struct digest_job){ .work = { .run = digest_run },
                                            .file = exchange->entry->file,
                                            .size = exchange->entry->size };
    if (!task_start(worker, connection, &task->job.digest.work)) {
        task_give_up(worker, connection);
    }
}

static void end_digest(struct worker *worker, struct connection *connection)
{
    struct digest_job job = connection->exchange->task->job.digest;
    task_free(connection->exchange);
    fill_take_digest(worker, connection, job.digest, job.error);
}

void task_make_coding(struct worker *worker, struct connection *connection, enum http_coding coding)
{
    struct exchange *exchange = connection->exchange;
    bool is_full = worker->codings_awaited_count == CODINGS_AWAITED_MAX;
    struct task *task = is_full ? NULL : task_create(exchange, TASK_CODING);
    if (task == NULL) {
        task_give_up(worker, connection);
        return;
    }
    task->job.coding = coding_job_for(exchange->entry, coding);
    if (task_start(worker, connection, &task->job.coding.work)) {
        worker->codings_awaited_count++;
    } else {
        task_give_up(worker, connection);
    }
}

static void end_coding(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    struct compress_job job = exchange->task->job.coding;
    worker->codings_awaited_count--;
    task_free(exchange);
    struct entry *coded = coding_take_result(worker, exchange->entry, &job);
    if (job.error == -EIO) {
        fill_again(worker, connection);
        return;
    }
    if (coded == NULL && job.error != -ENOSPC) { /* memory is short */
        exchange_conclude(worker, connection, 503);
        return;
    }
    if (coded == NULL) {
        exchange->codings_missed |= (uint8_t)(1U << job.coding);
        exchange_found(worker, connection);
        return;
    }
    exchange->resource = exchange->entry;
    coding_swap(worker, exchange, coded);
    exchange_found(worker, connection);
}

/* --- listings ----------------------------------------------------------------------------------
 */

static void listing_job_run(struct uring_work *work)
{
    struct listing_job *job = (struct listing_job *)(void *)work; /* its first member */
    listing_run(&job->listing);
    job->has_digest = job->listing.error == 0 &&
                      digest_bytes(job->listing.data, job->listing.size, job->digest) == 0;
}
_Static_assert(offsetof(struct listing_job, work) == 0, "the work is the job");

/* What whoever has been admitted to the directory may see of its content. */
static struct reach reach_of(const struct worker *worker, const struct exchange *exchange)
{
    const struct conf *conf = worker->settings.conf;
    const struct policy *policy = exchange->policy;
    return (struct reach){
        .conf = conf,
        .sites = worker->settings.sites,
        .site = exchange->site,
        .root = exchange->place.root,
        .directory = slice_of(exchange->target.path, exchange->target.path_size),
        .users = policy->auth != 0 ? conf_text(conf, policy->auth) : NULL,
    };
}

static void start_listing(struct worker *worker, struct connection *connection, int directory,
                          struct http_listing_query query)
{
    struct exchange *exchange = connection->exchange;
    const struct conf *conf = worker->settings.conf;
    struct task *task = task_create(exchange, TASK_LISTING);
    if (task == NULL) {
        uring_close(worker->uring, directory);
        task_give_up(worker, connection);
        return;
    }
    if (query.format == HTTP_LISTING_FORMAT_ANY || query.format == HTTP_LISTING_FORMAT_TAR) {
        query.format = http_accept_prefers_json(&exchange->request) ? HTTP_LISTING_FORMAT_JSON
                                                                    : HTTP_LISTING_FORMAT_HTML;
    }
    struct listing *listing = &task->job.listing.listing;
    size_t beneath_size = strlen(exchange->place.path);
    assert(beneath_size <= HTTP_PATH_SIZE_MAX);
    memcpy(listing->path, exchange->place.path, beneath_size + 1);
    size_t mount_size = exchange->target.path_size - beneath_size;
    listing->mount =
        slice_of(exchange->target.path, mount_size - (beneath_size > 0 && mount_size > 0));
    listing->root = sites_root(worker->settings.sites, exchange->place.root);
    listing->directory = directory;
    listing->show_dotfiles = conf->dotfiles == CONF_DOTFILES_SHOW;
    listing->symlinks = freshness_symlinks(conf);
    listing->query = query;
    listing->offer_archive = exchange->policy->archive;
    task->job.listing.reach = reach_of(worker, exchange);
    listing->reach = &task->job.listing.reach;
    task->job.listing.work.run = listing_job_run;
    if (!task_start(worker, connection, &task->job.listing.work)) {
        uring_close(worker->uring, directory);
        task_give_up(worker, connection);
    }
}

static void end_listing(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    const struct listing_job *job = &exchange->task->job.listing;
    const struct listing *listing = &job->listing;
    uring_close(worker->uring, listing->directory);
    int error = listing->error;
    struct entry *entry = error == 0 ? listing_entry_create(worker, exchange, listing,
                                                            job->has_digest ? job->digest : NULL)
                                     : NULL;
    free(listing->data);
    task_free(exchange);
    if (entry == NULL) {
        exchange_conclude(worker, connection, error != 0 ? http_status_from_errno(error) : 503);
        return;
    }
    exchange->entry = entry;
    exchange->step = EXCHANGE_FOUND;
}

/* --- archives ----------------------------------------------------------------------------------
 */

static void start_archive(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    const struct conf *conf = worker->settings.conf;
    char name[HTTP_SEGMENT_SIZE_MAX + 1];
    answer_write_archive_name(exchange, name);
    struct reach reach = reach_of(worker, exchange);
    struct archive_stream_options options = {
        .root = sites_root(worker->settings.sites, exchange->place.root),
        .path = exchange->place.path,
        .name = name,
        .show_dotfiles = conf->dotfiles == CONF_DOTFILES_SHOW,
        .symlinks = freshness_symlinks(conf),
        .reach = &reach,
    };
    bool is_full = worker->archives_count == ARCHIVES_MAX;
    int error = is_full ? -EAGAIN : archive_stream_create(&options, &exchange->archive);
    if (error != 0) {
        exchange_conclude(worker, connection, http_status_from_errno(error));
        return;
    }
    worker->archives_count++;
    exchange->archive_is_begun = false;
    exchange->archive_bytes = 0;
    if (!task_next_piece(worker, connection)) {
        exchange_conclude(worker, connection, 503);
    }
}

bool task_next_piece(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    struct task *task = task_create(exchange, TASK_PIECE);
    if (task == NULL || !task_start(worker, connection, &exchange->archive->work)) {
        task_free(exchange);
        return false;
    }
    return true;
}

static void end_piece(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    task_free(exchange);
    int error = exchange->archive->error;
    if (error == 0) {
        exchange->step = EXCHANGE_STREAM;
        exchange->archive_has_piece = exchange->archive->size > 0;
    } else if (!exchange->archive_is_begun) {
        exchange_conclude(worker, connection, http_status_from_errno(error));
    } else {
        notice("archive of '%s': %s: connection closed", exchange->place.path, strerror(-error));
        connection->aborted = true;
        connection_fail(worker, connection);
    }
}

/* --- directories -------------------------------------------------------------------------------
 */

void task_show_directory(struct worker *worker, struct connection *connection, int directory)
{
    struct exchange *exchange = connection->exchange;
    struct http_listing_query query;
    http_listing_query_parse(exchange->request.query, &query);
    bool wants_archive = query.format == HTTP_LISTING_FORMAT_TAR;
    if (wants_archive && exchange->policy->archive) {
        uring_close(worker->uring, directory);
        start_archive(worker, connection);
    } else if (exchange->policy->listing && !exchange->is_internal) {
        start_listing(worker, connection, directory, query);
    } else {
        uring_close(worker->uring, directory);
        exchange_conclude(worker, connection, 403);
    }
}

/* Nobody waits any more: what was made is thrown away. */
static void throw_away(struct worker *worker, struct exchange *exchange)
{
    struct task *task = exchange->task;
    if (task->kind == TASK_LISTING) {
        uring_close(worker->uring, task->job.listing.listing.directory);
        free(task->job.listing.listing.data);
    } else if (task->kind == TASK_AUTHORIZE) {
        worker->passwords_checked_count--;
    } else if (task->kind == TASK_CODING) {
        worker->codings_awaited_count--;
        free(task->job.coding.result);
    }
    task_free(exchange);
}

void task_handle(struct worker *worker, struct connection *connection,
                 const struct uring_event *event)
{
    (void)event;
    struct exchange *exchange = connection->exchange;
    assert(exchange != NULL);
    assert(exchange->task != NULL);
    if (connection->state != CONNECTION_OPEN) {
        throw_away(worker, exchange);
        return;
    }
    switch (exchange->task->kind) {
    case TASK_AUTHORIZE:
        task_end_authorize(worker, connection);
        break;
    case TASK_DIGEST:
        end_digest(worker, connection);
        break;
    case TASK_LISTING:
        end_listing(worker, connection);
        break;
    case TASK_CODING:
        end_coding(worker, connection);
        break;
    case TASK_PIECE:
        end_piece(worker, connection);
        break;
    }
}

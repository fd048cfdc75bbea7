/* exchange: from a request to its response in the outbox.
 *
 * Duty: the steps that need the file system, one operation at a time on LANE_FILE, each decided by
 * what the pure stages of http/, the rules and the cache say. A cache hit takes no step at all.
 *
 *   IDLE --hit-------------------------------> FOUND --> answered
 *     \--miss--> OPENING --> FILLING ---------/            PARTS, STREAM: in several rounds
 *       place after place \--> TASK: listing, credentials, digest, coding
 *                          \-> STATUS --> answered
 *
 * Order: what the rules forbid or redirect is settled before anything is looked for, a hit or not
 * (exchange_rules.c); a place that holds nothing leads to the next; what is nowhere may be the
 * single page's, or an error's.
 *
 * Ownership: the exchange holds one count of its entry, and of its resource. */
#include "server/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_accept.h"
#include "server/answer.h"
#include "server/archive.h"
#include "server/coding.h"
#include "server/fill.h"
#include "server/freshness.h"
#include "server/task.h"
#include "server/worker.h"

void exchange_open(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    exchange->step = EXCHANGE_OPENING;
    uring_open(worker->uring, connection_token(connection, OP_OPEN),
               sites_root(worker->settings.sites, exchange->place.root), exchange->place.path,
               freshness_symlinks(worker->settings.conf));
    connection_occupy(connection, LANE_FILE);
}

static void keep_policy(struct exchange *exchange, const struct entry *entry)
{
    if (exchange->policy == &entry->policy) {
        exchange->own_policy = entry->policy;
        exchange->policy = &exchange->own_policy;
    }
}

void exchange_drop_entry(struct worker *worker, struct exchange *exchange)
{
    struct entry **held[] = { &exchange->entry, &exchange->resource };
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
        if (*held[i] != NULL) {
            keep_policy(exchange, *held[i]);
            entry_release(worker->uring, *held[i]);
            *held[i] = NULL;
        }
    }
}

/* --- the look-up -------------------------------------------------------------------------------
 */

/* A page of [errors] or spa is the file of its name; try may lead who asks for that elsewhere. */
static bool is_found_alike(const struct exchange *exchange, const struct entry *entry)
{
    return entry->is_internal == exchange->is_internal || entry->policy.try_list == 0;
}

static struct entry *find_fresh(struct worker *worker, struct exchange *exchange)
{
    struct entry *entry = cache_find(&worker->cache, exchange_key(exchange, HTTP_CODING_IDENTITY));
    if (entry != NULL && (!is_found_alike(exchange, entry) || !freshness_holds(worker, entry))) {
        cache_remove(&worker->cache, worker->uring, entry);
        entry = NULL;
    }
    return entry;
}

static void set_target(struct exchange *exchange, struct slice path)
{
    assert(path.size <= HTTP_PATH_SIZE_MAX);
    exchange->is_internal = true;
    exchange->target.path_size = (uint16_t)path.size;
    exchange->target.is_directory = false;
    memcpy(exchange->target.path, path.data, path.size);
}

/* In a site of one page its router knows addresses that are no files: but only a page that somebody
 * navigates to, never a missing script. */
static bool is_page_of_spa(struct exchange *exchange)
{
    if (exchange->is_internal || exchange->policy->spa == 0) {
        return false;
    }
    const struct http_target *target = &exchange->target;
    size_t start = target->path_size;
    while (start > 0 && target->path[start - 1] != '/') {
        start--;
    }
    struct slice last = slice_of(target->path + start, target->path_size - start);
    return http_accept_is_navigation(&exchange->request, last);
}

static void conclude_missing(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    if (!is_page_of_spa(exchange)) {
        exchange_conclude(worker, connection, 404);
        return;
    }
    struct slice page = policy_text(worker->settings.conf, exchange->policy->spa);
    if (exchange_admit_spa(worker, connection, page)) {
        set_target(exchange, slice_of(page.data + 1, page.size - 1));
        exchange_look_up(worker, connection);
    }
}

/* Opens the place whose turn it is. */
static void open_candidate(struct worker *worker, struct connection *connection)
{
    static const struct policy PLAIN = { 0 };
    struct exchange *exchange = connection->exchange;
    struct candidate_source source = {
        .sites = worker->settings.sites,
        .conf = worker->settings.conf,
        .policy = exchange->is_internal ? &PLAIN : exchange->policy,
        .site = exchange->site,
        .path = slice_of(exchange->target.path, exchange->target.path_size),
        .is_directory = exchange->target.is_directory,
    };
    if (candidate_get(&source, exchange->candidate, &exchange->place)) {
        exchange_open(worker, connection);
    } else {
        conclude_missing(worker, connection);
    }
}

static void try_next_candidate(struct worker *worker, struct connection *connection)
{
    connection->exchange->candidate++;
    open_candidate(worker, connection);
}

void exchange_look_up(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    exchange_drop_entry(worker, exchange);
    exchange->candidate = 0;
    exchange->open_attempts = 0;
    struct entry *entry = find_fresh(worker, exchange);
    if (entry != NULL) {
        exchange->entry = entry_acquire(entry);
    }
    if (!exchange->is_internal) {
        exchange->policy = entry != NULL ? &entry->policy : exchange_policy(worker, exchange);
        if (!exchange_admit(worker, connection)) {
            return;
        }
    }
    if (entry != NULL) {
        exchange_found(worker, connection);
    } else {
        open_candidate(worker, connection);
    }
}

void exchange_found(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    exchange->step = EXCHANGE_FOUND;
    if (exchange->status == 0 && exchange->entry->coding == HTTP_CODING_IDENTITY) {
        coding_select(worker, connection);
    }
}

void exchange_conclude(struct worker *worker, struct connection *connection, unsigned status)
{
    struct exchange *exchange = connection->exchange;
    const struct conf *conf = worker->settings.conf;
    exchange_drop_entry(worker, exchange);
    exchange->step = EXCHANGE_STATUS;
    if (exchange->status != 0) {
        return; /* it was the page that failed: the built-in body it is */
    }
    exchange->status = (uint16_t)status;
    exchange->fill_attempts = 0;
    for (uint32_t i = 0; i < conf->error_pages_count; i++) {
        if (conf->error_pages[i].status == status) {
            set_target(exchange, slice_from_string(conf->error_pages[i].path));
            exchange_look_up(worker, connection);
            return;
        }
    }
}

static void start(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    const struct http_request *request = &exchange->request;
    worker->counters.requests++;
    exchange->site = sites_find(worker->settings.sites, request->host);
    exchange->target.path_size = 0;
    exchange->target.is_directory = true;
    enum http_target_result decoded = HTTP_TARGET_OK;
    if (request->path.data != NULL) { /* absent for "*" */
        decoded = http_target_decode(request->path, &exchange->target);
    }
    struct http_response response;
    bool is_early = http_respond_early(request, &response);
    if (decoded != HTTP_TARGET_OK) {
        exchange->policy =
            sites_policy(worker->settings.sites, exchange->site, SLICE("/"), &exchange->own_policy);
        exchange_conclude(worker, connection,
                          is_early                     ? response.status
                          : decoded == HTTP_TARGET_BAD ? 400
                                                       : 404);
        return;
    }
    bool is_hidden = exchange->target.has_dot_name && request->path.data != NULL &&
                     worker->settings.conf->dotfiles == CONF_DOTFILES_DENY;
    if (is_early || is_hidden) {
        exchange->policy = exchange_policy(worker, exchange);
        exchange_conclude(worker, connection, is_early ? response.status : 404);
        return;
    }
    exchange_look_up(worker, connection);
}

/* --- opening ---------------------------------------------------------------------------------- */

static void open_failed(struct worker *worker, struct connection *connection, int error)
{
    struct exchange *exchange = connection->exchange;
    bool again = error == -EAGAIN || error == -EINTR;
    if (error == -EMFILE || error == -ENFILE) {
        again = cache_release_files(&worker->cache, worker->uring) > 0;
    }
    if (again && exchange->open_attempts < OPEN_ATTEMPTS_MAX) {
        exchange->open_attempts++;
        exchange_open(worker, connection);
    } else if (exchange->resource != NULL) {
        coding_miss_sibling(worker, connection);
    } else if (http_status_from_errno(error) == 404) {
        try_next_candidate(worker, connection);
    } else {
        exchange_conclude(worker, connection, http_status_from_errno(error));
    }
}

/* `file` is a directory. */
static void opened_directory(struct worker *worker, struct connection *connection, int file)
{
    struct exchange *exchange = connection->exchange;
    switch (exchange->place.kind) {
    case CANDIDATE_DIRECTORY:
        task_show_directory(worker, connection, file);
        return;
    case CANDIDATE_FILE_OR_SLASH:
    case CANDIDATE_SLASH:
        uring_close(worker->uring, file);
        exchange_conclude(worker, connection, exchange_slash_status(worker, exchange));
        return;
    case CANDIDATE_FILE:
        break;
    }
    uring_close(worker->uring, file);
    try_next_candidate(worker, connection);
}

static void opened_file(struct worker *worker, struct connection *connection, int file,
                        const struct stat *status)
{
    if (connection->exchange->resource != NULL || exchange_admit_place(worker, connection)) {
        uring_allow_waiting(worker->uring, file);
        fill_start(worker, connection, file, status);
    } else {
        uring_close(worker->uring, file);
    }
}

static void opened(struct worker *worker, struct connection *connection, int file)
{
    struct exchange *exchange = connection->exchange;
    bool wants_file =
        exchange->place.kind == CANDIDATE_FILE || exchange->place.kind == CANDIDATE_FILE_OR_SLASH;
    struct stat status;
    int error = uring_stat(worker->uring, file, &status);
    if (error == 0 && S_ISREG(status.st_mode) && wants_file) {
        opened_file(worker, connection, file, &status);
    } else if (error == 0 && S_ISDIR(status.st_mode) && exchange->resource == NULL) {
        opened_directory(worker, connection, file);
    } else {
        uring_close(worker->uring, file);
        if (exchange->resource != NULL) {
            coding_miss_sibling(worker, connection);
        } else if (error != 0) {
            exchange_conclude(worker, connection, http_status_from_errno(error));
        } else if (wants_file) {
            exchange_conclude(worker, connection, 403); /* a FIFO, socket or device */
        } else {
            try_next_candidate(worker, connection); /* "/file.txt/" */
        }
    }
}

void exchange_handle_open(struct worker *worker, struct connection *connection,
                          const struct uring_event *event)
{
    assert(connection->exchange != NULL);
    assert(connection->exchange->step == EXCHANGE_OPENING);
    if (connection->state != CONNECTION_OPEN) {
        if (event->result >= 0) {
            uring_close(worker->uring, event->result);
        }
    } else if (event->result < 0) {
        open_failed(worker, connection, event->result);
    } else {
        opened(worker, connection, event->result);
    }
}

/* --- the steps ---------------------------------------------------------------------------------
 */

bool exchange_advance(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    if (exchange->step == EXCHANGE_IDLE) {
        start(worker, connection);
    }
    if ((connection->lanes & LANE_FILE) != 0 || !connection_make_room(worker, connection)) {
        return false;
    }
    switch (exchange->step) {
    case EXCHANGE_FOUND:
        return answer_entry(worker, connection);
    case EXCHANGE_PARTS:
        return answer_parts(connection);
    case EXCHANGE_STREAM:
        return answer_archive(worker, connection);
    default:
        return answer_status(worker, connection);
    }
}

void exchange_reject(struct worker *worker, struct connection *connection, unsigned status)
{
    struct exchange *exchange = connection->exchange;
    assert((connection->lanes & LANE_FILE) == 0);
    assert(exchange->entry == NULL);
    connection->phase = PHASE_LAST;
    connection->closes_uncleanly = true;
    exchange->request.keep_alive = false;
    exchange->step = EXCHANGE_STATUS;
    exchange->status = (uint16_t)status;
    /* Neither host nor path can be trusted: what holds for the top of the default site. */
    const struct sites *sites = worker->settings.sites;
    exchange->policy =
        sites_policy(sites, sites_find(sites, SLICE_NONE), SLICE("/"), &exchange->own_policy);
    bool answered = answer_status(worker, connection);
    assert(answered);
}

void exchange_release(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    assert((connection->lanes & LANE_FILE) == 0);
    assert(exchange->task == NULL);
    exchange_drop_entry(worker, exchange);
    if (exchange->archive != NULL) {
        answer_log_archive(worker, connection);
        archive_stream_destroy(exchange->archive);
        exchange->archive = NULL;
        worker->archives_count--;
    }
    worker->exchanges_free[worker->exchanges_free_count++] =
        (uint32_t)(exchange - worker->exchanges);
    connection->exchange = NULL;
}

void exchange_take(struct worker *worker, struct connection *connection)
{
    assert(connection->exchange == NULL);
    assert(worker->exchanges_free_count > 0); /* as many as connections */
    struct exchange *exchange =
        &worker->exchanges[worker->exchanges_free[--worker->exchanges_free_count]];
    exchange->step = EXCHANGE_IDLE;
    exchange->status = 0;
    exchange->is_internal = false;
    exchange->grants_count = 0;
    exchange->has_two_guards = false;
    exchange->is_rule_redirect = false;
    exchange->candidate = 0;
    exchange->open_attempts = 0;
    exchange->fill_attempts = 0;
    exchange->codings_missed = 0;
    exchange->policy = sites_base_policy(worker->settings.sites);
    exchange->closing = false;
    exchange->entry = NULL;
    exchange->resource = NULL;
    exchange->task = NULL;
    exchange->archive = NULL;
    connection->exchange = exchange;
}

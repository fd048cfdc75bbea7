/* exchange: from a request to its response in the outbox.
 *
 * Duty: the steps that need the file system, one operation at a time on LANE_FILE, each decided by
 * what the pure stages of http/ and the cache say. A cache hit takes no step at all.
 *
 *   IDLE --hit--> FOUND --> answered           OPENING -> FILLING -> FOUND
 *     \--miss--> OPENING                             \-> STATUS -> answered
 *
 * Ownership: in FILLING and FOUND the exchange holds one count of its entry. */
#include "server/exchange.h"

#include <errno.h>
#include <string.h>

#include "server/answer.h"
#include "server/freshness.h"
#include "server/worker.h"

/* The key of a target in the cache: its path, with a '/' for a directory. */
static struct slice target_key(struct http_target *target)
{
    target->path[target->path_size] = target->is_directory ? '/' : '\0';
    return slice_of(target->path, (size_t)target->path_size + target->is_directory);
}

/* The path to open: the target's, and behind it a name of the index list. */
static void set_path(struct exchange *exchange, const char *index)
{
    size_t size = exchange->target.path_size;
    memcpy(exchange->path, exchange->target.path, size);
    if (index != NULL) {
        if (size > 0) {
            exchange->path[size++] = '/';
        }
        size_t index_size = strlen(index);
        assert(index_size <= CONF_NAME_SIZE_MAX);
        memcpy(exchange->path + size, index, index_size);
        size += index_size;
    }
    assert(size < sizeof(exchange->path));
    exchange->path[size] = '\0';
}

static void open_path(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    exchange->step = EXCHANGE_OPENING;
    uring_open(worker->uring, connection_token(connection, OP_OPEN), worker->settings.root,
               exchange->path, freshness_symlinks(worker->settings.conf));
    connection_occupy(connection, LANE_FILE);
}

static void drop_entry(struct worker *worker, struct exchange *exchange)
{
    if (exchange->entry != NULL) {
        entry_release(worker->uring, exchange->entry);
        exchange->entry = NULL;
    }
}

static void look_up(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    struct http_target *target = &exchange->target;
    struct entry *entry = cache_find(&worker->cache, target_key(target));
    if (entry != NULL) {
        if (freshness_holds(worker, entry)) {
            exchange->entry = entry_acquire(entry);
            exchange->step = EXCHANGE_FOUND;
            return;
        }
        cache_remove(&worker->cache, worker->uring, entry);
    }
    const struct conf *conf = worker->settings.conf;
    exchange->wants_directory = target->is_directory && conf->index_count == 0;
    set_path(exchange, target->is_directory && conf->index_count > 0 ? conf->index[0] : NULL);
    open_path(worker, connection);
}

/* The lookup ended in a status. A page of [errors] is looked up in turn, once. */
static void conclude(struct worker *worker, struct connection *connection, unsigned status)
{
    struct exchange *exchange = connection->exchange;
    const struct conf *conf = worker->settings.conf;
    drop_entry(worker, exchange);
    exchange->step = EXCHANGE_STATUS;
    if (exchange->status != 0) {
        return; /* it was the page that failed: the built-in body it is */
    }
    exchange->status = (uint16_t)status;
    exchange->index_tried = 0;
    exchange->open_attempts = 0;
    exchange->fill_attempts = 0;
    for (uint32_t i = 0; i < conf->error_pages_count; i++) {
        if (conf->error_pages[i].status == status) {
            struct http_target *target = &exchange->target;
            target->path_size = (uint16_t)strlen(conf->error_pages[i].path);
            target->is_directory = false;
            memcpy(target->path, conf->error_pages[i].path, (size_t)target->path_size + 1);
            look_up(worker, connection);
            return;
        }
    }
}

static void start(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    worker->counters.requests++;
    struct http_response response;
    if (http_respond_early(&exchange->request, &response)) {
        conclude(worker, connection, response.status);
        return;
    }
    switch (http_target_decode(exchange->request.path, &exchange->target)) {
    case HTTP_TARGET_BAD:
        conclude(worker, connection, 400);
        return;
    case HTTP_TARGET_MISSING:
        conclude(worker, connection, 404);
        return;
    case HTTP_TARGET_OK:
        break;
    }
    if (exchange->target.has_dot_name && worker->settings.conf->dotfiles == CONF_DOTFILES_DENY) {
        conclude(worker, connection, 404);
        return;
    }
    look_up(worker, connection);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* A directory without an index tries the next name, then itself: it may not exist at all. */
static void try_next_index(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    const struct conf *conf = worker->settings.conf;
    exchange->index_tried++;
    exchange->wants_directory = exchange->index_tried >= conf->index_count;
    set_path(exchange, exchange->wants_directory ? NULL : conf->index[exchange->index_tried]);
    open_path(worker, connection);
}

static void open_failed(struct worker *worker, struct connection *connection, int error)
{
    struct exchange *exchange = connection->exchange;
    bool again = error == -EAGAIN || error == -EINTR;
    if (error == -EMFILE || error == -ENFILE) {
        again = cache_release_files(&worker->cache, worker->uring) > 0;
    }
    if (again && exchange->open_attempts < OPEN_ATTEMPTS_MAX) {
        exchange->open_attempts++;
        open_path(worker, connection);
    } else if (error == -ENOENT && exchange->target.is_directory && !exchange->wants_directory &&
               exchange->status == 0) {
        try_next_index(worker, connection);
    } else {
        conclude(worker, connection, http_status_from_errno(error));
    }
}

static void read_more(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    exchange->step = EXCHANGE_FILLING;
    uring_read(worker->uring, connection_token(connection, OP_FILL), exchange->entry->file,
               exchange->entry->body + exchange->filled_size,
               exchange->wanted_size - exchange->filled_size, exchange->filled_size);
    connection_occupy(connection, LANE_FILE);
}

static void finish_entry(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    struct entry *entry = exchange->entry;
    if (entry->type.data == NULL) {
        size_t size =
            magic_type_guess(worker->magic, entry->body, exchange->filled_size, entry->type_text);
        entry->type = slice_of(entry->type_text, size);
    }
    entry_render(entry, worker->now_s);
    if (entry->body_capacity >= entry->identity.size) {
        entry_drop_file(worker->uring, entry);
    }
    /* An index behind the first of the list would hide an earlier one that appears later. */
    if (!entry->young && exchange->index_tried == 0) {
        cache_insert(&worker->cache, worker->uring, entry);
    }
    exchange->step = EXCHANGE_FOUND;
}

/* `file` is a regular file: decide what of it has to be in memory, and read that. */
static void fill_entry(struct worker *worker, struct connection *connection, int file,
                       const struct stat *status)
{
    struct exchange *exchange = connection->exchange;
    const struct conf *conf = worker->settings.conf;
    uint64_t size = (uint64_t)status->st_size;
    struct slice type =
        http_type_by_name(worker->settings.types, slice_from_string(exchange->path));
    uint64_t capacity = type.data == NULL ? MAGIC_BYTES_MAX : 0;
    /* Slow readers keep bodies alive that the cache has let go of: beyond twice its size, bodies
     * come from their files. */
    bool fits = worker->live_bytes + size <= 2 * conf->cache_bytes_max;
    if ((size <= conf->cache_file_bytes_max && fits) || size < capacity) {
        capacity = size;
    }
    exchange->entry = entry_create(target_key(&exchange->target), exchange->path, status, file,
                                   (uint32_t)capacity);
    if (exchange->entry == NULL) {
        uring_close(worker->uring, file);
        conclude(worker, connection, 503);
        return;
    }
    entry_account(exchange->entry, &worker->live_bytes);
    exchange->entry->type = type;
    freshness_start(worker, exchange->entry);
    exchange->filled_size = 0;
    exchange->wanted_size = (uint32_t)capacity;
    if (capacity > 0) {
        read_more(worker, connection);
    } else {
        finish_entry(worker, connection);
    }
}

/* Only a target made of thousands of slashes and dots has too long a Location. */
static bool can_redirect(const struct exchange *exchange)
{
    return exchange->status == 0 &&
           http_target_write_slash_redirect(exchange->request.path, &exchange->target,
                                            exchange->request.query, NULL,
                                            0) <= HTTP_HEAD_LOCATION_SIZE_MAX;
}

static void opened(struct worker *worker, struct connection *connection, int file)
{
    struct exchange *exchange = connection->exchange;
    struct stat status;
    int error = uring_stat(worker->uring, file, &status);
    if (error == 0 && S_ISREG(status.st_mode) && !exchange->wants_directory) {
        uring_allow_waiting(worker->uring, file);
        fill_entry(worker, connection, file, &status);
        return;
    }
    uring_close(worker->uring, file);
    if (error != 0) {
        conclude(worker, connection, http_status_from_errno(error));
    } else if (!S_ISDIR(status.st_mode)) {
        /* A FIFO, socket or device; or "/file.txt/", where no directory was found. */
        conclude(worker, connection, exchange->wants_directory ? 404 : 403);
    } else if (exchange->wants_directory) {
        conclude(worker, connection, 403);
    } else if (exchange->target.is_directory) {
        try_next_index(worker, connection);
    } else {
        conclude(worker, connection, can_redirect(exchange) ? 301 : 404);
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

/* The file changed under the read: what was read may be half old, half new. */
static void fill_again(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    drop_entry(worker, exchange);
    if (exchange->fill_attempts < FILL_ATTEMPTS_MAX) {
        exchange->fill_attempts++;
        open_path(worker, connection);
    } else {
        conclude(worker, connection, 503);
    }
}

static bool entry_file_is_unchanged(struct worker *worker, const struct entry *entry)
{
    struct stat status;
    if (uring_stat(worker->uring, entry->file, &status) != 0) {
        return false;
    }
    struct entry_identity identity = entry_identity_of(&status);
    return entry_identity_equal(&identity, &entry->identity);
}

void exchange_handle_fill(struct worker *worker, struct connection *connection,
                          const struct uring_event *event)
{
    struct exchange *exchange = connection->exchange;
    assert(exchange != NULL);
    assert(exchange->step == EXCHANGE_FILLING);
    if (connection->state != CONNECTION_OPEN) {
        return;
    }
    if (event->result == -EAGAIN || event->result == -EINTR) {
        read_more(worker, connection);
    } else if (event->result < 0) {
        conclude(worker, connection, http_status_from_errno(event->result));
    } else if (event->result == 0) {
        fill_again(worker, connection);
    } else {
        exchange->filled_size += (uint32_t)event->result;
        assert(exchange->filled_size <= exchange->wanted_size);
        if (exchange->filled_size < exchange->wanted_size) {
            read_more(worker, connection);
        } else if (entry_file_is_unchanged(worker, exchange->entry)) {
            finish_entry(worker, connection);
        } else {
            fill_again(worker, connection);
        }
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
    if (exchange->step == EXCHANGE_OPENING || exchange->step == EXCHANGE_FILLING ||
        !connection_make_room(worker, connection)) {
        return false;
    }
    switch (exchange->step) {
    case EXCHANGE_FOUND:
        return answer_entry(worker, connection);
    case EXCHANGE_PARTS:
        return answer_parts(connection);
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
    bool answered = answer_status(worker, connection);
    assert(answered);
}

void exchange_release(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    assert((connection->lanes & LANE_FILE) == 0);
    drop_entry(worker, exchange);
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
    exchange->index_tried = 0;
    exchange->open_attempts = 0;
    exchange->fill_attempts = 0;
    exchange->wants_directory = false;
    exchange->closing = false;
    exchange->entry = NULL;
    connection->exchange = exchange;
}

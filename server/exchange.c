/* exchange: from a request to its response in the outbox.
 *
 * Duty: the steps that need the file system, one operation at a time on LANE_FILE, each decided by
 * what the pure stages of http/ and the cache say. A cache hit takes no step at all.
 *
 *   IDLE --hit--> FOUND --> answered           OPENING -> FILLING -> FOUND
 *     \--miss--> OPENING                             \-> STATUS -> answered
 *
 * Freshness: an entry is compared with the file at most once a batch of events. Every request of
 * the batch was received before that look, so none of them can be answered with what the file was
 * before it came.
 *
 * Ownership: in FILLING and FOUND the exchange holds one count of its entry. */
#include "server/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "http/http_status.h"
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

static enum uring_symlinks symlinks_of(const struct conf *conf)
{
    switch (conf->symlinks) {
    case CONF_SYMLINKS_NONE:
        return URING_SYMLINKS_NONE;
    case CONF_SYMLINKS_ALL:
        return URING_SYMLINKS_ALL;
    case CONF_SYMLINKS_WITHIN:
        break;
    }
    return URING_SYMLINKS_WITHIN;
}

static void open_path(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    exchange->step = EXCHANGE_OPENING;
    uring_open(worker->uring, connection_token(connection, OP_OPEN), worker->settings.root,
               exchange->path, symlinks_of(worker->settings.conf));
    connection_occupy(connection, LANE_FILE);
}

static void drop_entry(struct worker *worker, struct exchange *exchange)
{
    if (exchange->entry != NULL) {
        entry_release(worker->uring, exchange->entry);
        exchange->entry = NULL;
    }
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
    for (uint32_t i = 0; i < conf->error_pages_count; i++) {
        if (conf->error_pages[i].status == status) {
            exchange->target.path_size = 0;
            exchange->target.is_directory = false;
            set_path(exchange, conf->error_pages[i].path);
            open_path(worker, connection);
            return;
        }
    }
}

static bool entry_is_fresh(struct worker *worker, struct entry *entry)
{
    if (entry->checked_batch == worker->batch) {
        return true;
    }
    struct stat status;
    if (entry->young || uring_stat_path(worker->uring, worker->settings.root, entry->path,
                                        symlinks_of(worker->settings.conf), &status) != 0) {
        return false;
    }
    struct entry_identity identity = entry_identity_of(&status);
    if (!entry_identity_equal(&identity, &entry->identity)) {
        return false;
    }
    entry->checked_batch = worker->batch;
    return true;
}

static void look_up(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    struct http_target *target = &exchange->target;
    struct entry *entry = cache_find(&worker->cache, target_key(target));
    if (entry != NULL) {
        if (entry_is_fresh(worker, entry)) {
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

static void start(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    worker->counters.requests++;
    struct http_response response;
    if (http_respond_early(&exchange->request, &response)) {
        exchange->step = EXCHANGE_STATUS;
        exchange->status = response.status;
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
    if (entry->identity.size <= worker->settings.conf->cache_file_bytes_max) {
        entry_drop_file(worker->uring, entry);
    }
    /* An index behind the first of the list would hide an earlier one that appears later. */
    if (!entry->young && exchange->index_tried == 0 && exchange->status == 0) {
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
    if (size <= conf->cache_file_bytes_max || size < capacity) {
        capacity = size;
    }
    exchange->entry = entry_create(target_key(&exchange->target), exchange->path, status, file,
                                   (uint32_t)capacity);
    if (exchange->entry == NULL) {
        uring_close(worker->uring, file);
        conclude(worker, connection, 503);
        return;
    }
    exchange->entry->type = type;
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

/* --- answering -------------------------------------------------------------------------------- */

static char *outbuf_end(struct connection *connection)
{
    return connection->outbuf->data + connection->outbuf_used;
}

static uint32_t outbuf_room(const struct connection *connection)
{
    return connection->outbuf->size - connection->outbuf_used;
}

/* Bytes [outbuf_used, outbuf_used + size) have been written: they are to be sent. */
static void outbuf_commit(struct connection *connection, size_t size)
{
    assert(size <= outbuf_room(connection));
    outbox_append(&connection->outbox, (struct segment){ .home = SEGMENT_IN_OUTBUF,
                                                         .data = outbuf_end(connection),
                                                         .length = size });
    connection->outbuf_used += (uint32_t)size;
}

static bool outbuf_append(struct connection *connection, struct slice bytes)
{
    if (bytes.size > outbuf_room(connection)) {
        return false;
    }
    memcpy(outbuf_end(connection), bytes.data, bytes.size);
    outbuf_commit(connection, bytes.size);
    return true;
}

static bool must_close(const struct worker *worker, const struct connection *connection,
                       const struct http_request *request)
{
    uint32_t requests_max = worker->settings.conf->requests_per_connection_max;
    return !request->keep_alive || worker->stopping || connection->phase == PHASE_LAST ||
           (requests_max > 0 && connection->requests_count + 1 >= requests_max);
}

/* Closes the head whose fixed half lies at outbuf_end(), and commits it. */
static void commit_head(struct worker *worker, struct connection *connection,
                        const struct http_request *request, size_t fixed_size)
{
    bool closing = must_close(worker, connection, request);
    if (closing) {
        connection->phase = PHASE_LAST;
    }
    size_t tail_size = http_head_write_tail(worker->date, http_respond_connection(request, closing),
                                            outbuf_end(connection) + fixed_size);
    outbuf_commit(connection, fixed_size + tail_size);
}

static void log_response(struct worker *worker, const struct connection *connection,
                         const struct http_request *request, const struct http_response *response)
{
    if (!access_log_is_on(&worker->log)) {
        return;
    }
    bool known =
        connection->peer.sin6_family == AF_INET || connection->peer.sin6_family == AF_INET6;
    struct access_record record = {
        .peer = known ? (const struct sockaddr *)(const void *)&connection->peer : NULL,
        .line = request->line,
        .referer = request->referer,
        .user_agent = request->user_agent,
        .status = response->status,
        .body_bytes = response->content == HTTP_CONTENT_NONE ? 0 : response->length,
    };
    access_log_add(&worker->log, &record, worker->now_s);
}

static void append_body(struct connection *connection, struct entry *entry, uint64_t offset,
                        uint64_t length)
{
    struct segment segment = { .entry = entry, .offset = offset, .length = length };
    if (entry->file >= 0) {
        segment.home = SEGMENT_IN_FILE;
    } else if (length <= COALESCE_BODY_MAX &&
               outbuf_append(connection, slice_of(entry->body + offset, length))) {
        return;
    } else {
        segment.home = SEGMENT_IN_ENTRY;
        segment.data = entry->body + offset;
    }
    entry_acquire(entry);
    outbox_append(&connection->outbox, segment);
}

/* The fixed half for a page of [errors]: the entry's content under another status. */
static size_t write_page_head(const struct exchange *exchange, char *buffer)
{
    const struct entry *entry = exchange->entry;
    struct http_head head = {
        .status = exchange->status,
        .has_content_length = true,
        .content_length = entry->identity.size,
        .content_type = entry->type,
        .no_store = true,
        .allow = exchange->status == 405 ? http_allow() : SLICE_NONE,
        .retry_after_s = exchange->status == 503 ? RETRY_AFTER_S : 0,
    };
    return http_head_write_fixed(&head, buffer, HTTP_HEAD_FIXED_SIZE_MAX);
}

static void answer_entry(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    const struct http_request *request = &exchange->request;
    struct entry *entry = exchange->entry;
    struct http_representation representation = { .size = entry->identity.size };
    struct http_response response;
    http_respond(request, &representation, &response);

    size_t fixed_size = entry->head_size;
    if (exchange->status == 0) {
        memcpy(outbuf_end(connection), entry->head, fixed_size);
    } else {
        response.status = exchange->status;
        fixed_size = write_page_head(exchange, outbuf_end(connection));
    }
    commit_head(worker, connection, request, fixed_size);
    if (response.content == HTTP_CONTENT_REPRESENTATION && response.length > 0) {
        append_body(connection, entry, response.offset, response.length);
    }
    log_response(worker, connection, request, &response);
    drop_entry(worker, exchange);
}

/* Returns 0 when it does not fit. */
static size_t write_status_head(struct worker *worker, const struct exchange *exchange,
                                struct slice body, char *buffer, size_t size)
{
    unsigned status = exchange->status;
    struct slice location = SLICE_NONE;
    if (status == 301) {
        size_t location_size = http_target_write_slash_redirect(
            exchange->request.path, &exchange->target, exchange->request.query, worker->location,
            sizeof(worker->location));
        assert(location_size <= sizeof(worker->location));
        location = slice_of(worker->location, location_size);
    }
    struct http_head head = {
        .status = (uint16_t)status,
        .has_content_length = !http_status_is_bodiless(status),
        .content_length = body.size,
        .content_type = http_status_is_bodiless(status) ? SLICE_NONE : http_status_body_type(),
        .location = location,
        .allow = status == 405 || status == 204 ? http_allow() : SLICE_NONE,
        .retry_after_s = status == 503 ? RETRY_AFTER_S : 0,
        .no_store = status >= 400,
    };
    return http_head_write_fixed(&head, buffer, size);
}

/* False: the outbuf is too full for it. */
static bool answer_status(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    const struct http_request *request = &exchange->request;
    struct http_response response;
    http_respond_status(request, exchange->status, &response);
    struct slice body = http_status_is_bodiless(exchange->status)
                            ? slice_of("", 0)
                            : http_status_body(exchange->status);

    size_t room = outbuf_room(connection);
    size_t reserved = HTTP_HEAD_TAIL_SIZE_MAX + body.size;
    assert(room > reserved + HTTP_HEAD_FIXED_SIZE_MAX);
    size_t fixed_size =
        write_status_head(worker, exchange, body, outbuf_end(connection), room - reserved);
    if (fixed_size == 0) {
        return false;
    }
    commit_head(worker, connection, request, fixed_size);
    if (response.content == HTTP_CONTENT_STATUS) {
        bool appended = outbuf_append(connection, body);
        assert(appended);
    }
    log_response(worker, connection, request, &response);
    return true;
}

bool exchange_advance(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    if (exchange->step == EXCHANGE_IDLE) {
        start(worker, connection);
    }
    if (exchange->step == EXCHANGE_OPENING || exchange->step == EXCHANGE_FILLING ||
        !connection_has_room(worker, connection)) {
        return false;
    }
    if (exchange->step == EXCHANGE_FOUND) {
        answer_entry(worker, connection);
        return true;
    }
    return answer_status(worker, connection);
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

void exchange_continue(struct connection *connection)
{
    bool appended = outbuf_append(connection, http_head_continue());
    assert(appended);
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
    exchange->entry = NULL;
    connection->exchange = exchange;
}

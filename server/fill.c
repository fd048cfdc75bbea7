/* fill: see the header.
 *
 * A file may change while it is read. So it is compared with itself after the last look at its
 * bytes: what differs is thrown away and looked up again, a few times. */
#include "server/fill.h"

#include <errno.h>
#include <string.h>

#include "server/coding.h"
#include "server/digest.h"
#include "server/freshness.h"
#include "server/notice.h"
#include "server/task.h"
#include "server/worker.h"

static void read_more(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    exchange->step = EXCHANGE_FILLING;
    uring_read(worker->uring, connection_token(connection, OP_FILL), exchange->entry->file,
               exchange->entry->body + exchange->filled_size,
               exchange->wanted_size - exchange->filled_size, exchange->filled_size);
    connection_occupy(connection, LANE_FILE);
}

/* Without the sibling that does not come to rest, the file can still be sent. */
static void give_up(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    if (exchange->resource == NULL) {
        exchange_conclude(worker, connection, 503);
        return;
    }
    if (exchange->entry != NULL) {
        entry_release(worker->uring, exchange->entry);
        exchange->entry = NULL;
    }
    coding_miss_sibling(worker, connection);
}

void fill_again(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    if (exchange->fill_attempts < FILL_ATTEMPTS_MAX) {
        exchange->fill_attempts++;
        exchange_look_up(worker, connection);
    } else {
        give_up(worker, connection);
    }
}

bool fill_file_is_unchanged(struct worker *worker, const struct entry *entry)
{
    struct stat status;
    if (uring_stat(worker->uring, entry->file, &status) != 0) {
        return false;
    }
    struct entry_identity identity = entry_identity_of(&status);
    return entry_identity_equal(&identity, &entry->identity);
}

/* --- the end -----------------------------------------------------------------------------------
 */

/* The lines go to worker->lines. False: they are more than a head holds. */
static bool write_lines(struct worker *worker, struct entry *entry)
{
    size_t size = policy_write_lines(worker->settings.conf, &entry->policy, SLICE_NONE,
                                     worker->lines, sizeof(worker->lines));
    entry->lines = slice_of(worker->lines, size);
    return size <= sizeof(worker->lines);
}

static struct slice last_name(struct slice path)
{
    size_t start = path.size;
    while (start > 0 && path.data[start - 1] != '/') {
        start--;
    }
    return slice_of(path.data + start, path.size - start);
}

/* The name of the file, when it is that of the address, too: what stands in for something else must
 * not be kept for good under its address. Else nothing. */
static struct slice own_name(const struct entry *entry, const char *path)
{
    struct slice name = last_name(slice_from_string(path));
    return slice_equal(name, last_name(entry_address(entry))) ? name : SLICE("");
}

static void finish(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    struct entry *entry = exchange->entry;
    const struct conf *conf = worker->settings.conf;
    const char *path = exchange->resource != NULL ? exchange->resource->path : entry->path;
    entry->negotiable =
        exchange->resource != NULL || entry->siblings != 0 || coding_is_makeable(worker, entry);
    entry->cache_control = policy_cache_control(conf, &entry->policy, own_name(entry, path));
    if (!write_lines(worker, entry)) {
        notice("the headers for '%s' are more than %d bytes: answered with 500", entry->path,
               HTTP_HEAD_LINES_SIZE_MAX);
        exchange_conclude(worker, connection, 500);
        return;
    }
    if (!entry_render(entry, worker->now_s)) {
        exchange_conclude(worker, connection, 503);
        return;
    }
    if (entry->body_capacity >= entry->size) {
        entry_drop_file(worker->uring, entry);
    }
    if (!entry->young) {
        cache_insert(&worker->cache, worker->uring, entry);
    }
    if (exchange->resource != NULL) {
        coding_swap(worker, exchange, entry);
    }
    exchange_found(worker, connection);
}

/* --- the tag -----------------------------------------------------------------------------------
 */

static bool wants_digest(const struct worker *worker, const struct entry *entry)
{
    const struct conf *conf = worker->settings.conf;
    return conf->etag == CONF_ETAG_HASH ||
           (conf->etag == CONF_ETAG_STAT &&
            http_etag_needs_hash(entry->identity.modified_s, worker->now_s));
}

void fill_take_digest(struct worker *worker, struct connection *connection, const uint8_t *digest,
                      int error)
{
    struct entry *entry = connection->exchange->entry;
    if (error == -EIO || (entry->file >= 0 && !fill_file_is_unchanged(worker, entry))) {
        fill_again(worker, connection);
    } else if (error != 0) {
        exchange_conclude(worker, connection, http_status_from_errno(error));
    } else {
        memcpy(entry->digest, digest, sizeof(entry->digest));
        entry->has_digest = true;
        finish(worker, connection);
    }
}

/* All bytes that have to be in memory are. */
static void complete(struct worker *worker, struct connection *connection)
{
    struct exchange *exchange = connection->exchange;
    struct entry *entry = exchange->entry;
    if (entry->type.data == NULL) {
        size_t size =
            magic_type_guess(worker->magic, entry->body, exchange->filled_size, entry->type_text);
        entry->type = slice_of(entry->type_text, size);
    }
    if (!wants_digest(worker, entry)) {
        finish(worker, connection);
    } else if (entry->body_capacity < entry->size) {
        task_digest(worker, connection);
    } else {
        uint8_t digest[DIGEST_SIZE];
        int error = digest_bytes(entry->body, entry->size, digest);
        fill_take_digest(worker, connection, digest, error);
    }
}

/* --- the start ---------------------------------------------------------------------------------
 */

static struct slice type_of(struct worker *worker, const struct exchange *exchange)
{
    return exchange->resource != NULL
               ? exchange->resource->type
               : http_type_by_name(worker->settings.types, slice_from_string(exchange->place.path));
}

/* How many bytes of the file are wanted in memory. */
static uint32_t capacity_for(const struct worker *worker, uint64_t size, bool has_type)
{
    const struct conf *conf = worker->settings.conf;
    uint64_t capacity = has_type ? 0 : MAGIC_BYTES_MAX;
    /* Slow readers keep bodies alive that the cache has let go of: beyond twice its size, bodies
     * come from their files. */
    bool fits = worker->live_bytes + size <= 2 * conf->cache_bytes_max;
    bool is_whole = (size <= conf->cache_file_bytes_max && fits) || size < capacity;
    return (uint32_t)(is_whole ? size : capacity);
}

/* What the rules say of the file's own address, which need not be the one that was asked for. */
static void set_policy(struct worker *worker, struct exchange *exchange, struct entry *entry)
{
    if (!exchange->is_internal) {
        entry->policy = *exchange->policy;
        return;
    }
    struct slice path = exchange_path(exchange);
    worker->path[0] = '/';
    memcpy(worker->path + 1, path.data, path.size);
    entry->policy = *sites_policy(worker->settings.sites, exchange->site,
                                  slice_of(worker->path, 1 + path.size), &entry->policy);
}

static void describe(struct worker *worker, struct exchange *exchange, struct slice type)
{
    struct entry *entry = exchange->entry;
    entry->site = exchange->site;
    entry->root = exchange->place.root;
    entry->has_no_etag = worker->settings.conf->etag == CONF_ETAG_OFF;
    entry->type = type;
    if (exchange->resource != NULL) {
        const struct entry *resource = exchange->resource;
        entry->coding = exchange->coding;
        entry->policy = resource->policy;
        entry->type = entry_borrow_type(entry, resource);
        entry->young = resource->young;
    } else {
        set_policy(worker, exchange, entry);
        entry->is_internal = exchange->is_internal;
        entry->candidates_missed = exchange->candidate;
        entry->young = exchange->has_two_guards && !exchange->is_internal;
        freshness_start(worker, entry);
    }
}

void fill_start(struct worker *worker, struct connection *connection, int file,
                const struct stat *status)
{
    struct exchange *exchange = connection->exchange;
    struct entry_identity identity = entry_identity_of(status);
    enum http_coding coding = HTTP_CODING_IDENTITY;
    if (exchange->resource != NULL) {
        coding = (enum http_coding)exchange->coding;
        if (!entry_identity_equal(&identity, &exchange->resource->sibling_identities[coding])) {
            uring_close(worker->uring, file);
            fill_again(worker, connection); /* it is another one now */
            return;
        }
    }
    struct slice type = type_of(worker, exchange);
    uint32_t capacity = capacity_for(worker, identity.size, type.data != NULL);
    exchange->entry =
        entry_create(exchange_key(exchange, coding), exchange->place.path, status, file, capacity);
    if (exchange->entry == NULL) {
        uring_close(worker->uring, file);
        exchange_conclude(worker, connection, 503);
        return;
    }
    entry_account(exchange->entry, &worker->live_bytes);
    describe(worker, exchange, type);
    exchange->filled_size = 0;
    exchange->wanted_size = capacity;
    if (capacity > 0) {
        read_more(worker, connection);
    } else {
        complete(worker, connection);
    }
}

void fill_handle_read(struct worker *worker, struct connection *connection,
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
        exchange_conclude(worker, connection, http_status_from_errno(event->result));
    } else if (event->result == 0) {
        fill_again(worker, connection);
    } else {
        exchange->filled_size += (uint32_t)event->result;
        assert(exchange->filled_size <= exchange->wanted_size);
        if (exchange->filled_size < exchange->wanted_size) {
            read_more(worker, connection);
        } else if (fill_file_is_unchanged(worker, exchange->entry)) {
            complete(worker, connection);
        } else {
            fill_again(worker, connection);
        }
    }
}

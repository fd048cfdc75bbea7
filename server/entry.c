/* entry: see the header. */
#include "server/entry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What a damaged file system says may be more than a second has. */
static uint32_t nanoseconds_of(const struct timespec *time)
{
    return (uint32_t)((unsigned long)time->tv_nsec % 1000000000U);
}

struct entry_identity entry_identity_of(const struct stat *status)
{
    return (struct entry_identity){
        .device = status->st_dev,
        .inode = status->st_ino,
        .size = (uint64_t)status->st_size,
        .modified_s = status->st_mtim.tv_sec,
        .changed_s = status->st_ctim.tv_sec,
        .modified_ns = nanoseconds_of(&status->st_mtim),
        .changed_ns = nanoseconds_of(&status->st_ctim),
    };
}

bool entry_identity_equal(const struct entry_identity *a, const struct entry_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_s == b->modified_s && a->modified_ns == b->modified_ns &&
           a->changed_s == b->changed_s && a->changed_ns == b->changed_ns;
}

static struct entry *allocate(struct slice key, const char *path, uint32_t body_capacity)
{
    size_t path_size = strlen(path) + 1;
    size_t size = sizeof(struct entry) + key.size + path_size + body_capacity;
    struct entry *entry = malloc(size);
    if (entry == NULL) {
        return NULL;
    }
    char *text = (char *)(entry + 1);
    memset(entry, 0, sizeof(*entry));
    entry->references = 1;
    entry->file = -1;
    entry->body_capacity = body_capacity;
    entry->charge = (uint32_t)size;
    entry->body = text + key.size + path_size;
    if (key.size > 0) {
        memcpy(text, key.data, key.size);
    }
    entry->key = slice_of(text, key.size);
    memcpy(text + key.size, path, path_size);
    entry->path = text + key.size;
    return entry;
}

struct entry *entry_create(struct slice key, const char *path, const struct stat *status, int file,
                           uint32_t body_capacity)
{
    assert(file >= 0);
    struct entry *entry = allocate(key, path, body_capacity);
    if (entry != NULL) {
        entry->identity = entry_identity_of(status);
        entry->size = entry->identity.size;
        entry->file = file;
    }
    return entry;
}

struct entry *entry_create_body(struct slice key, const char *path, struct slice body)
{
    assert(body.size <= UINT32_MAX);
    struct entry *entry = allocate(key, path, (uint32_t)body.size);
    if (entry != NULL) {
        entry->size = body.size;
        entry->identity.size = body.size;
        if (body.size > 0) {
            memcpy(entry->body, body.data, body.size);
        }
    }
    return entry;
}

struct slice entry_borrow_type(struct entry *entry, const struct entry *other)
{
    if (other->type.data != other->type_text) {
        return other->type;
    }
    assert(other->type.size <= sizeof(entry->type_text));
    memcpy(entry->type_text, other->type_text, other->type.size);
    return slice_of(entry->type_text, other->type.size);
}

void entry_account(struct entry *entry, uint64_t *live_bytes)
{
    assert(entry->live_bytes == NULL);
    entry->live_bytes = live_bytes;
    *live_bytes += entry->charge;
}

struct slice entry_address(const struct entry *entry)
{
    const char *end = entry->key.size > 0 ? memchr(entry->key.data, '\0', entry->key.size) : NULL;
    size_t size = end != NULL ? (size_t)(end - entry->key.data) : entry->key.size;
    return slice_of(entry->key.data, size);
}

struct slice entry_vary(const struct entry *entry)
{
    return entry->varies_by_accept ? SLICE("Accept")
           : entry->negotiable     ? SLICE("Accept-Encoding")
                                   : SLICE_NONE;
}

struct http_head entry_head(const struct entry *entry)
{
    return (struct http_head){
        .etag = entry->etag_size > 0 ? slice_of(entry->etag, entry->etag_size) : SLICE_NONE,
        .last_modified = entry_last_modified(entry),
        .cache_control = entry->cache_control,
        .vary = entry_vary(entry),
        .lines = entry->lines,
    };
}

struct http_head entry_head_whole(const struct entry *entry)
{
    struct http_head head = entry_head(entry);
    head.status = 200;
    head.has_content_length = true;
    head.content_length = entry->size;
    head.content_type = entry->type;
    head.content_encoding = http_coding_name((enum http_coding)entry->coding);
    head.accept_ranges = true;
    return head;
}

static void render_validators(struct entry *entry, int64_t now_s)
{
    const struct entry_identity *identity = &entry->identity;
    struct http_etag_source source = {
        .size = identity->size,
        .mtime_s = identity->modified_s,
        .mtime_ns = identity->modified_ns,
        .changed_s = identity->changed_s,
        .changed_ns = identity->changed_ns,
        .inode = identity->inode,
        .hash = entry->has_digest ? entry->digest : NULL,
        .coding = (enum http_coding)entry->coding,
    };
    entry->etag_size =
        entry->has_no_etag ? 0 : (uint8_t)http_etag_write(&source, now_s, entry->etag);
    /* The change time: nobody can set it. One in the future says that the clock was set back. */
    int64_t age_s = now_s - identity->changed_s;
    entry->young = entry->young || (age_s >= 0 && age_s < HTTP_ETAG_YOUNG_S);

    http_date_write(identity->modified_s, entry->modified);
    /* While the second may see another change, a date would stand for two versions of the file. */
    entry->has_mtime = http_mtime_is_sendable(identity->modified_s, now_s) &&
                       now_s - identity->modified_s >= HTTP_ETAG_YOUNG_S;
    int64_t latest_s =
        identity->modified_s > identity->changed_s ? identity->modified_s : identity->changed_s;
    bool unsettled = latest_s > now_s - HTTP_ETAG_YOUNG_S;
    entry->settles_s = unsettled ? latest_s + HTTP_ETAG_YOUNG_S : 0;
}

bool entry_render(struct entry *entry, int64_t now_s)
{
    assert(entry->head == NULL);
    render_validators(entry, now_s);
    struct http_head head = entry_head_whole(entry);
    char buffer[HTTP_HEAD_FIXED_SIZE_MAX];
    size_t size = http_head_write_fixed(&head, buffer, sizeof(buffer));
    assert(size > 0);
    entry->head = malloc(size);
    if (entry->head == NULL) {
        return false;
    }
    memcpy(entry->head, buffer, size);
    entry->head_size = (uint16_t)size;
    if (entry->lines.size > 0) { /* they stand last */
        entry->lines.data = entry->head + size - entry->lines.size;
    }
    entry->charge += (uint32_t)size;
    if (entry->live_bytes != NULL) {
        *entry->live_bytes += size;
    }
    return true;
}

struct slice entry_last_modified(const struct entry *entry)
{
    return entry->has_mtime ? slice_of(entry->modified, sizeof(entry->modified)) : SLICE_NONE;
}

struct entry *entry_acquire(struct entry *entry)
{
    assert(entry->references > 0);
    entry->references++;
    return entry;
}

void entry_release(struct uring *uring, struct entry *entry)
{
    assert(entry->references > 0);
    entry->references--;
    if (entry->references > 0) {
        return;
    }
    assert(!entry->cached);
    assert(!list_contains(&entry->age));
    entry_drop_file(uring, entry);
    if (entry->live_bytes != NULL) {
        assert(*entry->live_bytes >= entry->charge);
        *entry->live_bytes -= entry->charge;
    }
    free(entry->head);
    free(entry);
}

void entry_drop_file(struct uring *uring, struct entry *entry)
{
    if (entry->file >= 0) {
        uring_close(uring, entry->file);
        entry->file = -1;
    }
}

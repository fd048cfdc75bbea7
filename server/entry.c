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

struct entry *entry_create(struct slice key, const char *path, const struct stat *status, int file,
                           uint32_t body_capacity)
{
    assert(file >= 0);
    size_t path_size = strlen(path) + 1;
    size_t size = sizeof(struct entry) + key.size + path_size + body_capacity;
    struct entry *entry = malloc(size);
    if (entry == NULL) {
        return NULL;
    }
    char *text = (char *)(entry + 1);
    memset(entry, 0, sizeof(*entry));
    entry->references = 1;
    entry->identity = entry_identity_of(status);
    entry->file = file;
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

void entry_account(struct entry *entry, uint64_t *live_bytes)
{
    assert(entry->live_bytes == NULL);
    entry->live_bytes = live_bytes;
    *live_bytes += entry->charge;
}

void entry_render(struct entry *entry, int64_t now_s)
{
    const struct entry_identity *identity = &entry->identity;
    struct http_etag_source source = {
        .size = identity->size,
        .mtime_s = identity->modified_s,
        .mtime_ns = identity->modified_ns,
        .changed_s = identity->changed_s,
        .changed_ns = identity->changed_ns,
        .inode = identity->inode,
    };
    entry->etag_size = (uint8_t)http_etag_write(&source, now_s, entry->etag);
    /* The change time: nobody can set it. One in the future says that the clock was set back. */
    int64_t age_s = now_s - identity->changed_s;
    entry->young = age_s >= 0 && age_s < HTTP_ETAG_YOUNG_S;

    http_date_write(identity->modified_s, entry->modified);
    entry->has_mtime = http_mtime_is_sendable(identity->modified_s, now_s);
    int64_t latest_s =
        identity->modified_s > identity->changed_s ? identity->modified_s : identity->changed_s;
    bool unsettled = latest_s > now_s - HTTP_ETAG_YOUNG_S;
    entry->settles_s = unsettled ? latest_s + HTTP_ETAG_YOUNG_S : 0;
    struct http_head head = {
        .status = 200,
        .has_content_length = true,
        .content_length = identity->size,
        .content_type = entry->type,
        .etag = slice_of(entry->etag, entry->etag_size),
        .last_modified = entry_last_modified(entry),
        .accept_ranges = true,
    };
    entry->head_size = (uint16_t)http_head_write_fixed(&head, entry->head, sizeof(entry->head));
    assert(entry->head_size > 0);
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
    free(entry);
}

void entry_drop_file(struct uring *uring, struct entry *entry)
{
    if (entry->file >= 0) {
        uring_close(uring, entry->file);
        entry->file = -1;
    }
}

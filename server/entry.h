/* entry: one file as the cache and the responses know it. Immutable once it is filled, and counted:
 * a replaced file's entry lives on until the last response that uses it is sent.
 *
 * What a path leads to is the entry of its file, identity coded; it knows which precompressed
 * siblings the file has. Each other coding of it, sibling or made here, is an entry of its own,
 * good for as long as it was made from what the first one is now.
 *
 * Single-threaded: every worker has its own. */
#ifndef GYRE_SERVER_ENTRY_H
#define GYRE_SERVER_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "http/http_coding.h"
#include "http/http_etag.h"
#include "http/http_head.h"
#include "http/slice.h"
#include "server/list.h"
#include "server/policy.h"
#include "uring/uring.h"

/* What tells one version of a file from another: if none of these differs, the bytes are the same.
 */
struct entry_identity {
    uint64_t device;
    uint64_t inode;
    uint64_t size;
    int64_t modified_s;
    int64_t changed_s;
    uint32_t modified_ns;
    uint32_t changed_ns;
};

struct entry {
    struct list_node age; /* in a queue of the cache's: see eviction.h */
    uint32_t units;       /* what it takes of that queue's room */
    uint8_t frequency;    /* hits, up to EVICTION_FREQUENCY_MAX */
    bool in_main;
    struct entry *hash_next;
    uint64_t hash;
    uint32_t references; /* the cache's, and one a segment or exchange */
    bool cached;
    bool has_mtime;       /* Last-Modified is sent */
    int64_t settles_s;    /* from then on tag and Last-Modified are others; 0: they stay */
    bool young;           /* changed so lately that stat cannot be trusted to see the next change */
    bool watched;         /* a change of it shows in the worker's watch */
    uint64_t watch_epoch; /* of the watch, before it was last compared */
    uint64_t watch_generation;
    uint64_t checked_ms;            /* when it was last compared */
    uint64_t checked_batch;         /* the batch in which it was last seen to be fresh */
    struct entry_identity identity; /* of the file, or of the one that the body was made from */
    uint64_t size;                  /* of what is served */
    int file;                       /* open, for streaming; -1: the body is in memory */
    uint32_t body_capacity;         /* bytes at `body` */
    uint32_t charge;                /* bytes of memory it stands for */
    uint64_t *live_bytes;           /* counts the memory of living entries; NULL: not counted */
    struct slice key;  /* the target: path, and '/' behind it for a directory's index */
    const char *path;  /* of the file, beneath the root */
    struct slice type; /* borrowed from the type table, or from type_text */
    uint16_t site;
    uint16_t root;         /* beneath which `path` lies */
    uint8_t coding;        /* enum http_coding */
    bool negotiable;       /* the answer depends on Accept-Encoding */
    bool varies_by_accept; /* a listing: page or JSON */
    bool has_digest;
    bool has_no_etag;
    bool is_internal;          /* found for a page of [errors] or spa, whatever try says */
    uint8_t candidates_missed; /* places looked at before: nothing may have come to be there */
    uint8_t siblings;          /* mask of codings: those that may be served */
    uint8_t codings_failed;    /* mask of codings that made it no smaller */
    struct entry_identity sibling_identities[HTTP_CODINGS_COUNT];
    uint8_t digest[HTTP_ETAG_HASH_SIZE]; /* of the content, with has_digest */
    struct policy policy;
    struct slice cache_control; /* borrowed from the configuration */
    struct slice lines;         /* of the policy, in `head` once that is rendered */
    char *head;                 /* the fixed half of a 200; the entry's */
    uint16_t head_size;
    uint8_t etag_size;
    char etag[HTTP_ETAG_SIZE_MAX];
    char modified[HTTP_DATE_SIZE];
    char type_text[128];
    char *body; /* size bytes when file is -1, else the first body_capacity */
};

struct entry_identity entry_identity_of(const struct stat *status);
bool entry_identity_equal(const struct entry_identity *a, const struct entry_identity *b);

/* The path that was asked for, '/' behind a directory's: what the key begins with. */
struct slice entry_address(const struct entry *entry);

/* The value of Vary, SLICE_NONE for none. */
struct slice entry_vary(const struct entry *entry);

/* Allocates an entry for an open file, with room for body_capacity bytes of it; one reference, the
 * caller's. Takes over `file`. Returns NULL when memory is short (`file` stays the caller's). */
struct entry *entry_create(struct slice key, const char *path, const struct stat *status, int file,
                           uint32_t body_capacity);

/* The type of another entry, for this one: copied where it is not the type table's. */
struct slice entry_borrow_type(struct entry *entry, const struct entry *other);

/* Adds the entry's memory to a counter for as long as it lives. */
void entry_account(struct entry *entry, uint64_t *live_bytes);

/* The same for bytes in memory, of which a copy is made; what the file's identity would tell is
 * the caller's to set. */
struct entry *entry_create_body(struct slice key, const char *path, struct slice body);

/* Renders tag and head once all of the above is known. now_s: UTC. False: out of memory. */
bool entry_render(struct entry *entry, int64_t now_s);

/* What stands in each head of this entry: tag, Last-Modified, caching, and the policy's lines. */
struct http_head entry_head(const struct entry *entry);

/* The same for a 200, whole. */
struct http_head entry_head_whole(const struct entry *entry);

/* The value of Last-Modified; SLICE_NONE: none is sent. */
struct slice entry_last_modified(const struct entry *entry);

struct entry *entry_acquire(struct entry *entry);

/* The last release closes the file through the engine and frees the memory. */
void entry_release(struct uring *uring, struct entry *entry);

/* Closes the file of an entry whose body is complete in memory. */
void entry_drop_file(struct uring *uring, struct entry *entry);

#endif

/* http_glob_index: which of many patterns match a path, without trying all. Pure.
 *
 * Built once in memory of the caller, read-only after that: threads may share it. */
#ifndef GYRE_HTTP_GLOB_INDEX_H
#define GYRE_HTTP_GLOB_INDEX_H

#include <stdint.h>

#include "http/http_glob.h"

enum {
    HTTP_GLOB_INDEX_PATTERNS_MAX = 1024,
    HTTP_GLOB_INDEX_SLOTS_COUNT = 2 * HTTP_GLOB_INDEX_PATTERNS_MAX, /* a power of two */
};

/* One pattern, as much of it as is looked at for each path in its bucket. */
struct http_glob_row {
    uint32_t tail; /* the last bytes of the suffix, at most four, the last one lowest */
    uint32_t tail_mask;
    uint16_t pattern;
    uint8_t ends_size; /* of prefix and suffix */
    uint8_t suffix_size;
    bool is_plain; /* without wildcards and '\': it fits nothing but its own text */
};

/* The patterns that share a prefix: rows [row_first, row_first + rows_count), ascending. */
struct http_glob_bucket {
    uint32_t hash;
    uint16_t pattern; /* the first one */
    uint16_t row_first;
    uint16_t rows_count;
    uint8_t prefix_size;
};

/* About 36 KiB. Opaque to callers. */
struct http_glob_index {
    const struct slice *patterns;
    uint16_t buckets_count;
    uint8_t prefix_size_max;
    bool has_prefix_size[HTTP_GLOB_SIZE_MAX + 1];
    uint16_t slots[HTTP_GLOB_INDEX_SLOTS_COUNT]; /* 0: empty; else 1 + a bucket */
    struct http_glob_bucket buckets[HTTP_GLOB_INDEX_PATTERNS_MAX];
    struct http_glob_row rows[HTTP_GLOB_INDEX_PATTERNS_MAX];
};

/* patterns: at most HTTP_GLOB_INDEX_PATTERNS_MAX, each one that http_glob_check() accepts;
 * borrowed, with their bytes, for as long as the index is used. */
void http_glob_index_build(struct http_glob_index *index, const struct slice *patterns,
                           size_t count);

/* Writes the numbers of the patterns that match path (as http_glob_match() wants it), ascending, at
 * most matches_max of them. Returns how many match in all. */
size_t http_glob_index_find(const struct http_glob_index *index, struct slice path,
                            uint16_t *matches, size_t matches_max);

/* How many patterns http_glob_index_find() tries in full for path: what a path costs. */
size_t http_glob_index_count_tries(const struct http_glob_index *index, struct slice path);

#endif

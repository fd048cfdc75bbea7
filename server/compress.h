/* compress: a body in a content coding, made once, on a helper thread. RFC 9110 8.4.1: gzip (RFC
 * 1952), br (RFC 7932), zstd (RFC 8878; RFC 9659 bounds its window to what every client takes).
 *
 * The same bytes give the same result every time (with the same libraries), whether they come from
 * memory or from a file: a strong validator of the one holds for the other. */
#ifndef GYRE_SERVER_COMPRESS_H
#define GYRE_SERVER_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

#include "http/http_coding.h"
#include "uring/uring.h"

enum {
    COMPRESS_PERCENT_MAX = 95,              /* of the input; a larger result is not worth it */
    COMPRESS_PIECE_SIZE = 256 * 1024,       /* read and compressed at once */
    COMPRESS_ZSTD_WINDOW_BITS = 22,         /* 4 MiB; clients take 8: RFC 9659 3 */
    COMPRESS_BROTLI_WINDOW_BITS = 22,       /* 4 MiB */
    COMPRESS_MEMORY_MAX = 80 * 1024 * 1024, /* that a job uses at most, beside its result */
};

struct compress_job {
    struct uring_work work;  /* run: compress_run */
    enum http_coding coding; /* BR, ZSTD or GZIP */
    const char *data;        /* `size` bytes, borrowed; or NULL: they are read from */
    int file;                /* open for reading; the caller's, not closed */
    uint64_t size;           /* at most UINT32_MAX */

    char *result; /* when error is 0: the caller's, for free(3) */
    size_t result_size;
    int error; /* 0, or -errno: -ENOSPC: not worth it; -EIO: the file has not `size` bytes any more
                */
};

/* For uring_offload(); takes the `work` of a compress_job. */
void compress_run(struct uring_work *work);

/* The largest result that is worth it: COMPRESS_PERCENT_MAX of the input. */
uint64_t compress_result_max(uint64_t size);

#endif

/* digest: 128 bits that tell contents apart, for strong validators: the first half of SHA-256, so
 * nobody can make two files that share one. FIPS 180-4. */
#ifndef GYRE_SERVER_DIGEST_H
#define GYRE_SERVER_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "uring/uring.h"

enum {
    DIGEST_SIZE = 16,
    DIGEST_PIECE_SIZE = 256 * 1024, /* read at once */
};

/* Returns 0, or -ENOMEM and `digest` is undefined. */
int digest_bytes(const void *data, size_t size, uint8_t digest[DIGEST_SIZE]);

struct digest_job {
    struct uring_work work; /* run: digest_run */
    int file;               /* open for reading; the caller's, not closed */
    uint64_t size;          /* that it is known to have */

    uint8_t digest[DIGEST_SIZE]; /* when error is 0 */
    int error; /* 0, or -errno: -EIO when the file has not `size` bytes any more */
};

/* For uring_offload(); takes the `work` of a digest_job. Uses DIGEST_PIECE_SIZE of memory. */
void digest_run(struct uring_work *work);

#endif

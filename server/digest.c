/* digest: see the header. */
#include "server/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/file_read.h"

/* Adds the file to the hash. Reads up to one byte past `size`: a file that grew is another one. */
static int hash_file(EVP_MD_CTX *context, int file, uint64_t size, void *piece)
{
    uint64_t done = 0;
    int64_t count;
    do {
        count = file_read(file, piece, DIGEST_PIECE_SIZE, done);
        if (count < 0) {
            return (int)count;
        }
        done += (uint64_t)count;
        if (done > size) {
            return -EIO;
        }
        if (EVP_DigestUpdate(context, piece, (size_t)count) != 1) {
            return -ENOMEM;
        }
    } while (count == DIGEST_PIECE_SIZE);
    return done == size ? 0 : -EIO;
}

static int hash_finish(EVP_MD_CTX *context, uint8_t digest[DIGEST_SIZE])
{
    uint8_t whole[EVP_MAX_MD_SIZE];
    if (EVP_DigestFinal_ex(context, whole, NULL) != 1) {
        return -ENOMEM;
    }
    memcpy(digest, whole, DIGEST_SIZE);
    return 0;
}

int digest_bytes(const void *data, size_t size, uint8_t digest[DIGEST_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_added = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                    EVP_DigestUpdate(context, data, size) == 1;
    int error = is_added ? hash_finish(context, digest) : -ENOMEM;
    EVP_MD_CTX_free(context);
    return error;
}

void digest_run(struct uring_work *work)
{
    struct digest_job *job = (void *)((char *)work - offsetof(struct digest_job, work));
    void *piece = malloc(DIGEST_PIECE_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    job->error = -ENOMEM;
    if (piece != NULL && context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1) {
        job->error = hash_file(context, job->file, job->size, piece);
    }
    if (job->error == 0) {
        job->error = hash_finish(context, job->digest);
    }
    EVP_MD_CTX_free(context);
    free(piece);
}

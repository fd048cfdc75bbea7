/* compress: three libraries, one shape: pieces go in, and the result grows in a buffer that has
 * exactly the room of a result that is worth it. Whatever does not fit ends the job early. */
#include "server/compress.h"

#include <assert.h>
#include <brotli/encode.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "server/brotli_memory.h"
#include "server/file_read.h"

/* Measured on documentation, style sheets and scripts: brotli 9 saves 0.2 % of the input more than
 * 8 and takes two to nine times as long; zstd 12 is three times as fast as 15, and gives up what
 * zstd gains on brotli 8. A job's memory was 69 MiB for zstd, 58 MiB for brotli, 1 MiB for gzip. */
enum {
    GZIP_LEVEL = 9,
    GZIP_WINDOW_BITS = 15 + 16, /* 32 KiB, and the gzip wrapper: without a name, mtime 0 */
    GZIP_MEMORY_LEVEL = 8,
    BROTLI_QUALITY = 8,
    ZSTD_LEVEL = 15,
};

struct compressor {
    enum http_coding coding;
    z_stream gzip;
    BrotliEncoderState *brotli; /* in brotli_memory */
    struct brotli_memory brotli_memory;
    ZSTD_CCtx *zstd;
    char *result;
    size_t result_size;
    size_t result_max;
};

static int gzip_init(struct compressor *compressor)
{
    int error = deflateInit2(&compressor->gzip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW_BITS,
                             GZIP_MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    return error == Z_OK ? 0 : -ENOMEM;
}

static int brotli_init(struct compressor *compressor, uint64_t size)
{
    compressor->brotli_memory.size_max = COMPRESS_MEMORY_MAX - COMPRESS_PIECE_SIZE;
    if (setjmp(compressor->brotli_memory.failed) != 0) {
        return -ENOMEM;
    }
    BrotliEncoderState *brotli = BrotliEncoderCreateInstance(brotli_memory_take, brotli_memory_give,
                                                             &compressor->brotli_memory);
    assert(brotli != NULL);
    bool done =
        BrotliEncoderSetParameter(brotli, BROTLI_PARAM_QUALITY, BROTLI_QUALITY) &&
        BrotliEncoderSetParameter(brotli, BROTLI_PARAM_LGWIN, COMPRESS_BROTLI_WINDOW_BITS) &&
        BrotliEncoderSetParameter(brotli, BROTLI_PARAM_SIZE_HINT, (uint32_t)size);
    assert(done);
    compressor->brotli = brotli;
    return 0;
}

static int zstd_init(struct compressor *compressor, uint64_t size)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    compressor->zstd = zstd;
    if (zstd == NULL) {
        return -ENOMEM;
    }
    bool failed =
        ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, COMPRESS_ZSTD_WINDOW_BITS)) ||
        ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(zstd, size));
    assert(!failed);
    return 0;
}

static int compressor_init(struct compressor *compressor, const struct compress_job *job)
{
    *compressor = (struct compressor){
        .coding = job->coding,
        .result_max = compress_result_max(job->size),
    };
    if (compressor->result_max == 0) {
        return -ENOSPC;
    }
    compressor->result = malloc(compressor->result_max);
    if (compressor->result == NULL) {
        return -ENOMEM;
    }
    switch (job->coding) {
    case HTTP_CODING_GZIP:
        return gzip_init(compressor);
    case HTTP_CODING_BR:
        return brotli_init(compressor, job->size);
    default:
        return zstd_init(compressor, job->size);
    }
}

static void compressor_free(struct compressor *compressor)
{
    (void)deflateEnd(&compressor->gzip); /* of the other codings: finds nothing */
    brotli_memory_free(&compressor->brotli_memory);
    ZSTD_freeCCtx(compressor->zstd);
    free(compressor->result);
}

/* --- adding a piece ----------------------------------------------------------------------------
 */

static int gzip_add(struct compressor *compressor, const char *piece, size_t size, bool is_last)
{
    z_stream *gzip = &compressor->gzip;
    gzip->next_in = (Bytef *)(uintptr_t)piece;
    gzip->avail_in = (uInt)size;
    gzip->next_out = (Bytef *)compressor->result + compressor->result_size;
    gzip->avail_out = (uInt)(compressor->result_max - compressor->result_size);
    int status = deflate(gzip, is_last ? Z_FINISH : Z_NO_FLUSH);
    compressor->result_size = compressor->result_max - gzip->avail_out;
    bool is_done = is_last ? status == Z_STREAM_END : gzip->avail_in == 0;
    return is_done ? 0 : -ENOSPC;
}

static int brotli_add(struct compressor *compressor, const char *piece, size_t size, bool is_last)
{
    if (setjmp(compressor->brotli_memory.failed) != 0) {
        return -ENOMEM;
    }
    BrotliEncoderOperation operation = is_last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS;
    const uint8_t *in = (const uint8_t *)piece;
    size_t in_size = size;
    uint8_t *out = (uint8_t *)compressor->result + compressor->result_size;
    size_t room = compressor->result_max - compressor->result_size;
    BROTLI_BOOL fine = BrotliEncoderCompressStream(compressor->brotli, operation, &in_size, &in,
                                                   &room, &out, NULL);
    assert(fine);
    compressor->result_size = compressor->result_max - room;
    bool is_done = is_last ? BrotliEncoderIsFinished(compressor->brotli) : in_size == 0;
    return is_done ? 0 : -ENOSPC;
}

static int zstd_add(struct compressor *compressor, const char *piece, size_t size, bool is_last)
{
    ZSTD_inBuffer in = { .src = piece, .size = size };
    ZSTD_outBuffer out = { .dst = compressor->result,
                           .size = compressor->result_max,
                           .pos = compressor->result_size };
    bool is_done = false;
    while (!is_done) {
        size_t left = ZSTD_compressStream2(compressor->zstd, &out, &in,
                                           is_last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left)) {
            return -ENOMEM;
        }
        is_done = is_last ? left == 0 : in.pos == in.size;
        if (!is_done && out.pos == out.size) {
            return -ENOSPC;
        }
    }
    compressor->result_size = out.pos;
    return 0;
}

static int compressor_add(struct compressor *compressor, const char *piece, size_t size,
                          bool is_last)
{
    switch (compressor->coding) {
    case HTTP_CODING_GZIP:
        return gzip_add(compressor, piece, size, is_last);
    case HTTP_CODING_BR:
        return brotli_add(compressor, piece, size, is_last);
    default:
        return zstd_add(compressor, piece, size, is_last);
    }
}

/* --- the job -----------------------------------------------------------------------------------
 */

/* Reads the bytes at `offset`: all of them, or the file is not what it was. */
static int read_piece(const struct compress_job *job, char *piece, size_t size, uint64_t offset)
{
    int64_t count = file_read(job->file, piece, size, offset);
    if (count < 0) {
        return (int)count;
    }
    return count == (int64_t)size ? 0 : -EIO;
}

static int check_end(const struct compress_job *job)
{
    char byte;
    int64_t count = file_read(job->file, &byte, sizeof(byte), job->size);
    return count < 0 ? (int)count : count == 0 ? 0 : -EIO;
}

/* From memory in the same pieces as from a file: where a piece ends may show in the result. */
static int compress_pieces(struct compressor *compressor, const struct compress_job *job,
                           char *buffer)
{
    int error = 0;
    for (uint64_t offset = 0; error == 0 && offset < job->size; offset += COMPRESS_PIECE_SIZE) {
        uint64_t left = job->size - offset;
        bool is_last = left <= COMPRESS_PIECE_SIZE;
        size_t size = is_last ? (size_t)left : COMPRESS_PIECE_SIZE;
        const char *piece = job->data != NULL ? job->data + offset : buffer;
        if (job->data == NULL) {
            error = read_piece(job, buffer, size, offset);
        }
        if (error == 0) {
            error = compressor_add(compressor, piece, size, is_last);
        }
    }
    return error == 0 && job->data == NULL ? check_end(job) : error;
}

/* Hands the result over, without the room that was not used. */
static void take_result(struct compress_job *job, struct compressor *compressor)
{
    assert(compressor->result_size > 0);
    assert(compressor->result_size <= compressor->result_max);
    char *fitted = realloc(compressor->result, compressor->result_size);
    job->result = fitted != NULL ? fitted : compressor->result;
    job->result_size = compressor->result_size;
    compressor->result = NULL;
}

void compress_run(struct uring_work *work)
{
    struct compress_job *job = (void *)((char *)work - offsetof(struct compress_job, work));
    assert(job->coding == HTTP_CODING_BR || job->coding == HTTP_CODING_ZSTD ||
           job->coding == HTTP_CODING_GZIP);
    assert(job->size <= UINT32_MAX);
    job->result = NULL;
    job->result_size = 0;
    char *buffer = job->data == NULL ? malloc(COMPRESS_PIECE_SIZE) : NULL;
    struct compressor compressor;
    job->error = compressor_init(&compressor, job);
    if (job->error == 0 && job->data == NULL && buffer == NULL) {
        job->error = -ENOMEM;
    }
    if (job->error == 0) {
        job->error = compress_pieces(&compressor, job, buffer);
    }
    if (job->error == 0) {
        take_result(job, &compressor);
    }
    compressor_free(&compressor);
    free(buffer);
}

uint64_t compress_result_max(uint64_t size)
{
    assert(size <= UINT32_MAX);
    return size * COMPRESS_PERCENT_MAX / 100;
}

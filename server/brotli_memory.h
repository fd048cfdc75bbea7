/* brotli_memory: an allocator for one brotli encoder. Where the library gets no memory it ends the
 * process; so this one never tells it, but jumps to where the encoder was called. */
#ifndef GYRE_SERVER_BROTLI_MEMORY_H
#define GYRE_SERVER_BROTLI_MEMORY_H

#include <setjmp.h>
#include <stddef.h>

struct brotli_block;

struct brotli_memory {
    jmp_buf failed;             /* set by the caller before each call of the encoder */
    struct brotli_block *first; /* all that has not been freed */
    size_t size;                /* their sum, bytes */
    size_t size_max;
};

/* For BrotliEncoderCreateInstance(), with the memory as `opaque`. Beyond size_max, or what
 * malloc(3) gives, it jumps to `failed` with 1: the encoder must not be used after that. */
void *brotli_memory_take(void *memory, size_t size);
void brotli_memory_give(void *memory, void *data);

/* Frees everything, the encoder itself, too. */
void brotli_memory_free(struct brotli_memory *memory);

#endif

/* brotli_memory: see the header. Blocks are in a list, so that what the encoder held when it was
 * left can be freed without it. */
#include "server/brotli_memory.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

struct brotli_block {
    struct brotli_block *next;
    struct brotli_block *previous;
    size_t size;
    alignas(max_align_t) char data[];
};

void *brotli_memory_take(void *argument, size_t size)
{
    struct brotli_memory *memory = argument;
    struct brotli_block *block = NULL;
    if (size <= memory->size_max - memory->size) {
        block = malloc(sizeof(*block) + size);
    }
    if (block == NULL) {
        longjmp(memory->failed, 1);
    }
    block->size = size;
    block->previous = NULL;
    block->next = memory->first;
    if (block->next != NULL) {
        block->next->previous = block;
    }
    memory->first = block;
    memory->size += size;
    return block->data;
}

static void remove_block(struct brotli_memory *memory, struct brotli_block *block)
{
    assert(memory->size >= block->size);
    memory->size -= block->size;
    if (block->next != NULL) {
        block->next->previous = block->previous;
    }
    if (block->previous != NULL) {
        block->previous->next = block->next;
    } else {
        assert(memory->first == block);
        memory->first = block->next;
    }
    free(block);
}

void brotli_memory_give(void *argument, void *data)
{
    if (data != NULL) {
        void *block = (char *)data - offsetof(struct brotli_block, data);
        remove_block(argument, block);
    }
}

void brotli_memory_free(struct brotli_memory *memory)
{
    while (memory->first != NULL) {
        remove_block(memory, memory->first);
    }
    assert(memory->size == 0);
}

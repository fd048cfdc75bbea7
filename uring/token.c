/* token: what an event is about, in the 64 bits that the kernel carries for us. */
#include <assert.h>

#include "uring/uring.h"

uint64_t uring_token_pack(struct uring_token token)
{
    assert(token.slot <= URING_SLOT_MAX);
    return (uint64_t)token.op << 56 | (uint64_t)token.slot << 32 | token.generation;
}

struct uring_token uring_token_unpack(uint64_t bits)
{
    return (struct uring_token){
        .op = (uint8_t)(bits >> 56),
        .slot = (uint32_t)(bits >> 32) & URING_SLOT_MAX,
        .generation = (uint32_t)bits,
    };
}

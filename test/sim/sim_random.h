/* sim_random: the one source of chance of the simulation; the same seed gives the same run. */
#ifndef GYRE_TEST_SIM_RANDOM_H
#define GYRE_TEST_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct sim_random {
    uint64_t state;
};

/* splitmix64: every seed, 0 included, starts a sequence of its own. */
static inline uint64_t sim_random_next(struct sim_random *random)
{
    random->state += 0x9e3779b97f4a7c15U;
    uint64_t bits = random->state;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9U;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111ebU;
    return bits ^ bits >> 31;
}

/* 0 to bound - 1; bound > 0. */
static inline uint32_t sim_random_below(struct sim_random *random, uint32_t bound)
{
    return (uint32_t)((sim_random_next(random) >> 32) * bound >> 32);
}

static inline uint32_t sim_random_between(struct sim_random *random, uint32_t low, uint32_t high)
{
    return low + sim_random_below(random, high - low + 1);
}

static inline bool sim_random_chance(struct sim_random *random, uint32_t permille)
{
    return permille > 0 && sim_random_below(random, 1000) < permille;
}

#endif

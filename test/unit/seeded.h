/* Seeded random numbers for model tests. The seed in use is the thread's name as well, so that a
 * core, and the message of an assertion of the tested code, can tell which run it was. */
#ifndef GYRE_TEST_SEEDED_H
#define GYRE_TEST_SEEDED_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

struct seeded {
    uint64_t seed;
    uint64_t state;
};

static inline void seeded_report(int signal_number)
{
    char name[32] = "# ";
    (void)prctl(PR_GET_NAME, name + 2);
    size_t size = 2;
    while (name[size] != '\0') {
        size++;
    }
    name[size++] = '\n';
    (void)!write(STDOUT_FILENO, name, size);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

static inline struct seeded seeded_start(uint64_t seed)
{
    char name[16];
    (void)snprintf(name, sizeof(name), "seed %llu", (unsigned long long)seed);
    (void)prctl(PR_SET_NAME, name);
    (void)signal(SIGABRT, seeded_report);
    return (struct seeded){ .seed = seed, .state = seed };
}

/* splitmix64: every seed is a good one. */
static inline uint64_t seeded_next(struct seeded *seeded)
{
    seeded->state += 0x9e3779b97f4a7c15U;
    uint64_t bits = seeded->state;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9U;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111ebU;
    return bits ^ bits >> 31;
}

/* From low to high, both included. */
static inline uint32_t seeded_between(struct seeded *seeded, uint32_t low, uint32_t high)
{
    return low + (uint32_t)(seeded_next(seeded) % (high - low + 1ULL));
}

#endif

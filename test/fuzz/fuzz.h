/* fuzz: what each target defines, for libFuzzer and for replay_main.c alike. */
#ifndef GYRE_TEST_FUZZ_H
#define GYRE_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0. A property that does not hold is a failed assertion. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif

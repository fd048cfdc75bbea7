/* Assertions on slices that name the row of the table and show both sides. */
#ifndef GYRE_TEST_SLICE_ASSERT_H
#define GYRE_TEST_SLICE_ASSERT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/slice.h"

/* row: what was asked, for the message. */
static inline void assert_slice_equal(const char *row, struct slice got, struct slice expected)
{
    if (!slice_equal(got, expected)) {
        fail_msg("%s: expected \"%.*s\", got \"%.*s\"", row, SLICE_ARG(expected), SLICE_ARG(got));
    }
}

static inline void assert_number_equal(const char *row, uint64_t got, uint64_t expected)
{
    if (got != expected) {
        fail_msg("%s: expected %llu, got %llu", row, (unsigned long long)expected,
                 (unsigned long long)got);
    }
}

/* Whether `part` is somewhere in `text`. */
static inline bool slice_contains(struct slice text, struct slice part)
{
    return memmem(text.data, text.size, part.data, part.size) != NULL;
}

#endif

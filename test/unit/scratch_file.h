/* A file without a name, for what reads files. */
#ifndef GYRE_TEST_SCRATCH_FILE_H
#define GYRE_TEST_SCRATCH_FILE_H

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "slice_assert.h"

/* Opened for reading and writing, its position at the start; the caller closes it. */
static inline int scratch_file_of(const void *data, size_t size)
{
    char name[] = "/tmp/gyre-unit-XXXXXX";
    int file = mkostemp(name, O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(unlink(name), 0);
    for (size_t done = 0; done < size;) {
        ssize_t count = pwrite(file, (const char *)data + done, size - done, (off_t)done);
        assert_true(count > 0);
        done += (size_t)count;
    }
    return file;
}

#endif

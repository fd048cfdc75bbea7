/* file_read: see the header. */
#include "server/file_read.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

enum {
    FILE_READ_SIZE_MAX = 1 << 30
};

int64_t file_read(int file, void *data, size_t size, uint64_t offset)
{
    assert(size <= FILE_READ_SIZE_MAX);
    size_t done = 0;
    while (done < size) {
        ssize_t count = pread(file, (char *)data + done, size - done, (off_t)(offset + done));
        if (count == 0) {
            break;
        }
        if (count < 0 && errno != EINTR) {
            return -errno;
        }
        done += count > 0 ? (size_t)count : 0;
    }
    return (int64_t)done;
}

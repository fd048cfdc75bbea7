/* file_read: the bytes of a file, in a thread that may wait for the disk. The simulation links
 * another in its place, which reads its model of the files. */
#ifndef GYRE_SERVER_FILE_READ_H
#define GYRE_SERVER_FILE_READ_H

#include <stddef.h>
#include <stdint.h>

/* Reads from `offset` until `size` bytes are there or the file ends; never moves the file's own
 * position. size: at most 1 GiB. Returns the bytes read, fewer than `size` only at the end of the
 * file, or -errno. pread(2). */
int64_t file_read(int file, void *data, size_t size, uint64_t offset);

#endif

/* probe: whether io_uring works here, before anything is opened. */
#ifndef GYRE_SERVER_PROBE_H
#define GYRE_SERVER_PROBE_H

#include <stdio.h>

/* Tries for up to two seconds, as locked memory may still come back. Returns 0; or 1 after one line
 * on `stream` that says why not, and what to do. */
int probe_ring(FILE *stream);

#endif

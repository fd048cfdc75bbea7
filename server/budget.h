/* budget: what the process may use (descriptors, locked memory), divided among the workers. */
#ifndef GYRE_SERVER_BUDGET_H
#define GYRE_SERVER_BUDGET_H

#include <stdio.h>

#include "conf/conf.h"

/* One worker's share. */
struct budget {
    uint32_t connections_max;
    uint32_t cached_files_max;
    uint32_t ring_entries;
    uint32_t completions;
    uint32_t recv_buffers;
};

/* The limits that were found. */
struct budget_limits {
    uint64_t descriptors;
    uint64_t locked_bytes; /* UINT64_MAX: none */
};

/* Raises the soft descriptor limit to the hard one and reads both. getrlimit(2). */
struct budget_limits budget_read_limits(void);

/* Pure. Never gives less than one connection and the smallest queues. */
struct budget budget_divide(const struct conf *conf, const struct budget_limits *limits,
                            uint32_t workers_count, uint32_t listeners_count);

/* Says on `stream` where a share is smaller than what was configured. */
void budget_warn(const struct budget *budget, const struct conf *conf,
                 const struct budget_limits *limits, FILE *stream);

#endif

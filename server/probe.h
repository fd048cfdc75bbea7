/* probe: which engine to serve with, before anything is opened. */
#ifndef GYRE_SERVER_PROBE_H
#define GYRE_SERVER_PROBE_H

#include <stdio.h>

#include "conf/conf.h"
#include "uring/uring.h"

/* The engine that is wanted, if it works here. Tries io_uring for up to two seconds, as locked
 * memory may still come back. Where it does not work, one line on `stream` says why not, and what
 * to do: then *kind is epoll if that will do (auto), or the result is 1. Else it is 0. */
int probe_engine(enum conf_engine wanted, enum uring_kind *kind, FILE *stream);

#endif

/* service: the process: root, listeners, one thread a worker, signals. */
#ifndef GYRE_SERVER_SERVICE_H
#define GYRE_SERVER_SERVICE_H

#include "conf/conf.h"

/* Serves until a signal says stop. Returns the exit status: 0 or 1, after saying why on standard
 * error. */
int service_run(const struct conf *conf);

#endif

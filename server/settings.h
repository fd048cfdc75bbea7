/* settings: the configuration file and the command line -> the configuration in force. */
#ifndef GYRE_SETTINGS_H
#define GYRE_SETTINGS_H

#include <stdio.h>

#include "conf/conf.h"
#include "server/options.h"

#define SETTINGS_LISTEN_DEFAULT "127.0.0.1:8080"

/* Defaults, then the file, then the command line, where -l takes the place of all addresses of the
 * file. Returns 0, or OPTIONS_EXIT_USAGE after every error went to errors, one a line, as
 * "gyre: FILE:LINE: text"; then *conf must not be used. */
int settings_load(const struct options *options, struct conf *conf, FILE *errors);

#endif

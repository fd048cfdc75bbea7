/* options: the command line, taken apart. Nothing is opened and nothing exits here. */
#ifndef GYRE_OPTIONS_H
#define GYRE_OPTIONS_H

#include <stdio.h>

#include "conf/conf.h"

enum {
    OPTIONS_EXIT_USAGE = 2,   /* the exit status for a wrong command line or configuration */
    OPTIONS_SWITCHES_MAX = 8, /* switches that stand for a key of the configuration */
    OPTIONS_PAGE_SIZE_MAX = CONF_NAME_SIZE_MAX + 1,
};

/* A key that the command line sets, as a line of the ini file would. */
struct options_switch {
    const char *name; /* of the switch, for messages */
    const char *section;
    const char *key;
    const char *value;
};

enum options_action {
    OPTIONS_RUN,
    OPTIONS_TEST,        /* -t: check the configuration and print it as understood */
    OPTIONS_PRINT_TYPES, /* print the media types in force, by extension */
    OPTIONS_VERSION,
    OPTIONS_HELP,
};

/* Strings are borrowed from argv; NULL: not given. */
struct options {
    enum options_action action;
    const char *config;
    const char *listens[CONF_LISTEN_MAX]; /* each was read by conf_listen_parse() */
    uint32_t listens_count;
    bool has_workers;
    uint32_t workers; /* as in struct conf: 0 is auto */
    const char *dir;
    struct options_switch switches[OPTIONS_SWITCHES_MAX]; /* in the order given */
    uint32_t switches_count;
    char spa[OPTIONS_PAGE_SIZE_MAX + 1]; /* what --spa named, with its leading '/' */
};

/* Returns 0, or OPTIONS_EXIT_USAGE after one line to errors; then *options must not be used. --help
 * and --version end the reading: what follows them is not looked at. argv may be reordered. */
int options_parse(int argc, char *argv[], struct options *options, FILE *errors);

void options_print_help(FILE *stream);
void options_print_version(FILE *stream);

#endif

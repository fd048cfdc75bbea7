/* main: gyre's command line. See gyre --help, or README.md. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/options.h"
#include "server/service.h"
#include "server/settings.h"
#include "server/types_print.h"

/* Prints the configuration as understood: gyre -t. */
static int print_settings(const struct conf *conf)
{
    size_t size = conf_print(conf, NULL, 0) + 1;
    char *text = malloc(size);
    if (text == NULL) {
        fprintf(stderr, "gyre: out of memory\n");
        return 1;
    }
    conf_print(conf, text, size);
    int status = fputs(text, stdout) < 0 || fflush(stdout) != 0;
    free(text);
    return status;
}

static int act(const struct options *options, const struct conf *conf)
{
    switch (options->action) {
    case OPTIONS_TEST:
        return print_settings(conf);
    case OPTIONS_PRINT_TYPES:
        return types_print(conf, stdout);
    default:
        return service_run(conf);
    }
}

static int run(const struct options *options)
{
    struct conf *conf = malloc(sizeof(*conf));
    if (conf == NULL) {
        fprintf(stderr, "gyre: out of memory\n");
        return 1;
    }
    int status = settings_load(options, conf, stderr);
    if (status == 0) {
        status = act(options, conf);
    }
    free(conf);
    return status;
}

/* Large blocks (pieces of archives, listings, results) go back to the system when they are freed: a
 * threshold that is set does not grow. mallopt(3). */
static void bound_heap(void)
{
#ifdef M_MMAP_THRESHOLD
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
}

int main(int argc, char *argv[])
{
    bound_heap();
    struct options options;
    int status = options_parse(argc, argv, &options, stderr);
    if (status != 0) {
        return status;
    }
    switch (options.action) {
    case OPTIONS_HELP:
        options_print_help(stdout);
        return 0;
    case OPTIONS_VERSION:
        options_print_version(stdout);
        return 0;
    case OPTIONS_TEST:
    case OPTIONS_PRINT_TYPES:
    case OPTIONS_RUN:
        break;
    }
    return run(&options);
}

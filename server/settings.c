/* settings: reads the file, and joins the layers of settings; all errors come out in one go. */
#include "server/settings.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_value.h"

/* Fills buffer as far as the file goes. Returns the bytes read, or -errno. */
static ssize_t descriptor_read(int descriptor, char *buffer, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t count = read(descriptor, buffer + used, size - used);
        if (count == 0) {
            break;
        }
        if (count < 0 && errno != EINTR) {
            return -errno;
        }
        used += count > 0 ? (size_t)count : 0;
    }
    return (ssize_t)used;
}

static ssize_t file_read(const char *path, char *buffer, size_t size)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return -errno;
    }
    ssize_t result = descriptor_read(descriptor, buffer, size);
    close(descriptor);
    return result;
}

static int file_apply(const char *path, const char *text, size_t size, struct conf *conf,
                      FILE *errors)
{
    struct conf_errors found;
    if (conf_parse(text, size, conf, &found)) {
        return 0;
    }
    assert(found.kept > 0);
    for (uint32_t i = 0; i < found.kept; i++) {
        fprintf(errors, "gyre: %s:%u: %s\n", path, found.errors[i].line, found.errors[i].text);
    }
    if (found.count > found.kept) {
        fprintf(errors, "gyre: %s: and %u more errors\n", path, found.count - found.kept);
    }
    return OPTIONS_EXIT_USAGE;
}

static int file_load(const char *path, struct conf *conf, FILE *errors)
{
    size_t size = CONF_TEXT_SIZE_MAX + 1; /* one more shows that the file is too large */
    char *text = malloc(size);
    ssize_t result = text != NULL ? file_read(path, text, size) : -ENOMEM;
    int status = OPTIONS_EXIT_USAGE;
    if (result < 0) {
        fprintf(errors, "gyre: %s: cannot be read: %s; give -c the path of an ini file\n", path,
                strerror((int)-result));
    } else {
        status = file_apply(path, text, (size_t)result, conf, errors);
    }
    free(text);
    return status;
}

static int switches_apply(const struct options *options, struct conf *conf, FILE *errors)
{
    for (uint32_t i = 0; i < options->switches_count; i++) {
        const struct options_switch *given = &options->switches[i];
        const struct conf_key *key = conf_key_find(given->section, given->key);
        assert(key != NULL);
        char reason[CONF_ERROR_SIZE_MAX + 1];
        if (!conf_value_set(key, given->key, given->value, conf, reason)) {
            fprintf(errors, "gyre: %s %s: %s\n", given->name, given->value, reason);
            return OPTIONS_EXIT_USAGE;
        }
    }
    return 0;
}

/* Whoever develops wants to see the requests, unless they go to a file already. */
static void dev_apply(struct conf *conf)
{
    if (conf->dev == CONF_ON && strcmp(conf->access_log, "off") == 0) {
        memcpy(conf->access_log, "stdout", sizeof("stdout"));
    }
}

/* Nothing of options can be wrong by itself any more; an address may still be there twice. */
static int options_apply(const struct options *options, struct conf *conf, FILE *errors)
{
    if (options->listens_count > 0) {
        memset(conf->listen, 0, sizeof(conf->listen));
        conf->listen_count = 0;
    }
    for (uint32_t i = 0; i < options->listens_count; i++) {
        const char *expected = conf_listen_add(conf, options->listens[i]);
        if (expected != NULL) {
            fprintf(errors, "gyre: -l %s: %s\n", options->listens[i], expected);
            return OPTIONS_EXIT_USAGE;
        }
    }
    if (options->has_workers) {
        conf->workers = options->workers;
    }
    if (options->dir != NULL) {
        assert(strlen(options->dir) < sizeof(conf->root));
        memset(conf->root, 0, sizeof(conf->root));
        memcpy(conf->root, options->dir, strlen(options->dir));
    }
    int status = switches_apply(options, conf, errors);
    dev_apply(conf);
    return status;
}

int settings_load(const struct options *options, struct conf *conf, FILE *errors)
{
    conf_init(conf);
    int status = options->config != NULL ? file_load(options->config, conf, errors) : 0;
    if (status == 0) {
        status = options_apply(options, conf, errors);
    }
    if (status == 0 && conf->listen_count == 0) {
        const char *expected = conf_listen_add(conf, SETTINGS_LISTEN_DEFAULT);
        assert(expected == NULL);
    }
    return status;
}

/* options: getopt_long() with messages of our own, each saying what to do. */
#include "server/options.h"

#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "conf/conf_value.h"
#include "server/version.h"

/* Long names only. */
enum {
    OPTION_DEV = 256,
    OPTION_ENGINE,
    OPTION_LISTING,
    OPTION_ARCHIVE,
    OPTION_SPA,
    OPTION_CORS,
    OPTION_PRINT_TYPES,
};

static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "listen", required_argument, NULL, 'l' },
    { "workers", required_argument, NULL, 'w' },
    { "test", no_argument, NULL, 't' },
    { "dev", no_argument, NULL, OPTION_DEV },
    { "engine", required_argument, NULL, OPTION_ENGINE },
    { "listing", no_argument, NULL, OPTION_LISTING },
    { "archive", no_argument, NULL, OPTION_ARCHIVE },
    { "spa", required_argument, NULL, OPTION_SPA },
    { "cors", no_argument, NULL, OPTION_CORS },
    { "print-types", no_argument, NULL, OPTION_PRINT_TYPES },
    { "version", no_argument, NULL, 'V' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static const char help_text[] =
    "usage: gyre [OPTION]... [DIR]\n"
    "\n"
    "Serves the files of a directory over HTTP/1.1.\n"
    "\n"
    "  DIR                     what to serve (default: root of the FILE, else the\n"
    "                          current directory)\n"
    "  -c, --config FILE       read the configuration from an ini file\n"
    "                          (default: none)\n"
    "  -l, --listen ADDR:PORT  accept connections there; may be repeated; takes the\n"
    "                          place of all addresses of the FILE (default:\n"
    "                          127.0.0.1:8080)\n"
    "                            127.0.0.1:8080   IPv4     [::1]:8080   IPv6\n"
    "                            *:8080           both     unix:PATH    unix socket\n"
    "                          Port 0 lets the kernel choose a free one.\n"
    "  -w, --workers WORKERS   threads, 1 to 256, or auto: one for each CPU\n"
    "                          (default: auto)\n"
    "      --dev               for development: no-store on every answer, listings,\n"
    "                          one short line a request on standard output, in colour\n"
    "                          on a terminal\n"
    "      --engine ENGINE     ring (io_uring), epoll, or auto: ring where it may be\n"
    "                          used, else epoll (default: auto)\n"
    "      --listing           list directories without an index\n"
    "      --archive           give directories as a tar, too: /DIR/?format=tar\n"
    "      --spa FILE          answer navigations to what is missing with this page\n"
    "      --cors              let scripts of every origin read the answers\n"
    "  -t, --test              check the configuration, print it as understood, exit\n"
    "      --print-types       print the media types in force, by extension, exit\n"
    "  -V, --version           print the version, exit\n"
    "  -h, --help              print this, exit\n"
    "\n"
    "Signals:\n"
    "  TERM, INT   finish the running responses, then exit; twice: exit at once\n"
    "  USR1        reopen the access log\n"
    "  USR2        print one line for each connection\n"
    "\n"
    "Exit status:\n"
    "  0  stopped as asked\n"
    "  1  could not run\n"
    "  2  wrong command line or configuration\n"
    "\n"
    "Examples:\n"
    "  gyre                                  this directory at 127.0.0.1:8080\n"
    "  gyre --dev                            the same, while it is being worked on\n"
    "  gyre dist --spa index.html            a single-page application\n"
    "  gyre ~/files --listing --archive      a directory to browse\n"
    "  gyre -l '*:80' -l unix:/run/gyre www  two listeners\n"
    "  gyre -c gyre.ini -t                   check a configuration before using it\n";

void options_print_help(FILE *stream)
{
    fputs(help_text, stream);
}

void options_print_version(FILE *stream)
{
    fputs("gyre " GYRE_VERSION "\n", stream);
}

__attribute__((format(printf, 2, 3))) static int usage_error(FILE *errors, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("gyre: ", errors);
    vfprintf(errors, format, arguments);
    fputs("; try gyre --help\n", errors);
    va_end(arguments);
    return OPTIONS_EXIT_USAGE;
}

static int config_set(struct options *options, const char *text, FILE *errors)
{
    if (options->config != NULL) {
        return usage_error(errors, "two configurations, %s and %s: give one", options->config,
                           text);
    }
    if (text[0] == '\0') {
        return usage_error(errors, "the name after -c is empty: give the path of an ini file");
    }
    options->config = text;
    return 0;
}

static int listen_add(struct options *options, const char *text, FILE *errors)
{
    struct conf_endpoint endpoint;
    const char *expected = conf_listen_parse(text, &endpoint);
    if (expected != NULL) {
        return usage_error(errors, "-l %s: %s", text, expected);
    }
    if (options->listens_count == CONF_LISTEN_MAX) {
        return usage_error(errors, "-l %s: expected at most %d addresses", text, CONF_LISTEN_MAX);
    }
    options->listens[options->listens_count++] = text;
    return 0;
}

static int workers_set(struct options *options, const char *text, FILE *errors)
{
    const struct conf_key *key = conf_key_find("server", "workers");
    assert(key != NULL);
    assert(key->word != NULL);
    uint64_t workers = key->word_value;
    if (strcmp(text, key->word) != 0 &&
        (!conf_number_parse(text, &workers) || workers < key->min || workers > key->max)) {
        return usage_error(errors, "-w %s: expected a number from %u to %u, or %s", text,
                           (unsigned)key->min, (unsigned)key->max, key->word);
    }
    options->has_workers = true;
    options->workers = (uint32_t)workers;
    return 0;
}

static int switch_add(struct options *options, const char *name, const char *section,
                      const char *key, const char *value, FILE *errors)
{
    for (uint32_t i = 0; i < options->switches_count; i++) {
        if (strcmp(options->switches[i].name, name) == 0) {
            return usage_error(errors, "%s given twice: give it once", name);
        }
    }
    assert(options->switches_count < OPTIONS_SWITCHES_MAX); /* there are fewer names */
    options->switches[options->switches_count++] =
        (struct options_switch){ .name = name, .section = section, .key = key, .value = value };
    return 0;
}

/* "index.html" will do for "/index.html". */
static int spa_set(struct options *options, const char *text, FILE *errors)
{
    const char *path = text[0] == '/' ? text + 1 : text;
    if (path[0] == '\0' || strlen(path) >= OPTIONS_PAGE_SIZE_MAX) {
        return usage_error(errors,
                           "--spa %s: expected the path of a file beneath DIR, such as "
                           "index.html, of at most %d bytes",
                           text, OPTIONS_PAGE_SIZE_MAX - 1);
    }
    options->spa[0] = '/';
    memcpy(options->spa + 1, path, strlen(path) + 1);
    return switch_add(options, "--spa", "files", "spa", options->spa, errors);
}

static int dir_set(struct options *options, int argc, char *argv[], FILE *errors)
{
    if (optind == argc) {
        return 0;
    }
    if (argc - optind > 1) {
        return usage_error(errors, "two directories, %s and %s: give one", argv[optind],
                           argv[optind + 1]);
    }
    const char *dir = argv[optind];
    if (dir[0] == '\0') {
        return usage_error(errors, "the name of the directory is empty: give its path");
    }
    if (strlen(dir) > CONF_PATH_SIZE_MAX) {
        return usage_error(errors, "the path of the directory is longer than %d bytes",
                           CONF_PATH_SIZE_MAX);
    }
    for (const char *c = dir; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            return usage_error(errors, "the path of the directory holds a control byte: rename it");
        }
    }
    options->dir = dir;
    return 0;
}

/* getopt_long() says in optopt what it refused: 0 for an unknown long name, a letter of ours for a
 * value that a long name does not take, else the unknown letter. */
static int refused_option(char *argv[], FILE *errors)
{
    if (optopt == 0) {
        return usage_error(errors, "unknown or ambiguous option %s", argv[optind - 1]);
    }
    for (const struct option *option = long_options; option->name != NULL; option++) {
        if (option->val == optopt) {
            return usage_error(errors, "option --%s takes no value", option->name);
        }
    }
    return usage_error(errors, "unknown option -%c", optopt);
}

static int missing_value(FILE *errors)
{
    for (const struct option *option = long_options; option->name != NULL; option++) {
        if (option->val == optopt && optopt >= OPTION_DEV) {
            return usage_error(errors, "option --%s needs a value after it", option->name);
        }
    }
    return usage_error(errors, "option -%c needs a value after it", optopt);
}

static int option_apply(struct options *options, int letter, FILE *errors)
{
    switch (letter) {
    case 'c':
        return config_set(options, optarg, errors);
    case 'l':
        return listen_add(options, optarg, errors);
    case 'w':
        return workers_set(options, optarg, errors);
    case 't':
        options->action = OPTIONS_TEST;
        break;
    case 'V':
        options->action = OPTIONS_VERSION;
        break;
    case 'h':
        options->action = OPTIONS_HELP;
        break;
    case OPTION_DEV:
        return switch_add(options, "--dev", "server", "dev", "on", errors);
    case OPTION_ENGINE:
        return switch_add(options, "--engine", "server", "engine", optarg, errors);
    case OPTION_LISTING:
        return switch_add(options, "--listing", "files", "listing", "on", errors);
    case OPTION_ARCHIVE:
        return switch_add(options, "--archive", "files", "archive", "on", errors);
    case OPTION_CORS:
        return switch_add(options, "--cors", "files", "cors", "*", errors);
    case OPTION_SPA:
        return spa_set(options, optarg, errors);
    case OPTION_PRINT_TYPES:
        options->action = OPTIONS_PRINT_TYPES;
        break;
    case ':':
        return missing_value(errors);
    default:
        assert(false);
    }
    return 0;
}

int options_parse(int argc, char *argv[], struct options *options, FILE *errors)
{
    memset(options, 0, sizeof(*options));
    opterr = 0;
    optind = 0; /* GNU: begin anew, even after another command line */
    for (;;) {
        int letter = getopt_long(argc, argv, ":c:l:w:tVh", long_options, NULL);
        if (letter == -1) {
            break;
        }
        if (letter == '?') {
            return refused_option(argv, errors);
        }
        int status = option_apply(options, letter, errors);
        if (status != 0) {
            return status;
        }
        if (options->action == OPTIONS_VERSION || options->action == OPTIONS_HELP) {
            return 0;
        }
    }
    return dir_set(options, argc, argv, errors);
}

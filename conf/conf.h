/* conf: ini text -> struct conf, with every error named by its line. Pure: no file is opened,
 * nothing is allocated, time and environment are not looked at.
 *
 * The text is [section] lines and KEY = VALUE lines (or KEY : VALUE). Blanks at either end of a
 * line or a value do not count; a value never goes on in the next line. ';' or '#' begins a comment
 * at the start of a line, and within one after a blank; elsewhere both are bytes like any other, as
 * in "text/html;charset=utf-8". A value in double quotes is taken as it is, blanks, ';' and '#'
 * included; "" in it stands for one quote. A backslash means nothing special. Control bytes but for
 * the tab, NUL included, are errors; so is a line past CONF_LINE_SIZE_MAX. Bytes past ASCII are
 * passed on.
 *
 * [host NAME ...], [mount /PREFIX/] and [path /PATTERN] may be given any number of times, each with
 * keys of its own. The argument is all between the word and the first ']' that ends the line, or
 * that a comment follows; nothing in it is quoted. A [mount] or [path] belongs to the [host] above
 * it, and holds for every host where there is none. */
#ifndef GYRE_CONF_H
#define GYRE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONF_LISTEN_MAX = 16,
    CONF_ADDRESS_SIZE_MAX = 127, /* "[IPv6%scope]:port", or "unix:" and 107 bytes of path */
    CONF_PATH_SIZE_MAX = 4095,
    CONF_INDEX_MAX = 8,
    CONF_NAME_SIZE_MAX = 255,
    CONF_TYPES_MAX = 512,
    CONF_ERROR_PAGES_MAX = 16,
    CONF_HOSTS_MAX = 64,       /* [host] sections */
    CONF_HOST_NAMES_MAX = 512, /* names of all of them */
    CONF_MOUNTS_MAX = 64,      /* [mount] sections */
    CONF_RULES_MAX = 1024,     /* [path] sections */
    CONF_PATTERN_SIZE_MAX = 255,
    CONF_TRY_MAX = 8,                  /* items of a try list */
    CONF_RULE_HEADERS_SIZE_MAX = 2048, /* header lines of one rule */
    CONF_CACHE_SIZE_MAX = 255,         /* a value of Cache-Control */
    CONF_REDIRECT_SIZE_MAX = 2047,     /* a target, as written */
    CONF_REALM_SIZE_MAX = 127,
    CONF_ORIGINS_MAX = 64,          /* origins of one cors */
    CONF_ORIGINS_SIZE_MAX = 4095,   /* and their bytes */
    CONF_STRINGS_SIZE = 512 * 1024, /* what the sections above hold as text, all of them */
    CONF_HOST_ALL = 0xffff,         /* host of a rule or mount that stands before any [host] */
    CONF_ERRORS_MAX = 64,           /* errors reported in one go; the rest is counted */
    CONF_ERROR_SIZE_MAX = 255,
    CONF_TEXT_SIZE_MAX = 1024 * 1024,   /* an ini file larger than this is refused */
    CONF_LINE_SIZE_MAX = 2 * 4096 + 64, /* a path with every byte a doubled quote still fits */
};

enum conf_toggle {
    CONF_OFF,
    CONF_ON,
    CONF_AUTO
};
enum conf_engine {
    CONF_ENGINE_AUTO, /* the ring; where it may not be used, epoll */
    CONF_ENGINE_RING,
    CONF_ENGINE_EPOLL
};
enum conf_dotfiles {
    CONF_DOTFILES_DENY,     /* 404 */
    CONF_DOTFILES_UNLISTED, /* served, but not in listings and archives */
    CONF_DOTFILES_SHOW
};
enum conf_etag {
    CONF_ETAG_STAT,
    CONF_ETAG_HASH,
    CONF_ETAG_OFF
};
enum conf_deny {
    CONF_DENY_OFF,
    CONF_DENY_ON,   /* 403 */
    CONF_DENY_HIDE, /* 404 */
};
enum conf_symlinks {
    CONF_SYMLINKS_WITHIN,
    CONF_SYMLINKS_NONE,
    CONF_SYMLINKS_ALL
};

struct conf_listen {
    char address[CONF_ADDRESS_SIZE_MAX + 1]; /* checked by conf_listen_parse() */
};

enum conf_family {
    CONF_FAMILY_IPV4,
    CONF_FAMILY_IPV6,
    CONF_FAMILY_DUAL,
    CONF_FAMILY_UNIX
};

/* An address taken apart: "127.0.0.1:8080", "[::1]:8080" (IPv6 only), "*:8080" or ":8080" (both
 * families), "localhost:8080" (127.0.0.1), "unix:/run/gyre.sock". Port 0 to 65535; 0 lets the
 * kernel choose. */
struct conf_endpoint {
    enum conf_family family;
    uint16_t port;
    char host[CONF_ADDRESS_SIZE_MAX + 1]; /* literal, without brackets; or the socket's path */
};

struct conf_type {
    char extension[32]; /* without the dot, lower case */
    char type[128];
};

struct conf_error_page {
    uint16_t status;
    char path[CONF_NAME_SIZE_MAX + 1]; /* beneath the root, without leading '/' */
};

/* "text" below is an offset into conf->strings, of a string with its NUL; 0: not given. */

/* What a [path] section says; [files] has one of these, too, that the rules stack upon. Choices are
 * stored as given, or CONF_UNSET: the rule leaves that as it is. Texts: 0 leaves it, "off" takes it
 * back. */
enum {
    CONF_UNSET = 0xffffffff
};
struct conf_rule {
    uint16_t host;     /* index into hosts, or CONF_HOST_ALL */
    uint32_t pattern;  /* text: begins with '/', see http_glob.h; of [files]: none */
    uint32_t line;     /* of the section, for messages */
    uint32_t deny;     /* enum conf_deny */
    uint32_t listing;  /* CONF_OFF, CONF_ON */
    uint32_t archive;  /* CONF_OFF, CONF_ON */
    uint32_t redirect; /* text: "STATUS TARGET", status 301, 302, 307 or 308; or "off" */
    uint32_t cache;    /* text: "auto", "off", or the value of Cache-Control (a duration such as 1h
                          is stored as "max-age=3600") */
    uint32_t cors;     /* text: "off", "*", or origins with one space between */
    uint32_t auth;     /* text: path of a password file, or "off" */
    uint32_t auth_realm; /* text */
    uint32_t try;        /* text: items with one space between; or "off" */
    uint32_t spa;        /* text: path beneath the root with its leading '/', or "off" */
    uint32_t headers;    /* text: lines "Name: value\r\n"; an empty value takes a header back */
};

struct conf_host {
    uint32_t names; /* text, lower case, one space between: "example.org", "*.example.org",
                       "default" */
    uint32_t root;  /* text; 0: that of [server] */
    uint32_t line;
};

struct conf_mount {
    uint16_t host;   /* index into hosts, or CONF_HOST_ALL */
    uint32_t prefix; /* text: "/a/b/", plain names only */
    uint32_t root;   /* text */
    uint32_t line;
};

/* The configuration as understood: every field has a value (default or given). */
struct conf {
    /* [server] */
    struct conf_listen listen[CONF_LISTEN_MAX];
    uint32_t listen_count;
    char root[CONF_PATH_SIZE_MAX + 1];
    uint32_t workers;         /* 0: the CPUs the process may run on; up to 256 */
    uint32_t connections_max; /* per worker; 1 to 1048576 */
    uint32_t backlog;         /* listen(2) */
    enum conf_engine engine;
    enum conf_toggle dev; /* on | off: for development: no-store, listings, log to terminal */

    /* [timeouts], milliseconds */
    uint32_t head_timeout_ms;
    uint32_t body_timeout_ms;
    uint32_t keepalive_timeout_ms;
    uint32_t send_timeout_ms;   /* without any progress */
    uint32_t linger_timeout_ms; /* draining after an error, before the close */
    uint32_t shutdown_timeout_ms;

    /* [limits] */
    uint64_t body_max_bytes;
    uint32_t requests_per_connection_max; /* 0: no limit */

    /* [files] */
    char index[CONF_INDEX_MAX][CONF_NAME_SIZE_MAX + 1];
    uint32_t index_count;
    enum conf_dotfiles dotfiles;
    enum conf_symlinks symlinks;
    enum conf_toggle magic;      /* on | off: libmagic for unknown extensions */
    enum conf_toggle mime_types; /* on | off: the system's mime.types */
    enum conf_etag etag;
    enum conf_toggle precompressed; /* on | off: .br, .zst, .gz beside a file */
    struct conf_rule files;         /* listing, archive, try, spa, cors, cache of [files] */

    /* [compress] */
    enum conf_toggle compress;   /* on | off: what has no precompressed sibling, once, cached */
    uint32_t compress_bytes_min; /* smaller files are not worth it */
    uint32_t compress_bytes_max; /* larger ones take too long and too much memory */
    uint32_t compress_threads;   /* 1 to 64, helpers of the whole process */

    /* [cache] */
    enum conf_toggle cache;        /* on | off */
    uint64_t cache_bytes_max;      /* per worker: bodies and heads */
    uint32_t cache_entries_max;    /* per worker */
    uint32_t cache_file_bytes_max; /* larger bodies stream from their file */
    enum conf_toggle cache_watch;  /* on | off: inotify */
    uint32_t cache_revalidate_ms;  /* compared with the file at least this often */

    /* [ring] */
    uint32_t ring_entries; /* power of two: submission queue; the completion queue is 4x */
    uint32_t recv_buffers; /* power of two, per worker */
    uint32_t recv_buffer_bytes;
    uint32_t chunk_bytes;      /* streaming chunk */
    uint32_t chunks_max;       /* per worker */
    enum conf_toggle zerocopy; /* auto | on | off */
    uint32_t zerocopy_bytes_min;
    enum conf_toggle sqpoll; /* on | off */
    uint32_t sqpoll_cpu;     /* UINT32_MAX: not pinned */

    /* [log] */
    char access_log[CONF_PATH_SIZE_MAX + 1]; /* "off", "stdout", or a file's path */

    /* [types] .EXT = TYPE */
    struct conf_type types[CONF_TYPES_MAX];
    uint32_t types_count;

    /* [errors] STATUS = /PATH */
    struct conf_error_page error_pages[CONF_ERROR_PAGES_MAX];
    uint32_t error_pages_count;

    /* [host], [mount], [path], in the order of the file */
    struct conf_host hosts[CONF_HOSTS_MAX];
    uint32_t hosts_count;
    struct conf_mount mounts[CONF_MOUNTS_MAX];
    uint32_t mounts_count;
    struct conf_rule rules[CONF_RULES_MAX];
    uint32_t rules_count;
    uint32_t strings_used;           /* at least 1: offset 0 is the empty string */
    char strings[CONF_STRINGS_SIZE]; /* the last field; what is not used was never written */
};

/* The string of an offset; "" for 0. */
static inline const char *conf_text(const struct conf *conf, uint32_t offset)
{
    return conf->strings + offset;
}

struct conf_errors {
    uint32_t count; /* all of them, also those past CONF_ERRORS_MAX */
    uint32_t kept;
    struct {
        uint32_t line;                      /* from 1 */
        char text[CONF_ERROR_SIZE_MAX + 1]; /* what was found and what was expected */
    } errors[CONF_ERRORS_MAX];
};

/* Every default, as documented in conf/gyre.ini; conf->files has those of the rules. listen is
 * empty: the caller adds its own default when neither the file nor the command line named one. */
void conf_init(struct conf *conf);

/* Reads text into *conf, over what is there. Returns true when there was no error; otherwise
 * *errors has them in the order of their lines, and *conf must not be used. Unknown section, wrong
 * argument of a section, key out of a section, unknown key, key given twice in one section, bad
 * value, value out of range, a section too many, strings that are full, line too long: each is one.
 */
bool conf_parse(const char *text, size_t size, struct conf *conf, struct conf_errors *errors);

/* Takes an address apart. Returns NULL and fills *endpoint, or a static text that says what was
 * expected. */
const char *conf_listen_parse(const char *address, struct conf_endpoint *endpoint);

/* Writes the configuration as ini text that conf_parse() reads back to the same configuration (for
 * `gyre -t`). Writes at most size bytes, NUL included; returns the bytes needed without the NUL. */
size_t conf_print(const struct conf *conf, char *buffer, size_t size);

#endif

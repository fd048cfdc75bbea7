/* conf_keys: the table itself, and how it is searched. */
#include "conf/conf_keys.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(enum conf_toggle) == sizeof(uint32_t), "a choice is stored as 32 bits");
_Static_assert(sizeof(enum conf_engine) == sizeof(uint32_t), "a choice is stored as 32 bits");
_Static_assert(sizeof(enum conf_dotfiles) == sizeof(uint32_t), "a choice is stored as 32 bits");
_Static_assert(sizeof(enum conf_etag) == sizeof(uint32_t), "a choice is stored as 32 bits");
_Static_assert(sizeof(enum conf_symlinks) == sizeof(uint32_t), "a choice is stored as 32 bits");

static const char *const toggle_words[] = {
    [CONF_OFF] = "off",
    [CONF_ON] = "on",
    [CONF_AUTO] = "auto",
};
static const char *const engine_words[] = {
    [CONF_ENGINE_AUTO] = "auto",
    [CONF_ENGINE_RING] = "ring",
    [CONF_ENGINE_EPOLL] = "epoll",
};
static const char *const dotfiles_words[] = {
    [CONF_DOTFILES_DENY] = "deny",
    [CONF_DOTFILES_UNLISTED] = "unlisted",
    [CONF_DOTFILES_SHOW] = "show",
};
static const char *const etag_words[] = {
    [CONF_ETAG_STAT] = "stat",
    [CONF_ETAG_HASH] = "hash",
    [CONF_ETAG_OFF] = "off",
};
static const char *const deny_words[] = {
    [CONF_DENY_OFF] = "off",
    [CONF_DENY_ON] = "on",
    [CONF_DENY_HIDE] = "hide",
};
static const char *const symlinks_words[] = {
    [CONF_SYMLINKS_WITHIN] = "within",
    [CONF_SYMLINKS_NONE] = "none",
    [CONF_SYMLINKS_ALL] = "all",
};

#define KIB                UINT64_C(1024)
#define MIB                (KIB * KIB)
#define GIB                (KIB * MIB)
#define SECOND             UINT64_C(1000)
#define HOUR               (3600 * SECOND)
#define FIELD(kind, field) kind, (uint32_t)offsetof(struct conf, field)
#define LISTEN(field)      FIELD(CONF_KIND_LISTEN, field)
#define PATH(field)        FIELD(CONF_KIND_PATH, field)
#define COUNT(field)       FIELD(CONF_KIND_COUNT, field)
#define DURATION(field)    FIELD(CONF_KIND_DURATION, field)
#define SIZE32(field)      FIELD(CONF_KIND_SIZE32, field)
#define SIZE64(field)      FIELD(CONF_KIND_SIZE64, field)
#define CHOICE(field)      FIELD(CONF_KIND_CHOICE, field)
#define INDEX(field)       FIELD(CONF_KIND_INDEX, field)
#define TYPE(field)        FIELD(CONF_KIND_TYPE, field)
#define ERROR_PAGE(field)  FIELD(CONF_KIND_ERROR_PAGE, field)
#define CACHE(field)       FIELD(CONF_KIND_CACHE, field)
#define CORS(field)        FIELD(CONF_KIND_CORS, field)
#define TRY(field)         FIELD(CONF_KIND_TRY, field)
#define SPA(field)         FIELD(CONF_KIND_SPA, field)

/* Of the sections with an argument. */
#define HOST(kind, field)  CONF_KIND_##kind, (uint32_t)offsetof(struct conf_host, field)
#define MOUNT(kind, field) CONF_KIND_##kind, (uint32_t)offsetof(struct conf_mount, field)
#define RULE(kind, field)  CONF_KIND_##kind, (uint32_t)offsetof(struct conf_rule, field)

/* The ceilings of [ring] are the kernel's: 65536 completions (the queue is 4x the submissions),
 * 32768 buffers in a provided ring, 16384 registered buffers. */
/* clang-format off */
const struct conf_key conf_keys[] = {
    { "server", "listen", LISTEN(listen), 1, CONF_LISTEN_MAX,
      "addresses", .initial = NULL },
    { "server", "root", PATH(root), 1, CONF_PATH_SIZE_MAX,
      "bytes", .initial = "." },
    { "server", "workers", COUNT(workers), 1, 256,
      "threads", .initial = "auto", .word = "auto" },
    { "server", "connections_max", COUNT(connections_max), 1, 1048576,
      "connections", .initial = "10240" },
    { "server", "backlog", COUNT(backlog), 1, 65535,
      "connections", .initial = "4096" },
    { "server", "engine", CHOICE(engine), 0, CONF_ENGINE_EPOLL,
      "", .initial = "auto", .words = engine_words },
    { "server", "dev", CHOICE(dev), 0, CONF_ON,
      "", .initial = "off", .words = toggle_words },

    { "timeouts", "head", DURATION(head_timeout_ms), 1, HOUR,
      "ms", .initial = "10s" },
    { "timeouts", "body", DURATION(body_timeout_ms), 1, HOUR,
      "ms", .initial = "30s" },
    { "timeouts", "keepalive", DURATION(keepalive_timeout_ms), 1, 24 * HOUR,
      "ms", .initial = "60s" },
    { "timeouts", "send", DURATION(send_timeout_ms), 1, HOUR,
      "ms", .initial = "60s" },
    { "timeouts", "linger", DURATION(linger_timeout_ms), 0, HOUR,
      "ms", .initial = "5s" },
    { "timeouts", "shutdown", DURATION(shutdown_timeout_ms), 0, 24 * HOUR,
      "ms", .initial = "30s" },

    { "limits", "body_max", SIZE64(body_max_bytes), 0, 1024 * GIB,
      "bytes", .initial = "1M" },
    { "limits", "requests_per_connection_max", COUNT(requests_per_connection_max), 0, UINT32_MAX,
      "requests", .initial = "0" },

    { "files", "index", INDEX(index), 0, CONF_INDEX_MAX,
      "names", .initial = "index.html" },
    { "files", "dotfiles", CHOICE(dotfiles), 0, CONF_DOTFILES_SHOW,
      "", .initial = "deny", .words = dotfiles_words },
    { "files", "symlinks", CHOICE(symlinks), 0, CONF_SYMLINKS_ALL,
      "", .initial = "within", .words = symlinks_words },
    { "files", "magic", CHOICE(magic), 0, CONF_ON,
      "", .initial = "on", .words = toggle_words },
    { "files", "mime_types", CHOICE(mime_types), 0, CONF_ON,
      "", .initial = "on", .words = toggle_words },
    { "files", "etag", CHOICE(etag), 0, CONF_ETAG_OFF,
      "", .initial = "stat", .words = etag_words },
    { "files", "precompressed", CHOICE(precompressed), 0, CONF_ON,
      "", .initial = "on", .words = toggle_words },
    { "files", "listing", CHOICE(files.listing), 0, CONF_ON,
      "", .initial = "off", .words = toggle_words },
    { "files", "archive", CHOICE(files.archive), 0, CONF_ON,
      "", .initial = "off", .words = toggle_words },
    { "files", "try", TRY(files.try), 1, CONF_TRY_MAX,
      "items", .initial = "off", .word = "off" },
    { "files", "spa", SPA(files.spa), 1, CONF_NAME_SIZE_MAX + 1,
      "bytes", .initial = "off", .word = "off" },
    { "files", "cors", CORS(files.cors), 1, CONF_ORIGINS_MAX,
      "origins", .initial = "off", .word = "off" },
    { "files", "cache", CACHE(files.cache), 1, CONF_CACHE_SIZE_MAX,
      "bytes", .initial = "auto", .word = "off" },

    { "compress", "compress", CHOICE(compress), 0, CONF_ON,
      "", .initial = "on", .words = toggle_words },
    { "compress", "bytes_min", SIZE32(compress_bytes_min), 1, GIB,
      "bytes", .initial = "1K" },
    { "compress", "bytes_max", SIZE32(compress_bytes_max), KIB, 64 * MIB,
      "bytes", .initial = "8M" },
    { "compress", "threads", COUNT(compress_threads), 1, 64,
      "threads", .initial = "2" },

    { "cache", "cache", CHOICE(cache), 0, CONF_ON,
      "", .initial = "on", .words = toggle_words },
    { "cache", "bytes_max", SIZE64(cache_bytes_max), 64 * KIB, 1024 * GIB,
      "bytes", .initial = "64M" },
    { "cache", "entries_max", COUNT(cache_entries_max), 1, 1048576,
      "entries", .initial = "8192" },
    { "cache", "file_bytes_max", SIZE32(cache_file_bytes_max), 0, 16 * MIB,
      "bytes", .initial = "64K" },
    { "cache", "watch", CHOICE(cache_watch), 0, CONF_ON,
      "", .initial = "on", .words = toggle_words },
    { "cache", "revalidate", DURATION(cache_revalidate_ms), 0, HOUR,
      "ms", .initial = "1s" },

    { "ring", "entries", COUNT(ring_entries), 16, 16384,
      "entries", .initial = "1024", .shape = CONF_SHAPE_POWER_OF_TWO },
    { "ring", "recv_buffers", COUNT(recv_buffers), 8, 32768,
      "buffers", .initial = "1024", .shape = CONF_SHAPE_POWER_OF_TWO },
    { "ring", "recv_buffer_bytes", SIZE32(recv_buffer_bytes), 256, 64 * KIB,
      "bytes", .initial = "4K" },
    { "ring", "chunk_bytes", SIZE32(chunk_bytes), CONF_PAGE_BYTES, 16 * MIB,
      "bytes", .initial = "512K", .shape = CONF_SHAPE_PAGES },
    { "ring", "chunks_max", COUNT(chunks_max), 2, 16384,
      "chunks", .initial = "128" },
    { "ring", "zerocopy", CHOICE(zerocopy), 0, CONF_AUTO,
      "", .initial = "auto", .words = toggle_words },
    { "ring", "zerocopy_bytes_min", SIZE32(zerocopy_bytes_min), 0, GIB,
      "bytes", .initial = "128K" },
    { "ring", "sqpoll", CHOICE(sqpoll), 0, CONF_ON,
      "", .initial = "off", .words = toggle_words },
    { "ring", "sqpoll_cpu", COUNT(sqpoll_cpu), 0, 8191,
      "a CPU", .initial = "any", .word = "any", .word_value = UINT32_MAX },

    { "log", "access", PATH(access_log), 1, CONF_PATH_SIZE_MAX,
      "bytes", .initial = "off" },

    { "types", ".EXT", TYPE(types), 0, CONF_TYPES_MAX,
      "types", .initial = NULL },
    { "errors", "STATUS", ERROR_PAGE(error_pages), 0, CONF_ERROR_PAGES_MAX,
      "pages", .initial = NULL },

    { "host", "root", HOST(FILE, root), 1, CONF_PATH_SIZE_MAX,
      "bytes", .base = CONF_BASE_HOST },

    { "mount", "root", MOUNT(FILE, root), 1, CONF_PATH_SIZE_MAX,
      "bytes", .base = CONF_BASE_MOUNT },

    { "path", "header", RULE(HEADER, headers), 1, CONF_RULE_HEADERS_SIZE_MAX,
      "bytes", .base = CONF_BASE_RULE },
    { "path", "cache", RULE(CACHE, cache), 1, CONF_CACHE_SIZE_MAX,
      "bytes", .word = "off", .base = CONF_BASE_RULE },
    { "path", "redirect", RULE(REDIRECT, redirect), 1, CONF_REDIRECT_SIZE_MAX,
      "bytes", .word = "off", .base = CONF_BASE_RULE },
    { "path", "deny", RULE(CHOICE, deny), 0, CONF_DENY_HIDE,
      "", .words = deny_words, .base = CONF_BASE_RULE },
    { "path", "auth", RULE(FILE, auth), 1, CONF_PATH_SIZE_MAX,
      "bytes", .word = "off", .base = CONF_BASE_RULE },
    { "path", "auth_realm", RULE(REALM, auth_realm), 1, CONF_REALM_SIZE_MAX,
      "bytes", .base = CONF_BASE_RULE },
    { "path", "cors", RULE(CORS, cors), 1, CONF_ORIGINS_MAX,
      "origins", .word = "off", .base = CONF_BASE_RULE },
    { "path", "listing", RULE(CHOICE, listing), 0, CONF_ON,
      "", .words = toggle_words, .base = CONF_BASE_RULE },
    { "path", "archive", RULE(CHOICE, archive), 0, CONF_ON,
      "", .words = toggle_words, .base = CONF_BASE_RULE },
    { "path", "try", RULE(TRY, try), 1, CONF_TRY_MAX,
      "items", .word = "off", .base = CONF_BASE_RULE },
    { "path", "spa", RULE(SPA, spa), 1, CONF_NAME_SIZE_MAX + 1,
      "bytes", .word = "off", .base = CONF_BASE_RULE },
};

/* clang-format on */

const uint32_t conf_keys_count = sizeof(conf_keys) / sizeof(conf_keys[0]);
_Static_assert(sizeof(conf_keys) / sizeof(conf_keys[0]) <= CONF_KEYS_MAX, "raise CONF_KEYS_MAX");

static bool key_is_map(const struct conf_key *key)
{
    return key->kind == CONF_KIND_TYPE || key->kind == CONF_KIND_ERROR_PAGE;
}

const struct conf_key *conf_key_find(const char *section, const char *name)
{
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (strcmp(key->section, section) == 0 &&
            (key_is_map(key) || strcmp(key->name, name) == 0)) {
            return key;
        }
    }
    return NULL;
}

const struct conf_key *conf_key_find_elsewhere(const char *name)
{
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        if (!key_is_map(&conf_keys[i]) && strcmp(conf_keys[i].name, name) == 0) {
            return &conf_keys[i];
        }
    }
    return NULL;
}

bool conf_section_is_known(const char *section)
{
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        if (strcmp(conf_keys[i].section, section) == 0) {
            return true;
        }
    }
    return false;
}

bool conf_key_is_repeatable(const struct conf_key *key)
{
    return key->kind == CONF_KIND_LISTEN || key->kind == CONF_KIND_HEADER || key_is_map(key);
}

size_t conf_key_place(const struct conf_key *key, uint32_t instance)
{
    switch (key->base) {
    case CONF_BASE_HOST:
        assert(instance < CONF_HOSTS_MAX);
        return offsetof(struct conf, hosts) + instance * sizeof(struct conf_host) + key->offset;
    case CONF_BASE_MOUNT:
        assert(instance < CONF_MOUNTS_MAX);
        return offsetof(struct conf, mounts) + instance * sizeof(struct conf_mount) + key->offset;
    case CONF_BASE_RULE:
        assert(instance < CONF_RULES_MAX);
        return offsetof(struct conf, rules) + instance * sizeof(struct conf_rule) + key->offset;
    case CONF_BASE_CONF:
        break;
    }
    return key->offset;
}

size_t conf_key_place_last(const struct conf_key *key, const struct conf *conf)
{
    uint32_t count = 1;
    if (key->base == CONF_BASE_HOST) {
        count = conf->hosts_count;
    } else if (key->base == CONF_BASE_MOUNT) {
        count = conf->mounts_count;
    } else if (key->base == CONF_BASE_RULE) {
        count = conf->rules_count;
    }
    assert(count > 0);
    return conf_key_place(key, count - 1);
}

enum conf_base conf_section_base(const char *section)
{
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        if (strcmp(conf_keys[i].section, section) == 0) {
            return conf_keys[i].base;
        }
    }
    return CONF_BASE_CONF;
}

const char *conf_section_form(const char *section)
{
    static const char *const FORMS[] = {
        [CONF_BASE_CONF] = NULL,
        [CONF_BASE_HOST] = "NAME ...",
        [CONF_BASE_MOUNT] = "/PREFIX/",
        [CONF_BASE_RULE] = "/PATTERN",
    };
    return FORMS[conf_section_base(section)];
}

static void list_append(char *buffer, size_t size, const char *before, const char *item,
                        const char *after)
{
    size_t used = strlen(buffer);
    assert(used < size);
    snprintf(buffer + used, size - used, "%s%s%s%s", used > 0 ? ", " : "", before, item, after);
}

void conf_sections_write(char *buffer, size_t size)
{
    assert(size > 0);
    buffer[0] = '\0';
    const char *last = "";
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        if (strcmp(conf_keys[i].section, last) != 0) {
            last = conf_keys[i].section;
            const char *form = conf_section_form(last);
            char name[CONF_KEY_SIZE_MAX];
            snprintf(name, sizeof(name), "[%s%s%s]", last, form != NULL ? " " : "",
                     form != NULL ? form : "");
            list_append(buffer, size, "", name, "");
        }
    }
}

void conf_key_names_write(const char *section, char *buffer, size_t size)
{
    assert(size > 0);
    buffer[0] = '\0';
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        if (strcmp(conf_keys[i].section, section) == 0) {
            list_append(buffer, size, "", conf_keys[i].name, "");
        }
    }
}

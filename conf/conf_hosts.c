/* conf_hosts: names of hosts, and prefixes of mounts. */
#include <ctype.h>
#include <string.h>

#include "conf/conf_sections.h"
#include "conf/conf_syntax.h"

static const char wildcard_prefix[] = "*.";
static const char name_for_others[] = "default";

/* "example.org", "*.example.org", "[::1]", "default". */
static bool name_is_valid(const char *name, size_t size)
{
    if (size > 2 && memcmp(name, wildcard_prefix, 2) == 0) {
        return name[2] != '[' && conf_host_name_is_valid(name + 2, size - 2);
    }
    return conf_text_is(name, size, name_for_others) || conf_host_name_is_valid(name, size);
}

/* Whether the name is one of the list's words. */
static bool names_have(const char *names, size_t names_size, const char *name, size_t size)
{
    const char *end = names + names_size;
    while (names < end) {
        const char *blank = memchr(names, ' ', (size_t)(end - names));
        const char *word_end = blank != NULL ? blank : end;
        if ((size_t)(word_end - names) == size && memcmp(names, name, size) == 0) {
            return true;
        }
        names = word_end + 1;
    }
    return false;
}

static uint32_t names_count(const struct conf *conf)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < conf->hosts_count; i++) {
        const char *names = conf_text(conf, conf->hosts[i].names);
        for (size_t size = 0; (size = conf_word_find(&names)) > 0; names += size) {
            count++;
        }
    }
    return count;
}

static bool name_is_taken(const struct conf *conf, const struct conf_draft *draft, const char *name,
                          size_t size)
{
    for (uint32_t i = 0; i < conf->hosts_count; i++) {
        const char *names = conf_text(conf, conf->hosts[i].names);
        if (names_have(names, strlen(names), name, size)) {
            return true;
        }
    }
    return names_have(draft->text, draft->size, name, size);
}

const char *conf_host_names_read(const struct conf *conf, const char *text,
                                 struct conf_draft *draft)
{
    uint32_t count = names_count(conf);
    size_t size = 0;
    for (; (size = conf_word_find(&text)) > 0; text += size) {
        char name[2 + CONF_HOST_NAME_SIZE_MAX];
        if (size > sizeof(name) || !name_is_valid(text, size)) {
            return "expected names such as example.org, *.example.org, 127.0.0.1, [::1] or "
                   "default, without a port";
        }
        for (size_t i = 0; i < size; i++) {
            name[i] = (char)tolower((unsigned char)text[i]);
        }
        if (name_is_taken(conf, draft, name, size)) {
            return "expected every name in one [host], once";
        }
        if (++count > CONF_HOST_NAMES_MAX) {
            return "expected at most 512 names of hosts";
        }
        _Static_assert(CONF_HOST_NAMES_MAX == 512, "the text above names it");
        if (draft->size > 0) {
            conf_draft_append(draft, " ", 1);
        }
        conf_draft_append(draft, name, size);
    }
    return NULL;
}

const char *conf_mount_prefix_read(const struct conf *conf, uint16_t host, const char *text,
                                   struct conf_draft *draft)
{
    size_t size = strlen(text);
    if (!conf_prefix_is_plain(text, size) || strpbrk(text, "]\t") != NULL) {
        return "expected a path that begins and ends with '/', such as /docs/, of plain names and "
               "at most 255 bytes";
    }
    _Static_assert(CONF_PATTERN_SIZE_MAX == 255, "the text above names it");
    for (uint32_t i = 0; i < conf->mounts_count; i++) {
        const struct conf_mount *mount = &conf->mounts[i];
        if (mount->host == host && strcmp(conf_text(conf, mount->prefix), text) == 0) {
            return "expected every prefix once in a [host]";
        }
    }
    conf_draft_append(draft, text, size);
    return NULL;
}

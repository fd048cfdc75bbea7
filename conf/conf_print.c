/* conf_print: the table once more, from struct conf to text; the inverse of conf_parse(). */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf_value.h"

/* Writes what fits, counts all. */
struct writer {
    char *buffer;
    size_t size;
    size_t needed;
};

static void writer_put(struct writer *writer, const char *text, size_t size)
{
    if (writer->needed + 1 < writer->size) {
        size_t room = writer->size - 1 - writer->needed;
        memcpy(writer->buffer + writer->needed, text, size < room ? size : room);
    }
    writer->needed += size;
}

static void writer_put_string(struct writer *writer, const char *text)
{
    writer_put(writer, text, strlen(text));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Whether the text would read as something else without quotes. */
static bool value_needs_quotes(const char *value)
{
    size_t size = strlen(value);
    if (size == 0 || value[0] == '"' || is_blank(value[0]) || is_blank(value[size - 1])) {
        return true;
    }
    for (size_t i = 0; i < size; i++) {
        bool begins_comment = value[i] == ';' || value[i] == '#';
        if (begins_comment && (i == 0 || is_blank(value[i - 1]))) {
            return true;
        }
    }
    return false;
}

static void writer_put_value(struct writer *writer, const char *value)
{
    if (!value_needs_quotes(value)) {
        writer_put_string(writer, value);
        return;
    }
    writer_put_string(writer, "\"");
    for (const char *c = value; *c != '\0'; c++) {
        writer_put(writer, c, 1);
        if (*c == '"') {
            writer_put(writer, c, 1);
        }
    }
    writer_put_string(writer, "\"");
}

static void writer_put_pair(struct writer *writer, const char *name, const char *value)
{
    writer_put_string(writer, name);
    writer_put_string(writer, " = ");
    writer_put_value(writer, value);
    writer_put_string(writer, "\n");
}

static uint64_t number_load(const struct conf_key *key, const struct conf *conf, uint32_t instance)
{
    const char *field = (const char *)conf + conf_key_place(key, instance);
    if (key->kind == CONF_KIND_SIZE64) {
        uint64_t value;
        memcpy(&value, field, sizeof(value));
        return value;
    }
    uint32_t value;
    memcpy(&value, field, sizeof(value));
    return value;
}

static void number_print(struct writer *writer, const struct conf_key *key, const struct conf *conf,
                         uint32_t instance)
{
    char text[CONF_NUMBER_SIZE_MAX];
    uint64_t value = number_load(key, conf, instance);
    const char *shown = text;
    if (key->base == CONF_BASE_RULE && value == CONF_UNSET) {
        return;
    }
    if (key->kind == CONF_KIND_CHOICE) {
        assert(value <= key->max);
        shown = key->words[value];
    } else if (key->word != NULL && value == key->word_value) {
        shown = key->word;
    } else if (key->kind == CONF_KIND_DURATION) {
        conf_duration_write(value, text);
    } else if (key->kind == CONF_KIND_COUNT) {
        snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    } else {
        conf_size_write(value, text);
    }
    writer_put_pair(writer, key->name, shown);
}

static void index_print(struct writer *writer, const struct conf *conf)
{
    char names[CONF_INDEX_MAX * (CONF_NAME_SIZE_MAX + 1) + 1] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < conf->index_count; i++) {
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? " " : "",
                                 conf->index[i]);
        assert(used < sizeof(names));
    }
    writer_put_pair(writer, "index", names);
}

static void types_print(struct writer *writer, const struct conf *conf)
{
    for (uint32_t i = 0; i < conf->types_count; i++) {
        writer_put_string(writer, ".");
        writer_put_pair(writer, conf->types[i].extension, conf->types[i].type);
    }
}

static void error_pages_print(struct writer *writer, const struct conf *conf)
{
    for (uint32_t i = 0; i < conf->error_pages_count; i++) {
        char status[CONF_NUMBER_SIZE_MAX];
        char path[1 + CONF_NAME_SIZE_MAX + 1];
        snprintf(status, sizeof(status), "%u", conf->error_pages[i].status);
        snprintf(path, sizeof(path), "/%s", conf->error_pages[i].path);
        writer_put_pair(writer, status, path);
    }
}

/* "Name: value\r\n" ... */
static void headers_print(struct writer *writer, const char *name, const char *lines)
{
    while (*lines != '\0') {
        char line[CONF_RULE_HEADERS_SIZE_MAX + 1];
        size_t size = strcspn(lines, "\r");
        assert(size < sizeof(line));
        memcpy(line, lines, size);
        /* Of an empty value, the blank would need quotes. */
        line[size > 0 && line[size - 1] == ' ' ? size - 1 : size] = '\0';
        writer_put_pair(writer, name, line);
        lines += size + strlen("\r\n");
    }
}

static void text_print(struct writer *writer, const struct conf_key *key, const struct conf *conf,
                       uint32_t instance)
{
    uint32_t offset = 0;
    memcpy(&offset, (const char *)conf + conf_key_place(key, instance), sizeof(offset));
    if (offset == 0) {
        return;
    }
    if (key->kind == CONF_KIND_HEADER) {
        headers_print(writer, key->name, conf_text(conf, offset));
    } else {
        writer_put_pair(writer, key->name, conf_text(conf, offset));
    }
}

static void key_print(struct writer *writer, const struct conf_key *key, const struct conf *conf,
                      uint32_t instance)
{
    switch (key->kind) {
    case CONF_KIND_LISTEN:
        for (uint32_t i = 0; i < conf->listen_count; i++) {
            writer_put_pair(writer, key->name, conf->listen[i].address);
        }
        break;
    case CONF_KIND_PATH:
        writer_put_pair(writer, key->name, (const char *)conf + key->offset);
        break;
    case CONF_KIND_COUNT:
    case CONF_KIND_DURATION:
    case CONF_KIND_SIZE32:
    case CONF_KIND_SIZE64:
    case CONF_KIND_CHOICE:
        number_print(writer, key, conf, instance);
        break;
    case CONF_KIND_INDEX:
        index_print(writer, conf);
        break;
    case CONF_KIND_TYPE:
        types_print(writer, conf);
        break;
    case CONF_KIND_ERROR_PAGE:
        error_pages_print(writer, conf);
        break;
    case CONF_KIND_FILE:
    case CONF_KIND_HEADER:
    case CONF_KIND_CACHE:
    case CONF_KIND_REDIRECT:
    case CONF_KIND_CORS:
    case CONF_KIND_REALM:
    case CONF_KIND_TRY:
    case CONF_KIND_SPA:
        text_print(writer, key, conf, instance);
        break;
    }
}

static void instance_print(struct writer *writer, enum conf_base base, const char *argument,
                           const struct conf *conf, uint32_t instance)
{
    bool is_open = false;
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (key->base != base) {
            continue;
        }
        if (!is_open) {
            writer_put_string(writer, "\n[");
            writer_put_string(writer, key->section);
            writer_put_string(writer, " ");
            writer_put_string(writer, argument);
            writer_put_string(writer, "]\n");
            is_open = true;
        }
        key_print(writer, key, conf, instance);
    }
}

/* The mounts and the rules of one host, or of all. */
static void host_sections_print(struct writer *writer, const struct conf *conf, uint16_t host)
{
    for (uint32_t i = 0; i < conf->mounts_count; i++) {
        if (conf->mounts[i].host == host) {
            instance_print(writer, CONF_BASE_MOUNT, conf_text(conf, conf->mounts[i].prefix), conf,
                           i);
        }
    }
    for (uint32_t i = 0; i < conf->rules_count; i++) {
        if (conf->rules[i].host == host) {
            instance_print(writer, CONF_BASE_RULE, conf_text(conf, conf->rules[i].pattern), conf,
                           i);
        }
    }
}

size_t conf_print(const struct conf *conf, char *buffer, size_t size)
{
    struct writer writer = { .buffer = buffer, .size = size, .needed = 0 };
    const char *section = "";
    for (uint32_t i = 0; i < conf_keys_count && conf_keys[i].base == CONF_BASE_CONF; i++) {
        if (strcmp(conf_keys[i].section, section) != 0) {
            writer_put_string(&writer, i == 0 ? "[" : "\n[");
            section = conf_keys[i].section;
            writer_put_string(&writer, section);
            writer_put_string(&writer, "]\n");
        }
        key_print(&writer, &conf_keys[i], conf, 0);
    }
    host_sections_print(&writer, conf, CONF_HOST_ALL);
    for (uint16_t i = 0; i < conf->hosts_count; i++) {
        instance_print(&writer, CONF_BASE_HOST, conf_text(conf, conf->hosts[i].names), conf, i);
        host_sections_print(&writer, conf, i);
    }
    if (size > 0) {
        buffer[writer.needed < size ? writer.needed : size - 1] = '\0';
    }
    return writer.needed;
}

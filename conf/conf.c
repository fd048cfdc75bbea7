/* conf: inih's lines -> rows of the table -> struct conf, and what is wrong with them: keys that
 * are unknown, misplaced or repeated here, values in conf_value.c, lines in conf_lines.c. */
#include "conf/conf.h"

#include <assert.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf_errors.h"
#include "conf/conf_keys.h"
#include "conf/conf_lines.h"
#include "conf/conf_value.h"

struct parse {
    struct conf *conf;
    struct conf_errors *errors;
    struct conf_sections sections;
    size_t value_size;
    char value[CONF_LINE_SIZE_MAX + 1];
    struct conf_lines lines;
};

void conf_init(struct conf *conf)
{
    memset(conf, 0, offsetof(struct conf, strings));
    conf->strings[0] = '\0';
    conf->strings_used = 1;
    conf->files.host = CONF_HOST_ALL;
    for (uint32_t i = 0; i < conf_keys_count; i++) {
        char reason[CONF_ERROR_SIZE_MAX + 1];
        if (conf_keys[i].initial != NULL) {
            assert(conf_keys[i].base == CONF_BASE_CONF);
            bool is_set = conf_value_set(&conf_keys[i], conf_keys[i].name, conf_keys[i].initial,
                                         conf, reason);
            assert(is_set);
        }
    }
}

static void unknown_key_add(struct parse *parse, const char *section, const char *name)
{
    const struct conf_key *elsewhere = conf_key_find_elsewhere(name);
    if (elsewhere != NULL) {
        conf_errors_add(parse->errors, parse->lines.line, "key '%s' in [%s]: expected in [%s]",
                        name, section, elsewhere->section);
        return;
    }
    char names[CONF_ERROR_SIZE_MAX];
    conf_key_names_write(section, names, sizeof(names));
    conf_errors_add(parse->errors, parse->lines.line,
                    "unknown key '%s' in [%s]: expected one of %s", name, section, names);
}

static void pair_set(struct parse *parse, const char *section, const char *name)
{
    uint32_t line = parse->lines.line;
    if (parse->sections.line == 0) {
        conf_errors_add(parse->errors, line,
                        "key '%s' before any section: expected [SECTION] first", name);
        return;
    }
    if (parse->sections.is_skipped) {
        return;
    }
    const struct conf_key *key = conf_key_find(section, name);
    if (key == NULL) {
        unknown_key_add(parse, section, name);
        return;
    }
    size_t index = conf_key_index(key);
    if (parse->sections.line_of[index] != 0 && !conf_key_is_repeatable(key)) {
        conf_errors_add(parse->errors, line, "key '%s' given twice: expected once, as on line %u",
                        name, parse->sections.line_of[index]);
        return;
    }
    parse->sections.line_of[index] = line;
    char reason[CONF_ERROR_SIZE_MAX + 1];
    if (!conf_value_set(key, name, parse->value, parse->conf, reason)) {
        parse->sections.is_bad[index] = true;
        conf_errors_add(parse->errors, line, "%s = %.60s%s: %s", name, parse->value,
                        strlen(parse->value) > 60 ? "..." : "", reason);
    }
}

/* inih calls this once for each piece of a value; only the last one completes it. */
static int parse_handle(void *user, const char *section, const char *name, const char *piece)
{
    struct parse *parse = user;
    assert(parse->value_size + strlen(piece) <= sizeof(parse->value));
    parse->value_size += conf_lines_unmask(piece, parse->value + parse->value_size);
    if (conf_lines_has_more(&parse->lines)) {
        return 1;
    }
    assert(parse->value_size == parse->lines.value_size);
    parse->value[parse->value_size] = '\0';
    pair_set(parse, section, name);
    parse->value_size = 0;
    return 1;
}

/* The later one of two rows' lines, or 0 when neither was given or one is wrong already. */
static uint32_t relation_line(const struct parse *parse, const char *section, const char *name,
                              const char *other)
{
    const struct conf_key *key = conf_key_find(section, name);
    const struct conf_key *other_key = conf_key_find(section, other);
    assert(key != NULL);
    assert(other_key != NULL);
    size_t a = conf_key_index(key);
    size_t b = conf_key_index(other_key);
    if (parse->sections.is_bad[a] || parse->sections.is_bad[b]) {
        return 0;
    }
    return parse->sections.line_of[a] > parse->sections.line_of[b] ? parse->sections.line_of[a]
                                                                   : parse->sections.line_of[b];
}

static void relations_check(struct parse *parse)
{
    const struct conf *conf = parse->conf;
    uint32_t line = relation_line(parse, "cache", "file_bytes_max", "bytes_max");
    if (line != 0 && conf->cache_file_bytes_max > conf->cache_bytes_max) {
        char file_bytes_max[CONF_NUMBER_SIZE_MAX];
        char bytes_max[CONF_NUMBER_SIZE_MAX];
        conf_size_write(conf->cache_file_bytes_max, file_bytes_max);
        conf_size_write(conf->cache_bytes_max, bytes_max);
        conf_errors_add(
            parse->errors, line,
            "file_bytes_max = %s with bytes_max = %s: expected one file to fit the cache",
            file_bytes_max, bytes_max);
    }
    line = relation_line(parse, "compress", "bytes_min", "bytes_max");
    if (line != 0 && conf->compress_bytes_min > conf->compress_bytes_max) {
        char bytes_min[CONF_NUMBER_SIZE_MAX];
        char bytes_max[CONF_NUMBER_SIZE_MAX];
        conf_size_write(conf->compress_bytes_min, bytes_min);
        conf_size_write(conf->compress_bytes_max, bytes_max);
        conf_errors_add(parse->errors, line,
                        "bytes_min = %s with bytes_max = %s: expected no more than that", bytes_min,
                        bytes_max);
    }
    line = relation_line(parse, "ring", "sqpoll_cpu", "sqpoll");
    if (line != 0 && conf->sqpoll_cpu != UINT32_MAX && conf->sqpoll == CONF_OFF) {
        conf_errors_add(
            parse->errors, line,
            "sqpoll_cpu = %u with sqpoll = off: expected sqpoll = on, or sqpoll_cpu = any",
            conf->sqpoll_cpu);
    }
}

bool conf_parse(const char *text, size_t size, struct conf *conf, struct conf_errors *errors)
{
    memset(errors, 0, sizeof(*errors));
    if (size > CONF_TEXT_SIZE_MAX) {
        conf_errors_add(errors, 1, "the text has more than %d bytes: expected less",
                        CONF_TEXT_SIZE_MAX);
        return false;
    }
    struct parse parse;
    parse.conf = conf;
    parse.errors = errors;
    parse.value_size = 0;
    conf_sections_init(&parse.sections, conf, errors);
    conf_lines_init(&parse.lines, text, size, errors, &parse.sections);
    int result = ini_parse_stream(conf_lines_read, &parse.lines, parse_handle, &parse);
    if (result != 0 && errors->count == 0) {
        conf_errors_add(errors, parse.lines.line, "inih could not read the text (its result: %d)",
                        result);
    }
    conf_section_close(&parse.sections);
    relations_check(&parse);
    return errors->count == 0;
}

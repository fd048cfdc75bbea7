/* conf_value: numbers with units, choices, paths. A row's kind says how its text is read, its
 * bounds what is accepted, and both write the sentence that says what was expected. */
#include "conf/conf_value.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf_syntax.h"
#include "conf/conf_texts.h"

struct unit {
    const char *name;
    uint64_t factor;
};

/* Largest first: the first one that divides a number writes it shortest. */
static const struct unit duration_units[] = {
    { "h", 3600 * 1000 },
    { "m", 60 * 1000 },
    { "s", 1000 },
    { "ms", 1 },
};
static const struct unit size_units[] = {
    { "G", 1024 * 1024 * 1024 },
    { "M", 1024 * 1024 },
    { "K", 1024 },
    { "", 1 },
};
enum {
    UNITS_COUNT = 4
};

/* Reads leading digits. Returns what follows them, or NULL when there are none or they overflow. */
static const char *digits_parse(const char *text, uint64_t *value)
{
    if (*text < '0' || *text > '9') {
        return NULL;
    }
    *value = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (*value > (UINT64_MAX - digit) / 10) {
            return NULL;
        }
        *value = *value * 10 + digit;
    }
    return text;
}

static bool quantity_parse(const char *text, const struct unit units[UNITS_COUNT], uint64_t *value)
{
    uint64_t count = 0;
    const char *rest = digits_parse(text, &count);
    if (rest == NULL) {
        return false;
    }
    for (size_t i = 0; i < UNITS_COUNT; i++) {
        if (strcmp(rest, units[i].name) == 0) {
            *value = count * units[i].factor;
            return count <= UINT64_MAX / units[i].factor;
        }
    }
    return false;
}

static void quantity_write(uint64_t value, const struct unit units[UNITS_COUNT],
                           char buffer[CONF_NUMBER_SIZE_MAX])
{
    size_t i = 0;
    while (i < UNITS_COUNT - 1 && value % units[i].factor != 0) {
        i++;
    }
    snprintf(buffer, CONF_NUMBER_SIZE_MAX, "%llu%s", (unsigned long long)(value / units[i].factor),
             units[i].name);
}

bool conf_number_parse(const char *text, uint64_t *value)
{
    const char *rest = digits_parse(text, value);
    return rest != NULL && *rest == '\0';
}

bool conf_duration_parse(const char *text, uint64_t *milliseconds)
{
    return quantity_parse(text, duration_units, milliseconds);
}

bool conf_size_parse(const char *text, uint64_t *bytes)
{
    return quantity_parse(text, size_units, bytes);
}

void conf_duration_write(uint64_t milliseconds, char buffer[CONF_NUMBER_SIZE_MAX])
{
    if (milliseconds == 0) {
        memcpy(buffer, "0s", sizeof("0s"));
        return;
    }
    quantity_write(milliseconds, duration_units, buffer);
}

void conf_size_write(uint64_t bytes, char buffer[CONF_NUMBER_SIZE_MAX])
{
    if (bytes == 0) {
        memcpy(buffer, "0", sizeof("0"));
        return;
    }
    quantity_write(bytes, size_units, buffer);
}

/* "auto, on or off": the words of a choice. */
static void words_write(const struct conf_key *key, char *buffer, size_t size)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (uint64_t i = 0; i <= key->max && used < size; i++) {
        const char *before = i == 0 ? "" : i == key->max ? " or " : ", ";
        used += (size_t)snprintf(buffer + used, size - used, "%s%s", before, key->words[i]);
    }
}

static void expected_number_write(const struct conf_key *key, char reason[CONF_ERROR_SIZE_MAX + 1])
{
    char min[CONF_NUMBER_SIZE_MAX];
    char max[CONF_NUMBER_SIZE_MAX];
    char unit[CONF_NUMBER_SIZE_MAX] = "";
    const char *noun = "a number";
    const char *hint = "";
    if (key->kind == CONF_KIND_DURATION) {
        conf_duration_write(key->min, min);
        conf_duration_write(key->max, max);
        noun = "a duration";
        hint = ", with its unit: 500ms, 10s, 2m or 1h";
    } else if (key->kind == CONF_KIND_COUNT) {
        snprintf(min, sizeof(min), "%llu", (unsigned long long)key->min);
        snprintf(max, sizeof(max), "%llu", (unsigned long long)key->max);
    } else {
        conf_size_write(key->min, min);
        conf_size_write(key->max, max);
        noun = "a size";
        hint = ": bytes, or with K, M or G";
    }
    if (key->shape == CONF_SHAPE_POWER_OF_TWO) {
        noun = "a power of two";
    } else if (key->shape == CONF_SHAPE_PAGES) {
        noun = "a multiple of 4K";
    }
    if (key->kind == CONF_KIND_COUNT) {
        snprintf(unit, sizeof(unit), " (%s)", key->unit);
    }
    snprintf(reason, CONF_ERROR_SIZE_MAX + 1, "expected %s from %s to %s%s%s%s%s", noun, min, max,
             unit, hint, key->word != NULL ? ", or " : "", key->word != NULL ? key->word : "");
}

static bool shape_fits(const struct conf_key *key, uint64_t value)
{
    switch (key->shape) {
    case CONF_SHAPE_POWER_OF_TWO:
        return value > 0 && (value & (value - 1)) == 0;
    case CONF_SHAPE_PAGES:
        return value % CONF_PAGE_BYTES == 0;
    case CONF_SHAPE_ANY:
        break;
    }
    return true;
}

static void number_store(const struct conf_key *key, uint64_t value, struct conf *conf)
{
    size_t place = conf_key_place_last(key, conf);
    char *field = (char *)conf + place;
    if (key->kind == CONF_KIND_SIZE64) {
        assert(place + sizeof(value) <= sizeof(*conf));
        memcpy(field, &value, sizeof(value));
        return;
    }
    uint32_t narrow = (uint32_t)value;
    assert(narrow == value);
    assert(place + sizeof(narrow) <= sizeof(*conf));
    memcpy(field, &narrow, sizeof(narrow));
}

static bool number_set(const struct conf_key *key, const char *text, struct conf *conf,
                       char reason[CONF_ERROR_SIZE_MAX + 1])
{
    if (key->word != NULL && strcmp(text, key->word) == 0) {
        number_store(key, key->word_value, conf);
        return true;
    }
    uint64_t value = 0;
    bool is_number = false;
    if (key->kind == CONF_KIND_DURATION) {
        is_number = conf_duration_parse(text, &value);
    } else if (key->kind == CONF_KIND_COUNT) {
        is_number = conf_number_parse(text, &value);
    } else {
        is_number = conf_size_parse(text, &value);
    }
    if (!is_number || value < key->min || value > key->max || !shape_fits(key, value)) {
        expected_number_write(key, reason);
        return false;
    }
    number_store(key, value, conf);
    return true;
}

static bool choice_set(const struct conf_key *key, const char *text, struct conf *conf,
                       char reason[CONF_ERROR_SIZE_MAX + 1])
{
    for (uint64_t i = 0; i <= key->max; i++) {
        if (strcmp(text, key->words[i]) == 0) {
            number_store(key, i, conf);
            return true;
        }
    }
    char words[128];
    words_write(key, words, sizeof(words));
    snprintf(reason, CONF_ERROR_SIZE_MAX + 1, "expected %s", words);
    return false;
}

static bool path_set(const struct conf_key *key, const char *text, struct conf *conf,
                     char reason[CONF_ERROR_SIZE_MAX + 1])
{
    size_t size = strlen(text);
    if (size < key->min || size > key->max) {
        snprintf(reason, CONF_ERROR_SIZE_MAX + 1, "expected a path of %llu to %llu bytes",
                 (unsigned long long)key->min, (unsigned long long)key->max);
        return false;
    }
    char *field = (char *)conf + key->offset;
    assert(key->offset + key->max + 1 <= sizeof(*conf));
    memset(field, 0, key->max + 1);
    memcpy(field, text, size);
    return true;
}

/* What the pattern of the row's section captures; of one that is wrong: all there may be. */
static uint32_t captures_count(const struct conf *conf)
{
    assert(conf->rules_count > 0);
    uint32_t pattern = conf->rules[conf->rules_count - 1].pattern;
    uint32_t count = CONF_CAPTURES_MAX;
    if (pattern != 0) {
        const char *expected = conf_glob_check(conf_text(conf, pattern), &count);
        assert(expected == NULL);
    }
    return count;
}

static const char *text_read(const struct conf_key *key, const char *text, const struct conf *conf,
                             const char *old, struct conf_draft *draft)
{
    if (key->word != NULL && strcmp(text, key->word) == 0) {
        conf_draft_append(draft, text, strlen(text));
        return NULL;
    }
    switch (key->kind) {
    case CONF_KIND_FILE:
        return conf_file_read(text, draft);
    case CONF_KIND_HEADER:
        return conf_header_read(text, old, draft);
    case CONF_KIND_CACHE:
        return conf_cache_read(text, draft);
    case CONF_KIND_REDIRECT:
        return conf_redirect_read(text, captures_count(conf), draft);
    case CONF_KIND_CORS:
        return conf_cors_read(text, draft);
    case CONF_KIND_REALM:
        return conf_realm_read(text, draft);
    case CONF_KIND_TRY:
        return conf_try_read(text, draft);
    default:
        assert(key->kind == CONF_KIND_SPA);
        return conf_spa_read(text, draft);
    }
}

static const char *text_set(const struct conf_key *key, const char *text, struct conf *conf)
{
    char *field = (char *)conf + conf_key_place_last(key, conf);
    uint32_t offset = 0;
    struct conf_draft draft = { .size = 0 };
    memcpy(&offset, field, sizeof(offset));
    const char *expected = text_read(key, text, conf, conf_text(conf, offset), &draft);
    if (expected != NULL) {
        return expected;
    }
    bool is_kept = key->kind == CONF_KIND_HEADER
                       ? conf_string_append(conf, &offset, draft.text, draft.size)
                       : conf_string_set(conf, &offset, draft.text, draft.size);
    if (!is_kept) {
        return CONF_STRINGS_FULL;
    }
    memcpy(field, &offset, sizeof(offset));
    return NULL;
}

static bool entry_set(const char *expected, char reason[CONF_ERROR_SIZE_MAX + 1])
{
    if (expected == NULL) {
        return true;
    }
    snprintf(reason, CONF_ERROR_SIZE_MAX + 1, "%s", expected);
    return false;
}

bool conf_value_set(const struct conf_key *key, const char *name, const char *text,
                    struct conf *conf, char reason[CONF_ERROR_SIZE_MAX + 1])
{
    switch (key->kind) {
    case CONF_KIND_COUNT:
    case CONF_KIND_DURATION:
    case CONF_KIND_SIZE32:
    case CONF_KIND_SIZE64:
        return number_set(key, text, conf, reason);
    case CONF_KIND_CHOICE:
        return choice_set(key, text, conf, reason);
    case CONF_KIND_PATH:
        return path_set(key, text, conf, reason);
    case CONF_KIND_LISTEN:
        return entry_set(conf_listen_add(conf, text), reason);
    case CONF_KIND_INDEX:
        return entry_set(conf_index_set(conf, text), reason);
    case CONF_KIND_TYPE:
        return entry_set(conf_type_add(conf, name, text), reason);
    case CONF_KIND_ERROR_PAGE:
        return entry_set(conf_error_page_add(conf, name, text), reason);
    case CONF_KIND_FILE:
    case CONF_KIND_HEADER:
    case CONF_KIND_CACHE:
    case CONF_KIND_REDIRECT:
    case CONF_KIND_CORS:
    case CONF_KIND_REALM:
    case CONF_KIND_TRY:
    case CONF_KIND_SPA:
        return entry_set(text_set(key, text, conf), reason);
    }
    assert(false);
    return false;
}

/* conf_cache: what a Cache-Control says, RFC 9111 5.2: auto, a duration, or directives. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf_syntax.h"
#include "conf/conf_texts.h"
#include "conf/conf_value.h"

enum {
    AGE_SECONDS_MAX = 0x7fffffff, /* RFC 9111 1.2.2: larger ones are taken for that */
};

static const char expected_value[] =
    "expected auto, off, a duration such as 10m, or directives such as public, max-age=600";
static const char expected_age[] =
    "expected whole seconds, at most 2147483647, as max-age=600 or 10m";

static const char *age_append(const char *text, struct conf_draft *draft)
{
    uint64_t age_ms = 0;
    char value[CONF_NUMBER_SIZE_MAX + sizeof("max-age=")];
    if (!conf_duration_parse(text, &age_ms)) {
        return expected_value;
    }
    if (age_ms % 1000 != 0 || age_ms / 1000 > AGE_SECONDS_MAX) {
        return expected_age;
    }
    int size = snprintf(value, sizeof(value), "max-age=%llu", (unsigned long long)age_ms / 1000);
    conf_draft_append(draft, value, (size_t)size);
    return NULL;
}

/* Directives whose value is a count of seconds. */
static bool directive_has_age(const char *name, size_t size)
{
    static const char *const NAMES[] = { "max-age", "s-maxage", "stale-while-revalidate",
                                         "stale-if-error" };
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        if (conf_text_is(name, size, NAMES[i])) {
            return true;
        }
    }
    return false;
}

static bool age_is_valid(const char *text, size_t size)
{
    char digits[CONF_NUMBER_SIZE_MAX] = "";
    uint64_t age = 0;
    if (size >= sizeof(digits)) {
        return false;
    }
    memcpy(digits, text, size);
    return conf_number_parse(digits, &age) && age <= AGE_SECONDS_MAX;
}

/* Words of this key and of others, which would be taken for directives that nobody knows. */
static bool directive_is_a_word(const char *name, size_t size)
{
    return conf_text_is(name, size, "auto") || conf_text_is(name, size, "off") ||
           conf_text_is(name, size, "on");
}

/* token [ "=" ( token / quoted-string without escapes ) ]. Returns where it ends; NULL: *expected.
 */
static const char *directive_skip(const char *text, const char **expected)
{
    *expected = expected_value;
    const char *name_end = conf_token_skip(text);
    size_t name_size = (size_t)(name_end - text);
    if (name_size == 0 || !isalpha((unsigned char)text[0]) ||
        directive_is_a_word(text, name_size)) {
        return NULL;
    }
    const char *value = *name_end == '=' ? name_end + 1 : name_end;
    const char *end = conf_token_skip(value);
    if (directive_has_age(text, name_size)) {
        *expected = expected_age;
        return age_is_valid(value, (size_t)(end - value)) ? end : NULL;
    }
    if (*name_end == '=' && *value == '"') {
        end = value + 1;
        while (*end != '"' && *end != '\\' && (isprint((unsigned char)*end) || *end == '\t')) {
            end++;
        }
        return *end == '"' ? end + 1 : NULL;
    }
    return *name_end != '=' || end > value ? end : NULL;
}

static const char *directives_append(const char *text, struct conf_draft *draft)
{
    for (;;) {
        const char *expected = NULL;
        const char *end = directive_skip(text, &expected);
        if (end == NULL) {
            return expected;
        }
        size_t size = (size_t)(end - text);
        if (draft->size + size > CONF_CACHE_SIZE_MAX) {
            return "expected at most 255 bytes";
        }
        _Static_assert(CONF_CACHE_SIZE_MAX == 255, "the text above names it");
        conf_draft_append(draft, text, size);
        end += strspn(end, " \t");
        if (*end == '\0') {
            return NULL;
        }
        if (*end != ',') {
            return expected_value;
        }
        conf_draft_append(draft, ", ", 2);
        text = end + 1 + strspn(end + 1, " \t");
    }
}

const char *conf_cache_read(const char *text, struct conf_draft *draft)
{
    if (strcmp(text, "auto") == 0) {
        conf_draft_append(draft, text, strlen(text));
        return NULL;
    }
    return isdigit((unsigned char)text[0]) ? age_append(text, draft)
                                           : directives_append(text, draft);
}

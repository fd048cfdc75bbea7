/* conf_glob: whether a pattern is one, and what it captures. http/http_glob.h says what it means,
 * and accepts each that is accepted here. */
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_syntax.h"

static const char *bytes_check(const char *pattern)
{
    if (pattern[0] != '/' || strlen(pattern) > CONF_PATTERN_SIZE_MAX) {
        return "expected a pattern of at most 255 bytes that begins with '/'";
    }
    _Static_assert(CONF_PATTERN_SIZE_MAX == 255, "the text above names it");
    for (const char *c = pattern; *c != '\0'; c++) {
        if (iscntrl((unsigned char)*c) || *c == ']') {
            return "expected a pattern without ']' and control bytes ('?' fits any byte but '/')";
        }
    }
    return NULL;
}

/* No path has an empty name or one of dots: the rule would never hold, and nobody would know. */
static bool has_vain_name(const char *pattern)
{
    assert(pattern[0] == '/');
    do {
        const char *name = pattern + 1;
        size_t size = strcspn(name, "/");
        bool is_dots = size <= 2 && strspn(name, ".") >= size;
        if (is_dots && (size > 0 || name[size] == '/')) {
            return true;
        }
        pattern = name + size;
    } while (*pattern == '/');
    return false;
}

/* Returns what follows the braces, or NULL. */
static const char *braces_skip(const char *text)
{
    for (text++; *text != '}'; text++) {
        bool is_escaped = *text == '\\';
        text += is_escaped ? 1 : 0;
        if (*text == '\0' || (!is_escaped && strchr("{*?", *text) != NULL)) {
            return NULL;
        }
    }
    return text + 1;
}

static const char *captures_count(const char *pattern, uint32_t *count)
{
    bool ends_in_slash = false;
    uint32_t wildcards = 0;
    for (const char *c = pattern; *c != '\0';) {
        ends_in_slash = *c == '/';
        wildcards += strchr("{*?", *c) != NULL ? 1 : 0;
        if (*c == '{') {
            c = braces_skip(c);
            if (c == NULL) {
                return "expected '}' behind '{', and plain text with ',' between them ('\\{' "
                       "stands for one of them)";
            }
        } else if (*c == '*') {
            size_t stars = strspn(c, "*");
            if (stars > 2) {
                return "expected at most two '*' in a row";
            }
            c += stars;
        } else {
            c += *c == '\\' ? 1 : 0;
            if (*c == '\0') {
                return "expected a byte behind the last '\\'";
            }
            c++;
        }
    }
    if (wildcards > CONF_WILDCARDS_MAX) {
        return "expected at most 8 of '*', '**', '?' and {}";
    }
    _Static_assert(CONF_WILDCARDS_MAX == 8, "the text above names it");
    *count = wildcards + (ends_in_slash ? 1 : 0);
    return NULL;
}

const char *conf_glob_check(const char *pattern, uint32_t *count)
{
    const char *expected = bytes_check(pattern);
    if (expected == NULL && has_vain_name(pattern)) {
        expected = "expected a pattern without \"//\", \"/./\" and \"/../\": no path has them";
    }
    return expected != NULL ? expected : captures_count(pattern, count);
}

/* conf_texts: paths, realms, origins, and what to look for when a file is missing. */
#include "conf/conf_texts.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "conf/conf_syntax.h"

const char *conf_file_read(const char *text, struct conf_draft *draft)
{
    size_t size = strlen(text);
    if (size == 0 || size > CONF_PATH_SIZE_MAX) {
        return "expected a path of 1 to 4095 bytes";
    }
    _Static_assert(CONF_PATH_SIZE_MAX == 4095, "the text above names it");
    conf_draft_append(draft, text, size);
    return NULL;
}

const char *conf_realm_read(const char *text, struct conf_draft *draft)
{
    static const char expected[] =
        "expected a text of 1 to 127 bytes without quotes, backslashes and control bytes";
    _Static_assert(CONF_REALM_SIZE_MAX == 127, "the text above names it");
    size_t size = strlen(text);
    if (size == 0 || size > CONF_REALM_SIZE_MAX) {
        return expected;
    }
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\' || iscntrl((unsigned char)*c)) {
            return expected;
        }
    }
    conf_draft_append(draft, text, size);
    return NULL;
}

/* Words with one space between. */
static void word_append(struct conf_draft *draft, const char *word, size_t size)
{
    if (draft->size > 0) {
        conf_draft_append(draft, " ", 1);
    }
    conf_draft_append(draft, word, size);
}

/* SCHEME "://" HOST [ ":" PORT ], RFC 6454 6.2; browsers send it in lower case. */
static bool origin_append(struct conf_draft *draft, const char *origin, size_t size)
{
    size_t scheme_size = 0;
    while (scheme_size < size && (isalnum((unsigned char)origin[scheme_size]) ||
                                  strchr("+-.", origin[scheme_size]) != NULL)) {
        scheme_size++;
    }
    const char *authority = origin + scheme_size + 3;
    if (!isalpha((unsigned char)origin[0]) || size < scheme_size + 3 ||
        memcmp(origin + scheme_size, "://", 3) != 0 ||
        !conf_authority_is_valid(authority, size - scheme_size - 3)) {
        return false;
    }
    word_append(draft, origin, size);
    for (char *c = draft->text + draft->size - size; c < draft->text + draft->size; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    return true;
}

const char *conf_cors_read(const char *text, struct conf_draft *draft)
{
    if (strcmp(text, "*") == 0) {
        conf_draft_append(draft, text, 1);
        return NULL;
    }
    uint32_t count = 0;
    size_t size = 0;
    for (; (size = conf_word_find(&text)) > 0; text += size) {
        if (++count > CONF_ORIGINS_MAX) {
            return "expected at most 64 origins";
        }
        if (!origin_append(draft, text, size)) {
            return "expected off, * alone, or origins such as https://example.org or "
                   "http://localhost:3000, without a path";
        }
    }
    if (count == 0) {
        return "expected off, *, or origins such as https://example.org";
    }
    if (draft->size > CONF_ORIGINS_SIZE_MAX) {
        return "expected origins of at most 4095 bytes together";
    }
    _Static_assert(CONF_ORIGINS_MAX == 64, "a text above names it");
    _Static_assert(CONF_ORIGINS_SIZE_MAX == 4095, "a text above names it");
    return NULL;
}

/* "$uri", "$uri/", "$uri.EXT", "$uri/NAME", "/FIXED/PATH". */
static bool try_item_is_valid(const char *item, size_t size)
{
    static const char uri[] = "$uri";
    size_t uri_size = sizeof(uri) - 1;
    if (size < uri_size || memcmp(item, uri, uri_size) != 0) {
        return conf_path_is_plain(item, size) && memchr(item, '$', size) == NULL;
    }
    const char *rest = item + uri_size;
    size_t rest_size = size - uri_size;
    if (rest_size == 0 || (rest_size == 1 && rest[0] == '/')) {
        return true;
    }
    return (rest[0] == '.' || rest[0] == '/') && memchr(rest, '$', rest_size) == NULL &&
           conf_name_is_plain(rest + 1, rest_size - 1);
}

const char *conf_try_read(const char *text, struct conf_draft *draft)
{
    static const char last_resort[] = "=404";
    uint32_t count = 0;
    bool has_status = false;
    size_t size = 0;
    for (; (size = conf_word_find(&text)) > 0; text += size) {
        if (++count > CONF_TRY_MAX) {
            return "expected at most 8 items";
        }
        if (has_status) {
            return "expected =404 as the last item";
        }
        has_status = size == strlen(last_resort) && memcmp(text, last_resort, size) == 0;
        if (!has_status && !try_item_is_valid(text, size)) {
            return "expected off, or items such as $uri, $uri/, $uri.html, $uri/index.html and "
                   "/fixed/path, =404 perhaps as the last one";
        }
        word_append(draft, text, size);
    }
    _Static_assert(CONF_TRY_MAX == 8, "a text above names it");
    return count > 0 ? NULL : "expected off, or 1 to 8 items such as $uri $uri.html $uri/ =404";
}

const char *conf_spa_read(const char *text, struct conf_draft *draft)
{
    size_t size = strlen(text);
    if (!conf_path_is_plain(text, size)) {
        return "expected off, or the path of a file beneath the root, such as /index.html, of at "
               "most 256 bytes";
    }
    _Static_assert(CONF_NAME_SIZE_MAX == 255, "the text above names it, with its '/'");
    conf_draft_append(draft, text, size);
    return NULL;
}

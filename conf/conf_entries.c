/* The rows of the table that are lists or maps: addresses, index names, types, error pages. Each
 * function returns NULL, or a static text that says what was expected, and then changed nothing. */
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "conf/conf_syntax.h"
#include "conf/conf_value.h"

const char *conf_listen_add(struct conf *conf, const char *text)
{
    struct conf_endpoint endpoint;
    const char *expected = conf_listen_parse(text, &endpoint);
    if (expected != NULL) {
        return expected;
    }
    for (uint32_t i = 0; i < conf->listen_count; i++) {
        bool kernel_chooses = endpoint.family != CONF_FAMILY_UNIX && endpoint.port == 0;
        if (!kernel_chooses && strcmp(conf->listen[i].address, text) == 0) {
            return "expected every address once";
        }
    }
    if (conf->listen_count == CONF_LISTEN_MAX) {
        return "expected at most 16 addresses";
    }
    struct conf_listen *listen = &conf->listen[conf->listen_count];
    assert(strlen(text) < sizeof(listen->address));
    memset(listen, 0, sizeof(*listen));
    memcpy(listen->address, text, strlen(text));
    conf->listen_count++;
    return NULL;
}
_Static_assert(CONF_LISTEN_MAX == 16, "the text above names it");

const char *conf_index_set(struct conf *conf, const char *text)
{
    char names[CONF_INDEX_MAX][CONF_NAME_SIZE_MAX + 1];
    uint32_t count = 0;
    memset(names, 0, sizeof(names));
    for (;;) {
        size_t size = conf_word_find(&text);
        if (size == 0) {
            break;
        }
        if (count == CONF_INDEX_MAX) {
            return "expected at most 8 names";
        }
        if (!conf_name_is_plain(text, size)) {
            return "expected names of files, separated by blanks, without '/', of at most 255 "
                   "bytes";
        }
        memcpy(names[count], text, size);
        count++;
        text += size;
    }
    _Static_assert(CONF_INDEX_MAX == 8, "the text above names it");
    assert(sizeof(names) == sizeof(conf->index));
    memcpy(conf->index, names, sizeof(names));
    conf->index_count = count;
    return NULL;
}

/* type "/" subtype *( OWS ";" OWS name "=" value ), RFC 9110 8.3.1, quoted values without escapes.
 */
static bool media_type_is_valid(const char *text)
{
    const char *slash = conf_token_skip(text);
    const char *at = slash + (*slash == '/');
    const char *end = conf_token_skip(at);
    if (slash == text || *slash != '/' || end == at) {
        return false;
    }
    while (*end != '\0') {
        end += strspn(end, " \t");
        if (*end != ';') {
            return false;
        }
        at = end + 1 + strspn(end + 1, " \t");
        end = conf_token_skip(at);
        if (end == at || *end != '=') {
            return false;
        }
        at = end + 1;
        end = conf_token_skip(at);
        if (*at == '"') {
            end = at + 1 + strcspn(at + 1, "\"\\");
            end += *end == '"' ? 1 : 0;
        }
        if (end == at || (*at == '"' && (end - at < 2 || end[-1] != '"'))) {
            return false;
        }
    }
    return true;
}

/* ".EXT", stored in lower case without its dot. */
static bool extension_parse(const char *name, char extension[static 32])
{
    size_t size = strlen(name);
    if (size < 2 || size > 32 || name[0] != '.') {
        return false;
    }
    memset(extension, 0, 32);
    for (size_t i = 1; i < size; i++) {
        if (name[i] == '.' || name[i] == '/' || !isgraph((unsigned char)name[i])) {
            return false;
        }
        extension[i - 1] = (char)tolower((unsigned char)name[i]);
    }
    return true;
}

const char *conf_type_add(struct conf *conf, const char *name, const char *text)
{
    struct conf_type type;
    memset(&type, 0, sizeof(type));
    if (!extension_parse(name, type.extension)) {
        return "expected an extension such as .js as the key: a dot, then 1 to 31 characters, no "
               "dot";
    }
    if (strlen(text) >= sizeof(type.type) || !media_type_is_valid(text)) {
        return "expected a media type of at most 127 bytes, such as text/html;charset=utf-8";
    }
    memcpy(type.type, text, strlen(text));
    for (uint32_t i = 0; i < conf->types_count; i++) {
        if (strcmp(conf->types[i].extension, type.extension) == 0) {
            return "expected every extension once";
        }
    }
    if (conf->types_count == CONF_TYPES_MAX) {
        return "expected at most 512 types";
    }
    _Static_assert(CONF_TYPES_MAX == 512, "the text above names it");
    conf->types[conf->types_count++] = type;
    return NULL;
}

/* The other errors end the connection at once: nothing is looked up for them. */
static bool status_has_page(uint64_t status)
{
    static const uint16_t STATUSES[] = { 400, 403, 404, 405, 500, 501, 503 };
    for (size_t i = 0; i < sizeof(STATUSES) / sizeof(STATUSES[0]); i++) {
        if (STATUSES[i] == status) {
            return true;
        }
    }
    return false;
}

const char *conf_error_page_add(struct conf *conf, const char *name, const char *text)
{
    struct conf_error_page page;
    memset(&page, 0, sizeof(page));
    uint64_t status = 0;
    if (!conf_number_parse(name, &status) || !status_has_page(status)) {
        return "expected 400, 403, 404, 405, 500, 501 or 503 as the key";
    }
    if (!conf_path_is_plain(text, strlen(text))) {
        return "expected the path of a file beneath the root, such as /404.html, of at most 255 "
               "bytes";
    }
    page.status = (uint16_t)status;
    memcpy(page.path, text + 1, strlen(text + 1));
    for (uint32_t i = 0; i < conf->error_pages_count; i++) {
        if (conf->error_pages[i].status == page.status) {
            return "expected every status once";
        }
    }
    if (conf->error_pages_count == CONF_ERROR_PAGES_MAX) {
        return "expected at most 16 pages";
    }
    _Static_assert(CONF_ERROR_PAGES_MAX == 16, "the text above names it");
    conf->error_pages[conf->error_pages_count++] = page;
    return NULL;
}

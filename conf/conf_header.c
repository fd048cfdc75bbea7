/* conf_header: "Name: value". What gyre writes itself, or what frames a message, is not for a rule
 * to say: a second one would make a head that two readers understand differently. */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_syntax.h"
#include "conf/conf_texts.h"

static const char expected_header[] =
    "expected Name: value, a token and a line of text, or Name: to take a header back";

/* Of a name that no rule may give: what to do instead. NULL: it is free. */
static const char *name_check(const char *name, size_t size)
{
    static const char *const TAKEN[] = {
        "Accept-Ranges",
        "Allow",
        "Connection",
        "Content-Encoding",
        "Content-Length",
        "Content-Range",
        "Content-Type",
        "Date",
        "ETag",
        "Keep-Alive",
        "Last-Modified",
        "Location",
        "Retry-After",
        "Server",
        "Set-Cookie",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Vary",
        "WWW-Authenticate",
        "X-Content-Type-Options",
    };
    if (conf_text_is(name, size, "Cache-Control")) {
        return "expected cache = for the Cache-Control";
    }
    if (conf_text_is(name, size, "Access-Control-Allow-Origin")) {
        return "expected cors = for the Access-Control-Allow-Origin";
    }
    for (size_t i = 0; i < sizeof(TAKEN) / sizeof(TAKEN[0]); i++) {
        if (conf_text_is(name, size, TAKEN[i])) {
            return "expected a header that is not gyre's own to write (or not to: it sets no "
                   "cookies)";
        }
    }
    return NULL;
}

static bool lines_have(const char *lines, const char *name, size_t size)
{
    while (*lines != '\0') {
        if (strcspn(lines, ":") == size && strncasecmp(lines, name, size) == 0) {
            return true;
        }
        const char *line_end = strchr(lines, '\n');
        assert(line_end != NULL);
        lines = line_end + 1;
    }
    return false;
}

static bool value_is_text(const char *value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)value[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

const char *conf_header_read(const char *text, const char *lines, struct conf_draft *draft)
{
    const char *name_end = conf_token_skip(text);
    size_t name_size = (size_t)(name_end - text);
    if (name_size == 0 || *name_end != ':') {
        return expected_header;
    }
    const char *value = name_end + 1 + strspn(name_end + 1, " \t");
    size_t value_size = strlen(value);
    while (value_size > 0 && (value[value_size - 1] == ' ' || value[value_size - 1] == '\t')) {
        value_size--;
    }
    if (!value_is_text(value, value_size)) {
        return expected_header;
    }
    const char *expected = name_check(text, name_size);
    if (expected != NULL) {
        return expected;
    }
    if (lines_have(lines, text, name_size)) {
        return "expected every header once in a [path]";
    }
    if (strlen(lines) + name_size + value_size + strlen(": \r\n") > CONF_RULE_HEADERS_SIZE_MAX) {
        return "expected at most 2048 bytes of headers in a [path], with their line ends";
    }
    _Static_assert(CONF_RULE_HEADERS_SIZE_MAX == 2048, "the text above names it");
    conf_draft_append(draft, text, name_size);
    conf_draft_append(draft, ": ", 2);
    conf_draft_append(draft, value, value_size);
    conf_draft_append(draft, "\r\n", 2);
    return NULL;
}

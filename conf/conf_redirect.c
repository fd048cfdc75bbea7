/* conf_redirect: [STATUS] TARGET. A target stays on this site, or names another one that nothing of
 * a request can change: no part of the request gets into its authority. */
#include <ctype.h>
#include <string.h>

#include "conf/conf_syntax.h"
#include "conf/conf_texts.h"

enum {
    STATUS_SIZE = 3,
};

static const char expected_target[] =
    "expected [301|302|307|308] and a target that begins with '/', http:// or https://";

static bool status_is_valid(const char *text, size_t size)
{
    static const char *const STATUSES[] = { "301", "302", "307", "308" };
    for (size_t i = 0; size == STATUS_SIZE && i < sizeof(STATUSES) / sizeof(STATUSES[0]); i++) {
        if (memcmp(text, STATUSES[i], STATUS_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static bool text_begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* "//" names another host, and some clients take "/\" for it. */
static const char *target_start_check(const char *target)
{
    const char *authority = NULL;
    if (text_begins(target, "http://") || text_begins(target, "https://")) {
        authority = strchr(target, '/') + 2;
    } else if (target[0] != '/') {
        return expected_target;
    } else if (target[1] == '/' || target[1] == '\\') {
        return "expected one '/' at the start of a target on this site";
    }
    if (authority != NULL && !conf_authority_is_valid(authority, strcspn(authority, "/?#"))) {
        return "expected a host, without '$', and perhaps a port, then '/', behind http:// or "
               "https://";
    }
    return NULL;
}

/* "$1" to "$9", "$path", "$$". */
static const char *target_dollars_check(const char *target, uint32_t captures_count)
{
    for (const char *c = strchr(target, '$'); c != NULL; c = strchr(c, '$')) {
        c++;
        if (*c >= '1' && *c <= '9') {
            if ((uint32_t)(*c - '0') > captures_count) {
                return "expected no more of $1 to $9 than the [path] has '*', '**', '?' and {}";
            }
        } else if (*c != '$' && !text_begins(c, "path")) {
            return "expected $1 to $9, $path or $$ for each '$'";
        }
        c++;
    }
    return NULL;
}

/* RFC 3986 2: what stands elsewhere in a URI has to be escaped. */
static const char *target_bytes_check(const char *target)
{
    for (const char *c = target; *c != '\0'; c++) {
        if (!isgraph((unsigned char)*c) || strchr("\"<>\\^`{|}", *c) != NULL) {
            return "expected a target of visible ASCII without any of \"<>\\^`{|}; percent-encode "
                   "other bytes";
        }
        if (*c == '%' && !(isxdigit((unsigned char)c[1]) && isxdigit((unsigned char)c[2]))) {
            return "expected two hexadecimal digits behind each '%'";
        }
    }
    return NULL;
}

const char *conf_redirect_read(const char *text, uint32_t captures_count, struct conf_draft *draft)
{
    const char *status = "301";
    size_t size = conf_word_find(&text);
    if (isdigit((unsigned char)text[0])) {
        if (!status_is_valid(text, size)) {
            return expected_target;
        }
        status = text;
        text += size;
        size = conf_word_find(&text);
    }
    if (size == 0) {
        return expected_target;
    }
    const char *target = text;
    if (size > CONF_REDIRECT_SIZE_MAX) {
        return "expected a target of at most 2047 bytes";
    }
    _Static_assert(CONF_REDIRECT_SIZE_MAX == 2047, "the text above names it");
    const char *expected = target_start_check(target);
    if (expected == NULL) {
        expected = target_bytes_check(target);
    }
    if (expected == NULL) {
        expected = target_dollars_check(target, captures_count);
    }
    conf_draft_append(draft, status, STATUS_SIZE);
    conf_draft_append(draft, " ", 1);
    conf_draft_append(draft, target, size);
    return expected;
}

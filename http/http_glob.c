/* A pattern is cut into pieces of text with a wildcard between each two. Matching goes from piece
 * to piece; where one does not fit, the wildcard before it takes more. A rest of the pattern that
 * did not fit at an offset once need not be tried there again, whatever the wildcards before it
 * took: one bit for each pair of rest and offset keeps the work linear in the path. */
#include "http/http_glob.h"

#include <assert.h>
#include <stdint.h>

enum {
    WORD_BITS = 64,
    TRIED_WORDS_MAX = HTTP_GLOB_PATH_SIZE_MAX / WORD_BITS + 1,
};

enum wildcard_kind {
    WILDCARD_BYTE,  /* ? */
    WILDCARD_NAME,  /* * */
    WILDCARD_ANY,   /* ** */
    WILDCARD_NAMES, /* a whole name "**", with the '/' behind it */
    WILDCARD_TEXTS, /* {a,b} */
};

struct wildcard {
    enum wildcard_kind kind;
    size_t offset; /* in the pattern */
    size_t end;
};

struct glob {
    struct slice pattern;
    size_t count;
    struct wildcard wildcards[HTTP_GLOB_CAPTURES_MAX];
};

struct matcher {
    struct glob glob;
    struct slice path;
    struct http_glob_captures *captures;
    size_t stride; /* words a wildcard */
    uint64_t tried[HTTP_GLOB_CAPTURES_MAX * TRIED_WORDS_MAX];
};

static const char *braces_read(struct slice pattern, size_t offset, size_t *end)
{
    for (size_t at = offset + 1; at < pattern.size; at++) {
        switch (pattern.data[at]) {
        case '}':
            *end = at + 1;
            return NULL;
        case '\\':
            at++;
            break;
        case '{':
        case '*':
        case '?':
            return "expected plain text and ',' within {}, no other wildcard";
        default:
            break;
        }
    }
    return "expected '}' behind '{'";
}

static const char *stars_read(struct slice pattern, size_t offset, struct wildcard *wildcard)
{
    size_t end = offset;
    while (end < pattern.size && pattern.data[end] == '*') {
        end++;
    }
    if (end - offset > 2) {
        return "expected at most two '*' in a row";
    }
    wildcard->kind = end - offset == 2 ? WILDCARD_ANY : WILDCARD_NAME;
    if (wildcard->kind == WILDCARD_ANY && pattern.data[offset - 1] == '/' && end < pattern.size &&
        pattern.data[end] == '/') {
        wildcard->kind = WILDCARD_NAMES;
        end++;
    }
    wildcard->end = end;
    return NULL;
}

/* Reads the wildcard at `offset`, if there is one; else *wildcard ends where it begins. */
static const char *wildcard_read(struct slice pattern, size_t offset, struct wildcard *wildcard)
{
    *wildcard = (struct wildcard){ .offset = offset, .end = offset };
    switch (pattern.data[offset]) {
    case '?':
        wildcard->kind = WILDCARD_BYTE;
        wildcard->end = offset + 1;
        return NULL;
    case '*':
        return stars_read(pattern, offset, wildcard);
    case '{':
        wildcard->kind = WILDCARD_TEXTS;
        return braces_read(pattern, offset, &wildcard->end);
    default:
        return NULL;
    }
}

/* Returns NULL, or what was expected. */
static const char *glob_read(struct slice pattern, struct glob *glob)
{
    assert(pattern.size > 0);
    assert(pattern.data[0] == '/');
    glob->pattern = pattern;
    glob->count = 0;
    bool ends_in_slash = false;
    for (size_t at = 0; at < pattern.size;) {
        struct wildcard wildcard;
        const char *expected = wildcard_read(pattern, at, &wildcard);
        if (expected != NULL) {
            return expected;
        }
        if (wildcard.end > at) {
            if (glob->count == HTTP_GLOB_WILDCARDS_MAX) {
                return "expected at most 8 wildcards";
            }
            glob->wildcards[glob->count++] = wildcard;
            ends_in_slash = wildcard.kind == WILDCARD_NAMES;
            at = wildcard.end;
        } else {
            ends_in_slash = pattern.data[at] == '/';
            at += pattern.data[at] == '\\' ? 2 : 1;
            if (at > pattern.size) {
                return "expected a byte behind '\\'";
            }
        }
    }
    if (ends_in_slash) {
        glob->wildcards[glob->count++] =
            (struct wildcard){ WILDCARD_ANY, pattern.size, pattern.size };
    }
    return NULL;
}

/* No decoded path has an empty name or one of dots: a rule for such would be silently without
 * effect. */
static bool has_vain_name(struct slice pattern)
{
    size_t start = 1;
    for (size_t at = 1; at <= pattern.size; at++) {
        if (at < pattern.size && pattern.data[at] != '/') {
            continue;
        }
        struct slice name = slice_of(pattern.data + start, at - start);
        if ((name.size == 0 && at < pattern.size) || slice_equal(name, SLICE(".")) ||
            slice_equal(name, SLICE(".."))) {
            return true;
        }
        start = at + 1;
    }
    return false;
}

const char *http_glob_check(struct slice pattern)
{
    if (pattern.size == 0 || pattern.data[0] != '/') {
        return "expected a pattern that begins with '/'";
    }
    if (pattern.size > HTTP_GLOB_SIZE_MAX) {
        return "expected a pattern of at most 255 bytes";
    }
    if (has_vain_name(pattern)) {
        return "expected no empty name, no '.' and no '..' in the pattern";
    }
    struct glob glob;
    return glob_read(pattern, &glob);
}

/* Moves *at, an offset of the path, past the text [offset, end) of the pattern. False: it does not
 * stand there. */
static bool text_skip(const struct matcher *matcher, size_t offset, size_t end, size_t *at)
{
    const char *pattern = matcher->glob.pattern.data;
    struct slice path = matcher->path;
    size_t to = *at;
    for (size_t from = offset; from < end; from++, to++) {
        from += pattern[from] == '\\';
        if (to == path.size || path.data[to] != pattern[from]) {
            return false;
        }
    }
    *at = to;
    return true;
}

/* True the first time that what follows wildcard `index` is tried at an offset. */
static bool try_first(struct matcher *matcher, size_t index, size_t at)
{
    assert(at <= matcher->path.size);
    uint64_t *word = &matcher->tried[index * matcher->stride + at / WORD_BITS];
    uint64_t bit = UINT64_C(1) << at % WORD_BITS;
    bool is_first = (*word & bit) == 0;
    *word |= bit;
    return is_first;
}

static bool wildcard_match(struct matcher *matcher, size_t index, size_t at);

/* A piece, what stands before wildcard `index` or the end, is matched at `at`, and all behind it.
 */
static bool rest_match(struct matcher *matcher, size_t index, size_t at)
{
    const struct glob *glob = &matcher->glob;
    size_t offset = index == 0 ? 0 : glob->wildcards[index - 1].end;
    size_t end = index < glob->count ? glob->wildcards[index].offset : glob->pattern.size;
    if (!text_skip(matcher, offset, end, &at)) {
        return false;
    }
    return index == glob->count ? at == matcher->path.size : wildcard_match(matcher, index, at);
}

/* Wildcard `index` takes [at, end), and the rest is matched from `next` on. */
static bool wildcard_take(struct matcher *matcher, size_t index, size_t at, size_t end, size_t next)
{
    if (!rest_match(matcher, index + 1, next)) {
        return false;
    }
    matcher->captures->items[index] = slice_of(matcher->path.data + at, end - at);
    return true;
}

static bool texts_match(struct matcher *matcher, size_t index, size_t at)
{
    const struct wildcard *wildcard = &matcher->glob.wildcards[index];
    const char *pattern = matcher->glob.pattern.data;
    size_t offset = wildcard->offset + 1;
    for (size_t end = offset; end < wildcard->end; end++) {
        if (pattern[end] == '\\') {
            end++;
        } else if (pattern[end] == ',' || pattern[end] == '}') {
            size_t next = at;
            if (text_skip(matcher, offset, end, &next) && try_first(matcher, index, next) &&
                wildcard_take(matcher, index, at, next, next)) {
                return true;
            }
            offset = end + 1;
        }
    }
    return false;
}

/* Where a run from further left has been, it went on as far as this one could. */
static bool run_match(struct matcher *matcher, size_t index, size_t at)
{
    enum wildcard_kind kind = matcher->glob.wildcards[index].kind;
    struct slice path = matcher->path;
    for (size_t next = at;; next++) {
        bool is_end = kind != WILDCARD_NAMES || next == at || path.data[next - 1] == '/';
        if (is_end) {
            size_t end = kind == WILDCARD_NAMES && next > at ? next - 1 : next;
            if (!try_first(matcher, index, next)) {
                return false;
            }
            if (wildcard_take(matcher, index, at, end, next)) {
                return true;
            }
        }
        if (next == path.size || (kind == WILDCARD_NAME && path.data[next] == '/')) {
            return false;
        }
    }
}

static bool wildcard_match(struct matcher *matcher, size_t index, size_t at)
{
    assert(index < matcher->glob.count);
    assert(at <= matcher->path.size);
    switch (matcher->glob.wildcards[index].kind) {
    case WILDCARD_BYTE:
        return at < matcher->path.size && matcher->path.data[at] != '/' &&
               wildcard_take(matcher, index, at, at + 1, at + 1);
    case WILDCARD_TEXTS:
        return texts_match(matcher, index, at);
    default:
        return run_match(matcher, index, at);
    }
}

bool http_glob_match(struct slice pattern, struct slice path, struct http_glob_captures *captures)
{
    assert(path.size > 0);
    assert(path.size <= HTTP_GLOB_PATH_SIZE_MAX);
    assert(path.data[0] == '/');
    struct http_glob_captures found;
    struct matcher matcher;
    const char *expected = glob_read(pattern, &matcher.glob);
    assert(expected == NULL);
    matcher.path = path;
    matcher.captures = &found;
    matcher.stride = path.size / WORD_BITS + 1;
    memset(matcher.tried, 0, matcher.glob.count * matcher.stride * sizeof(matcher.tried[0]));
    if (!rest_match(&matcher, 0, 0)) {
        return false;
    }
    if (captures != NULL) {
        found.count = matcher.glob.count;
        *captures = found;
    }
    return true;
}

static size_t plain_size(struct slice text)
{
    const char *escape = memchr(text.data, '\\', text.size);
    return escape == NULL ? text.size : (size_t)(escape - text.data);
}

struct http_glob_ends http_glob_find_ends(struct slice pattern)
{
    struct glob glob;
    const char *expected = glob_read(pattern, &glob);
    assert(expected == NULL);
    size_t first = glob.count > 0 ? glob.wildcards[0].offset : pattern.size;
    size_t prefix_size = plain_size(slice_of(pattern.data, first));
    assert(prefix_size > 0);

    size_t start = glob.count > 0 ? glob.wildcards[glob.count - 1].end : prefix_size;
    for (size_t at = start; at < pattern.size; at++) {
        if (pattern.data[at] == '\\') {
            at++;
            start = at + 1;
        }
    }
    return (struct http_glob_ends){
        .prefix = slice_of(pattern.data, prefix_size),
        .suffix = slice_of(pattern.data + start, pattern.size - start),
    };
}

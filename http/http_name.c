/* Every token between a delimiter and a dot is put on trial; what a person could have written, or a
 * clock, or a database, is let go. */
#include "http/http_name.h"

#include <stdint.h>

enum {
    COUNT_MIN = 2,     /* digits, letters, changes between them */
    WORD_SIZE_MIN = 3, /* shorter runs of letters say nothing */
};

static bool byte_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool byte_is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool byte_is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool byte_is_vowel(char c)
{
    return memchr("aeiouy", slice_lower(c), 6) != NULL;
}

static bool byte_is_delimiter(char c)
{
    return c == '.' || c == '-' || c == '_';
}

static size_t changes_count(struct slice token)
{
    size_t count = 0;
    for (size_t i = 1; i < token.size; i++) {
        count += byte_is_digit(token.data[i - 1]) != byte_is_digit(token.data[i]);
    }
    return count;
}

/* A month in a date such as 2023dec31: two names of months are hexadecimal. */
static bool token_has_month(struct slice token)
{
    return memmem(token.data, token.size, "dec", 3) != NULL ||
           memmem(token.data, token.size, "feb", 3) != NULL;
}

/* The last part of a UUID: four others of known sizes stand before it. */
static bool token_ends_uuid(struct slice name, struct slice token)
{
    static const uint8_t dashes[] = { 1, 6, 11, 16 }; /* how far before the token */
    enum {
        BEFORE_SIZE = 24,
        LAST_SIZE = 12
    };
    if (token.size != LAST_SIZE || (size_t)(token.data - name.data) < BEFORE_SIZE) {
        return false;
    }
    for (size_t i = 0; i < sizeof(dashes); i++) {
        if (token.data[-dashes[i]] != '-') {
            return false;
        }
    }
    return true;
}

static bool token_is_hex_hash(struct slice token)
{
    if (token.size < HTTP_NAME_HEX_SIZE_MIN || token.size > HTTP_NAME_HEX_SIZE_MAX ||
        token.size == HTTP_NAME_OBJECT_ID_SIZE) {
        return false;
    }
    size_t digits = 0;
    for (size_t i = 0; i < token.size; i++) {
        char c = token.data[i];
        if (!byte_is_digit(c) && (c < 'a' || c > 'f')) {
            return false;
        }
        digits += byte_is_digit(c);
    }
    return digits >= COUNT_MIN && token.size - digits >= COUNT_MIN &&
           changes_count(token) >= COUNT_MIN && !token_has_month(token);
}

/* Whether a run of letters in it, cut where capitals begin, is long enough for a word and has a
 * vowel. */
static bool token_has_word(struct slice token)
{
    size_t size = 0;
    bool has_vowel = false;
    for (size_t i = 0; i < token.size; i++) {
        char c = token.data[i];
        bool is_capital =
            byte_is_upper(c) && i + 1 < token.size && byte_is_lower(token.data[i + 1]);
        bool is_begun = i > 0 && byte_is_lower(token.data[i - 1]) && byte_is_upper(c);
        if (byte_is_digit(c) || is_capital || is_begun) {
            size = 0;
            has_vowel = false;
        }
        if (!byte_is_digit(c)) {
            size++;
            has_vowel |= byte_is_vowel(c);
        }
        if (size >= WORD_SIZE_MIN && has_vowel) {
            return true;
        }
    }
    return false;
}

/* base64url without '-' and '_', which stand in names, too; or base32. */
static bool token_is_short_hash(struct slice token)
{
    if (token.size != HTTP_NAME_HASH_SIZE) {
        return false;
    }
    size_t lowers = 0;
    size_t uppers = 0;
    bool is_base32 = true;
    for (size_t i = 0; i < token.size; i++) {
        char c = token.data[i];
        lowers += byte_is_lower(c);
        uppers += byte_is_upper(c);
        is_base32 &= byte_is_upper(c) || (c >= '2' && c <= '7');
        if (!byte_is_lower(c) && !byte_is_upper(c) && !byte_is_digit(c)) {
            return false;
        }
    }
    return ((lowers > 0 && uppers > 0) || is_base32) && changes_count(token) >= COUNT_MIN &&
           !token_has_word(token);
}

/* Something and a delimiter stand before the token. */
static bool token_is_hash(struct slice name, struct slice token)
{
    if (token_is_hex_hash(token)) {
        return !token_ends_uuid(name, token);
    }
    return token.data[-1] != '_' && token_is_short_hash(token);
}

/* Pages keep their names, or nobody could link to them. */
static bool name_is_page(struct slice name)
{
    static const struct slice extensions[] = { { ".html", 5 }, { ".htm", 4 }, { ".xhtml", 6 } };
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
        size_t size = extensions[i].size;
        if (name.size >= size && slice_equal_ignoring_case(
                                     slice_of(name.data + name.size - size, size), extensions[i])) {
            return true;
        }
    }
    return false;
}

static struct slice segment_last(struct slice path)
{
    size_t offset = path.size;
    while (offset > 0 && path.data[offset - 1] != '/') {
        offset--;
    }
    return slice_of(path.data + offset, path.size - offset);
}

bool http_name_is_hashed(struct slice name)
{
    if (name.size == 0) {
        return false;
    }
    name = segment_last(name);
    if (name_is_page(name)) {
        return false;
    }
    size_t start = 0;
    for (size_t at = 1; at + 1 < name.size; at++) {
        if (!byte_is_delimiter(name.data[at])) {
            continue;
        }
        struct slice token = slice_of(name.data + start, at - start);
        if (start > 1 && name.data[at] == '.' && token_is_hash(name, token)) {
            return true;
        }
        start = at + 1;
    }
    return false;
}

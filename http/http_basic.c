/* http_basic: see the header. Base64 is decoded four digits at a time; only the one spelling that
 * an encoder writes is taken. */
#include "http/http_basic.h"

#include <assert.h>
#include <stdint.h>

#include "http/http_writer.h"

static int digit_value(char digit)
{
    if (digit >= 'A' && digit <= 'Z') {
        return digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0' + 52;
    }
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

/* Takes the scheme and the blanks behind it off the front. */
static bool scheme_take(struct slice *text)
{
    struct slice scheme = SLICE("basic ");
    if (text->size < scheme.size ||
        !slice_equal_ignoring_case(slice_of(text->data, scheme.size), scheme)) {
        return false;
    }
    size_t size = scheme.size;
    while (size < text->size && text->data[size] == ' ') {
        size++;
    }
    *text = slice_of(text->data + size, text->size - size);
    return true;
}

/* Decodes two to four digits, the padding being taken off, into one to three bytes. */
static bool group_decode(const char *digits, size_t count, unsigned char bytes[3])
{
    assert(count >= 2 && count <= 4);
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < count ? digit_value(digits[i]) : 0;
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
    }
    bytes[0] = (unsigned char)(bits >> 16);
    bytes[1] = (unsigned char)(bits >> 8);
    bytes[2] = (unsigned char)bits;
    return (count > 2 || bytes[1] == 0) && (count > 3 || bytes[2] == 0);
}

static bool byte_is_control(unsigned char byte)
{
    return byte < ' ' || byte == 0x7f;
}

/* Returns the bytes decoded, or 0. */
static size_t base64_decode(struct slice text, char buffer[HTTP_BASIC_SIZE_MAX])
{
    if (text.size == 0 || text.size % 4 != 0) {
        return 0;
    }
    size_t padding = text.data[text.size - 1] != '=' ? 0 : text.data[text.size - 2] != '=' ? 1 : 2;
    size_t size = text.size / 4 * 3 - padding;
    if (size > HTTP_BASIC_SIZE_MAX) {
        return 0;
    }
    size_t used = 0;
    for (size_t at = 0; at < text.size; at += 4) {
        size_t count = at + 4 == text.size ? 4 - padding : 4;
        unsigned char bytes[3];
        if (!group_decode(text.data + at, count, bytes)) {
            return 0;
        }
        for (size_t i = 0; i + 1 < count; i++) {
            if (byte_is_control(bytes[i])) {
                return 0;
            }
            buffer[used++] = (char)bytes[i];
        }
    }
    assert(used == size);
    return used;
}

bool http_basic_parse(struct slice authorization, char buffer[HTTP_BASIC_SIZE_MAX],
                      struct slice *user, struct slice *password)
{
    if (!scheme_take(&authorization)) {
        return false;
    }
    size_t size = base64_decode(authorization, buffer);
    const char *colon = size > 0 ? memchr(buffer, ':', size) : NULL;
    if (colon == NULL) {
        return false;
    }
    size_t user_size = (size_t)(colon - buffer);
    *user = slice_of(buffer, user_size);
    *password = slice_of(colon + 1, size - user_size - 1);
    return true;
}

const char *http_basic_check_realm(struct slice realm)
{
    if (realm.size == 0 || realm.size > HTTP_BASIC_REALM_SIZE_MAX) {
        return "expected a realm of 1 to 127 bytes";
    }
    for (size_t i = 0; i < realm.size; i++) {
        if (byte_is_control((unsigned char)realm.data[i])) {
            return "expected a realm without control bytes";
        }
    }
    return NULL;
}

size_t http_basic_write_challenge(struct slice realm, char *buffer, size_t size)
{
    assert(http_basic_check_realm(realm) == NULL);
    struct http_writer writer = { .data = buffer, .size = size };
    http_writer_append(&writer, SLICE("Basic realm=\""));
    for (size_t i = 0; i < realm.size; i++) {
        if (realm.data[i] == '"' || realm.data[i] == '\\') {
            http_writer_append_byte(&writer, '\\');
        }
        http_writer_append_byte(&writer, realm.data[i]);
    }
    http_writer_append(&writer, SLICE("\", charset=\"UTF-8\""));
    assert(writer.needed <= HTTP_BASIC_CHALLENGE_SIZE_MAX);
    return writer.needed;
}

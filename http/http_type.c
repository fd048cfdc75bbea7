/* One open-addressing hash table, linear probing, nothing is ever removed: at most half of the
 * slots are taken, so a search ends at an empty slot. Extensions and types lie behind one another
 * in the table's text; slots hold offsets, not pointers, so that a table can be copied. */
#include "http/http_type.h"

#include <assert.h>

#include "http/http_writer.h"

_Static_assert((HTTP_TYPE_SLOTS_COUNT & (HTTP_TYPE_SLOTS_COUNT - 1)) == 0, "a power of two");
_Static_assert(HTTP_TYPE_EXTENSIONS_MAX < HTTP_TYPE_SLOTS_COUNT, "a search needs an empty slot");
_Static_assert(HTTP_TYPE_SIZE_MAX <= UINT8_MAX, "type_size holds it");

static bool byte_is_alphanumeric(char c)
{
    char lower = slice_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

/* tchar of RFC 9110 5.6.2 */
static bool byte_is_token(char c)
{
    return byte_is_alphanumeric(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static struct slice slice_from(struct slice text, size_t offset)
{
    assert(offset <= text.size);
    return slice_of(text.data + offset, text.size - offset);
}

static size_t token_size(struct slice text)
{
    size_t size = 0;
    while (size < text.size && byte_is_token(text.data[size])) {
        size++;
    }
    return size;
}

static size_t blanks_size(struct slice text)
{
    size_t size = 0;
    while (size < text.size && (text.data[size] == ' ' || text.data[size] == '\t')) {
        size++;
    }
    return size;
}

/* "type/subtype" at the start of text: its size, or 0. */
static size_t essence_size(struct slice text)
{
    size_t major = token_size(text);
    if (major == 0 || major == text.size || text.data[major] != '/') {
        return 0;
    }
    size_t minor = token_size(slice_from(text, major + 1));
    return minor == 0 ? 0 : major + 1 + minor;
}

/* A parameter's value, a token or a quoted string: its size, or 0. */
static size_t value_size(struct slice text)
{
    if (text.size == 0 || text.data[0] != '"') {
        return token_size(text);
    }
    for (size_t i = 1; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"') {
            return i + 1;
        }
        if (c < ' ' || c >= 0x7f || c == '\\') {
            return 0;
        }
    }
    return 0;
}

/* Whether text is nothing but `; name=value` any number of times, and whether one is a charset. */
static bool parameters_are_valid(struct slice text, bool *has_charset)
{
    *has_charset = false;
    while (text.size > 0) {
        text = slice_from(text, blanks_size(text));
        if (text.size == 0 || text.data[0] != ';') {
            return false;
        }
        text = slice_from(text, 1);
        text = slice_from(text, blanks_size(text));
        struct slice name = slice_of(text.data, token_size(text));
        if (name.size == 0 || name.size == text.size || text.data[name.size] != '=') {
            return false;
        }
        text = slice_from(text, name.size + 1);
        size_t size = value_size(text);
        if (size == 0) {
            return false;
        }
        text = slice_from(text, size);
        *has_charset = *has_charset || slice_equal_ignoring_case(name, SLICE("charset"));
    }
    return true;
}

static bool extension_is_valid(struct slice extension)
{
    if (extension.size == 0 || extension.size > HTTP_TYPE_EXTENSION_SIZE_MAX) {
        return false;
    }
    for (size_t i = 0; i < extension.size; i++) {
        unsigned char c = (unsigned char)extension.data[i];
        if (c <= ' ' || c == 0x7f || c == '/' || c == '.') {
            return false;
        }
    }
    return true;
}

static bool starts_with(struct slice text, struct slice prefix)
{
    return text.size >= prefix.size &&
           slice_equal_ignoring_case(slice_of(text.data, prefix.size), prefix);
}

static bool ends_with(struct slice text, struct slice suffix)
{
    return text.size >= suffix.size &&
           slice_equal_ignoring_case(slice_from(text, text.size - suffix.size), suffix);
}

static bool contains(struct slice text, struct slice part)
{
    for (size_t i = 0; i + part.size <= text.size; i++) {
        if (starts_with(slice_from(text, i), part)) {
            return true;
        }
    }
    return false;
}

static bool essence_is_script(struct slice essence)
{
    return ends_with(essence, SLICE("javascript")) || ends_with(essence, SLICE("ecmascript"));
}

static bool essence_is_xml(struct slice essence)
{
    return ends_with(essence, SLICE("/xml")) || ends_with(essence, SLICE("+xml")) ||
           ends_with(essence, SLICE("/xml-dtd"));
}

/* What is text in truth, whatever it is called: unlabelled, a browser would guess its encoding. */
static bool essence_is_text(struct slice essence)
{
    return starts_with(essence, SLICE("text/")) || essence_is_script(essence) ||
           essence_is_xml(essence) || ends_with(essence, SLICE("/json")) ||
           ends_with(essence, SLICE("+json")) ||
           slice_equal_ignoring_case(essence, SLICE("application/x-ndjson"));
}

/* FNV-1a. */
static uint32_t extension_hash(struct slice extension)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < extension.size; i++) {
        hash = (hash ^ (unsigned char)extension.data[i]) * 16777619U;
    }
    return hash;
}

static struct slice extension_lower(struct slice extension,
                                    char buffer[HTTP_TYPE_EXTENSION_SIZE_MAX])
{
    assert(extension.size <= HTTP_TYPE_EXTENSION_SIZE_MAX);
    for (size_t i = 0; i < extension.size; i++) {
        buffer[i] = slice_lower(extension.data[i]);
    }
    return slice_of(buffer, extension.size);
}

/* The slot that holds `extension` (lower case), or the empty one where it belongs. */
static uint32_t slot_find(const struct http_type_table *table, struct slice extension)
{
    assert(table->count <= HTTP_TYPE_EXTENSIONS_MAX);
    uint32_t slot = extension_hash(extension) & (HTTP_TYPE_SLOTS_COUNT - 1);
    while (table->slots[slot].extension_size > 0) {
        struct slice taken = slice_of(table->text + table->slots[slot].extension_offset,
                                      table->slots[slot].extension_size);
        if (slice_equal(taken, extension)) {
            break;
        }
        slot = (slot + 1) & (HTTP_TYPE_SLOTS_COUNT - 1);
    }
    return slot;
}

static uint32_t text_append(struct http_type_table *table, struct slice text)
{
    assert(text.size <= HTTP_TYPE_TEXT_SIZE - table->text_used);
    uint32_t offset = table->text_used;
    memcpy(table->text + offset, text.data, text.size);
    table->text_used += (uint32_t)text.size;
    return offset;
}

void http_type_table_init(struct http_type_table *table)
{
    memset(table, 0, sizeof(*table));
}

enum http_type_result http_type_table_add(struct http_type_table *table, struct slice extension,
                                          struct slice type)
{
    if (extension.size > 0 && extension.data[0] == '.') {
        extension = slice_from(extension, 1);
    }
    size_t essence = essence_size(type);
    bool has_charset;
    if (!extension_is_valid(extension) || essence == 0 ||
        !parameters_are_valid(slice_from(type, essence), &has_charset)) {
        return HTTP_TYPE_BAD;
    }
    bool adds_charset = !has_charset && essence_is_text(slice_of(type.data, essence));
    struct slice charset = adds_charset ? SLICE("; charset=utf-8") : SLICE("");
    size_t type_size = type.size + charset.size;
    if (type_size > HTTP_TYPE_SIZE_MAX) {
        return HTTP_TYPE_BAD;
    }
    char buffer[HTTP_TYPE_EXTENSION_SIZE_MAX];
    extension = extension_lower(extension, buffer);
    uint32_t slot = slot_find(table, extension);
    if (table->slots[slot].extension_size > 0) {
        return HTTP_TYPE_KEPT;
    }
    if (table->count == HTTP_TYPE_EXTENSIONS_MAX ||
        extension.size + type_size > HTTP_TYPE_TEXT_SIZE - table->text_used) {
        return HTTP_TYPE_FULL;
    }
    table->slots[slot].extension_offset = text_append(table, extension);
    table->slots[slot].extension_size = (uint8_t)extension.size;
    table->slots[slot].type_offset = text_append(table, type);
    table->slots[slot].type_size = (uint8_t)type_size;
    text_append(table, charset);
    table->count++;
    return HTTP_TYPE_OK;
}

/* Takes the first word off *line; empty when there is none. A '#' begins a comment. */
static struct slice word_take(struct slice *line)
{
    size_t start = 0;
    while (start < line->size &&
           (line->data[start] == ' ' || line->data[start] == '\t' || line->data[start] == '\r')) {
        start++;
    }
    size_t end = start;
    while (end < line->size && line->data[end] != ' ' && line->data[end] != '\t' &&
           line->data[end] != '\r' && line->data[end] != '#') {
        end++;
    }
    struct slice word = slice_of(line->data + start, end - start);
    *line = slice_from(*line, end);
    return word;
}

void http_type_table_add_mime_types(struct http_type_table *table, struct slice text)
{
    while (text.size > 0) {
        const char *newline = memchr(text.data, '\n', text.size);
        size_t line_size = newline == NULL ? text.size : (size_t)(newline - text.data);
        struct slice line = slice_of(text.data, line_size);
        text = slice_from(text, newline == NULL ? line_size : line_size + 1);

        struct slice type = word_take(&line);
        struct slice extension = word_take(&line);
        while (extension.size > 0) {
            http_type_table_add(table, extension, type);
            extension = word_take(&line);
        }
    }
}

static struct slice type_of_slot(const struct http_type_table *table, uint32_t slot)
{
    return slice_of(table->text + table->slots[slot].type_offset, table->slots[slot].type_size);
}

size_t http_type_table_rows(const struct http_type_table *table, struct http_type_row *rows)
{
    size_t count = 0;
    for (uint32_t slot = 0; slot < HTTP_TYPE_SLOTS_COUNT; slot++) {
        if (table->slots[slot].extension_size > 0) {
            rows[count].extension = slice_of(table->text + table->slots[slot].extension_offset,
                                             table->slots[slot].extension_size);
            rows[count].type = type_of_slot(table, slot);
            count++;
        }
    }
    assert(count == table->count);
    return count;
}

struct slice http_type_by_name(const struct http_type_table *table, struct slice path)
{
    size_t dot = path.size;
    while (dot > 0 && path.data[dot - 1] != '.' && path.data[dot - 1] != '/') {
        dot--;
    }
    bool has_dot = dot > 0 && path.data[dot - 1] == '.';
    bool has_stem = dot > 1 && path.data[dot - 2] != '/';
    struct slice extension = slice_from(path, dot);
    if (!has_dot || !has_stem || !extension_is_valid(extension)) {
        return SLICE_NONE;
    }
    char buffer[HTTP_TYPE_EXTENSION_SIZE_MAX];
    uint32_t slot = slot_find(table, extension_lower(extension, buffer));
    if (table->slots[slot].extension_size == 0) {
        return SLICE_NONE;
    }
    return type_of_slot(table, slot);
}

/* A guess must never make bytes run that their owner did not name so. "text/x-..." is source code.
 */
static bool guess_is_shown_as_text(struct slice essence)
{
    bool is_postscript = slice_equal_ignoring_case(essence, SLICE("application/postscript"));
    return starts_with(essence, SLICE("text/x-")) || contains(essence, SLICE("html")) ||
           contains(essence, SLICE("xml")) || contains(essence, SLICE("svg")) ||
           (contains(essence, SLICE("script")) && !is_postscript);
}

/* multipart/, message/ and libmagic's own inode/ are no content of a file for a browser. */
static bool guess_is_sendable(struct slice essence)
{
    return starts_with(essence, SLICE("text/")) || starts_with(essence, SLICE("image/")) ||
           starts_with(essence, SLICE("audio/")) || starts_with(essence, SLICE("video/")) ||
           starts_with(essence, SLICE("font/")) || starts_with(essence, SLICE("model/")) ||
           starts_with(essence, SLICE("application/"));
}

size_t http_type_from_guess(struct slice guess, char buffer[HTTP_TYPE_SIZE_MAX])
{
    struct slice charset = SLICE("; charset=utf-8");
    struct slice essence = slice_of(guess.data, essence_size(guess));
    bool is_cut_well = essence.size == guess.size || guess.data[essence.size] == ';';
    if (essence.size == 0 || !is_cut_well || essence.size + charset.size > HTTP_TYPE_SIZE_MAX ||
        !guess_is_sendable(essence)) {
        essence = SLICE("application/octet-stream");
    } else if (guess_is_shown_as_text(essence)) {
        essence = SLICE("text/plain");
    }
    struct http_writer writer = { .data = buffer, .size = HTTP_TYPE_SIZE_MAX };
    for (size_t i = 0; i < essence.size; i++) {
        http_writer_append_byte(&writer, slice_lower(essence.data[i]));
    }
    if (essence_is_text(essence)) {
        http_writer_append(&writer, charset);
    }
    assert(writer.needed <= HTTP_TYPE_SIZE_MAX);
    return writer.needed;
}

/* conf_lines: what stands between the text and inih.
 *
 * inih, as distributions build it, reads lines of at most 198 bytes and drops the rest; takes an
 * indented line for more of the value above it, even "  key = value"; cuts a value at a blank and
 * ';' but keeps
 * '#'; ignores what follows a ']'; ends a line at a NUL; and tells its handler no line numbers.
 * Each of these would read something else than what was written, and say nothing.
 *
 * So inih gets lines that leave it no choice. The reader below counts the lines, reports those that
 * are neither [SECTION] nor KEY = VALUE, removes indentation and comments, unquotes the value, and
 * masks its blanks as control bytes, which no text may hold, so that inih has nothing to strip. A
 * value too long for inih's line goes there in pieces, each an indented line: the handler, called
 * once a piece, joins them. A first byte FENCE in each piece keeps inih from seeing a comment or a
 * section in it. */
#include "conf/conf_lines.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf_errors.h"
#include "conf/conf_keys.h"

enum {
    MASK_SPACE = 0x01,
    MASK_TAB = 0x02,
    FENCE = 0x03,
    /* KEY '=' FENCE, one byte of value, LF, NUL: below it nothing could be handed over at all. */
    INIH_LINE_SIZE_MIN = CONF_KEY_SIZE_MAX + 5,
    EXCERPT_SIZE_MAX = 60,
};

struct span {
    const char *at;
    const char *end;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_comment_start(char c)
{
    return c == ';' || c == '#';
}

static struct span span_trim(struct span span)
{
    while (span.at < span.end && is_blank(*span.at)) {
        span.at++;
    }
    while (span.end > span.at && is_blank(span.end[-1])) {
        span.end--;
    }
    return span;
}

static size_t span_size(struct span span)
{
    return (size_t)(span.end - span.at);
}

static int span_excerpt_size(struct span span)
{
    return span_size(span) < EXCERPT_SIZE_MAX ? (int)span_size(span) : EXCERPT_SIZE_MAX;
}

/* Nothing but blanks, or a comment. */
static bool span_is_idle(struct span span)
{
    span = span_trim(span);
    return span.at == span.end || is_comment_start(*span.at);
}

void conf_lines_init(struct conf_lines *lines, const char *text, size_t size,
                     struct conf_errors *errors, struct conf_sections *sections)
{
    lines->text = text;
    lines->size = size;
    lines->offset = 0;
    lines->line = 0;
    lines->errors = errors;
    lines->sections = sections;
    lines->value_size = 0;
    lines->value_offset = 0;
}

bool conf_lines_has_more(const struct conf_lines *lines)
{
    assert(lines->value_offset <= lines->value_size);
    return lines->value_offset < lines->value_size;
}

/* Takes the next line out of the text, without its end (LF or CR LF). */
static struct span line_take(struct conf_lines *lines)
{
    assert(lines->offset < lines->size);
    struct span line;
    line.at = lines->text + lines->offset;
    size_t left = lines->size - lines->offset;
    const char *newline = memchr(line.at, '\n', left);
    line.end = newline != NULL ? newline : line.at + left;
    lines->offset += span_size(line) + (newline != NULL ? 1 : 0);
    lines->line++;
    if (line.end > line.at && line.end[-1] == '\r') {
        line.end--;
    }
    static const char byte_order_mark[] = { '\xef', '\xbb', '\xbf' };
    if (lines->line == 1 && span_size(line) >= sizeof(byte_order_mark) &&
        memcmp(line.at, byte_order_mark, sizeof(byte_order_mark)) == 0) {
        line.at += sizeof(byte_order_mark);
    }
    return line;
}

static bool line_is_readable(struct conf_lines *lines, struct span line)
{
    if (span_size(line) > CONF_LINE_SIZE_MAX) {
        conf_errors_add(lines->errors, lines->line, "the line has %zu bytes: expected at most %d",
                        span_size(line), CONF_LINE_SIZE_MAX);
        return false;
    }
    for (const char *c = line.at; c < line.end; c++) {
        unsigned char byte = (unsigned char)*c;
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            conf_errors_add(lines->errors, lines->line,
                            "the line holds the control byte 0x%02x: expected text", byte);
            return false;
        }
    }
    return true;
}

/* The line's "[...]": its bracket is the first one that nothing but a comment follows, so that
 * [host [::1]] is one, too. False when there is none. */
static bool section_find(struct span line, struct span *section)
{
    section->at = line.at + 1;
    for (section->end = section->at; section->end < line.end; section->end++) {
        if (*section->end == ']' && span_is_idle((struct span){ section->end + 1, line.end })) {
            return true;
        }
    }
    return false;
}

/* Opens the section, and writes "[word]" for inih, which takes nothing longer. */
static void section_write(struct conf_lines *lines, struct span line, char *buffer, size_t size)
{
    char word[CONF_KEY_SIZE_MAX + 1] = "";
    char argument[CONF_LINE_SIZE_MAX + 1] = "";
    struct span section;
    if (!section_find(line, &section)) {
        conf_errors_add(lines->errors, lines->line,
                        "'%.*s': expected [SECTION], alone on its line or before a comment",
                        span_excerpt_size(line), line.at);
        conf_section_skip(lines->sections, lines->line);
        memcpy(buffer, "\n", sizeof("\n"));
        return;
    }
    section = span_trim(section);
    struct span rest = section;
    while (rest.at < rest.end && !is_blank(*rest.at)) {
        rest.at++;
    }
    section.end = rest.at;
    rest = span_trim(rest);
    memcpy(argument, rest.at, span_size(rest));
    size_t word_size =
        span_size(section) < CONF_KEY_SIZE_MAX ? span_size(section) : CONF_KEY_SIZE_MAX;
    memcpy(word, section.at, word_size);
    conf_section_open(lines->sections, lines->line, word, argument);
    snprintf(buffer, size, "[%s]\n", word);
}

static void value_append(struct conf_lines *lines, char c)
{
    assert(lines->value_size < sizeof(lines->value));
    lines->value[lines->value_size++] = (char)(c == ' '    ? MASK_SPACE
                                               : c == '\t' ? MASK_TAB
                                                           : (unsigned char)c);
}

/* "...": `""` within stands for one quote. False when it does not end, or something follows it. */
static bool quoted_take(struct conf_lines *lines, struct span text)
{
    for (const char *c = text.at + 1; c < text.end; c++) {
        if (*c != '"') {
            value_append(lines, *c);
        } else if (c + 1 < text.end && c[1] == '"') {
            value_append(lines, '"');
            c++;
        } else {
            return span_is_idle((struct span){ c + 1, text.end });
        }
    }
    return false;
}

/* Ends before a blank that a comment follows. text.at[-1] is the separator or a blank. */
static void bare_take(struct conf_lines *lines, struct span text)
{
    struct span value = { text.at, text.at };
    while (value.end < text.end && !(is_comment_start(*value.end) && is_blank(value.end[-1]))) {
        value.end++;
    }
    value = span_trim(value);
    for (const char *c = value.at; c < value.end; c++) {
        value_append(lines, *c);
    }
}

/* Puts the value, unquoted and masked, into lines->value. */
static bool value_take(struct conf_lines *lines, struct span text)
{
    lines->value_size = 0;
    lines->value_offset = 0;
    struct span value = span_trim(text);
    if (value.at == value.end || *value.at != '"') {
        bare_take(lines, value);
        return true;
    }
    if (quoted_take(lines, value)) {
        return true;
    }
    lines->value_size = 0;
    conf_errors_add(lines->errors, lines->line,
                    "%.*s: expected a closing quote as the last of the line, or before a comment "
                    "(\"\" stands for one quote)",
                    span_excerpt_size(value), value.at);
    return false;
}

/* Writes what fits of the value behind a prefix of the line. */
static void piece_write(struct conf_lines *lines, const char *name, char *buffer, size_t size)
{
    assert(size >= INIH_LINE_SIZE_MIN);
    size_t used = (size_t)snprintf(buffer, size, "%s%c", name, FENCE);
    assert(used + 2 < size);
    size_t piece_size = lines->value_size - lines->value_offset;
    if (piece_size > size - used - 2) {
        piece_size = size - used - 2;
    }
    memcpy(buffer + used, lines->value + lines->value_offset, piece_size);
    memcpy(buffer + used + piece_size, "\n", sizeof("\n"));
    lines->value_offset += piece_size;
}

static void pair_write(struct conf_lines *lines, struct span line, char *buffer, size_t size)
{
    memcpy(buffer, "\n", sizeof("\n"));
    struct span name = line;
    name.end = name.at;
    while (name.end < line.end && *name.end != '=' && *name.end != ':') {
        name.end++;
    }
    struct span text = { name.end + 1, line.end };
    bool has_separator = name.end < line.end;
    name = span_trim(name);
    size_t name_size = span_size(name);
    if (!has_separator || name_size == 0 || memchr(name.at, ' ', name_size) != NULL ||
        memchr(name.at, '\t', name_size) != NULL) {
        conf_errors_add(lines->errors, lines->line, "'%.*s': expected KEY = VALUE or [SECTION]",
                        span_excerpt_size(line), line.at);
        return;
    }
    if (name_size > CONF_KEY_SIZE_MAX) {
        conf_errors_add(lines->errors, lines->line, "the key has %zu bytes: expected at most %d",
                        name_size, CONF_KEY_SIZE_MAX);
        return;
    }
    char prefix[CONF_KEY_SIZE_MAX + 2];
    snprintf(prefix, sizeof(prefix), "%.*s=", (int)name_size, name.at);
    if (value_take(lines, text)) {
        piece_write(lines, prefix, buffer, size);
    }
}

char *conf_lines_read(char *buffer, int size, void *stream)
{
    struct conf_lines *lines = stream;
    assert(size >= INIH_LINE_SIZE_MIN);
    if (conf_lines_has_more(lines)) {
        piece_write(lines, " ", buffer, (size_t)size);
        return buffer;
    }
    if (lines->offset == lines->size) {
        return NULL;
    }
    struct span line = line_take(lines);
    bool is_readable = line_is_readable(lines, line);
    line = span_trim(line);
    if (!is_readable || span_is_idle(line)) {
        memcpy(buffer, "\n", sizeof("\n"));
    } else if (*line.at == '[') {
        section_write(lines, line, buffer, (size_t)size);
    } else {
        pair_write(lines, line, buffer, (size_t)size);
    }
    return buffer;
}

size_t conf_lines_unmask(const char *piece, char *buffer)
{
    assert(piece[0] == FENCE);
    size_t size = 0;
    for (const char *c = piece + 1; *c != '\0'; c++) {
        buffer[size++] = (char)(*c == MASK_SPACE ? ' ' : *c == MASK_TAB ? '\t' : (unsigned char)*c);
    }
    return size;
}

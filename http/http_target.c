/* Raw path -> file path, and back into a Location. A path is decoded segment by segment straight
 * into the place where it will stay; a dot segment moves that place back, a second pass never
 * happens. */
#include "http/http_target.h"

#include <assert.h>

#include "http/http_writer.h"

/* One segment, decoded: what the bytes between two separators amount to. */
struct segment {
    size_t size;       /* decoded bytes, also those that found no room */
    size_t dots_count; /* how many of them are '.' */
    bool is_last;      /* the path ended here, not a separator */
};

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = slice_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte behind a '%' whose two digits begin at `offset`, or -1. */
static int escape_decode(struct slice raw, size_t offset)
{
    if (raw.size - offset < 2) {
        return -1;
    }
    int high = hex_value(raw.data[offset]);
    int low = hex_value(raw.data[offset + 1]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Decodes from *offset past the next separator, into at most `room` bytes. False: NUL or bad
 * escape. Counts in locals: through pointers, each byte stored would make the compiler read them
 * again. */
static bool segment_decode(struct slice raw, size_t *offset, char *buffer, size_t room,
                           struct segment *segment)
{
    size_t at = *offset;
    size_t size = 0;
    size_t dots_count = 0;
    bool is_last = true;
    while (at < raw.size) {
        char c = raw.data[at++];
        if (c == '%') {
            int value = escape_decode(raw, at);
            if (value < 0) {
                return false;
            }
            c = (char)value;
            at += 2;
        }
        if (c == '/') {
            is_last = false;
            break;
        }
        if (c == '\0') {
            return false;
        }
        if (size < room) {
            buffer[size] = c;
        }
        size++;
        dots_count += c == '.';
    }
    *offset = at;
    *segment = (struct segment){ .size = size, .dots_count = dots_count, .is_last = is_last };
    return true;
}

/* The path as it grows. Segments are counted apart from the bytes, for once a name is too long
 * nothing is kept any more, but the rest must still be valid: 400 goes before 404. */
struct resolver {
    struct http_target *target;
    size_t path_size;
    size_t segments_count;
    size_t dot_names_count;
    bool is_missing;
};

static bool name_is_dotted(struct slice name, bool is_first)
{
    return name.data[0] == '.' && !(is_first && slice_equal(name, SLICE(".well-known")));
}

/* Where the next name goes: behind a separator, unless it is the first. */
static size_t resolver_next_offset(const struct resolver *resolver)
{
    return resolver->path_size == 0 ? 0 : resolver->path_size + 1;
}

static void resolver_push(struct resolver *resolver, size_t name_size)
{
    size_t offset = resolver_next_offset(resolver);
    resolver->segments_count++;
    if (resolver->is_missing || name_size > HTTP_SEGMENT_SIZE_MAX ||
        offset + name_size > HTTP_PATH_SIZE_MAX) {
        resolver->is_missing = true;
        resolver->path_size = 0;
        return;
    }
    char *path = resolver->target->path;
    if (offset > 0) {
        path[offset - 1] = '/';
    }
    struct slice name = slice_of(path + offset, name_size);
    resolver->dot_names_count += name_is_dotted(name, offset == 0);
    resolver->path_size = offset + name_size;
}

/* Takes the last name away again. False: there is none, the path climbs above the root. */
static bool resolver_pop(struct resolver *resolver)
{
    if (resolver->segments_count == 0) {
        return false;
    }
    resolver->segments_count--;
    if (resolver->is_missing) {
        return true;
    }
    assert(resolver->path_size > 0);
    size_t offset = resolver->path_size;
    while (offset > 0 && resolver->target->path[offset - 1] != '/') {
        offset--;
    }
    struct slice name = slice_of(resolver->target->path + offset, resolver->path_size - offset);
    resolver->dot_names_count -= name_is_dotted(name, offset == 0);
    resolver->path_size = offset == 0 ? 0 : offset - 1;
    return true;
}

enum http_target_result http_target_decode(struct slice raw, struct http_target *target)
{
    assert(raw.size > 0);
    assert(raw.data[0] == '/');
    struct resolver resolver = { .target = target };
    struct segment segment;
    size_t raw_offset = 1;
    do {
        size_t offset = resolver_next_offset(&resolver);
        size_t room = offset < HTTP_PATH_SIZE_MAX ? HTTP_PATH_SIZE_MAX - offset : 0;
        if (!segment_decode(raw, &raw_offset, target->path + offset, room, &segment)) {
            return HTTP_TARGET_BAD;
        }
        bool is_dots = segment.size <= 2 && segment.dots_count == segment.size; /* "", ".", ".." */
        if (!is_dots) {
            resolver_push(&resolver, segment.size);
        } else if (segment.size == 2 && !resolver_pop(&resolver)) {
            return HTTP_TARGET_BAD;
        }
        target->is_directory = is_dots;
    } while (!segment.is_last);

    if (resolver.is_missing) {
        return HTTP_TARGET_MISSING;
    }
    assert(resolver.path_size <= HTTP_PATH_SIZE_MAX);
    target->path[resolver.path_size] = '\0';
    target->path_size = (uint16_t)resolver.path_size;
    target->has_dot_name = resolver.dot_names_count > 0;
    return HTTP_TARGET_OK;
}

static bool byte_is_unreserved(char c)
{
    char lower = slice_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

static void encode(struct http_writer *writer, struct slice path)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < path.size; i++) {
        char c = path.data[i];
        if (byte_is_unreserved(c) || c == '/') {
            http_writer_append_byte(writer, c);
        } else {
            unsigned char byte = (unsigned char)c;
            char escape[3] = { '%', digits[byte >> 4], digits[byte & 15] };
            http_writer_append(writer, slice_of(escape, sizeof(escape)));
        }
    }
}

size_t http_target_encode(struct slice path, char *buffer, size_t size)
{
    struct http_writer writer = { .data = buffer, .size = size };
    encode(&writer, path);
    return writer.needed;
}

static size_t slashes_count(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += text.data[i] == '/';
    }
    return count;
}

static bool has_encoded_slash(struct slice raw)
{
    for (size_t i = 0; i + 2 < raw.size; i++) {
        if (raw.data[i] == '%' && raw.data[i + 1] == '2' && slice_lower(raw.data[i + 2]) == 'f') {
            return true;
        }
    }
    return false;
}

/* How many "../" lead from raw's directory to the top, for a client that resolves by RFC
 * 3986 5.2.4: it removes "." and "..", but counts empty segments and does not look into escapes. */
static size_t climbs_count(struct slice raw)
{
    size_t depth = 0;
    size_t start = 1;
    for (size_t i = 1; i < raw.size; i++) {
        if (raw.data[i] != '/') {
            continue;
        }
        struct slice segment = slice_of(raw.data + start, i - start);
        if (slice_equal(segment, SLICE(".."))) {
            depth -= depth > 0;
        } else if (!slice_equal(segment, SLICE("."))) {
            depth++;
        }
        start = i + 1;
    }
    return depth;
}

static struct slice last_name(struct slice path)
{
    size_t offset = path.size;
    while (offset > 0 && path.data[offset - 1] != '/') {
        offset--;
    }
    return slice_of(path.data + offset, path.size - offset);
}

size_t http_target_write_slash_redirect(struct slice raw, const struct http_target *target,
                                        struct slice query, char *buffer, size_t size)
{
    assert(raw.size > 0);
    assert(raw.data[0] == '/');
    assert(target->path_size > 0);
    assert(!target->is_directory);
    struct http_writer writer = { .data = buffer, .size = size };
    struct slice path = slice_of(target->path, target->path_size);

    /* Without %2f a raw segment adds a name, or nothing, or takes one: equal counts mean only
     * names. */
    bool is_plain = slashes_count(raw) == slashes_count(path) + 1 && !has_encoded_slash(raw);
    size_t climbs = is_plain ? 0 : climbs_count(raw);
    if (climbs == 0) {
        http_writer_append(&writer, SLICE("./"));
    }
    for (size_t i = 0; i < climbs; i++) {
        http_writer_append(&writer, SLICE("../"));
    }
    encode(&writer, is_plain ? last_name(path) : path);
    http_writer_append_byte(&writer, '/');
    if (query.data != NULL) {
        http_writer_append_byte(&writer, '?');
        http_writer_append(&writer, query);
    }
    return writer.needed;
}

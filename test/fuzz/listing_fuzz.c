/* Fuzzes the listing of a directory. Input, NUL between: a query, the path, then the names, each
 * behind one byte that makes it a directory or a link and gives it a size and a time.
 *
 * Both forms must be as long as was counted and be well-formed UTF-8 without control bytes. In the
 * page, every '<' begins one of its own tags, every quote belongs to one, and the link of an entry
 * is "./" and an encoding of its name, nothing else. The JSON must parse, with an entry for each
 * name. */
#include <stdlib.h>
#include <string.h>

#include "http/http_listing.h"
#include "http/http_utf8.h"
#include "test/fuzz/fuzz.h"

enum {
    INPUT_SIZE_MAX = 4 * 1024,
    ITEMS_MAX = 256,
    DEPTH_MAX = 4,
};

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Up to the next NUL, which is dropped. */
static struct slice piece_take(struct slice *input)
{
    const char *end = input->size > 0 ? memchr(input->data, '\0', input->size) : NULL;
    struct slice piece = *input;
    if (end == NULL) {
        *input = SLICE_NONE;
        return piece;
    }
    piece.size = (size_t)(end - input->data);
    *input = slice_of(end + 1, input->size - piece.size - 1);
    return piece;
}

/* A path has a name on either side of each slash; what has not is none. */
static struct slice path_take(struct slice *input)
{
    struct slice path = piece_take(input);
    char before = '/';
    for (size_t i = 0; i < path.size; i++) {
        if (path.data[i] == '/' && before == '/') {
            return SLICE("");
        }
        before = path.data[i];
    }
    return before == '/' ? SLICE("") : path;
}

static size_t items_take(struct slice input, struct http_listing_item items[ITEMS_MAX])
{
    size_t count = 0;
    while (input.size > 0 && count < ITEMS_MAX) {
        struct slice piece = piece_take(&input);
        if (piece.size < 2 || memchr(piece.data + 1, '/', piece.size - 1) != NULL) {
            continue;
        }
        unsigned bits = (unsigned char)piece.data[0];
        items[count++] = (struct http_listing_item){
            .name = slice_of(piece.data + 1, piece.size - 1),
            .size = UINT64_MAX >> bits % 64,
            .mtime_s = (bits & 64) != 0 ? INT64_MIN >> bits % 64 : INT64_MAX >> bits % 64,
            .kind = (bits & 4) != 0 ? HTTP_LISTING_DIRECTORY : HTTP_LISTING_FILE,
            .is_link = (bits & 8) != 0,
        };
    }
    return count;
}

static bool starts_with(struct slice text, const char *start)
{
    struct slice expected = slice_from_string(start);
    return text.size >= expected.size && slice_equal(slice_of(text.data, expected.size), expected);
}

static struct slice behind(struct slice text, size_t size)
{
    check(size <= text.size);
    return slice_of(text.data + size, text.size - size);
}

/* What follows the first `part`, or an absent slice. */
static struct slice find_behind(struct slice text, const char *part)
{
    size_t size = strlen(part);
    const char *found = memmem(text.data, text.size, part, size);
    return found == NULL ? SLICE_NONE : behind(text, (size_t)(found - text.data) + size);
}

static void check_characters(struct slice text)
{
    for (size_t at = 0; at < text.size;) {
        size_t start = at;
        uint32_t character = http_utf8_next(text, &at);
        check(character != HTTP_UTF8_REPLACEMENT || at == start + 3);
        check(character >= 0x20 || character == '\n');
        check(character != 0x7f);
    }
}

/* --- the page --------------------------------------------------------------------------------- */

static const char *const tags[] = {
    "!doctype html>",
    "html lang=\"en\">",
    "head>",
    "meta charset=\"utf-8\">",
    "meta name=\"",
    "title>",
    "style>",
    "body>",
    "header>",
    "div>",
    "h1>",
    "nav aria-label=\"Path\">",
    "p>",
    "main>",
    "table>",
    "thead>",
    "tbody>",
    "tr>",
    "th scope=",
    "td>",
    "td colspan=\"3\">",
    "td title=\"",
    "a href=\"",
    "a class=\"d\" href=\"",
    "a class=\"u\" href=\"../\">",
    "a class=\"button\" href=\"?format=tar\">",
    "time datetime=\"",
    "small>",
    "bdi>",
    "footer>",
    "span>",
};

/* An end tag has the name of a tag, and nothing more. */
static bool is_tag(struct slice rest)
{
    bool is_end = starts_with(rest, "/");
    rest = behind(rest, is_end ? 1 : 0);
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        size_t name_size = strcspn(tags[i], " >");
        if (is_end ? rest.size > name_size && memcmp(rest.data, tags[i], name_size) == 0 &&
                         rest.data[name_size] == '>'
                   : starts_with(rest, tags[i])) {
            return true;
        }
    }
    return false;
}

/* Text has neither angles nor quotes of its own, so a tag ends at the next '>'. Links say where
 * they lead by their first byte: "./NAME", "../", "?QUERY". */
static void check_tags(struct slice page)
{
    bool is_in_tag = false;
    for (size_t i = 0; i < page.size; i++) {
        char c = page.data[i];
        struct slice rest = behind(page, i + 1);
        if (c == '<') {
            check(!is_in_tag);
            check(is_tag(rest));
            is_in_tag = true;
        } else if (c == '>') {
            check(is_in_tag);
            is_in_tag = false;
        } else if (c == '"' || c == '\'') {
            check(is_in_tag);
        } else if (is_in_tag && c == 'h' && starts_with(rest, "ref=\"")) {
            rest = behind(rest, 5);
            check(starts_with(rest, "./") || starts_with(rest, "../") || starts_with(rest, "?"));
        }
    }
    check(!is_in_tag);
}

static int hex_value(char c)
{
    const char *digits = "0123456789ABCDEF";
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    check(found != NULL);
    return (int)(found - digits);
}

/* The value of an href, decoded once, must be "./", the name, and a directory's slash. Returns what
 * is behind it. */
static struct slice check_href(struct slice text, const struct http_listing_item *item)
{
    check(starts_with(text, "./"));
    text = behind(text, 2);
    for (size_t i = 0; i < item->name.size; i++) {
        char c = text.data[0];
        bool is_escape = starts_with(text, "%");
        text = behind(text, is_escape ? 3 : 1);
        if (is_escape) {
            c = (char)(hex_value(text.data[-2]) * 16 + hex_value(text.data[-1]));
        } else {
            check(strchr(":/?#[]@!$&'()*+,;=\"<> \\", c) == NULL);
        }
        check(c == item->name.data[i]);
    }
    if (item->kind == HTTP_LISTING_DIRECTORY) {
        check(starts_with(text, "/"));
        text = behind(text, 1);
    }
    check(starts_with(text, "\""));
    return text;
}

static void check_page(struct slice page, const struct http_listing *listing)
{
    struct slice head = page;
    struct slice body = find_behind(page, "</style>");
    check(body.data != NULL);
    struct slice style = find_behind(page, "<style>");
    check(style.data != NULL);
    head.size = (size_t)(style.data - page.data);
    check_tags(head);
    check_tags(body);
    for (size_t i = 0; i < listing->items_count; i++) {
        const struct http_listing_item *item = &listing->items[i];
        bool is_directory = item->kind == HTTP_LISTING_DIRECTORY;
        body = find_behind(body,
                           is_directory ? "<tr><td><a class=\"d\" href=\"" : "<tr><td><a href=\"");
        check(body.data != NULL);
        body = check_href(body, item);
    }
    check(find_behind(body, "<tr><td><a ").data == NULL);
}

/* --- the JSON --------------------------------------------------------------------------------- */

static struct slice json_string(struct slice text)
{
    check(starts_with(text, "\""));
    text = behind(text, 1);
    while (!starts_with(text, "\"")) {
        check(text.size > 0);
        check((unsigned char)text.data[0] >= 0x20);
        if (!starts_with(text, "\\")) {
            text = behind(text, 1);
            continue;
        }
        text = behind(text, 1);
        bool is_numbered = starts_with(text, "u");
        check(is_numbered || starts_with(text, "\"") || starts_with(text, "\\"));
        text = behind(text, is_numbered ? 5 : 1);
        for (int i = 1; is_numbered && i <= 4; i++) {
            check(strchr("0123456789abcdef", text.data[-i]) != NULL);
        }
    }
    return behind(text, 1);
}

static struct slice json_number(struct slice text)
{
    size_t size = 0;
    while (size < text.size && text.data[size] >= '0' && text.data[size] <= '9') {
        size++;
    }
    check(size > 0);
    check(size == 1 || text.data[0] != '0');
    return behind(text, size);
}

/* Returns what is behind the value. */
static struct slice json_value(struct slice text, unsigned depth)
{
    check(depth <= DEPTH_MAX);
    if (starts_with(text, "\"")) {
        return json_string(text);
    }
    if (starts_with(text, "true") || starts_with(text, "false")) {
        return behind(text, starts_with(text, "true") ? 4 : 5);
    }
    bool is_object = starts_with(text, "{");
    if (!is_object && !starts_with(text, "[")) {
        return json_number(text);
    }
    const char *end = is_object ? "}" : "]";
    text = behind(text, 1);
    if (starts_with(text, end)) {
        return behind(text, 1);
    }
    for (;;) {
        if (is_object) {
            text = json_string(text);
            check(starts_with(text, ":"));
            text = behind(text, 1);
        }
        text = json_value(text, depth + 1);
        if (starts_with(text, end)) {
            return behind(text, 1);
        }
        check(starts_with(text, ","));
        text = behind(text, 1);
    }
}

static void check_json(struct slice json, const struct http_listing *listing)
{
    check(slice_equal(json_value(json, 0), SLICE("\n")));
    for (size_t i = 0; i < listing->items_count; i++) {
        json = find_behind(json, "{\"name\":");
        check(json.data != NULL);
        json = json_string(json);
        check(starts_with(json, ",\"href\":\""));
        json = check_href(behind(json, 9), &listing->items[i]);
    }
    check(find_behind(json, "{\"name\":").data == NULL);
}

/* ---------------------------------------------------------------------------------------------- */

static void write_form(const struct http_listing *listing, struct http_writer *writer)
{
    if (listing->query.format == HTTP_LISTING_FORMAT_JSON) {
        http_listing_write_json(listing, writer);
    } else {
        http_listing_write_html(listing, writer);
    }
}

static void check_form(const struct http_listing *listing)
{
    struct http_writer counter = { .data = NULL };
    write_form(listing, &counter);
    char *data = malloc(counter.needed);
    check(data != NULL);
    struct http_writer writer = { .data = data, .size = counter.needed };
    write_form(listing, &writer);
    check(writer.needed == counter.needed);
    struct slice text = slice_of(data, writer.needed);
    check_characters(text);
    if (listing->query.format == HTTP_LISTING_FORMAT_JSON) {
        check_json(text, listing);
    } else {
        check_page(text, listing);
    }
    free(data);
}

static void check_order(const struct http_listing *listing)
{
    for (size_t i = 1; i < listing->items_count; i++) {
        const struct http_listing_item *a = &listing->items[i - 1];
        const struct http_listing_item *b = &listing->items[i];
        check(a->kind == b->kind || a->kind == HTTP_LISTING_DIRECTORY);
        if (a->kind == HTTP_LISTING_FILE && listing->query.sort == HTTP_LISTING_SORT_SIZE) {
            check(listing->query.is_descending ? a->size >= b->size : a->size <= b->size);
        }
        if (a->kind == b->kind && listing->query.sort == HTTP_LISTING_SORT_TIME) {
            check(listing->query.is_descending ? a->mtime_s >= b->mtime_s
                                               : a->mtime_s <= b->mtime_s);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_SIZE_MAX) {
        return 0;
    }
    struct slice input = slice_of((const char *)data, size);
    struct http_listing_item items[ITEMS_MAX];
    struct http_listing listing = { .items = items };
    http_listing_query_parse(piece_take(&input), &listing.query);
    listing.path = path_take(&input);
    listing.items_count = items_take(input, items);
    listing.left_out_count = size % 3;
    listing.archive_is_offered = size % 2 == 0;
    http_listing_sort(items, listing.items_count, listing.query);
    check_order(&listing);
    listing.query.format = HTTP_LISTING_FORMAT_JSON;
    check_form(&listing);
    listing.query.format = HTTP_LISTING_FORMAT_HTML;
    check_form(&listing);
    return 0;
}

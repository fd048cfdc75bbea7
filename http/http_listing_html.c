/* The page of a directory: a path, a table, two lines of text. Everything that comes from a name
 * goes through text_append() or href_append(); everything else is a literal or a number. */
#include "http/http_listing.h"

#include <assert.h>

#include "http/http_date.h"
#include "http/http_listing_parts.h"
#include "http/http_listing_style.h"
#include "http/http_utf8.h"

/* clang-format off */
#define HEAD_START \
    "<!doctype html>\n" \
    "<html lang=\"en\">\n" \
    "<head>\n" \
    "<meta charset=\"utf-8\">\n" \
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n" \
    "<meta name=\"color-scheme\" content=\"light dark\">\n" \
    "<title>Index of /"

#define HEAD_END \
    "</title>\n" \
    "<style>" HTTP_LISTING_STYLE "</style>\n" \
    "</head>\n" \
    "<body>\n"
/* clang-format on */

struct slice http_listing_csp(void)
{
    return SLICE("default-src 'none'; style-src 'sha256-" HTTP_LISTING_STYLE_HASH
                 "'; base-uri 'none'; "
                 "form-action 'none'; frame-ancestors 'none'");
}

/* What would break a line or hide, and what turns the direction of the text around it, so that a
 * name looks like another one. */
static bool character_is_shown(uint32_t character)
{
    bool is_control = character < 0x20 || (character >= 0x7f && character < 0xa0);
    bool is_separator = character == 0x2028 || character == 0x2029;
    bool is_turn = (character >= 0x202a && character <= 0x202e) ||
                   (character >= 0x2066 && character <= 0x2069);
    return !is_control && !is_separator && !is_turn && character != HTTP_UTF8_REPLACEMENT;
}

static void character_append(struct http_writer *writer, struct slice bytes, uint32_t character)
{
    switch (character) {
    case '&':
        http_writer_append(writer, SLICE("&amp;"));
        break;
    case '<':
        http_writer_append(writer, SLICE("&lt;"));
        break;
    case '>':
        http_writer_append(writer, SLICE("&gt;"));
        break;
    case '"':
        http_writer_append(writer, SLICE("&quot;"));
        break;
    case '\'':
        http_writer_append(writer, SLICE("&#39;"));
        break;
    default:
        http_writer_append(writer,
                           character_is_shown(character) ? bytes : HTTP_UTF8_REPLACEMENT_BYTES);
    }
}

/* For element content. */
static void text_append(struct http_writer *writer, struct slice text)
{
    for (size_t at = 0; at < text.size;) {
        size_t start = at;
        uint32_t character = http_utf8_next(text, &at);
        character_append(writer, slice_of(text.data + start, at - start), character);
    }
}

/* A name as an element of its own, so that its direction stays its own. */
static void name_append(struct http_writer *writer, struct slice name)
{
    http_writer_append(writer, SLICE("<bdi>"));
    text_append(writer, name);
    http_writer_append(writer, SLICE("</bdi>"));
}

/* --- the parts above the table ----------------------------------------------------------------
 */

/* The last name of a path; all of it when there is but one. */
static struct slice last_name(struct slice path)
{
    size_t start = path.size;
    while (start > 0 && path.data[start - 1] != '/') {
        start--;
    }
    return slice_of(path.data + start, path.size - start);
}

static size_t names_count(struct slice path)
{
    size_t count = path.size > 0;
    for (size_t i = 0; i < path.size; i++) {
        count += path.data[i] == '/';
    }
    return count;
}

static void climb_append(struct http_writer *writer, size_t levels)
{
    http_writer_append(writer, SLICE("<a href=\""));
    for (size_t i = 0; i < levels; i++) {
        http_writer_append(writer, SLICE("../"));
    }
    http_writer_append(writer, SLICE("\">"));
}

/* The way down to the directory, each step of it a link; only the directory itself is left out. */
static void steps_append(struct http_writer *writer, struct slice path)
{
    size_t levels = names_count(path);
    http_writer_append(writer, SLICE("<nav aria-label=\"Path\">"));
    climb_append(writer, levels);
    http_writer_append(writer, SLICE("Index</a>"));
    size_t start = 0;
    for (size_t i = 0; i < path.size; i++) {
        if (path.data[i] == '/') {
            levels--;
            http_writer_append(writer, SLICE("/"));
            climb_append(writer, levels);
            name_append(writer, slice_of(path.data + start, i - start));
            http_writer_append(writer, SLICE("</a>"));
            start = i + 1;
        }
    }
    assert(levels == 1);
    http_writer_append(writer, SLICE("/</nav>\n"));
}

static void count_append(struct http_writer *writer, uint64_t count, struct slice one,
                         struct slice many)
{
    http_listing_append_number(writer, count);
    http_writer_append(writer, count == 1 ? one : many);
}

/* "1.2 MB", cut and not rounded: never more than there is. */
static void size_append(struct http_writer *writer, uint64_t size)
{
    static const char units[] = "kMGTPE";
    if (size < 1000) {
        count_append(writer, size, SLICE(" B"), SLICE(" B"));
        return;
    }
    uint64_t unit = 1000;
    size_t i = 0;
    while (size / unit >= 1000) {
        unit *= 1000;
        i++;
    }
    assert(i < sizeof(units) - 1);
    http_listing_append_number(writer, size / unit);
    http_writer_append_byte(writer, '.');
    http_listing_append_number(writer, size % unit * 10 / unit);
    char suffix[3] = { ' ', units[i], 'B' };
    http_writer_append(writer, slice_of(suffix, sizeof(suffix)));
}

/* "2 folders, 1 file, 1.2 MB" */
static void sum_append(struct http_writer *writer, const struct http_listing *listing)
{
    uint64_t directories_count = 0;
    uint64_t size = 0;
    for (size_t i = 0; i < listing->items_count; i++) {
        const struct http_listing_item *item = &listing->items[i];
        if (item->kind == HTTP_LISTING_DIRECTORY) {
            directories_count++;
        } else {
            size = item->size > UINT64_MAX - size ? UINT64_MAX : size + item->size;
        }
    }
    uint64_t files_count = listing->items_count - directories_count;
    http_writer_append(writer, SLICE("<p>"));
    if (directories_count > 0) {
        count_append(writer, directories_count, SLICE(" folder"), SLICE(" folders"));
        http_writer_append(writer, files_count > 0 ? SLICE(", ") : SLICE(""));
    }
    if (files_count > 0) {
        count_append(writer, files_count, SLICE(" file, "), SLICE(" files, "));
        size_append(writer, size);
    }
    http_writer_append(writer, SLICE("</p>\n"));
}

static void header_append(struct http_writer *writer, const struct http_listing *listing)
{
    http_writer_append(writer, SLICE("<header>\n<div>\n"));
    if (listing->path.size > 0) {
        steps_append(writer, listing->path);
        http_writer_append(writer, SLICE("<h1>"));
        name_append(writer, last_name(listing->path));
    } else {
        http_writer_append(writer, SLICE("<h1>Index"));
    }
    http_writer_append(writer, SLICE("</h1>\n"));
    if (listing->items_count > 0) {
        sum_append(writer, listing);
    }
    http_writer_append(writer, SLICE("</div>\n"));
    if (listing->archive_is_offered) {
        http_writer_append(writer, SLICE("<a class=\"button\" href=\"?format=tar\">Download all "
                                         "(.tar)</a>\n"));
    }
    http_writer_append(writer, SLICE("</header>\n"));
}

/* --- the table --------------------------------------------------------------------------------
 */

struct column {
    enum http_listing_sort sort;
    const char *title;
    const char *value;        /* of sort= */
    bool first_is_descending; /* what one looks for first: the largest, the latest */
};

static void query_append(struct http_writer *writer, const char *sort, bool is_descending)
{
    http_writer_append(writer, SLICE("?sort="));
    http_writer_append(writer, slice_from_string(sort));
    http_writer_append(writer, is_descending ? SLICE("&amp;order=desc") : SLICE("&amp;order=asc"));
}

/* A header cell: its link sorts by the column, and turns the order when that is done already. */
static void column_append(struct http_writer *writer, const struct column *column,
                          struct http_listing_query query)
{
    bool is_current = column->sort == query.sort;
    http_writer_append(writer, SLICE("<th scope=\"col\""));
    if (is_current) {
        http_writer_append(writer, query.is_descending ? SLICE(" aria-sort=\"descending\"")
                                                       : SLICE(" aria-sort=\"ascending\""));
    }
    http_writer_append(writer, SLICE("><a href=\""));
    query_append(writer, column->value,
                 is_current ? !query.is_descending : column->first_is_descending);
    http_writer_append(writer, SLICE("\">"));
    http_writer_append(writer, slice_from_string(column->title));
    http_writer_append(writer, SLICE("</a></th>\n"));
}

static const struct column columns[] = {
    { HTTP_LISTING_SORT_NAME, "Name", "name", false },
    { HTTP_LISTING_SORT_SIZE, "Size", "size", true },
    { HTTP_LISTING_SORT_TIME, "Modified (UTC)", "time", true },
};

static void item_name_append(struct http_writer *writer, const struct http_listing_item *item)
{
    bool is_directory = item->kind == HTTP_LISTING_DIRECTORY;
    http_writer_append(writer, is_directory ? SLICE("<td><a class=\"d\" href=\"")
                                            : SLICE("<td><a href=\""));
    http_listing_append_href(writer, item);
    http_writer_append(writer, SLICE("\">"));
    name_append(writer, item->name);
    http_writer_append(writer, is_directory ? SLICE("/") : SLICE(""));
    http_writer_append(writer,
                       item->is_link ? SLICE("<small>link</small></a></td>") : SLICE("</a></td>"));
}

static void item_size_append(struct http_writer *writer, const struct http_listing_item *item)
{
    if (item->kind == HTTP_LISTING_DIRECTORY) {
        http_writer_append(writer, SLICE("<td></td>"));
        return;
    }
    http_writer_append(writer, SLICE("<td title=\""));
    count_append(writer, item->size, SLICE(" byte\">"), SLICE(" bytes\">"));
    size_append(writer, item->size);
    http_writer_append(writer, SLICE("</td>"));
}

static void item_time_append(struct http_writer *writer, const struct http_listing_item *item)
{
    char date[HTTP_ISO_DATE_SIZE];
    http_iso_date_write(item->mtime_s, date);
    http_writer_append(writer, SLICE("<td><time datetime=\""));
    http_writer_append(writer, slice_of(date, sizeof(date)));
    http_writer_append(writer, SLICE("\">"));
    http_writer_append(writer, slice_of(date, 10));
    http_writer_append_byte(writer, ' ');
    http_writer_append(writer, slice_of(date + 11, 5));
    http_writer_append(writer, SLICE("</time></td>"));
}

static void columns_append(struct http_writer *writer, struct http_listing_query query)
{
    http_writer_append(writer, SLICE("<thead>\n<tr>\n"));
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        column_append(writer, &columns[i], query);
    }
    http_writer_append(writer, SLICE("</tr>\n</thead>\n"));
}

static void table_append(struct http_writer *writer, const struct http_listing *listing)
{
    http_writer_append(writer, SLICE("<table>\n"));
    if (listing->items_count > 0) {
        columns_append(writer, listing->query);
    }
    http_writer_append(writer, SLICE("<tbody>\n"));
    if (listing->path.size > 0) {
        http_writer_append(writer, SLICE("<tr><td colspan=\"3\"><a class=\"u\" href=\"../\">"
                                         "Parent folder</a></td></tr>\n"));
    }
    for (size_t i = 0; i < listing->items_count; i++) {
        const struct http_listing_item *item = &listing->items[i];
        http_writer_append(writer, SLICE("<tr>"));
        item_name_append(writer, item);
        item_size_append(writer, item);
        item_time_append(writer, item);
        http_writer_append(writer, SLICE("</tr>\n"));
    }
    http_writer_append(writer, SLICE("</tbody>\n</table>\n"));
}

static void main_append(struct http_writer *writer, const struct http_listing *listing)
{
    http_writer_append(writer, SLICE("<main>\n"));
    if (listing->items_count > 0 || listing->path.size > 0) {
        table_append(writer, listing);
    }
    if (listing->items_count == 0 && listing->left_out_count == 0) {
        http_writer_append(writer, SLICE("<p>This folder is empty.</p>\n"));
    }
    if (listing->left_out_count > 0) {
        http_writer_append(writer, SLICE("<p>"));
        count_append(writer, listing->left_out_count, SLICE(" more entry is not shown.</p>\n"),
                     SLICE(" more entries are not shown.</p>\n"));
    }
    http_writer_append(writer, SLICE("</main>\n"));
}

void http_listing_write_html(const struct http_listing *listing, struct http_writer *writer)
{
    struct http_listing_query query = listing->query;
    http_writer_append(writer, SLICE(HEAD_START));
    text_append(writer, listing->path);
    http_writer_append(writer, listing->path.size > 0 ? SLICE("/" HEAD_END) : SLICE(HEAD_END));
    header_append(writer, listing);
    main_append(writer, listing);
    http_writer_append(writer, SLICE("<footer><span>gyre</span><a href=\""));
    query_append(writer, columns[query.sort].value, query.is_descending);
    http_writer_append(writer, SLICE("&amp;format=json\">JSON</a></footer>\n</body>\n</html>\n"));
}

/* The page of a directory: what of a name reaches it, where its links lead, what it says. */
#include <stdlib.h>

#include "http/http_listing.h"
#include "slice_assert.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum {
    PAGE_SIZE_MAX = 64 * 1024
};

struct page {
    char data[PAGE_SIZE_MAX];
    struct slice text;
};

static void render(struct page *page, const struct http_listing *listing)
{
    struct http_writer writer = { .data = page->data, .size = sizeof(page->data) };
    http_listing_write_html(listing, &writer);
    assert_true(writer.needed <= sizeof(page->data));
    page->text = slice_of(page->data, writer.needed);
}

static void render_item(struct page *page, struct http_listing_item item)
{
    render(page, &(struct http_listing){ .items = &item, .items_count = 1 });
}

static struct http_listing_item item_of(const char *name, enum http_listing_kind kind)
{
    return (struct http_listing_item){
        .name = slice_from_string(name), .size = 5, .mtime_s = 784111777, .kind = kind
    };
}

static void has(const struct page *page, const char *part)
{
    if (!slice_contains(page->text, slice_from_string(part))) {
        fail_msg("no %s in %.*s", part, SLICE_ARG(page->text));
    }
}

static void has_not(const struct page *page, const char *part)
{
    if (slice_contains(page->text, slice_from_string(part))) {
        fail_msg("%s in %.*s", part, SLICE_ARG(page->text));
    }
}

static void a_row_has_name_size_and_time(void **state)
{
    (void)state;
    struct page page;
    struct http_listing_item item = item_of("a.txt", HTTP_LISTING_FILE);
    item.size = 12345;
    render_item(&page, item);
    has(&page, "<tr><td><a href=\"./a.txt\"><bdi>a.txt</bdi></a></td>"
               "<td title=\"12345 bytes\">12.3 kB</td>"
               "<td><time datetime=\"1994-11-06T08:49:37Z\">1994-11-06 08:49</time></td></tr>\n");
}

static void a_directory_has_a_slash_and_no_size(void **state)
{
    (void)state;
    struct page page;
    render_item(&page, item_of("docs", HTTP_LISTING_DIRECTORY));
    has(&page, "<tr><td><a class=\"d\" href=\"./docs/\"><bdi>docs</bdi>/</a></td><td></td>");
}

static void a_link_is_marked(void **state)
{
    (void)state;
    struct page page;
    struct http_listing_item item = item_of("a", HTTP_LISTING_FILE);
    item.is_link = true;
    render_item(&page, item);
    has(&page, "<bdi>a</bdi><small>link</small></a>");
    item.is_link = false;
    render_item(&page, item);
    has_not(&page, "<small>");
}

static void names_are_escaped_in_text_and_encoded_in_links(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *expected;
    } rows[] = {
        { "<script>alert(1)", "\"./%3Cscript%3Ealert%281%29\"><bdi>&lt;script&gt;alert(1)</bdi>" },
        { "javascript:alert(1)", "\"./javascript%3Aalert%281%29\"><bdi>javascript:alert(1)</bdi>" },
        { "a\"b'c&d", "\"./a%22b%27c%26d\"><bdi>a&quot;b&#39;c&amp;d</bdi>" },
        { "a%2e?b#c", "\"./a%252e%3Fb%23c\"><bdi>a%2e?b#c</bdi>" },
        { "\\\\evil", "\"./%5C%5Cevil\"><bdi>\\\\evil</bdi>" },
        { "a b+c", "\"./a%20b%2Bc\"><bdi>a b+c</bdi>" },
        { "a\nb\x7f", "\"./a%0Ab%7F\"><bdi>a\xef\xbf\xbd"
                      "b\xef\xbf\xbd</bdi>" },
        { "\xc2\x85", "\"./%C2%85\"><bdi>\xef\xbf\xbd</bdi>" },
        { "\xff\xe2\x82", "\"./%FF%E2%82\"><bdi>\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd</bdi>" },
        { "\xe2\x82\xac", "\"./%E2%82%AC\"><bdi>\xe2\x82\xac</bdi>" },
        { "x\xe2\x80\xaegpj", "\"./x%E2%80%AEgpj\"><bdi>x\xef\xbf\xbdgpj</bdi>" },
        { "\xe2\x81\xa6", "\"./%E2%81%A6\"><bdi>\xef\xbf\xbd</bdi>" },
        { "\xe2\x80\xa8", "\"./%E2%80%A8\"><bdi>\xef\xbf\xbd</bdi>" },
        { "\xf0\x9f\x98\x80", "\"./%F0%9F%98%80\"><bdi>\xf0\x9f\x98\x80</bdi>" },
        { "\xe2\x80\xaa", "<bdi>\xef\xbf\xbd</bdi>" },
        { "\xe2\x80\xaf", "<bdi>\xe2\x80\xaf</bdi>" },
        { "\xe2\x81\xa9", "<bdi>\xef\xbf\xbd</bdi>" },
        { "\xc2\x9f", "<bdi>\xef\xbf\xbd</bdi>" },
        { "\xc2\xa0", "<bdi>\xc2\xa0</bdi>" },
        { "\x1f", "<bdi>\xef\xbf\xbd</bdi>" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct page page;
        render_item(&page, item_of(rows[i].name, HTTP_LISTING_FILE));
        has(&page, rows[i].expected);
    }
}

static void a_size_is_short_and_never_more_than_there_is(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        const char *expected;
    } rows[] = {
        { 0, "\"0 bytes\">0 B<" },
        { 1, "\"1 byte\">1 B<" },
        { 999, "\"999 bytes\">999 B<" },
        { 1000, "\"1000 bytes\">1.0 kB<" },
        { 1099, ">1.0 kB<" },
        { 1100, ">1.1 kB<" },
        { 999999, ">999.9 kB<" },
        { 1000000, ">1.0 MB<" },
        { UINT64_C(999999999), ">999.9 MB<" },
        { UINT64_C(1000000000), ">1.0 GB<" },
        { UINT64_C(1000000000000), ">1.0 TB<" },
        { UINT64_C(1000000000000000), ">1.0 PB<" },
        { UINT64_C(1000000000000000000), ">1.0 EB<" },
        { UINT64_MAX, "\"18446744073709551615 bytes\">18.4 EB<" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct page page;
        struct http_listing_item item = item_of("a", HTTP_LISTING_FILE);
        item.size = rows[i].size;
        render_item(&page, item);
        has(&page, rows[i].expected);
    }
}

static void the_head_counts_folders_files_and_bytes(void **state)
{
    (void)state;
    struct http_listing_item items[] = {
        item_of("d", HTTP_LISTING_DIRECTORY), item_of("e", HTTP_LISTING_DIRECTORY),
        item_of("f", HTTP_LISTING_FILE),      item_of("g", HTTP_LISTING_FILE),
        item_of("h", HTTP_LISTING_FILE),
    };
    static const struct {
        size_t first;
        size_t count;
        const char *expected;
    } rows[] = {
        { 0, 1, "<p>1 folder</p>" },
        { 0, 2, "<p>2 folders</p>" },
        { 0, 3, "<p>2 folders, 1 file, 5 B</p>" },
        { 1, 3, "<p>1 folder, 2 files, 10 B</p>" },
        { 2, 3, "<p>3 files, 15 B</p>" },
    };
    struct page page;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_listing listing = { .items = items + rows[i].first,
                                        .items_count = rows[i].count };
        render(&page, &listing);
        has(&page, rows[i].expected);
    }
    items[2].size = UINT64_MAX; /* as a sparse file on a strange file system may have */
    render(&page, &(struct http_listing){ .items = items, .items_count = COUNT(items) });
    has(&page, "<p>2 folders, 3 files, 18.4 EB</p>");
}

static void the_path_is_a_way_of_relative_links(void **state)
{
    (void)state;
    struct page page;
    render(&page, &(struct http_listing){ .path = SLICE("") });
    has(&page, "<title>Index of /</title>");
    has(&page, "<h1>Index</h1>");
    has_not(&page, "<nav");
    has_not(&page, "../");
    render(&page, &(struct http_listing){ .path = SLICE("docs") });
    has(&page, "<title>Index of /docs/</title>");
    has(&page, "<nav aria-label=\"Path\"><a href=\"../\">Index</a>/</nav>\n"
               "<h1><bdi>docs</bdi></h1>");
    has(&page, "<a class=\"u\" href=\"../\">Parent folder</a>");
    render(&page, &(struct http_listing){ .path = SLICE("a/<b>/c") });
    has(&page, "<title>Index of /a/&lt;b&gt;/c/</title>");
    has(&page, "<nav aria-label=\"Path\"><a href=\"../../../\">Index</a>/"
               "<a href=\"../../\"><bdi>a</bdi></a>/<a href=\"../\"><bdi>&lt;b&gt;</bdi></a>/"
               "</nav>\n<h1><bdi>c</bdi></h1>");
}

static void the_columns_are_links_that_sort(void **state)
{
    (void)state;
    struct http_listing_item item = item_of("a", HTTP_LISTING_FILE);
    static const struct {
        struct http_listing_query query;
        const char *name;
        const char *size;
        const char *time;
    } rows[] = {
        { { HTTP_LISTING_SORT_NAME, false, HTTP_LISTING_FORMAT_ANY },
          "col\" aria-sort=\"ascending\"><a href=\"?sort=name&amp;order=desc\">Name</a>",
          "col\"><a href=\"?sort=size&amp;order=desc\">Size</a>",
          "col\"><a href=\"?sort=time&amp;order=desc\">Modified (UTC)</a>" },
        { { HTTP_LISTING_SORT_NAME, true, HTTP_LISTING_FORMAT_ANY },
          "col\" aria-sort=\"descending\"><a href=\"?sort=name&amp;order=asc\">Name</a>",
          "col\"><a href=\"?sort=size&amp;order=desc\">Size</a>",
          "col\"><a href=\"?sort=time&amp;order=desc\">Modified (UTC)</a>" },
        { { HTTP_LISTING_SORT_SIZE, true, HTTP_LISTING_FORMAT_ANY },
          "col\"><a href=\"?sort=name&amp;order=asc\">Name</a>",
          "col\" aria-sort=\"descending\"><a href=\"?sort=size&amp;order=asc\">Size</a>",
          "col\"><a href=\"?sort=time&amp;order=desc\">Modified (UTC)</a>" },
        { { HTTP_LISTING_SORT_TIME, false, HTTP_LISTING_FORMAT_ANY },
          "col\"><a href=\"?sort=name&amp;order=asc\">Name</a>",
          "col\"><a href=\"?sort=size&amp;order=desc\">Size</a>",
          "col\" aria-sort=\"ascending\"><a href=\"?sort=time&amp;order=desc\">Modified (UTC)" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct page page;
        render(&page,
               &(struct http_listing){ .items = &item, .items_count = 1, .query = rows[i].query });
        has(&page, rows[i].name);
        has(&page, rows[i].size);
        has(&page, rows[i].time);
    }
}

static void an_empty_directory_says_so(void **state)
{
    (void)state;
    struct page page;
    render(&page, &(struct http_listing){ .path = SLICE("") });
    has(&page, "<p>This folder is empty.</p>");
    has_not(&page, "<table");
    render_item(&page, item_of("a", HTTP_LISTING_FILE));
    has_not(&page, "empty.</p>");
}

static void a_cut_listing_says_how_many_are_missing(void **state)
{
    (void)state;
    struct page page;
    struct http_listing_item item = item_of("a", HTTP_LISTING_FILE);
    struct http_listing listing = { .items = &item, .items_count = 1, .left_out_count = 1 };
    render(&page, &listing);
    has(&page, "<p>1 more entry is not shown.</p>");
    listing.left_out_count = 12;
    render(&page, &listing);
    has(&page, "<p>12 more entries are not shown.</p>");
    listing.left_out_count = 0;
    render(&page, &listing);
    has_not(&page, "not shown");
}

static void the_archive_is_offered_only_where_there_is_one(void **state)
{
    (void)state;
    struct page page;
    render(&page, &(struct http_listing){ .archive_is_offered = true });
    has(&page, "href=\"?format=tar\"");
    render(&page, &(struct http_listing){ .archive_is_offered = false });
    has_not(&page, "format=tar");
}

static void the_json_has_the_order_of_the_page(void **state)
{
    (void)state;
    struct page page;
    struct http_listing listing = { .query = { .sort = HTTP_LISTING_SORT_SIZE,
                                               .is_descending = true } };
    render(&page, &listing);
    has(&page, "<a href=\"?sort=size&amp;order=desc&amp;format=json\">JSON</a>");
}

static void nothing_runs_and_nothing_is_fetched(void **state)
{
    (void)state;
    struct page page;
    render_item(&page, item_of("a", HTTP_LISTING_FILE));
    has_not(&page, "<script");
    has_not(&page, "src=");
    has_not(&page, "url(");
    has_not(&page, "style=");
    has_not(&page, "@import");
    has_not(&page, "<link");
    assert_true(slice_contains(http_listing_csp(), SLICE("default-src 'none'; ")));
    assert_false(slice_contains(http_listing_csp(), SLICE("unsafe")));
}

static void a_full_writer_counts_on(void **state)
{
    (void)state;
    struct page page;
    struct http_listing_item item = item_of("a<b\xff", HTTP_LISTING_DIRECTORY);
    struct http_listing listing = { .path = SLICE("p/q"), .items = &item, .items_count = 1 };
    render(&page, &listing);
    for (size_t size = 0; size < page.text.size; size += 1 + size / 64) {
        char *data = malloc(size + 1); /* a block of its own: a sanitizer sees a write past it */
        assert_non_null(data);
        data[size] = '#';
        struct http_writer writer = { .data = data, .size = size };
        http_listing_write_html(&listing, &writer);
        assert_int_equal(writer.needed, page.text.size);
        assert_int_equal(data[size], '#');
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_has_name_size_and_time),
        cmocka_unit_test(a_directory_has_a_slash_and_no_size),
        cmocka_unit_test(a_link_is_marked),
        cmocka_unit_test(names_are_escaped_in_text_and_encoded_in_links),
        cmocka_unit_test(a_size_is_short_and_never_more_than_there_is),
        cmocka_unit_test(the_head_counts_folders_files_and_bytes),
        cmocka_unit_test(the_path_is_a_way_of_relative_links),
        cmocka_unit_test(the_columns_are_links_that_sort),
        cmocka_unit_test(an_empty_directory_says_so),
        cmocka_unit_test(a_cut_listing_says_how_many_are_missing),
        cmocka_unit_test(the_archive_is_offered_only_where_there_is_one),
        cmocka_unit_test(the_json_has_the_order_of_the_page),
        cmocka_unit_test(nothing_runs_and_nothing_is_fetched),
        cmocka_unit_test(a_full_writer_counts_on),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_listing_html", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* Listings of real directories: names, kinds, links, and what the page lets in. */
#include <errno.h>
#include <openssl/evp.h>

#include "listing_fixture.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum {
    HASH_SIZE = 32,
    HASH_TEXT_SIZE = 45, /* in base64, with a NUL */
};

/* "NAME NAME/ NAME@": the names of the JSON, a slash behind directories, an at sign behind links.
 */
static void names_expect(struct fixture *fixture, const char *path, const char *expected)
{
    static const char key[] = "{\"name\":\"";
    struct slice json = list(fixture, path);
    char names[512] = "";
    size_t used = 0;
    const char *end = json.data + json.size;
    const char *at = json.data;
    while ((at = memmem(at, (size_t)(end - at), key, strlen(key))) != NULL) {
        at += strlen(key);
        const char *close_brace = memchr(at, '}', (size_t)(end - at));
        assert_non_null(close_brace);
        struct slice entry = slice_of(at, (size_t)(close_brace - at));
        const char *quote = memmem(at, entry.size, "\",\"href", 7);
        assert_non_null(quote);
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%.*s%s%s",
                                 used > 0 ? " " : "", (int)(quote - at), at,
                                 slice_contains(entry, SLICE("\"directory\"")) ? "/" : "",
                                 slice_contains(entry, SLICE("\"link\":true")) ? "@" : "");
        assert_true(used < sizeof(names));
    }
    assert_slice_equal(path, slice_of(names, used), slice_from_string(expected));
}

static void files_and_directories_are_listed_in_order(void **state)
{
    struct fixture *fixture = *state;
    make_file(fixture->root, "b.txt", 7);
    make_file(fixture->root, "A.txt", 100);
    make_directory(fixture->root, "z");
    names_expect(fixture, "", "z/ A.txt b.txt");
    fixture->listing.query.is_descending = true;
    fixture->listing.query.sort = HTTP_LISTING_SORT_SIZE;
    names_expect(fixture, "", "z/ A.txt b.txt");
    fixture->listing.query.is_descending = false;
    names_expect(fixture, "", "z/ b.txt A.txt");
}

static void an_entry_has_the_size_and_time_of_its_file(void **state)
{
    struct fixture *fixture = *state;
    make_file(fixture->root, "a", 4999);
    assert_slice_equal(
        "json", list(fixture, ""),
        SLICE("{\"path\":\"/\",\"entries\":[{\"name\":\"a\",\"href\":\"./a\",\"type\":\"file\","
              "\"size\":4999,\"mtime\":\"1994-11-06T08:49:37Z\"}],\"left_out\":0,"
              "\"truncated\":false}\n"));
}

static void an_empty_directory_is_a_listing_too(void **state)
{
    struct fixture *fixture = *state;
    names_expect(fixture, "", "");
    fixture->listing.query.format = HTTP_LISTING_FORMAT_HTML;
    assert_true(slice_contains(list(fixture, ""), SLICE("This folder is empty.")));
}

static void dot_names_are_hidden_unless_shown(void **state)
{
    struct fixture *fixture = *state;
    make_file(fixture->root, ".env", 1);
    make_directory(fixture->root, ".well-known");
    make_file(fixture->root, "..x", 1);
    make_file(fixture->root, "x", 1);
    names_expect(fixture, "", "x");
    fixture->listing.show_dotfiles = true;
    names_expect(fixture, "", ".well-known/ ..x .env x");
}

static void what_is_no_file_and_no_directory_is_not_listed(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(mkfifoat(fixture->root, "pipe", 0644), 0);
    make_link(fixture->root, "to-pipe", "pipe");
    make_link(fixture->root, "to-null", "/dev/null");
    make_file(fixture->root, "x", 1);
    names_expect(fixture, "", "x");
    fixture->listing.symlinks = URING_SYMLINKS_ALL;
    names_expect(fixture, "", "x");
}

static void make_links(struct fixture *fixture)
{
    make_file(fixture->top, "outside", 5);
    make_directory(fixture->root, "in");
    make_file(fixture->root, "file", 12345);
    make_directory(fixture->root, "in/deep");
    make_link(fixture->root, "in/absolute", "/etc");
    make_link(fixture->root, "in/dangling", "nothing");
    make_link(fixture->root, "in/down", "deep");
    make_link(fixture->root, "in/leak", "../../outside");
    make_link(fixture->root, "in/leak-twice", "leak");
    make_link(fixture->root, "in/loop", "loop");
    make_link(fixture->root, "in/up", "../file");
    make_link(fixture->root, "in/up-to-root", "..");
}

static void links_are_listed_when_they_stay_within(void **state)
{
    struct fixture *fixture = *state;
    make_links(fixture);
    fixture->listing.symlinks = URING_SYMLINKS_WITHIN;
    names_expect(fixture, "in", "deep/ down/@ up-to-root/@ up@");
    assert_true(slice_contains(list(fixture, "in"),
                               SLICE("\"size\":12345,\"mtime\":\"1994-11-06T08:49:37Z\","
                                     "\"link\":true}")));
}

static void links_are_not_listed_where_they_are_not_followed(void **state)
{
    struct fixture *fixture = *state;
    make_links(fixture);
    fixture->listing.symlinks = URING_SYMLINKS_NONE;
    names_expect(fixture, "in", "deep/");
}

static void all_links_that_lead_somewhere_are_listed_where_all_are_followed(void **state)
{
    struct fixture *fixture = *state;
    make_links(fixture);
    fixture->listing.symlinks = URING_SYMLINKS_ALL;
    names_expect(fixture, "in", "absolute/@ deep/ down/@ up-to-root/@ leak@ leak-twice@ up@");
}

static void a_page_has_every_odd_name_and_nothing_that_runs(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *name;
        const char *href;
    } rows[] = {
        { "new\nline", "\"./new%0Aline\"" },
        { "qu\"o'te", "\"./qu%22o%27te\"" },
        { "<script>alert(1)", "\"./%3Cscript%3Ealert%281%29\"" },
        { "javascript:alert(1)", "\"./javascript%3Aalert%281%29\"" },
        { "bad\xff\xfe", "\"./bad%FF%FE\"" },
        { "100%", "\"./100%25\"" },
        { "a#b", "\"./a%23b\"" },
        { "a?b", "\"./a%3Fb\"" },
        { "-rf", "\"./-rf\"" },
        { " ", "\"./%20\"" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        make_file(fixture->root, rows[i].name, 1);
    }
    fixture->listing.query.format = HTTP_LISTING_FORMAT_HTML;
    struct slice page = list(fixture, "");
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(slice_contains(page, slice_from_string(rows[i].href)));
    }
    assert_false(slice_contains(page, SLICE("<script")));
    assert_false(slice_contains(page, SLICE("\"javascript:")));
}

static void the_mount_stands_before_the_path(void **state)
{
    struct fixture *fixture = *state;
    make_directory(fixture->root, "in");
    assert_true(slice_contains(list(fixture, "in"), SLICE("\"path\":\"/in/\"")));
    fixture->listing.mount = SLICE("a/b");
    assert_true(slice_contains(list(fixture, "in"), SLICE("\"path\":\"/a/b/in/\"")));
    assert_true(slice_contains(list(fixture, ""), SLICE("\"path\":\"/a/b/\"")));
    fixture->listing.query.format = HTTP_LISTING_FORMAT_HTML;
    assert_true(slice_contains(list(fixture, ""), SLICE("href=\"../\">Parent folder")));
}

static void the_archive_is_offered_when_asked(void **state)
{
    struct fixture *fixture = *state;
    fixture->listing.query.format = HTTP_LISTING_FORMAT_HTML;
    assert_false(slice_contains(list(fixture, ""), SLICE("format=tar")));
    fixture->listing.offer_archive = true;
    assert_true(slice_contains(list(fixture, ""), SLICE("format=tar")));
}

/* Both runs see all of the directory: the descriptor's position is not theirs to move. */
static void the_directory_can_be_listed_again(void **state)
{
    struct fixture *fixture = *state;
    make_file(fixture->root, "a", 1);
    struct listing *listing = &fixture->listing;
    listing->root = fixture->root;
    listing->directory = fixture->root;
    listing_run(listing);
    assert_int_equal(listing->error, 0);
    char *first = listing->data;
    size_t size = listing->size;
    listing_run(listing);
    assert_int_equal(listing->error, 0);
    assert_slice_equal("again", slice_of(listing->data, listing->size), slice_of(first, size));
    assert_true(slice_contains(slice_of(first, size), SLICE("\"./a\"")));
    free(first);
}

static void what_cannot_be_opened_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct listing *listing = &fixture->listing;
    make_file(fixture->root, "a", 1);
    listing->root = fixture->root;
    listing->directory = openat(fixture->root, "a", O_RDONLY | O_CLOEXEC);
    listing_run(listing);
    close(listing->directory);
    assert_int_equal(listing->error, -ENOTDIR);
    assert_null(listing->data);
    assert_int_equal(listing->size, 0);
}

/* The policy lets in one style only: the one that is in the page, by its hash. CSP 3, 2.4. */
static void the_policy_has_the_hash_of_the_style(void **state)
{
    struct fixture *fixture = *state;
    fixture->listing.query.format = HTTP_LISTING_FORMAT_HTML;
    struct slice page = list(fixture, "");
    const char *start = memmem(page.data, page.size, "<style>", 7);
    const char *end = memmem(page.data, page.size, "</style>", 8);
    assert_non_null(start);
    assert_non_null(end);
    start += 7;
    unsigned char hash[HASH_SIZE];
    unsigned hash_size = 0;
    assert_int_equal(EVP_Digest(start, (size_t)(end - start), hash, &hash_size, EVP_sha256(), NULL),
                     1);
    assert_int_equal(hash_size, HASH_SIZE);
    unsigned char text[HASH_TEXT_SIZE];
    assert_int_equal(EVP_EncodeBlock(text, hash, HASH_SIZE), HASH_TEXT_SIZE - 1);
    char expected[HASH_TEXT_SIZE + 32];
    int size = snprintf(expected, sizeof(expected), "; style-src 'sha256-%s'; ", text);
    assert_true(size > 0);
    if (!slice_contains(http_listing_csp(), slice_of(expected, (size_t)size))) {
        fail_msg("the hash of the style is %s", text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_TREE(files_and_directories_are_listed_in_order),
        ON_A_TREE(an_entry_has_the_size_and_time_of_its_file),
        ON_A_TREE(an_empty_directory_is_a_listing_too),
        ON_A_TREE(dot_names_are_hidden_unless_shown),
        ON_A_TREE(what_is_no_file_and_no_directory_is_not_listed),
        ON_A_TREE(links_are_listed_when_they_stay_within),
        ON_A_TREE(links_are_not_listed_where_they_are_not_followed),
        ON_A_TREE(all_links_that_lead_somewhere_are_listed_where_all_are_followed),
        ON_A_TREE(a_page_has_every_odd_name_and_nothing_that_runs),
        ON_A_TREE(the_mount_stands_before_the_path),
        ON_A_TREE(the_archive_is_offered_when_asked),
        ON_A_TREE(the_directory_can_be_listed_again),
        ON_A_TREE(what_cannot_be_opened_is_an_error),
        ON_A_TREE(the_policy_has_the_hash_of_the_style),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_listing", tests, NULL, NULL) == 0 ? 0 : 1;
}

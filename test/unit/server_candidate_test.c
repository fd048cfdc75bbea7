/* Candidates: which places are looked at for a target, in which order, beneath which root; and that
 * a path as long as it may be is written whole. */
#include "server/candidate.h"
#include "site_fixture.h"

enum {
    NUMBERS_MAX = 100,
};

static const char *const kind_names[] = {
    [CANDIDATE_FILE] = "file",
    [CANDIDATE_FILE_OR_SLASH] = "file-or-slash",
    [CANDIDATE_SLASH] = "slash",
    [CANDIDATE_DIRECTORY] = "directory",
};

/* All candidates of a target in one line: "KIND ROOT/PATH, ...". target: ends in '/' for a
 * directory; "" and "/" are the top. */
static void write_all(struct fixture *fixture, uint16_t site, const char *target, char *line,
                      size_t size)
{
    struct slice path = slice_from_string(target);
    bool is_directory = path.size == 0 || target[path.size - 1] == '/';
    path.size -= path.size > 0 && is_directory;
    struct policy policy;
    struct candidate_source source = {
        .sites = fixture->sites,
        .conf = fixture->conf,
        .policy = sites_policy(fixture->sites, site, SLICE("/x"), &policy),
        .site = site,
        .path = path,
        .is_directory = is_directory,
    };
    size_t used = 0;
    line[0] = '\0';
    unsigned number = 0;
    for (struct candidate candidate; candidate_get(&source, number, &candidate); number++) {
        assert_true(number < NUMBERS_MAX);
        used += (size_t)snprintf(line + used, size - used, "%s%s %s/%s", number > 0 ? ", " : "",
                                 kind_names[candidate.kind],
                                 root_name(fixture->sites, candidate.root), candidate.path);
        assert_true(used < size);
    }
    for (unsigned past = number; past < number + 3; past++) {
        struct candidate candidate;
        assert_false(candidate_get(&source, past, &candidate));
    }
}

struct row {
    const char *target;
    const char *candidates;
};

static void assert_candidates(struct fixture *fixture, uint16_t site, const struct row *rows,
                              size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char line[2048];
        write_all(fixture, site, rows[i].target, line, sizeof(line));
        assert_slice_equal(rows[i].target, slice_from_string(line),
                           slice_from_string(rows[i].candidates));
    }
}

#define CANDIDATES(fixture, site, rows) \
    assert_candidates(fixture, site, rows, sizeof(rows) / sizeof((rows)[0]))

static void a_path_is_a_file_and_a_directory_s_its_index(void **state)
{
    static const struct row rows[] = {
        { "a.txt", "file-or-slash main/a.txt" },
        { "a/b", "file-or-slash main/a/b" },
        { "a/", "file main/a/index.html, directory main/a" },
        { "", "file main/index.html, directory main/" },
        { "/", "file main/index.html, directory main/" },
    };
    (void)make_sites(*state, "[server]\nroot = @/main\n");
    CANDIDATES(*state, 0, rows);
}

static void every_index_is_looked_for_in_turn(void **state)
{
    static const struct row rows[] = {
        { "a", "file-or-slash main/a" },
        { "a/", "file main/a/x.html, file main/a/y, directory main/a" },
    };
    (void)make_sites(*state, "[server]\nroot = @/main\n[files]\nindex = x.html y\n");
    CANDIDATES(*state, 0, rows);
}

static void without_an_index_a_directory_is_itself(void **state)
{
    static const struct row rows[] = { { "a/", "directory main/a" }, { "", "directory main/" } };
    (void)make_sites(*state, "[server]\nroot = @/main\n[files]\nindex =\n");
    CANDIDATES(*state, 0, rows);
}

static void a_try_list_is_walked_item_by_item(void **state)
{
    static const struct row rows[] = {
        { "a", "file main/a, file main/a.html, slash main/a, file main/a/x.html, file main/f/g" },
        { "a/", "file main/a/index.html, directory main/a, file main/a/x.html, file main/f/g" },
        { "", "file main/index.html, directory main/, file main/x.html, file main/f/g" },
    };
    (void)make_sites(*state, "[server]\nroot = @/main\n[files]\n"
                             "try = $uri $uri.html $uri/ $uri/x.html /f/g =404\n");
    CANDIDATES(*state, 0, rows);
}

static void a_try_list_may_leave_nothing_for_a_target(void **state)
{
    static const struct row rows[] = {
        { "a", "file main/a.html" },
        { "a/", "" },
        { "", "" },
    };
    (void)make_sites(*state, "[server]\nroot = @/main\n[files]\ntry = $uri.html\n");
    CANDIDATES(*state, 0, rows);
}

static void a_try_list_that_is_taken_back_leaves_the_usual(void **state)
{
    static const struct row rows[] = { { "x", "file-or-slash main/x" } };
    (void)make_sites(*state, "[server]\nroot = @/main\n[files]\ntry = $uri.html\n"
                             "[path /x]\ntry = off\n");
    CANDIDATES(*state, 0, rows);
}

static void a_place_beneath_a_mount_lies_in_its_root(void **state)
{
    static const struct row rows[] = {
        { "m", "file one/, file main/m.html, slash one/, file one/x.html, file one/f" },
        { "m/", "file one/index.html, directory one/, file one/x.html, file one/f" },
        { "m/a", "file one/a, file one/a.html, slash one/a, file one/a/x.html, file one/f" },
        { "mm", "file main/mm, file main/mm.html, slash main/mm, file main/mm/x.html, "
                "file one/f" },
        { "m/d", "file two/, file one/d.html, slash two/, file two/x.html, file one/f" },
    };
    (void)make_sites(*state, "[server]\nroot = @/main\n"
                             "[files]\ntry = $uri $uri.html $uri/ $uri/x.html /m/f\n"
                             "[mount /m/]\nroot = @/one\n[mount /m/d/]\nroot = @/two\n");
    CANDIDATES(*state, 0, rows);
}

/* "/docs" and what a suffix makes of it are two names: nothing in the mount is called ".html". */
static void a_suffix_behind_a_mount_s_name_leads_out_of_it(void **state)
{
    static const struct row rows[] = {
        { "docs", "file main/docs.html" },
        { "docs/a", "file one/a.html" },
    };
    (void)make_sites(*state, "[server]\nroot = @/main\n[files]\ntry = $uri.html\n"
                             "[mount /docs/]\nroot = @/one\n");
    CANDIDATES(*state, 0, rows);
}

static void a_mount_without_its_slash_is_redirected_to(void **state)
{
    static const struct row rows[] = {
        { "m", "file-or-slash one/" },
        { "m/", "file one/index.html, directory one/" },
    };
    (void)make_sites(*state, "[server]\nroot = @/main\n[mount /m/]\nroot = @/one\n");
    CANDIDATES(*state, 0, rows);
}

static void a_host_has_its_own_root_and_mounts(void **state)
{
    static const struct row rows[] = {
        { "a", "file-or-slash one/a" },
        { "m/a", "file-or-slash two/a" },
        { "n/a", "file-or-slash three/a" },
    };
    static const struct row others[] = {
        { "a", "file-or-slash main/a" },
        { "m/a", "file-or-slash two/a" },
        { "n/a", "file-or-slash main/n/a" },
    };
    (void)make_sites(*state, "[server]\nroot = @/main\n[mount /m/]\nroot = @/two\n"
                             "[host a]\nroot = @/one\n[mount /n/]\nroot = @/three\n");
    CANDIDATES(*state, 1, rows);
    CANDIDATES(*state, 0, others);
}

/* The longest path with the longest name behind it. */
static void the_longest_place_is_written_whole(void **state)
{
    struct fixture *fixture = *state;
    char name[CONF_NAME_SIZE_MAX + 1];
    memset(name, 'n', CONF_NAME_SIZE_MAX);
    name[CONF_NAME_SIZE_MAX] = '\0';
    char text[1024];
    snprintf(text, sizeof(text), "[server]\nroot = @/main\n[files]\ntry = $uri.%s $uri/%s\n", name,
             name);
    (void)make_sites(fixture, text);
    char path[HTTP_PATH_SIZE_MAX];
    for (size_t i = 0; i < sizeof(path); i++) {
        path[i] = i % 200 == 199 ? '/' : (char)('a' + i % 26);
    }
    struct policy policy;
    for (size_t size = sizeof(path) - 1; size <= sizeof(path); size++) {
        struct candidate_source source = {
            .sites = fixture->sites,
            .conf = fixture->conf,
            .policy = sites_policy(fixture->sites, 0, SLICE("/x"), &policy),
            .path = slice_of(path, size),
        };
        for (unsigned number = 0; number < 2; number++) {
            struct candidate candidate;
            assert_true(candidate_get(&source, number, &candidate));
            assert_int_equal(strlen(candidate.path), size + 1 + CONF_NAME_SIZE_MAX);
            assert_true(strlen(candidate.path) <= CANDIDATE_PATH_SIZE_MAX);
            assert_memory_equal(candidate.path, path, size);
            assert_int_equal(candidate.path[size], number == 0 ? '.' : '/');
            assert_string_equal(candidate.path + size + 1, name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_fixture(a_path_is_a_file_and_a_directory_s_its_index),
        with_fixture(every_index_is_looked_for_in_turn),
        with_fixture(without_an_index_a_directory_is_itself),
        with_fixture(a_try_list_is_walked_item_by_item),
        with_fixture(a_try_list_may_leave_nothing_for_a_target),
        with_fixture(a_try_list_that_is_taken_back_leaves_the_usual),
        with_fixture(a_place_beneath_a_mount_lies_in_its_root),
        with_fixture(a_suffix_behind_a_mount_s_name_leads_out_of_it),
        with_fixture(a_mount_without_its_slash_is_redirected_to),
        with_fixture(a_host_has_its_own_root_and_mounts),
        with_fixture(the_longest_place_is_written_whole),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_candidate", tests, NULL, NULL) == 0 ? 0 : 1;
}

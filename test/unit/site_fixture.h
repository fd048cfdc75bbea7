/* Configurations from ini text, and real directories for them to name: '@' stands for the temporary
 * one. */
#ifndef GYRE_TEST_SITE_FIXTURE_H
#define GYRE_TEST_SITE_FIXTURE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/site.h"
#include "slice_assert.h"

enum {
    FIXTURE_TEXT_SIZE = 96 * 1024,
};

static const char *const fixture_names[] = { "main", "one", "two", "three" };
#define FIXTURE_NAMES_COUNT (sizeof(fixture_names) / sizeof(fixture_names[0]))

struct fixture {
    char path[64];
    struct conf *conf;
    struct sites *sites; /* NULL: none made */
};

static inline void configure(struct fixture *fixture, const char *text)
{
    char *whole = test_malloc(FIXTURE_TEXT_SIZE);
    size_t size = 0;
    for (; *text != '\0'; text++) {
        const char piece[] = { *text, '\0' };
        int count = snprintf(whole + size, FIXTURE_TEXT_SIZE - size, "%s",
                             *text == '@' ? fixture->path : piece);
        size += (size_t)count;
        assert_true(size < FIXTURE_TEXT_SIZE);
    }
    struct conf_errors *errors = test_malloc(sizeof(*errors));
    conf_init(fixture->conf);
    if (!conf_parse(whole, size, fixture->conf, errors)) {
        fail_msg("line %u: %s", errors->errors[0].line, errors->errors[0].text);
    }
    test_free(errors);
    test_free(whole);
}

static inline struct sites *make_sites(struct fixture *fixture, const char *text)
{
    configure(fixture, text);
    assert_null(fixture->sites);
    assert_int_equal(sites_create(fixture->conf, stderr, &fixture->sites), 0);
    return fixture->sites;
}

static inline unsigned descriptors_count(void)
{
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    unsigned count = 0;
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

static inline int fixture_set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof(*fixture));
    *state = fixture;
    fixture->conf = test_malloc(sizeof(*fixture->conf));
    memcpy(fixture->path, "/tmp/gyre-site-XXXXXX", sizeof("/tmp/gyre-site-XXXXXX"));
    assert_non_null(mkdtemp(fixture->path));
    for (size_t i = 0; i < FIXTURE_NAMES_COUNT; i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", fixture->path, fixture_names[i]);
        assert_int_equal(mkdir(path, 0755), 0);
    }
    return 0;
}

static inline int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->sites != NULL) {
        sites_destroy(fixture->sites);
    }
    for (size_t i = 0; i < FIXTURE_NAMES_COUNT; i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", fixture->path, fixture_names[i]);
        assert_int_equal(rmdir(path), 0);
    }
    assert_int_equal(rmdir(fixture->path), 0);
    test_free(fixture->conf);
    test_free(fixture);
    return 0;
}

/* The last name of a root's path: "main". */
static inline const char *root_name(const struct sites *sites, uint16_t root)
{
    const char *path = sites_root_path(sites, root);
    return strrchr(path, '/') + 1;
}

#define with_fixture(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

#endif

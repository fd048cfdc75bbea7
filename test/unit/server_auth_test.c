/* Passwords against files of each case's own; hashes by crypt(3), at its lowest cost, and lines as
 * htpasswd(1) wrote them. */
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "server/auth.h"
#include "slice_assert.h"

/* Of "secret": htpasswd -nbB -C 4, -nbm, -nbs, -nbd. */
#define BCRYPT "$2y$04$JjyIKPN/FIeXVoA9D6f3qOdg/Z2Qk4ywrDfj9wRYM4EOR2NATiRn2"
#define APR1   "$apr1$GOxo0gQn$XKC7513lHTt4EvszMtPom1"
#define SHA    "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="
#define DES    "bwyx0fw9jKwbE"

struct fixture {
    char path[64];
    struct auth_job job;
};

static int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof(*fixture));
    *state = fixture;
    const char *parent = getenv("TMPDIR");
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/gyre-auth-XXXXXX",
                   parent != NULL && strlen(parent) < 32 ? parent : "/tmp");
    int fd = mkstemp(fixture->path);
    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    (void)unlink(fixture->path);
    test_free(fixture);
    return 0;
}

static void write_text(struct fixture *fixture, const void *text, size_t size)
{
    int fd = open(fixture->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), size);
    close(fd);
}

static void write_lines(struct fixture *fixture, const char *lines)
{
    write_text(fixture, lines, strlen(lines));
}

/* Writes one line "USER:HASH". prefix: of a method, as crypt_gensalt(3) wants it. */
static void write_hash(struct fixture *fixture, const char *user, const char *password,
                       const char *prefix, unsigned long cost)
{
    struct crypt_data data = { 0 };
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    assert_non_null(
        crypt_gensalt_rn(prefix, cost, "0123456789abcdef", 16, setting, sizeof(setting)));
    char line[CRYPT_OUTPUT_SIZE + 64];
    (void)snprintf(line, sizeof(line), "%s:%s\n", user, crypt_r(password, setting, &data));
    write_lines(fixture, line);
}

static bool is_granted(struct fixture *fixture, const char *user, const char *password)
{
    struct auth_job *job = &fixture->job;
    *job = (struct auth_job){ .work.run = auth_run, .file = fixture->path, .granted = true };
    assert_true(strlen(user) <= AUTH_USER_SIZE_MAX);
    assert_true(strlen(password) <= AUTH_PASSWORD_SIZE_MAX);
    memcpy(job->user, user, strlen(user));
    memcpy(job->password, password, strlen(password));
    job->work.run(&job->work);
    return job->granted;
}

static void assert_error(struct fixture *fixture, const char *user, int error)
{
    assert_false(is_granted(fixture, user, "secret"));
    assert_int_equal(fixture->job.error, error);
}

static void every_accepted_method_grants_its_password_alone(void **state)
{
    static const struct {
        const char *prefix;
        unsigned long cost;
    } ROWS[] = {
        { "$2y$", 4 }, { "$2b$", 4 },   { "$2a$", 4 },   { "$y$", 1 },
        { "$7$", 6 },  { "$6$", 1000 }, { "$5$", 1000 },
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        write_hash(fixture, "ada", "secret", ROWS[i].prefix, ROWS[i].cost);
        assert_number_equal(ROWS[i].prefix, is_granted(fixture, "ada", "secret"), true);
        assert_int_equal(fixture->job.error, 0);
        assert_number_equal(ROWS[i].prefix, is_granted(fixture, "ada", "Secret"), false);
        assert_number_equal(ROWS[i].prefix, is_granted(fixture, "ada", "secret "), false);
        assert_number_equal(ROWS[i].prefix, is_granted(fixture, "ada", "secre"), false);
        assert_number_equal(ROWS[i].prefix, is_granted(fixture, "ada", ""), false);
        assert_int_equal(fixture->job.error, 0);
    }
}

static void methods_that_protect_nothing_are_refused_with_an_error(void **state)
{
    static const char *const HASHES[] = {
        APR1, SHA, DES, "secret", "$1$ab$zzz", "$2x$04$JjyIKPN/FIeXVoA9D6f3qO", "*", "$", "!", "",
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(HASHES) / sizeof(HASHES[0]); i++) {
        char line[256];
        (void)snprintf(line, sizeof(line), "ada:%s\nbob:" BCRYPT "\n", HASHES[i]);
        write_lines(fixture, line);
        assert_error(fixture, "ada", -ENOTSUP);
        assert_true(is_granted(fixture, "bob", "secret"));
    }
}

static void a_broken_hash_is_refused_with_an_error(void **state)
{
    struct fixture *fixture = *state;
    write_lines(fixture, "ada:$2y$04$abc\nbob:$y$\neve:$6$rounds=5$ab$\n");
    assert_error(fixture, "ada", -EBADMSG);
    assert_error(fixture, "bob", -EBADMSG);
    assert_error(fixture, "eve", -EBADMSG);
    assert_error(fixture, "nobody", 0);
}

static void a_hash_cut_short_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char LINE[] = "ada:" BCRYPT;
    write_text(fixture, LINE, sizeof(LINE) - 2);
    assert_false(is_granted(fixture, "ada", "secret"));
    write_lines(fixture, "ada:$6$salt\n");
    assert_false(is_granted(fixture, "ada", "secret"));
}

static void a_hash_longer_than_crypt_makes_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char line[4 + CRYPT_OUTPUT_SIZE] = "ada:$6$";
    memset(line + 7, 'h', sizeof(line) - 7);
    write_text(fixture, line, sizeof(line) - 1);
    (void)is_granted(fixture, "ada", "secret");
    assert_int_not_equal(fixture->job.error, -ENOTSUP);
    write_text(fixture, line, sizeof(line));
    assert_error(fixture, "ada", -ENOTSUP);
}

static void users_are_told_apart_exactly(void **state)
{
    static const char *const OTHERS[] = { "", "ad", "adaa", "Ada", "ada ", " ada", "#ada", "bob" };
    struct fixture *fixture = *state;
    write_lines(fixture, ":" BCRYPT "\n#ada:" BCRYPT "\nada:" BCRYPT "\nbob\n");
    assert_true(is_granted(fixture, "ada", "secret"));
    for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++) {
        assert_error(fixture, OTHERS[i], 0);
    }
}

static void the_first_line_of_a_user_counts(void **state)
{
    struct fixture *fixture = *state;
    write_lines(fixture, "ada:$2y$04$JjyIKPN/FIeXVoA9D6f3qOdg/Z2Qk4ywrDfj9wRYM4EOR2NATiRnx\n"
                         "ada:" BCRYPT "\n");
    assert_error(fixture, "ada", 0);
    write_lines(fixture, "ada:\nada:" BCRYPT "\n");
    assert_error(fixture, "ada", -ENOTSUP);
}

static void files_are_read_as_people_write_them(void **state)
{
    static const char *const TEXTS[] = {
        "ada:" BCRYPT,
        "ada:" BCRYPT "\n",
        "ada:" BCRYPT "\r\n",
        "\n\n\r\n# comment\n#\nada:" BCRYPT "\n\n",
        "bob:" APR1 "\r\nada:" BCRYPT "\r\neve:x",
        "no colon\nada:" BCRYPT ":ignored:fields\n",
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        write_lines(fixture, TEXTS[i]);
        assert_number_equal(TEXTS[i], is_granted(fixture, "ada", "secret"), true);
        assert_number_equal(TEXTS[i], is_granted(fixture, "ada", "other"), false);
    }
}

static void an_empty_file_grants_nothing(void **state)
{
    struct fixture *fixture = *state;
    assert_error(fixture, "ada", 0);
    assert_error(fixture, "", 0);
    write_lines(fixture, "\n");
    assert_error(fixture, "", 0);
}

static void any_byte_but_nul_may_be_in_user_and_password(void **state)
{
    static const char PASSWORD[] = "p:a\xc3\xa4\xff\x01 :";
    struct fixture *fixture = *state;
    write_hash(fixture, "j\xc3\xb6rg", PASSWORD, "$6$", 1000);
    assert_true(is_granted(fixture, "j\xc3\xb6rg", PASSWORD));
    assert_false(is_granted(fixture, "j\xc3\xb6rg", "p"));
    assert_false(is_granted(fixture, "jorg", PASSWORD));
}

static void the_longest_user_and_password_are_taken(void **state)
{
    struct fixture *fixture = *state;
    char user[AUTH_USER_SIZE_MAX + 1] = { 0 };
    char password[AUTH_PASSWORD_SIZE_MAX + 1] = { 0 };
    memset(user, 'u', sizeof(user) - 1);
    memset(password, 'p', sizeof(password) - 1);
    struct crypt_data data = { 0 };
    char line[AUTH_USER_SIZE_MAX + CRYPT_OUTPUT_SIZE + 2];
    (void)snprintf(line, sizeof(line), "%s:%s", user,
                   crypt_r(password, "$6$rounds=1000$salt$", &data));
    write_lines(fixture, line);
    assert_true(is_granted(fixture, user, password));
    password[AUTH_PASSWORD_SIZE_MAX - 1] = '\0';
    assert_false(is_granted(fixture, user, password));
}

static void the_password_is_wiped(void **state)
{
    static const char ZEROS[AUTH_PASSWORD_SIZE_MAX + 1];
    struct fixture *fixture = *state;
    write_lines(fixture, "ada:" BCRYPT "\n");
    assert_true(is_granted(fixture, "ada", "secret"));
    assert_memory_equal(fixture->job.password, ZEROS, sizeof(ZEROS));
    assert_string_equal(fixture->job.user, "ada");
    assert_int_equal(unlink(fixture->path), 0);
    assert_error(fixture, "ada", -ENOENT);
    assert_memory_equal(fixture->job.password, ZEROS, sizeof(ZEROS));
}

static void what_is_no_file_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(unlink(fixture->path), 0);
    assert_error(fixture, "ada", -ENOENT);
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    assert_error(fixture, "ada", -EINVAL); /* and nobody waits for a writer */
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(mkdir(fixture->path, 0700), 0);
    assert_error(fixture, "ada", -EISDIR);
    assert_int_equal(rmdir(fixture->path), 0);
}

static void the_size_of_a_file_has_a_bound(void **state)
{
    static const char LINE[] = "\nada:" BCRYPT;
    struct fixture *fixture = *state;
    char *text = test_malloc(AUTH_FILE_BYTES_MAX + 1);
    for (size_t size = AUTH_FILE_BYTES_MAX - 1; size <= AUTH_FILE_BYTES_MAX + 1; size++) {
        memset(text, '#', size);
        memcpy(text + size - (sizeof(LINE) - 1), LINE, sizeof(LINE) - 1);
        write_text(fixture, text, size);
        bool fits = size <= AUTH_FILE_BYTES_MAX;
        assert_int_equal(is_granted(fixture, "ada", "secret"), fits);
        assert_int_equal(fixture->job.error, fits ? 0 : -EFBIG);
    }
    test_free(text);
}

/* CPU time, least of three: what others do on this machine does not count. */
static uint64_t time_of(struct fixture *fixture, const char *user)
{
    uint64_t least_ns = UINT64_MAX;
    for (unsigned i = 0; i < 3; i++) {
        struct timespec from;
        struct timespec to;
        assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from), 0);
        assert_false(is_granted(fixture, user, "wrong"));
        assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to), 0);
        uint64_t took_ns =
            (uint64_t)((to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec);
        least_ns = took_ns < least_ns ? took_ns : least_ns;
    }
    return least_ns;
}

static void time_does_not_tell_whether_there_is_such_a_user(void **state)
{
    static const char *const OTHERS[] = { "nobody", "", "plain", "broken" };
    struct fixture *fixture = *state;
    write_lines(fixture, "broken:$2y$04$abc\nplain:" APR1 "\n"
                         "ada:$2y$08$JjyIKPN/FIeXVoA9D6f3qOdg/Z2Qk4ywrDfj9wRYM4EOR2NATiRn2\n");
    uint64_t known_ns = time_of(fixture, "ada");
    for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++) {
        uint64_t took_ns = time_of(fixture, OTHERS[i]);
        assert_in_range(took_ns, known_ns / 2, known_ns * 2);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        CASE(every_accepted_method_grants_its_password_alone),
        CASE(methods_that_protect_nothing_are_refused_with_an_error),
        CASE(a_broken_hash_is_refused_with_an_error),
        CASE(a_hash_cut_short_is_refused),
        CASE(a_hash_longer_than_crypt_makes_is_refused),
        CASE(users_are_told_apart_exactly),
        CASE(the_first_line_of_a_user_counts),
        CASE(files_are_read_as_people_write_them),
        CASE(an_empty_file_grants_nothing),
        CASE(any_byte_but_nul_may_be_in_user_and_password),
        CASE(the_longest_user_and_password_are_taken),
        CASE(the_password_is_wiped),
        CASE(what_is_no_file_is_an_error),
        CASE(the_size_of_a_file_has_a_bound),
        CASE(time_does_not_tell_whether_there_is_such_a_user),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_auth", TESTS, NULL, NULL) == 0 ? 0 : 1;
}

/* Digests: the published vectors, files like memory, and files that are not what they were. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "scratch_file.h"
#include "server/digest.h"

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + 5);
    }
}

static void assert_digest(const char *row, const uint8_t digest[DIGEST_SIZE], const char *expected)
{
    char text[2 * DIGEST_SIZE + 1];
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    if (strcmp(text, expected) != 0) {
        fail_msg("%s: expected %s, got %s", row, expected, text);
    }
}

static struct digest_job run(int file, uint64_t size)
{
    struct digest_job job = { .work.run = digest_run, .file = file, .size = size, .error = 1 };
    job.work.run(&job.work);
    return job;
}

/* FIPS 180-4's examples, cut to 128 bits. */
static void the_published_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *digest;
    } ROWS[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb924" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039" },
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        uint8_t digest[DIGEST_SIZE];
        assert_int_equal(digest_bytes(ROWS[i].text, strlen(ROWS[i].text), digest), 0);
        assert_digest(ROWS[i].text, digest, ROWS[i].digest);
    }
}

static void a_million_times_a(void **state)
{
    (void)state;
    static const size_t SIZE = 1000000;
    char *text = malloc(SIZE);
    assert_non_null(text);
    memset(text, 'a', SIZE);
    int file = scratch_file_of(text, SIZE);
    uint8_t digest[DIGEST_SIZE];
    assert_int_equal(digest_bytes(text, SIZE, digest), 0);
    assert_digest("memory", digest, "cdc76e5c9914fb9281a1c7e284d73e67");
    struct digest_job job = run(file, SIZE);
    assert_int_equal(job.error, 0);
    assert_digest("file", job.digest, "cdc76e5c9914fb9281a1c7e284d73e67");
    close(file);
    free(text);
}

static const size_t SIZES[] = {
    0, 1, DIGEST_PIECE_SIZE - 1, DIGEST_PIECE_SIZE, DIGEST_PIECE_SIZE + 1, 3 * DIGEST_PIECE_SIZE + 7
};

static void a_file_has_the_digest_of_its_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        uint8_t *bytes = malloc(SIZES[i] + 1);
        assert_non_null(bytes);
        fill(bytes, SIZES[i]);
        int file = scratch_file_of(bytes, SIZES[i]);
        uint8_t digest[DIGEST_SIZE];
        assert_int_equal(digest_bytes(bytes, SIZES[i], digest), 0);
        struct digest_job job = run(file, SIZES[i]);
        assert_int_equal(job.error, 0);
        assert_memory_equal(job.digest, digest, DIGEST_SIZE);
        assert_int_equal(lseek(file, 0, SEEK_CUR), 0);
        close(file);
        free(bytes);
    }
}

static void a_file_of_another_size_has_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        int file = scratch_file_of("", 0);
        assert_int_equal(ftruncate(file, (off_t)SIZES[i]), 0);
        assert_int_equal(run(file, SIZES[i] + 1).error, -EIO);
        assert_int_equal(run(file, SIZES[i] + DIGEST_PIECE_SIZE).error, -EIO);
        if (SIZES[i] > 0) {
            assert_int_equal(run(file, SIZES[i] - 1).error, -EIO);
            assert_int_equal(run(file, 0).error, -EIO);
        }
        assert_int_equal(run(file, SIZES[i]).error, 0);
        close(file);
    }
}

static void what_cannot_be_read_gives_its_error(void **state)
{
    (void)state;
    int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(run(-1, 10).error, -EBADF);
    assert_int_equal(run(directory, 10).error, -EISDIR);
    close(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors),
        cmocka_unit_test(a_million_times_a),
        cmocka_unit_test(a_file_has_the_digest_of_its_bytes),
        cmocka_unit_test(a_file_of_another_size_has_none),
        cmocka_unit_test(what_cannot_be_read_gives_its_error),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_digest", tests, NULL, NULL);
}

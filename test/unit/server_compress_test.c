/* Compressing: every result decodes to its input, is worth it, and is the same each time; memory is
 * bounded. The decoders are the libraries' own. */
#include <brotli/decode.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <zlib.h>
/* For what a frame's header says. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "scratch_file.h"
#include "server/compress.h"

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

enum {
    CLIENT_WINDOW_MAX = 8 * 1024 * 1024, /* RFC 9659 3 */
};

static const enum http_coding CODINGS[] = { HTTP_CODING_BR, HTTP_CODING_ZSTD, HTTP_CODING_GZIP };
enum {
    CODINGS_COUNT = sizeof(CODINGS) / sizeof(CODINGS[0])
};

static uint64_t mix(uint64_t number)
{
    number = (number ^ number >> 31) * 0x9e3779b97f4a7c15U;
    number = (number ^ number >> 29) * 0xbf58476d1ce4e5b9U;
    return number ^ number >> 32;
}

static char *bytes_of(size_t size)
{
    char *bytes = malloc(size + 1);
    assert_non_null(bytes);
    return bytes;
}

/* Lines of a program, more or less: line i depends on i. */
static char *text_of(size_t size)
{
    char *text = bytes_of(size);
    size_t used = 0;
    for (uint64_t i = 0; used < size; i++) {
        char line[128];
        int length = snprintf(line, sizeof(line), "    items[%u] = { .name = \"n%x\", %u };\n",
                              (unsigned)i, (unsigned)mix(i) & 0xfffff, (unsigned)(mix(i) >> 50));
        size_t part = (size_t)length < size - used ? (size_t)length : size - used;
        memcpy(text + used, line, part);
        used += part;
    }
    return text;
}

/* The first `random` bytes do not compress, the others do. */
static char *noise_of(size_t size, size_t random)
{
    char *bytes = bytes_of(size);
    memset(bytes, 0, size);
    for (size_t i = 0; i < random; i++) {
        bytes[i] = (char)mix(i);
    }
    return bytes;
}

static struct compress_job run(enum http_coding coding, const char *data, int file, uint64_t size)
{
    struct compress_job job = {
        .work.run = compress_run,
        .coding = coding,
        .data = data,
        .file = file,
        .size = size,
        .error = 1,
    };
    job.work.run(&job.work);
    assert_true((job.error == 0) == (job.result != NULL));
    return job;
}

static size_t inflate_all(const struct compress_job *job, char *out, size_t room)
{
    z_stream stream = { 0 };
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = (Bytef *)job->result;
    stream.avail_in = (uInt)job->result_size;
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)room;
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    assert_int_equal(inflateEnd(&stream), Z_OK);
    return room - stream.avail_out;
}

static size_t decode(const struct compress_job *job, char *out, size_t room)
{
    if (job->coding == HTTP_CODING_GZIP) {
        return inflate_all(job, out, room);
    }
    if (job->coding == HTTP_CODING_BR) {
        size_t size = room;
        assert_int_equal(BrotliDecoderDecompress(job->result_size, (const uint8_t *)job->result,
                                                 &size, (uint8_t *)out),
                         BROTLI_DECODER_RESULT_SUCCESS);
        return size;
    }
    return ZSTD_decompress(out, room, job->result, job->result_size);
}

static void assert_decodes(const struct compress_job *job, const char *expected)
{
    char *out = bytes_of(job->size);
    assert_int_equal(job->error, 0);
    assert_true(job->result_size <= compress_result_max(job->size));
    assert_int_equal(decode(job, out, job->size + 1), job->size);
    assert_memory_equal(out, expected, job->size);
    free(out);
}

static const size_t SIZES[] = { 100,
                                1000,
                                65536,
                                COMPRESS_PIECE_SIZE - 1,
                                COMPRESS_PIECE_SIZE,
                                COMPRESS_PIECE_SIZE + 1,
                                3 * COMPRESS_PIECE_SIZE + 77 };
enum {
    SIZES_COUNT = sizeof(SIZES) / sizeof(SIZES[0])
};

/* --- what comes out ----------------------------------------------------------------------------
 */

static void the_result_decodes_to_the_input(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES_COUNT * CODINGS_COUNT; i++) {
        size_t size = SIZES[i / CODINGS_COUNT];
        char *text = text_of(size);
        struct compress_job job = run(CODINGS[i % CODINGS_COUNT], text, -1, size);
        assert_decodes(&job, text);
        free(job.result);
        free(text);
    }
}

static void a_file_gives_the_same_bytes_as_memory_each_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES_COUNT * CODINGS_COUNT; i++) {
        enum http_coding coding = CODINGS[i % CODINGS_COUNT];
        size_t size = SIZES[i / CODINGS_COUNT];
        char *text = text_of(size);
        int file = scratch_file_of(text, size);
        struct compress_job jobs[] = { run(coding, text, -1, size), run(coding, text, -1, size),
                                       run(coding, NULL, file, size) };
        for (size_t j = 0; j < 3; j++) {
            assert_int_equal(jobs[j].error, 0);
            assert_int_equal(jobs[j].result_size, jobs[0].result_size);
            assert_memory_equal(jobs[j].result, jobs[0].result, jobs[0].result_size);
        }
        for (size_t j = 0; j < 3; j++) {
            free(jobs[j].result);
        }
        assert_int_equal(lseek(file, 0, SEEK_CUR), 0);
        close(file);
        free(text);
    }
}

static void gzip_names_no_file_and_no_time(void **state)
{
    (void)state;
    static const uint8_t HEAD[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3 };
    char *text = text_of(1000);
    struct compress_job job = run(HTTP_CODING_GZIP, text, -1, 1000);
    assert_int_equal(job.error, 0);
    assert_memory_equal(job.result, HEAD, sizeof(HEAD));
    free(job.result);
    free(text);
}

static void zstd_says_its_size_and_stays_within_the_window_of_clients(void **state)
{
    (void)state;
    static const size_t SIZE = CLIENT_WINDOW_MAX + COMPRESS_PIECE_SIZE;
    char *bytes = noise_of(SIZE, 65536);
    struct compress_job job = run(HTTP_CODING_ZSTD, bytes, -1, SIZE);
    assert_decodes(&job, bytes);
    ZSTD_frameHeader header;
    assert_int_equal(ZSTD_getFrameHeader(&header, job.result, job.result_size), 0);
    assert_int_equal(header.frameContentSize, SIZE);
    assert_true(header.windowSize <= CLIENT_WINDOW_MAX);
    assert_int_equal(header.dictID, 0);
    free(job.result);
    free(bytes);
}

/* --- not worth it ------------------------------------------------------------------------------
 */

static void the_largest_result_is_a_part_of_the_input(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        uint64_t result;
    } ROWS[] = { { 0, 0 },     { 1, 0 },     { 2, 1 },
                 { 100, 95 },  { 101, 95 },  { 102, 96 },
                 { 119, 113 }, { 120, 114 }, { UINT32_MAX, 4080218930 } };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        assert_int_equal(compress_result_max(ROWS[i].size), ROWS[i].result);
    }
}

static void the_smallest_inputs_are_not_worth_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODINGS_COUNT; i++) {
        for (size_t size = 0; size <= 2; size++) {
            assert_int_equal(run(CODINGS[i], "aa", -1, size).error, -ENOSPC);
        }
    }
}

static void what_does_not_compress_is_not_worth_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES_COUNT * CODINGS_COUNT; i++) {
        size_t size = SIZES[i / CODINGS_COUNT];
        char *bytes = noise_of(size, size);
        assert_int_equal(run(CODINGS[i % CODINGS_COUNT], bytes, -1, size).error, -ENOSPC);
        free(bytes);
    }
}

/* Byte by byte less noise: from one amount on, it is worth it, and a result fills its room. */
static void what_fits_exactly_is_worth_it(void **state)
{
    (void)state;
    static const size_t SIZE = 4000;
    static const size_t MAX = 3800;
    for (size_t i = 0; i < CODINGS_COUNT; i++) {
        bool has_filled = false;
        bool was_worth_it = false;
        for (size_t random = MAX + 10; random > MAX - 300; random--) {
            char *bytes = noise_of(SIZE, random);
            struct compress_job job = run(CODINGS[i], bytes, -1, SIZE);
            assert_true(job.error == (was_worth_it ? 0 : job.error));
            assert_true(job.error == 0 || job.error == -ENOSPC);
            was_worth_it = job.error == 0;
            if (was_worth_it) {
                assert_decodes(&job, bytes);
                has_filled = has_filled || job.result_size == MAX;
            }
            free(job.result);
            free(bytes);
        }
        assert_true(was_worth_it);
        assert_true(has_filled);
    }
}

/* --- files that are not what they were ---------------------------------------------------------
 */

static void a_file_of_another_size_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES_COUNT * CODINGS_COUNT; i++) {
        enum http_coding coding = CODINGS[i % CODINGS_COUNT];
        size_t size = SIZES[i / CODINGS_COUNT];
        char *text = text_of(size);
        int file = scratch_file_of(text, size);
        assert_int_equal(run(coding, NULL, file, size + 1).error, -EIO);
        assert_int_equal(run(coding, NULL, file, size + COMPRESS_PIECE_SIZE).error, -EIO);
        assert_int_equal(run(coding, NULL, file, size - 1).error, -EIO);
        close(file);
        free(text);
    }
}

static void what_cannot_be_read_gives_its_error(void **state)
{
    (void)state;
    int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < CODINGS_COUNT; i++) {
        assert_int_equal(run(CODINGS[i], NULL, -1, 4096).error, -EBADF);
        assert_int_equal(run(CODINGS[i], NULL, directory, 4096).error, -EISDIR);
    }
    close(directory);
}

/* --- memory ------------------------------------------------------------------------------------
 */

/* Bytes of address space in use. */
static uint64_t space_used(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL || fscanf(file, "%lu", &pages) != 1) {
        pages = 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The job's error when it may use so much more address space; in a process of its own. */
static int error_within(enum http_coding coding, int file, uint64_t size, uint64_t space)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)malloc_trim(0); /* what lies free already would not count */
        struct rlimit limit = { .rlim_cur = space_used() + space, .rlim_max = RLIM_INFINITY };
        struct compress_job job = { .coding = coding, .file = file, .size = size };
        (void)setrlimit(RLIMIT_AS, &limit);
        compress_run(&job.work);
        _exit(-job.error);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return -WEXITSTATUS(status);
}

/* Noise is fast, and zstd's tables are as large as for anything; brotli's grow with what it finds.
 */
static void a_job_uses_no_more_memory_than_it_may(void **state)
{
    (void)state;
    if (IS_SANITIZED) {
        skip();
    }
    static const size_t SIZE = 5 * 1024 * 1024 + 5;
    for (size_t i = 0; i < CODINGS_COUNT; i++) {
        bool is_text = CODINGS[i] == HTTP_CODING_BR;
        char *bytes = is_text ? text_of(SIZE) : noise_of(SIZE, SIZE / 2);
        int file = scratch_file_of(bytes, SIZE);
        free(bytes);
        uint64_t space = COMPRESS_MEMORY_MAX + compress_result_max(SIZE);
        assert_int_equal(error_within(CODINGS[i], file, SIZE, space), 0);
        close(file);
    }
}

static void want_of_memory_is_an_error(void **state)
{
    (void)state;
    if (IS_SANITIZED) {
        skip();
    }
    static const size_t SIZE = 2 * 1024 * 1024;
    char *text = text_of(SIZE);
    int file = scratch_file_of(text, SIZE);
    free(text);
    for (size_t i = 0; i < CODINGS_COUNT; i++) {
        assert_int_equal(error_within(CODINGS[i], file, SIZE, 65536), -ENOMEM);
        if (CODINGS[i] != HTTP_CODING_GZIP) {
            assert_int_equal(error_within(CODINGS[i], file, SIZE, 4 * 1024 * 1024), -ENOMEM);
        }
    }
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_result_decodes_to_the_input),
        cmocka_unit_test(a_file_gives_the_same_bytes_as_memory_each_time),
        cmocka_unit_test(gzip_names_no_file_and_no_time),
        cmocka_unit_test(zstd_says_its_size_and_stays_within_the_window_of_clients),
        cmocka_unit_test(the_largest_result_is_a_part_of_the_input),
        cmocka_unit_test(the_smallest_inputs_are_not_worth_it),
        cmocka_unit_test(what_does_not_compress_is_not_worth_it),
        cmocka_unit_test(what_fits_exactly_is_worth_it),
        cmocka_unit_test(a_file_of_another_size_is_an_error),
        cmocka_unit_test(what_cannot_be_read_gives_its_error),
        cmocka_unit_test(a_job_uses_no_more_memory_than_it_may),
        cmocka_unit_test(want_of_memory_is_an_error),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_compress", tests, NULL, NULL);
}

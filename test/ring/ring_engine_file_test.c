/*
 * The engines' operations on files, pipes and directories.
 */
#include "ring_engine.h"

#include <limits.h>
#include <sys/stat.h>

enum {
    FILE_SIZE = 100 * 1000,
    CHUNK_SIZE = 64 * 1024,
    PIPE_FILL_MAX = 1024 * 1024,
};

/* --- open --------------------------------------------------------------------------------------
 */

/* A directory with a file, a directory in it, links out of it, and a FIFO. */
struct tree {
    char path[64];
    int directory;
};

static struct tree tree_open(void)
{
    struct tree tree = { .path = "/tmp/gyre-ring-XXXXXX" };
    if (mkdtemp(tree.path) == NULL) {
        abort();
    }
    tree.directory = open(tree.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int file = openat(tree.directory, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0 || mkdirat(tree.directory, "inner", 0700) != 0 ||
        symlinkat("/etc/passwd", tree.directory, "out") != 0 ||
        symlinkat("file", tree.directory, "in") != 0 ||
        mkfifoat(tree.directory, "fifo", 0600) != 0) {
        abort();
    }
    close(file);
    return tree;
}

static void tree_close(const struct tree *tree)
{
    static const char *const NAMES[] = { "file", "out", "in", "fifo" };
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        assert_int_equal(unlinkat(tree->directory, NAMES[i], 0), 0);
    }
    assert_int_equal(unlinkat(tree->directory, "inner", AT_REMOVEDIR), 0);
    close(tree->directory);
    assert_int_equal(rmdir(tree->path), 0);
}

static void open_keeps_to_its_directory_and_waits_for_no_fifo(void **state)
{
    static const struct {
        const char *path;
        enum uring_symlinks symlinks;
        int error;
        mode_t type;
    } ROWS[] = {
        { "file", URING_SYMLINKS_WITHIN, 0, S_IFREG },
        { "in", URING_SYMLINKS_WITHIN, 0, S_IFREG },
        { "in", URING_SYMLINKS_NONE, -ELOOP, 0 },
        { "out", URING_SYMLINKS_WITHIN, -EXDEV, 0 },
        { "out", URING_SYMLINKS_ALL, 0, S_IFREG },
        { "../file", URING_SYMLINKS_WITHIN, -EXDEV, 0 },
        { "gone", URING_SYMLINKS_WITHIN, -ENOENT, 0 },
        { "file/x", URING_SYMLINKS_WITHIN, -ENOTDIR, 0 },
        { "", URING_SYMLINKS_WITHIN, 0, S_IFDIR },
        { "inner", URING_SYMLINKS_NONE, 0, S_IFDIR },
        { "fifo", URING_SYMLINKS_WITHIN, 0, S_IFIFO },
    };
    struct uring *uring = engine_of(state);
    struct tree tree = tree_open();
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        uring_open(uring, token_for(OP_OPEN), tree.directory, ROWS[i].path, ROWS[i].symlinks);
        int32_t result = last_result(uring, OP_OPEN);
        if (ROWS[i].error != 0) {
            assert_int_equal(result, ROWS[i].error);
            continue;
        }
        struct stat status;
        assert_true(result >= 0);
        assert_int_equal(fcntl(result, F_GETFD), FD_CLOEXEC);
        assert_int_equal(uring_stat(uring, result, &status), 0);
        assert_int_equal(status.st_mode & S_IFMT, ROWS[i].type);
        uring_close(uring, result);
    }
    uring_destroy(uring);
    tree_close(&tree);
}

/* --- read --------------------------------------------------------------------------------------
 */

static void reads_are_of_what_was_asked_for(void **state)
{
    static const struct {
        uint32_t offset;
        uint32_t size;
        int32_t result;
    } ROWS[] = {
        { 0, 1, 1 },
        { 0, FILE_SIZE, FILE_SIZE },
        { 1, FILE_SIZE, FILE_SIZE - 1 },
        { 4095, 4098, 4098 },
        { FILE_SIZE - 1, 10, 1 },
        { FILE_SIZE, 10, 0 },
        { FILE_SIZE + 1, 10, 0 },
    };
    struct uring *uring = engine_of(state);
    int file = scratch_open(FILE_SIZE);
    uint8_t *bytes = pages_map(FILE_SIZE);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        uring_read(uring, token_for(OP_READ), file, bytes, ROWS[i].size, ROWS[i].offset);
        assert_int_equal(last_result(uring, OP_READ), ROWS[i].result);
        assert_pattern(bytes, ROWS[i].offset, (size_t)ROWS[i].result);
    }
    uring_close(uring, file);
    uring_destroy(uring);
    munmap(bytes, FILE_SIZE);
}

/* What a link's test has. */
struct link {
    struct uring *uring;
    struct uring_pool *pool;
    struct uring_chunk *chunk;
    struct tcp_pair pair;
    int file;
};

static struct link link_open(void **state)
{
    struct link link = { .uring = engine_of(state) };
    assert_int_equal(uring_pool_create(link.uring, CHUNK_SIZE, 2, true, &link.pool), 0);
    link.chunk = uring_chunk_take(link.pool);
    link.pair = tcp_pair_open();
    link.file = scratch_open(FILE_SIZE);
    return link;
}

static void link_close(struct link *link)
{
    uring_chunk_give(link->pool, link->chunk);
    uring_pool_destroy(link->pool);
    uring_close(link->uring, link->file);
    uring_close(link->uring, link->pair.near);
    uring_destroy(link->uring);
    close(link->pair.far);
}

static void queue_linked(struct link *link, uint32_t size, uint64_t offset)
{
    uring_read_chunk(link->uring, token_for(OP_READ), link->file, link->chunk, 100, size, offset,
                     true);
    uring_send(link->uring, token_for(OP_SEND), link->pair.near, link->chunk->data + 100, size, 0);
}

static void a_linked_send_has_what_was_read(void **state)
{
    struct link link = link_open(state);
    uint8_t *got = pages_map(CHUNK_SIZE);
    queue_linked(&link, 30000, 5000);
    uring_timer(link.uring, token_for(OP_TIMER), 1); /* what is behind the link is not in it */
    assert_int_equal(last_result(link.uring, OP_READ), 30000);
    assert_int_equal(last_result(link.uring, OP_SEND), 30000);
    assert_int_equal(last_result(link.uring, OP_TIMER), -ETIME);
    far_read(link.pair.far, got, 30000);
    assert_pattern(got, 5000, 30000);
    link_close(&link);
    munmap(got, CHUNK_SIZE);
}

static void a_read_that_comes_short_severs_the_link_and_that_alone(void **state)
{
    static const uint64_t OFFSETS[] = { FILE_SIZE - 100, FILE_SIZE - 99, FILE_SIZE };
    static const int32_t RESULTS[] = { 100, 99, 0 };
    struct link link = link_open(state);
    for (size_t i = 0; i < sizeof(OFFSETS) / sizeof(OFFSETS[0]); i++) {
        bool is_short = RESULTS[i] < 100;
        queue_linked(&link, 100, OFFSETS[i]);
        uring_read(link.uring, token_for(OP_OTHER), link.file, link.chunk->data, 1, 0);
        assert_int_equal(last_result(link.uring, OP_READ), RESULTS[i]);
        int32_t sent = 0;
        for (int events = 0; events < 2; events++) { /* a ring need not keep the order of these */
            struct uring_event event = next_event(link.uring);
            sent = event.token.op == OP_SEND ? event.result : sent;
            assert_true(event.token.op == OP_SEND || event.result == 1);
        }
        assert_int_equal(sent, is_short ? -ECANCELED : 100);
    }
    link_close(&link);
}

static void a_read_that_fails_severs_the_link(void **state)
{
    struct link link = link_open(state);
    int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int file = link.file;
    link.file = directory;
    queue_linked(&link, 100, 0);
    assert_int_equal(last_result(link.uring, OP_READ), -EISDIR);
    assert_int_equal(last_result(link.uring, OP_SEND), -ECANCELED);
    link.file = file;
    close(directory);
    link_close(&link);
}

/* However much is to be read: who has sent something meanwhile is heard before all of it was. */
static void others_are_heard_between_many_reads(void **state)
{
    enum {
        READS_COUNT = 200
    };
    struct uring *uring = engine_of(state);
    struct tcp_pair pair = tcp_pair_open();
    int file = scratch_open(FILE_SIZE);
    char *bytes = (char *)pages_map(FILE_SIZE);
    uint32_t read_count = 0;
    bool is_heard = false;
    uring_recv(uring, token_for(OP_RECV), pair.near);
    assert_nothing_happens(uring);
    far_send(pair.far, "x", 1);
    for (uint32_t i = 0; i < READS_COUNT; i++) {
        uring_read(uring, token_for(OP_READ), file, bytes, FILE_SIZE, 0);
    }
    while (read_count < READS_COUNT || !is_heard) {
        struct uring_event events[16];
        int count = uring_wait(uring, events, 16);
        for (int i = 0; i < count; i++) {
            if (events[i].token.op == OP_RECV) {
                assert_true(read_count < READS_COUNT / 2 || kind_of(state) == URING_RING);
                uring_recv_release(uring, events[i].buffer);
                is_heard = true;
            } else {
                assert_int_equal(events[i].result, FILE_SIZE);
                read_count++;
            }
        }
    }
    uring_cancel(uring, token_for(OP_RECV));
    assert_int_equal(last_result(uring, OP_RECV), -ECANCELED);
    uring_close(uring, file);
    uring_close(uring, pair.near);
    uring_destroy(uring);
    close(pair.far);
    munmap(bytes, FILE_SIZE);
}

/* --- write -------------------------------------------------------------------------------------
 */

static void writes_to_a_file_follow_one_another(void **state)
{
    struct uring *uring = engine_of(state);
    int file = scratch_open(0);
    uint8_t bytes[3000];
    uint8_t got[sizeof bytes + 1];
    pattern_fill(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i += 1000) {
        uring_write(uring, token_for(OP_WRITE), file, bytes + i, 1000);
        assert_int_equal(last_result(uring, OP_WRITE), 1000);
    }
    assert_int_equal(pread(file, got, sizeof got, 0), sizeof bytes);
    assert_pattern(got, 0, sizeof bytes);
    uring_close(uring, file);
    uring_destroy(uring);
}

static void fill_pipe(int fd)
{
    static const char ZEROS[PIPE_BUF];
    int flags = fcntl(fd, F_GETFL);
    assert_int_equal(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
    while (write(fd, ZEROS, sizeof ZEROS) > 0) {
    }
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(fcntl(fd, F_SETFL, flags), 0);
}

/* The pipe blocks, as a program's standard output does. */
static void a_write_to_a_full_pipe_waits_and_holds_nobody_up(void **state)
{
    struct uring *uring = engine_of(state);
    int ends[2];
    char *drain = (char *)pages_map(PIPE_FILL_MAX);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fill_pipe(ends[1]);
    uring_write(uring, token_for(OP_WRITE), ends[1], "line\n", 5);
    assert_nothing_happens(uring);
    assert_true(read(ends[0], drain, PIPE_FILL_MAX) > 0);
    assert_int_equal(last_result(uring, OP_WRITE), 5);
    assert_int_equal(read(ends[0], drain, PIPE_FILL_MAX), 5);
    uring_write(uring, token_for(OP_WRITE), ends[1], "again\n", 6);
    assert_int_equal(last_result(uring, OP_WRITE), 6);
    uring_destroy(uring);
    close(ends[0]);
    close(ends[1]);
    munmap(drain, PIPE_FILL_MAX);
}

/* More than a pipe holds: what fits is a result. */
static void a_large_write_to_a_pipe_comes_short_or_waits(void **state)
{
    struct uring *uring = engine_of(state);
    int ends[2];
    char *bytes = (char *)pages_map(PIPE_FILL_MAX);
    char *drain = (char *)pages_map(PIPE_FILL_MAX);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    for (size_t done = 0; done < PIPE_FILL_MAX;) {
        uring_write(uring, token_for(OP_WRITE), ends[1], bytes + done,
                    (uint32_t)(PIPE_FILL_MAX - done));
        int32_t result = last_result(uring, OP_WRITE);
        assert_true(result > 0);
        for (int32_t drained = 0; drained < result;) {
            ssize_t count = read(ends[0], drain, (size_t)(result - drained));
            assert_true(count > 0);
            drained += (int32_t)count;
        }
        done += (size_t)result;
    }
    uring_destroy(uring);
    close(ends[0]);
    close(ends[1]);
    munmap(bytes, PIPE_FILL_MAX);
    munmap(drain, PIPE_FILL_MAX);
}

/* The next descriptor of that number is another: it is waited for like any. */
static void a_write_that_waits_can_be_cancelled_and_its_pipe_closed(void **state)
{
    struct uring *uring = engine_of(state);
    for (int round = 0; round < 3; round++) {
        int ends[2];
        char drain[PIPE_BUF];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        int copy = fcntl(ends[1], F_DUPFD_CLOEXEC, 0);
        fill_pipe(copy);
        uring_write(uring, token_for(OP_WRITE), copy, "line\n", 5);
        assert_nothing_happens(uring);
        uring_cancel(uring, token_for(OP_WRITE));
        assert_int_equal(last_result(uring, OP_WRITE), -ECANCELED);
        close(copy);
        assert_true(read(ends[0], drain, sizeof drain) > 0);
        assert_nothing_happens(uring);
        close(ends[0]);
        close(ends[1]);
    }
    uring_destroy(uring);
}

static void a_write_that_waits_ends_when_the_reader_is_gone(void **state)
{
    struct uring *uring = engine_of(state);
    int ends[2];
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fill_pipe(ends[1]);
    uring_write(uring, token_for(OP_WRITE), ends[1], "line\n", 5);
    assert_nothing_happens(uring);
    close(ends[0]);
    assert_int_equal(last_result(uring, OP_WRITE), -EPIPE);
    uring_destroy(uring);
    close(ends[1]);
}

/* As when its user has stopped it. A ring's write waits in a thread of the kernel's, deaf. */
static void a_terminal_that_nobody_reads_holds_nobody_up(void **state)
{
    struct uring *uring = engine_of(state);
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        skip_because("there are no terminals here", errno);
    }
    int terminal = open(ptsname(master), O_WRONLY | O_NOCTTY | O_CLOEXEC);
    char *bytes = (char *)pages_map(PIPE_FILL_MAX);
    memset(bytes, 'x', PIPE_FILL_MAX);
    assert_true(terminal >= 0);
    uring_write(uring, token_for(OP_WRITE), terminal, bytes, PIPE_FILL_MAX);
    uring_timer(uring, token_for(OP_TIMER), 50);
    bool is_told = false;
    struct uring_event event;
    while ((event = next_event(uring)).token.op == OP_WRITE) {
        assert_true(event.result > 0); /* what it took */
        assert_true(event.result < PIPE_FILL_MAX);
        is_told = true;
    }
    assert_int_equal(event.result, -ETIME);
    if (!is_told) {
        uring_cancel(uring, token_for(OP_WRITE));
        event = next_event(uring);
        assert_true(event.result < PIPE_FILL_MAX);
    }
    close(terminal);
    close(master);
    uring_destroy(uring);
    munmap(bytes, PIPE_FILL_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(open_keeps_to_its_directory_and_waits_for_no_fifo),
        ON_BOTH(reads_are_of_what_was_asked_for),
        ON_BOTH(a_linked_send_has_what_was_read),
        ON_BOTH(a_read_that_comes_short_severs_the_link_and_that_alone),
        ON_BOTH(a_read_that_fails_severs_the_link),
        ON_BOTH(others_are_heard_between_many_reads),
        ON_BOTH(writes_to_a_file_follow_one_another),
        ON_BOTH(a_write_to_a_full_pipe_waits_and_holds_nobody_up),
        ON_BOTH(a_large_write_to_a_pipe_comes_short_or_waits),
        ON_BOTH(a_write_that_waits_can_be_cancelled_and_its_pipe_closed),
        ON_BOTH(a_write_that_waits_ends_when_the_reader_is_gone),
        ON_ENGINE(a_terminal_that_nobody_reads_holds_nobody_up, URING_EPOLL),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring_engine_file", tests, NULL, NULL);
}

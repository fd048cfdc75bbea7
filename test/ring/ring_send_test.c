/* Sends: whole in spite of a slow reader, dead peers, linked reads, and zero copies. */
#include "ring_helpers.h"

#include <pthread.h>
#include <signal.h>

#ifndef IORING_SEND_ZC_REPORT_USAGE
#define IORING_SEND_ZC_REPORT_USAGE (1U << 3)
#endif
#ifndef IORING_NOTIF_USAGE_ZC_COPIED
#define IORING_NOTIF_USAGE_ZC_COPIED (1U << 31)
#endif

enum {
    TOKEN_SEND = 1,
    TOKEN_READ
};
enum {
    BODY_SIZE = 4 * 1024 * 1024,
    CHUNK_SIZE = 16 * 4096,
    FILE_SIZE = 10000
};
enum {
    SEND_FLAGS = MSG_WAITALL | MSG_NOSIGNAL
};

static void send_queue(struct io_uring *ring, int descriptor, const void *bytes, size_t size)
{
    struct io_uring_sqe *sqe = ring_sqe(ring, TOKEN_SEND);

    io_uring_prep_send(sqe, descriptor, bytes, size, SEND_FLAGS);
    sqe_finish(sqe, TOKEN_SEND, 0);
}

static void send_zero_copy_queue(struct io_uring *ring, int descriptor, const void *bytes,
                                 size_t size, unsigned flags)
{
    struct io_uring_sqe *sqe = ring_sqe(ring, TOKEN_SEND);

    io_uring_prep_send_zc(sqe, descriptor, bytes, size, SEND_FLAGS, flags);
    sqe_finish(sqe, TOKEN_SEND, 0);
}

/* Reads the pattern in small bites until the stream ends; returns how many bytes were right. */
static void *drain_slowly(void *argument)
{
    int descriptor = *(const int *)argument;
    struct pollfd entry = { .fd = descriptor, .events = POLLIN };
    uint8_t bite[1000];
    size_t total = 0;

    while (poll(&entry, 1, WAIT_SECONDS * 1000) == 1) {
        ssize_t size = recv(descriptor, bite, sizeof bite, 0);
        if (size <= 0) {
            break;
        }
        for (ssize_t i = 0; i < size && bite[i] == pattern_byte(total); i++) {
            total++;
        }
    }
    return (void *)(uintptr_t)total;
}

/* Waits for the one event of the send, ends the stream, and checks what the reader got. */
static void expect_whole(struct io_uring *ring, struct tcp_pair *pair, size_t size)
{
    pthread_t reader;
    void *total = NULL;

    assert_int_equal(pthread_create(&reader, NULL, drain_slowly, &pair->far), 0);
    struct ring_event event = ring_next(ring);
    assert_int_equal(event.token, TOKEN_SEND);
    assert_int_equal(event.result, size);
    assert_int_equal(shutdown(pair->near, SHUT_WR), 0);
    assert_int_equal(pthread_join(reader, &total), 0);
    assert_int_equal((uintptr_t)total, size);
    ring_assert_quiet(ring);
}

static void send_with_waitall_completes_whole_to_a_slow_reader(void **state)
{
    struct io_uring ring;
    struct tcp_pair pair = tcp_pair_narrow_open();
    uint8_t *body = pages_map(BODY_SIZE);

    (void)state;
    ring_open(&ring);
    pattern_fill(body, BODY_SIZE);
    send_queue(&ring, pair.near, body, BODY_SIZE);
    expect_whole(&ring, &pair, BODY_SIZE);
    io_uring_queue_exit(&ring);
    tcp_pair_close(pair);
    munmap(body, BODY_SIZE);
}

static void sendmsg_with_waitall_sends_several_vectors_whole(void **state)
{
    struct io_uring ring;
    struct tcp_pair pair = tcp_pair_narrow_open();
    uint8_t *body = pages_map(BODY_SIZE);
    struct iovec vectors[] = { { body, 7 }, { body + 7, 100000 }, { body + 100007, 1899993 } };
    struct msghdr message = { .msg_iov = vectors, .msg_iovlen = 3 };

    (void)state;
    ring_open(&ring);
    pattern_fill(body, BODY_SIZE);
    struct io_uring_sqe *sqe = ring_sqe(&ring, TOKEN_SEND);
    io_uring_prep_sendmsg(sqe, pair.near, &message, SEND_FLAGS);
    sqe_finish(sqe, TOKEN_SEND, 0);
    expect_whole(&ring, &pair, 1900000 + 100000);
    io_uring_queue_exit(&ring);
    tcp_pair_close(pair);
    munmap(body, BODY_SIZE);
}

static void send_to_a_reset_peer_gives_an_error_and_no_signal(void **state)
{
    struct io_uring ring;
    struct tcp_pair pair = tcp_pair_open();
    sigset_t pipe_only;
    sigset_t pending;

    (void)state;
    ring_open(&ring);
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &pipe_only, NULL), 0);
    socket_reset(pair.far);
    for (size_t i = 0; i < 2; i++) {
        send_queue(&ring, pair.near, "x", 1);
        int32_t result = ring_result(&ring, TOKEN_SEND);
        assert_true(result == -EPIPE || result == -ECONNRESET);
    }
    assert_int_equal(sigpending(&pending), 0);
    assert_false(sigismember(&pending, SIGPIPE));
    pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL);
    io_uring_queue_exit(&ring);
    close(pair.near);
}

/* --- linked read and send --------------------------------------------------------------------- */

/* A file of the pattern, one registered chunk to read it into, and a connection to send it on. */
struct stream {
    struct io_uring ring;
    struct tcp_pair pair;
    uint8_t *chunk;
    int file;
};

static void stream_open(struct stream *stream)
{
    struct iovec vector = { .iov_len = CHUNK_SIZE };

    ring_open(&stream->ring);
    stream->pair = tcp_pair_open();
    stream->chunk = pages_map(CHUNK_SIZE);
    vector.iov_base = stream->chunk;
    assert_int_equal(io_uring_register_buffers(&stream->ring, &vector, 1), 0);
    stream->file = scratch_open(FILE_SIZE);
}

static void stream_close(struct stream *stream)
{
    io_uring_queue_exit(&stream->ring);
    tcp_pair_close(stream->pair);
    munmap(stream->chunk, CHUNK_SIZE);
    close(stream->file);
}

/* Links READ_FIXED of `size` bytes at `offset` to a SEND of as many. */
static void read_and_send_queue(struct stream *stream, int file, size_t offset, unsigned size,
                                unsigned char read_flags)
{
    struct io_uring_sqe *sqe = ring_sqe(&stream->ring, TOKEN_READ);

    io_uring_prep_read_fixed(sqe, file, stream->chunk, size, offset, 0);
    sqe_finish(sqe, TOKEN_READ, (unsigned char)(IOSQE_IO_LINK | read_flags));
    send_queue(&stream->ring, stream->pair.near, stream->chunk, size);
}

static void expect_received(struct stream *stream, size_t offset, size_t size)
{
    uint8_t bytes[FILE_SIZE];

    assert_readable(stream->pair.far);
    assert_int_equal(recv(stream->pair.far, bytes, size, MSG_WAITALL), size);
    assert_pattern(bytes, offset, size);
}

static void expect_nothing_received(struct stream *stream)
{
    uint8_t byte = 0;

    assert_int_equal(recv(stream->pair.far, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

static void a_send_linked_to_a_read_runs_after_it(void **state)
{
    struct stream stream;

    (void)state;
    stream_open(&stream);
    read_and_send_queue(&stream, stream.file, 1234, 5000, 0);
    assert_int_equal(ring_result(&stream.ring, TOKEN_READ), 5000);
    assert_int_equal(ring_result(&stream.ring, TOKEN_SEND), 5000);
    expect_received(&stream, 1234, 5000);
    stream_close(&stream);
}

static void a_linked_read_with_skip_success_posts_only_the_send(void **state)
{
    struct stream stream;

    (void)state;
    stream_open(&stream);
    read_and_send_queue(&stream, stream.file, 1234, 5000, IOSQE_CQE_SKIP_SUCCESS);
    assert_int_equal(ring_result(&stream.ring, TOKEN_SEND), 5000);
    ring_assert_quiet(&stream.ring);
    expect_received(&stream, 1234, 5000);
    stream_close(&stream);
}

static void a_short_read_severs_the_link_and_the_send_gives_ecanceled(void **state)
{
    struct stream stream;

    (void)state;
    stream_open(&stream);
    read_and_send_queue(&stream, stream.file, FILE_SIZE - 100, 5000, 0);
    assert_int_equal(ring_result(&stream.ring, TOKEN_READ), 100);
    assert_int_equal(ring_result(&stream.ring, TOKEN_SEND), -ECANCELED);
    assert_pattern(stream.chunk, FILE_SIZE - 100, 100);
    expect_nothing_received(&stream);
    stream_close(&stream);
}

static void a_failed_read_severs_the_link_and_the_send_gives_ecanceled(void **state)
{
    struct stream stream;
    int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    stream_open(&stream);
    read_and_send_queue(&stream, folder, 0, 5000, 0);
    assert_int_equal(ring_result(&stream.ring, TOKEN_READ), -EISDIR);
    assert_int_equal(ring_result(&stream.ring, TOKEN_SEND), -ECANCELED);
    expect_nothing_received(&stream);
    stream_close(&stream);
    close(folder);
}

/* With the flag on the read, the send that it severs vanishes: one event, and it is the read's. */
static void a_short_read_with_skip_success_posts_itself_and_swallows_the_severed_send(void **state)
{
    struct stream stream;

    (void)state;
    stream_open(&stream);
    read_and_send_queue(&stream, stream.file, FILE_SIZE - 100, 5000, IOSQE_CQE_SKIP_SUCCESS);
    assert_int_equal(ring_result(&stream.ring, TOKEN_READ), 100);
    ring_assert_quiet(&stream.ring);
    expect_nothing_received(&stream);
    stream_close(&stream);
}

/* --- zero copy ------------------------------------------------------------------------------- */

/* Takes the event that ends a zero-copy send's part on the socket; with MORE a notice is owed. */
static struct ring_event zero_copy_result(struct io_uring *ring)
{
    struct ring_event event = ring_next(ring);

    assert_int_equal(event.token, TOKEN_SEND);
    assert_int_equal(event.flags & IORING_CQE_F_NOTIF, 0);
    return event;
}

/* Takes the notice that gives the memory back, and returns its result: the usage, if asked for. */
static uint32_t zero_copy_notice(struct io_uring *ring)
{
    struct ring_event event = ring_next(ring);

    assert_int_equal(event.token, TOKEN_SEND);
    assert_int_not_equal(event.flags & IORING_CQE_F_NOTIF, 0);
    assert_int_equal(event.flags & IORING_CQE_F_MORE, 0);
    return (uint32_t)event.result;
}

static void a_zero_copy_send_posts_its_result_with_more_and_then_a_notice(void **state)
{
    struct stream stream;

    (void)state;
    stream_open(&stream);
    pattern_fill(stream.chunk, FILE_SIZE);
    send_zero_copy_queue(&stream.ring, stream.pair.near, stream.chunk, FILE_SIZE, 0);
    struct ring_event event = zero_copy_result(&stream.ring);
    assert_int_equal(event.result, FILE_SIZE);
    assert_int_not_equal(event.flags & IORING_CQE_F_MORE, 0);
    expect_received(&stream, 0, FILE_SIZE);
    assert_int_equal(zero_copy_notice(&stream.ring), 0);
    ring_assert_quiet(&stream.ring);
    stream_close(&stream);
}

static void a_zero_copy_notice_on_loopback_reports_that_the_bytes_were_copied(void **state)
{
    struct stream stream;

    (void)state;
    stream_open(&stream);
    pattern_fill(stream.chunk, FILE_SIZE);
    send_zero_copy_queue(&stream.ring, stream.pair.near, stream.chunk, FILE_SIZE,
                         IORING_SEND_ZC_REPORT_USAGE);
    struct ring_event event = zero_copy_result(&stream.ring);
    if (event.result == -EINVAL) {
        stream_close(&stream);
        skip_because("the kernel reports no zero-copy usage: older than 6.2", EINVAL);
    }
    assert_int_equal(event.result, FILE_SIZE);
    expect_received(&stream, 0, FILE_SIZE);
    assert_int_equal(zero_copy_notice(&stream.ring), IORING_NOTIF_USAGE_ZC_COPIED);
    stream_close(&stream);
}

static void a_zero_copy_send_takes_registered_memory_at_an_offset(void **state)
{
    struct stream stream;

    (void)state;
    stream_open(&stream);
    pattern_fill(stream.chunk, CHUNK_SIZE);
    struct io_uring_sqe *sqe = ring_sqe(&stream.ring, TOKEN_SEND);
    io_uring_prep_send_zc_fixed(sqe, stream.pair.near, stream.chunk + 777, 5000, SEND_FLAGS, 0, 0);
    sqe_finish(sqe, TOKEN_SEND, 0);
    assert_int_equal(zero_copy_result(&stream.ring).result, 5000);
    expect_received(&stream, 777, 5000);
    zero_copy_notice(&stream.ring);
    stream_close(&stream);
}

static void a_zero_copy_send_with_waitall_completes_whole_to_a_slow_reader(void **state)
{
    struct io_uring ring;
    struct tcp_pair pair = tcp_pair_narrow_open();
    uint8_t *body = pages_map(BODY_SIZE);
    pthread_t reader;
    void *total = NULL;

    (void)state;
    ring_open(&ring);
    pattern_fill(body, BODY_SIZE);
    send_zero_copy_queue(&ring, pair.near, body, BODY_SIZE, 0);
    assert_int_equal(pthread_create(&reader, NULL, drain_slowly, &pair.far), 0);
    assert_int_equal(zero_copy_result(&ring).result, BODY_SIZE);
    zero_copy_notice(&ring);
    assert_int_equal(shutdown(pair.near, SHUT_WR), 0);
    assert_int_equal(pthread_join(reader, &total), 0);
    assert_int_equal((uintptr_t)total, BODY_SIZE);
    io_uring_queue_exit(&ring);
    tcp_pair_close(pair);
    munmap(body, BODY_SIZE);
}

static void a_zero_copy_send_that_fails_owes_a_notice_exactly_when_it_says_more(void **state)
{
    struct io_uring ring;
    struct tcp_pair pair = tcp_pair_open();

    (void)state;
    ring_open(&ring);
    socket_reset(pair.far);
    send_zero_copy_queue(&ring, pair.near, "x", 1, 0);
    struct ring_event event = zero_copy_result(&ring);
    assert_true(event.result == -EPIPE || event.result == -ECONNRESET);
    if ((event.flags & IORING_CQE_F_MORE) != 0) {
        zero_copy_notice(&ring);
    }
    ring_assert_quiet(&ring);
    io_uring_queue_exit(&ring);
    close(pair.near);
}

static void a_zero_copy_send_on_a_unix_socket_is_refused(void **state)
{
    struct io_uring ring;
    int pair[2];

    (void)state;
    ring_open(&ring);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    send_zero_copy_queue(&ring, pair[0], "x", 1, 0);
    assert_int_equal(zero_copy_result(&ring).result, -EOPNOTSUPP);
    io_uring_queue_exit(&ring);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(send_with_waitall_completes_whole_to_a_slow_reader),
        cmocka_unit_test(sendmsg_with_waitall_sends_several_vectors_whole),
        cmocka_unit_test(send_to_a_reset_peer_gives_an_error_and_no_signal),
        cmocka_unit_test(a_send_linked_to_a_read_runs_after_it),
        cmocka_unit_test(a_linked_read_with_skip_success_posts_only_the_send),
        cmocka_unit_test(a_short_read_severs_the_link_and_the_send_gives_ecanceled),
        cmocka_unit_test(a_failed_read_severs_the_link_and_the_send_gives_ecanceled),
        cmocka_unit_test(a_short_read_with_skip_success_posts_itself_and_swallows_the_severed_send),
        cmocka_unit_test(a_zero_copy_send_posts_its_result_with_more_and_then_a_notice),
        cmocka_unit_test(a_zero_copy_notice_on_loopback_reports_that_the_bytes_were_copied),
        cmocka_unit_test(a_zero_copy_send_takes_registered_memory_at_an_offset),
        cmocka_unit_test(a_zero_copy_send_with_waitall_completes_whole_to_a_slow_reader),
        cmocka_unit_test(a_zero_copy_send_that_fails_owes_a_notice_exactly_when_it_says_more),
        cmocka_unit_test(a_zero_copy_send_on_a_unix_socket_is_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ring_send", tests, NULL, NULL) == 0 ? 0 : 1;
}

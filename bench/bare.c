/* bare: the floor of the measurements: what a response costs when nobody looks at the request.
 *
 * An io_uring loop of one thread: multishot accept, multishot receive into provided buffers, one
 * send. Whatever arrives counts as one request and is answered with a response that was made at the
 * start. With several sizes, they are answered in turn. So it serves nothing and checks nothing,
 * and its clients must neither pipeline nor send a request in pieces.
 *
 * usage: bare SIZE...   (bytes of the bodies; prints its port, runs until SIGTERM) */
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RESPONSES_MAX = 64,
    BODY_SIZE_MAX = 64 * 1024 * 1024,
    HEAD_SIZE_MAX = 256,
    BACKLOG = 4096,
    ENTRIES = 4096,
    BUFFERS_COUNT = 1024, /* a power of two */
    BUFFER_SIZE = 4096,
};

enum op {
    OP_ACCEPT,
    OP_RECV,
    OP_SEND,
};

struct response {
    char *data; /* head and body */
    size_t size;
};

struct bare {
    struct io_uring ring;
    struct io_uring_buf_ring *buffer_ring;
    char *buffers;
    struct response responses[RESPONSES_MAX];
    size_t responses_count;
    size_t next; /* response */
};

static void fail(const char *what, int error)
{
    fprintf(stderr, "bare: %s: %s\n", what, strerror(error));
    exit(1);
}

/* --- set-up ----------------------------------------------------------------------------------- */

static struct response response_make(size_t body_size)
{
    struct response response = { .data = malloc(HEAD_SIZE_MAX + body_size) };
    if (response.data == NULL) {
        fail("no memory", ENOMEM);
    }
    int head_size = snprintf(response.data, HEAD_SIZE_MAX,
                             "HTTP/1.1 200 OK\r\n"
                             "Content-Type: text/plain; charset=utf-8\r\n"
                             "Content-Length: %zu\r\n\r\n",
                             body_size);
    for (size_t i = 0; i < body_size; i++) {
        response.data[(size_t)head_size + i] = (char)('a' + i % 26);
    }
    response.size = (size_t)head_size + body_size;
    return response;
}

static void make_responses(struct bare *bare, char **sizes, size_t count)
{
    if (count == 0 || count > RESPONSES_MAX) {
        fprintf(stderr, "usage: bare SIZE... (1 to %d of them)\n", RESPONSES_MAX);
        exit(2);
    }
    for (size_t i = 0; i < count; i++) {
        char *end;
        unsigned long size = strtoul(sizes[i], &end, 10);
        if (*end != '\0' || end == sizes[i] || size > BODY_SIZE_MAX) {
            fprintf(stderr, "bare: '%s' is no size from 0 to %d\n", sizes[i], BODY_SIZE_MAX);
            exit(2);
        }
        bare->responses[i] = response_make(size);
    }
    bare->responses_count = count;
}

/* Any free port of the loopback, which is told on standard output. */
static int listener_open(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, BACKLOG) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        fail("cannot listen", errno);
    }
    printf("bare: serving nothing at http://127.0.0.1:%u/\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void buffer_give(struct bare *bare, unsigned index)
{
    io_uring_buf_ring_add(bare->buffer_ring, bare->buffers + (size_t)index * BUFFER_SIZE,
                          BUFFER_SIZE, (unsigned short)index, io_uring_buf_ring_mask(BUFFERS_COUNT),
                          0);
    io_uring_buf_ring_advance(bare->buffer_ring, 1);
}

static void ring_open(struct bare *bare)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_DEFER_TASKRUN,
        .cq_entries = 4 * ENTRIES,
    };
    int error = io_uring_queue_init_params(ENTRIES, &bare->ring, &params);
    if (error != 0) {
        fail("no ring", -error);
    }
    bare->buffers = malloc((size_t)BUFFERS_COUNT * BUFFER_SIZE);
    void *memory = NULL;
    if (bare->buffers == NULL ||
        posix_memalign(&memory, 4096, BUFFERS_COUNT * sizeof(struct io_uring_buf)) != 0) {
        fail("no memory", ENOMEM);
    }
    bare->buffer_ring = memory;
    struct io_uring_buf_reg registration = {
        .ring_addr = (uint64_t)(uintptr_t)memory,
        .ring_entries = BUFFERS_COUNT,
    };
    error = io_uring_register_buf_ring(&bare->ring, &registration, 0);
    if (error != 0) {
        fail("no buffer ring", -error);
    }
    io_uring_buf_ring_init(bare->buffer_ring);
    for (unsigned i = 0; i < BUFFERS_COUNT; i++) {
        buffer_give(bare, i);
    }
}

/* --- serving ---------------------------------------------------------------------------------- */

static struct io_uring_sqe *entry_for(struct bare *bare)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&bare->ring);
    while (entry == NULL) {
        io_uring_submit(&bare->ring);
        entry = io_uring_get_sqe(&bare->ring);
    }
    return entry;
}

static void entry_tag(struct io_uring_sqe *entry, enum op op, int fd)
{
    io_uring_sqe_set_data64(entry, (uint64_t)op << 32 | (uint32_t)fd);
}

static void accept_on(struct bare *bare, int listener)
{
    struct io_uring_sqe *entry = entry_for(bare);
    io_uring_prep_multishot_accept(entry, listener, NULL, NULL, SOCK_CLOEXEC);
    entry_tag(entry, OP_ACCEPT, listener);
}

static void receive_on(struct bare *bare, int fd)
{
    struct io_uring_sqe *entry = entry_for(bare);
    io_uring_prep_recv_multishot(entry, fd, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry_tag(entry, OP_RECV, fd);
}

static void respond_on(struct bare *bare, int fd)
{
    const struct response *response = &bare->responses[bare->next];
    bare->next = bare->next + 1 < bare->responses_count ? bare->next + 1 : 0;
    struct io_uring_sqe *entry = entry_for(bare);
    io_uring_prep_send(entry, fd, response->data, response->size, MSG_NOSIGNAL | MSG_WAITALL);
    entry_tag(entry, OP_SEND, fd);
}

/* A receive that ended for want of buffers goes on; any other end is the connection's. */
static void handle_receive(struct bare *bare, int fd, const struct io_uring_cqe *event)
{
    if (event->res > 0) {
        buffer_give(bare, event->flags >> IORING_CQE_BUFFER_SHIFT);
        respond_on(bare, fd);
    }
    if ((event->flags & IORING_CQE_F_MORE) != 0) {
        return;
    }
    if (event->res > 0 || event->res == -ENOBUFS) {
        receive_on(bare, fd);
    } else {
        close(fd);
    }
}

static void handle(struct bare *bare, const struct io_uring_cqe *event)
{
    int fd = (int)(uint32_t)event->user_data;
    switch ((enum op)(event->user_data >> 32)) {
    case OP_ACCEPT:
        if (event->res >= 0) {
            receive_on(bare, event->res);
        }
        if ((event->flags & IORING_CQE_F_MORE) == 0) {
            accept_on(bare, fd);
        }
        break;
    case OP_RECV:
        handle_receive(bare, fd, event);
        break;
    case OP_SEND: /* of a failure the receive tells, too */
        break;
    }
}

int main(int argc, char **argv)
{
    struct bare bare = { 0 };
    make_responses(&bare, argv + 1, (size_t)argc - 1);
    ring_open(&bare);
    accept_on(&bare, listener_open());
    for (;;) {
        int submitted = io_uring_submit_and_wait(&bare.ring, 1);
        if (submitted < 0 && submitted != -EINTR && submitted != -EBUSY) {
            fail("the ring broke", -submitted);
        }
        struct io_uring_cqe *event;
        unsigned head;
        unsigned count = 0;
        io_uring_for_each_cqe(&bare.ring, head, event)
        {
            handle(&bare, event);
            count++;
        }
        io_uring_cq_advance(&bare.ring, count);
    }
}

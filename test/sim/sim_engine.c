/* sim_engine: every function of uring/uring.h, queueing only; and the rules of that interface, each
 * broken rule ending the run. sim_kernel.c executes. */
#include "sim_engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim_kernel.h"

enum {
    POISON = 0xa5
};

uint64_t sim_checksum(const char *data, size_t size, uint64_t start)
{
    uint64_t sum = start ^ size * 0x9e3779b97f4a7c15U;
    for (; size >= 8; size -= 8, data += 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        sum = (sum ^ word) * 0x9fb21c651e98df25U;
        sum ^= sum >> 32;
    }
    for (; size > 0; size--, data++) {
        sum = (sum ^ (uint8_t)*data) * 0x100000001b3U;
    }
    return sum;
}

uint64_t sim_checksum_pieces(const struct sim_operation *operation)
{
    uint64_t sum = 1;
    for (uint32_t i = 0; i < operation->pieces_count; i++) {
        sum = sim_checksum(operation->pieces[i].iov_base, operation->pieces[i].iov_len, sum);
    }
    return sum;
}

int uring_create(const struct uring_options *options, struct uring **result)
{
    struct uring *uring = calloc(1, sizeof(*uring));
    sim_check(uring != NULL, "out of memory");
    uring->sim = *sim_current();
    uring->sim->uring = uring;
    uring->options = *options;
    uring->buffers = malloc((size_t)options->recv_buffers * options->recv_buffer_size);
    uring->buffer_states = calloc(options->recv_buffers, 1);
    sim_check(uring->buffers != NULL && uring->buffer_states != NULL, "out of memory");
    memset(uring->buffers, POISON, (size_t)options->recv_buffers * options->recv_buffer_size);
    *result = uring;
    return 0;
}

void uring_destroy(struct uring *uring)
{
    uring->sim->uring = NULL;
    free(uring->buffers);
    free(uring->buffer_states);
    free(uring);
}

const struct uring_counters *uring_counters(const struct uring *uring)
{
    return &uring->counters;
}

uint64_t uring_clock_ms(struct uring *uring)
{
    return uring->sim->clock_ms;
}

int64_t uring_clock_utc_s(struct uring *uring)
{
    return SIM_UTC_START_S + (int64_t)(uring->sim->clock_ms / 1000);
}

/* --- queueing --------------------------------------------------------------------------------- */

static bool lane_is_same(struct uring_token a, struct uring_token b)
{
    enum lane lane = OP_TABLE[a.op].lane;
    return lane != LANE_NONE && lane == OP_TABLE[b.op].lane && a.slot == b.slot &&
           (a.op == OP_SEND_ZERO_COPY) == (b.op == OP_SEND_ZERO_COPY);
}

static void check_lane(const struct uring *uring, enum sim_operation_kind kind,
                       struct uring_token token, int fd)
{
    for (uint32_t i = 0; i < uring->operations_end; i++) {
        const struct sim_operation *other = &uring->operations[i];
        if (!other->used) {
            continue;
        }
        sim_check(!lane_is_same(other->token, token), "two operations in the lane of '%s', slot %u",
                  OP_TABLE[token.op].name, token.slot);
        bool sends = other->kind >= SIM_SEND && other->kind <= SIM_POLL;
        sim_check(!(sends && other->fd == fd && kind >= SIM_SEND && kind <= SIM_POLL),
                  "two sends on descriptor %d", fd);
    }
}

static void check_descriptor(const struct uring *uring, int fd, enum sim_descriptor_kind kind,
                             const char *what)
{
    sim_check(fd >= 0 && fd < SIM_FDS_MAX, "%s: descriptor %d", what, fd);
    enum sim_descriptor_kind found = uring->sim->descriptors[fd].kind;
    sim_check(found == kind, "%s: descriptor %d is of kind %d instead of %d", what, fd, (int)found,
              (int)kind);
}

static struct sim_operation *operation_add(struct uring *uring, enum sim_operation_kind kind,
                                           struct uring_token token, int fd)
{
    check_lane(uring, kind, token, fd);
    uint32_t i = 0;
    while (i < SIM_OPERATIONS_MAX && uring->operations[i].used) {
        i++;
    }
    sim_check(i < SIM_OPERATIONS_MAX, "too many operations");
    if (i >= uring->operations_end) {
        uring->operations_end = i + 1;
    }
    struct sim_operation *operation = &uring->operations[i];
    *operation = (struct sim_operation){
        .used = true, .kind = kind, .token = token, .fd = fd, .number = uring->numbers_count++
    };
    if (uring->link_open != NULL) {
        uring->link_open->link = operation;
        operation->waits_for_link = true;
        uring->link_open = NULL;
    }
    uring->counters.submissions++;
    return operation;
}

/* A file operation may take its time. */
static void delay(struct uring *uring, struct sim_operation *operation)
{
    if (sim_fault(uring->sim, SIM_SLOW_DISK)) {
        operation->due_ms = uring->sim->clock_ms + sim_random_below(&uring->sim->random, 300);
    }
}

void uring_accept(struct uring *uring, struct uring_token token, int listener)
{
    sim_check(listener == SIM_FD_LISTENER, "accept on %d", listener);
    (void)operation_add(uring, SIM_ACCEPT, token, listener);
}

void uring_recv(struct uring *uring, struct uring_token token, int fd)
{
    check_descriptor(uring, fd, SIM_FD_SOCKET, "recv");
    (void)operation_add(uring, SIM_RECV, token, fd);
}

void uring_send(struct uring *uring, struct uring_token token, int fd, const void *data,
                uint32_t size, unsigned flags)
{
    struct iovec piece = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
    uring_send_vector(uring, token, fd, &piece, 1, flags);
}

void uring_send_vector(struct uring *uring, struct uring_token token, int fd,
                       const struct iovec *pieces, uint32_t count, unsigned flags)
{
    check_descriptor(uring, fd, SIM_FD_SOCKET, "send");
    sim_check(count >= 1 && count <= URING_IOVECS_MAX, "%u pieces", count);
    struct sim_operation *operation = operation_add(uring, SIM_SEND, token, fd);
    memcpy(operation->pieces, pieces, count * sizeof(*pieces));
    operation->pieces_count = count;
    operation->flags = flags;
    for (uint32_t i = 0; i < count; i++) {
        sim_check(pieces[i].iov_len > 0, "an empty piece");
        operation->size += (uint32_t)pieces[i].iov_len;
    }
}

void uring_send_zero_copy(struct uring *uring, struct uring_token token, int fd,
                          const struct uring_chunk *chunk, uint32_t chunk_offset, uint32_t size)
{
    check_descriptor(uring, fd, SIM_FD_SOCKET, "zero-copy send");
    sim_check(chunk->taken && size > 0 && chunk_offset + size <= chunk->size,
              "zero-copy send of a chunk's bytes [%u, +%u)", chunk_offset, size);
    struct sim_operation *operation = operation_add(uring, SIM_SEND_ZERO_COPY, token, fd);
    operation->pieces[0] =
        (struct iovec){ .iov_base = chunk->data + chunk_offset, .iov_len = size };
    operation->pieces_count = 1;
    operation->size = size;
}

void uring_poll_readable(struct uring *uring, struct uring_token token, int fd)
{
    sim_check(fd == SIM_FD_WATCH, "poll of %d for reading", fd);
    (void)operation_add(uring, SIM_POLL_WATCH, token, fd);
}

void uring_poll_writable(struct uring *uring, struct uring_token token, int fd)
{
    check_descriptor(uring, fd, SIM_FD_SOCKET, "poll");
    (void)operation_add(uring, SIM_POLL, token, fd);
}

void uring_open(struct uring *uring, struct uring_token token, int directory, const char *path,
                enum uring_symlinks symlinks)
{
    (void)symlinks;
    struct sim_operation *operation = operation_add(uring, SIM_OPEN, token, -1);
    operation->path = path;
    operation->directory = directory;
    operation->checksum = sim_checksum(path, strlen(path), 1);
    delay(uring, operation);
}

static struct sim_operation *read_add(struct uring *uring, struct uring_token token, int fd,
                                      void *data, uint32_t size, uint64_t file_offset)
{
    check_descriptor(uring, fd, SIM_FD_FILE, "read");
    sim_check(size > 0, "an empty read");
    struct sim_operation *operation = operation_add(uring, SIM_READ, token, fd);
    operation->pieces[0] = (struct iovec){ .iov_base = data, .iov_len = size };
    operation->pieces_count = 1;
    operation->size = size;
    operation->file_offset = file_offset;
    delay(uring, operation);
    return operation;
}

void uring_read(struct uring *uring, struct uring_token token, int fd, void *data, uint32_t size,
                uint64_t file_offset)
{
    (void)read_add(uring, token, fd, data, size, file_offset);
}

void uring_read_chunk(struct uring *uring, struct uring_token token, int fd,
                      struct uring_chunk *chunk, uint32_t chunk_offset, uint32_t size,
                      uint64_t file_offset, bool linked)
{
    sim_check(chunk->taken && chunk_offset + size <= chunk->size,
              "read into a chunk's bytes [%u, +%u)", chunk_offset, size);
    struct sim_operation *operation =
        read_add(uring, token, fd, chunk->data + chunk_offset, size, file_offset);
    uring->link_open = linked ? operation : NULL;
}

/* There is no log in the simulation: this is the report of SIGUSR2. */
void uring_write(struct uring *uring, struct uring_token token, int fd, const void *data,
                 uint32_t size)
{
    sim_check(fd == STDERR_FILENO, "a write to %d", fd);
    struct sim_operation *operation = operation_add(uring, SIM_WRITE, token, fd);
    operation->pieces[0] = (struct iovec){ .iov_base = (void *)(uintptr_t)data, .iov_len = size };
    operation->pieces_count = 1;
    operation->size = size;
    operation->checksum = sim_checksum_pieces(operation);
}

/* Nothing is run here: the server's memory is the helper's until it is. */
int uring_offload(struct uring *uring, struct uring_token token, enum uring_urgency urgency,
                  struct uring_work *work)
{
    sim_check(work->run != NULL, "a work without a function");
    sim_check(urgency <= URING_BACKGROUND, "urgency %d", (int)urgency);
    int32_t result = 0;
    if (!sim_take_forced(uring->sim, token.op, &result) &&
        sim_fault(uring->sim, SIM_WORK_REFUSED)) {
        result = -EAGAIN;
    }
    if (result != 0) {
        if (token.op == OP_TASK) {
            sim_client_of_token(uring->sim, token)->has_file_fault = true;
        }
        return result;
    }
    struct sim_operation *operation = operation_add(uring, SIM_WORK, token, -1);
    work->uring = uring;
    work->token = token;
    work->urgency = urgency;
    operation->work = work;
    delay(uring, operation);
    return 0;
}

void uring_timer(struct uring *uring, struct uring_token token, uint32_t milliseconds)
{
    struct sim_operation *operation = operation_add(uring, SIM_TIMER, token, -1);
    operation->due_ms = uring->sim->clock_ms + milliseconds;
}

void uring_cancel(struct uring *uring, struct uring_token token)
{
    sim_check(uring->link_open == NULL, "a cancel inside a link");
    uint64_t wanted = uring_token_pack(token);
    for (uint32_t i = 0; i < uring->operations_end; i++) {
        struct sim_operation *operation = &uring->operations[i];
        if (operation->used && uring_token_pack(operation->token) == wanted) {
            operation->is_cancelled = true;
        }
    }
}

/* --- at once ---------------------------------------------------------------------------------- */

void uring_shutdown(struct uring *uring, int fd, int how)
{
    check_descriptor(uring, fd, SIM_FD_SOCKET, "shutdown");
    struct sim_client *client = &uring->sim->clients[uring->sim->descriptors[fd].index];
    client->is_ended = true;
    client->is_shut = client->is_shut || how == SHUT_RDWR;
}

static void close_descriptor(struct uring *uring, int fd, bool aborts)
{
    sim_check(fd >= 0 && fd < SIM_FDS_MAX, "close of %d", fd);
    struct sim_descriptor *descriptor = &uring->sim->descriptors[fd];
    sim_check(descriptor->kind == SIM_FD_SOCKET || descriptor->kind == SIM_FD_FILE,
              "descriptor %d is closed, and was not open", fd);
    sim_check(!sim_is_pending(uring, fd), "descriptor %d is closed with an operation pending", fd);
    if (descriptor->kind == SIM_FD_SOCKET) {
        sim_client_closed(uring->sim, &uring->sim->clients[descriptor->index], aborts);
    } else {
        sim_check(!aborts, "a file is aborted");
    }
    descriptor->kind = SIM_FD_CLOSED;
}

void uring_close(struct uring *uring, int fd)
{
    close_descriptor(uring, fd, false);
}

void uring_abort(struct uring *uring, int fd)
{
    close_descriptor(uring, fd, true);
}

int uring_peer(struct uring *uring, int fd, struct sockaddr_storage *address)
{
    check_descriptor(uring, fd, SIM_FD_SOCKET, "getpeername");
    memset(address, 0, sizeof(*address));
    return -ENOTCONN;
}

uint64_t uring_acknowledged(struct uring *uring, int fd)
{
    check_descriptor(uring, fd, SIM_FD_SOCKET, "getsockopt");
    return uring->sim->clients[uring->sim->descriptors[fd].index].read_size;
}

uint64_t uring_unsent(struct uring *uring, int fd)
{
    check_descriptor(uring, fd, SIM_FD_SOCKET, "ioctl");
    const struct sim_client *client = &uring->sim->clients[uring->sim->descriptors[fd].index];
    return client->received_size - client->read_size;
}

void uring_allow_waiting(struct uring *uring, int fd)
{
    check_descriptor(uring, fd, SIM_FD_FILE, "fcntl");
}

/* The tree of the model is one; the second root is a directory of it. */
int sim_lookup(const struct uring *uring, int directory, const char *path)
{
    const struct sites *sites = uring->sim->sites;
    uint16_t root = 0;
    while (root < sites_roots_count(sites) && sites_root(sites, root) != directory) {
        root++;
    }
    sim_check(root < 2 && root < sites_roots_count(sites), "a look beneath %d", directory);
    char whole[HTTP_PATH_SIZE_MAX + 1];
    int size = snprintf(whole, sizeof(whole), "%s%s", root > 0 ? SIM_OTHER_ROOT : "", path);
    sim_check(size >= 0 && (size_t)size < sizeof(whole), "too long a path");
    if (root > 0 && path[0] == '\0') {
        whole[size - 1] = '\0';
    }
    return sim_files_open(&uring->sim->files, whole);
}

int uring_stat(struct uring *uring, int fd, struct stat *status)
{
    check_descriptor(uring, fd, SIM_FD_FILE, "fstat");
    sim_files_stat(&uring->sim->files, uring->sim->descriptors[fd].index, status);
    return 0;
}

int uring_stat_path(struct uring *uring, int directory, const char *path,
                    enum uring_symlinks symlinks, struct stat *status)
{
    (void)symlinks;
    int inode = sim_lookup(uring, directory, path);
    if (inode >= 0) {
        sim_files_stat(&uring->sim->files, (uint32_t)inode, status);
    }
    return inode >= 0 ? 0 : inode;
}

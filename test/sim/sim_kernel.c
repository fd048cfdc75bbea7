/* sim_kernel: executes what is queued, as a kernel may: any operation that can go on goes on, in
 * any order but for links; short, refused, interrupted or late where the plan says so. */
#include "sim_kernel.h"

#include <errno.h>
#include <string.h>

struct sim_client *sim_client_of_fd(struct sim *sim, int fd)
{
    sim_check(sim->descriptors[fd].kind == SIM_FD_SOCKET, "descriptor %d is no socket any more",
              fd);
    return &sim->clients[sim->descriptors[fd].index];
}

struct sim_client *sim_client_of_token(struct sim *sim, struct uring_token token)
{
    const struct connection *connection = &sim->worker->connections[token.slot];
    sim_check(connection->generation == token.generation, "an operation of a slot's former life");
    return sim_client_of_fd(sim, connection->fd);
}

void sim_post_result(struct uring *uring, const struct sim_operation *operation, int32_t result,
                     bool more)
{
    struct uring_event event = {
        .token = operation->token,
        .result = result,
        .buffer = URING_BUFFER_NONE,
        .more = more,
    };
    sim_post(uring, &event, operation->fd);
}

void sim_end_operation(struct uring *uring, struct sim_operation *operation, int32_t result)
{
    sim_post_result(uring, operation, result, false);
    operation->used = false;
}

/* --- accepting and receiving ------------------------------------------------------------------ */

static bool finish_if_cancelled(struct uring *uring, struct sim_operation *operation)
{
    /* A target may complete once more before it notices. */
    bool ends = operation->is_cancelled &&
                (uring->sim->plan.orderly || sim_random_chance(&uring->sim->random, 700));
    if (ends) {
        sim_end_operation(uring, operation, -ECANCELED);
    }
    return ends;
}

static uint32_t backlog_take(struct sim *sim)
{
    uint32_t client = sim->backlog[0];
    sim->backlog_count--;
    memmove(sim->backlog, sim->backlog + 1, sim->backlog_count * sizeof(sim->backlog[0]));
    return client;
}

static bool run_accept(struct uring *uring, struct sim_operation *operation)
{
    static const int ERRORS[] = { -EMFILE, -ENFILE, -ECONNABORTED, -ENOMEM };
    struct sim *sim = uring->sim;
    if (finish_if_cancelled(uring, operation)) {
        return true;
    }
    int32_t result;
    if (sim->backlog_count == 0) {
        if (operation->is_cancelled) {
            sim_end_operation(uring, operation, -ECANCELED);
            return true;
        }
        return false;
    }
    if (sim_take_forced(sim, operation->token.op, &result)) {
        sim_end_operation(uring, operation, result);
        return true;
    }
    if (sim_fault(sim, SIM_ACCEPT_ERROR)) {
        sim_end_operation(uring, operation, ERRORS[sim_random_below(&sim->random, 4)]);
        return true;
    }
    int fd = sim_descriptor_take(sim, SIM_FD_SOCKET, sim->backlog[0]);
    if (fd < 0) {
        sim_end_operation(uring, operation, fd);
        return true;
    }
    struct sim_client *client = &sim->clients[backlog_take(sim)];
    client->was_accepted = true;
    client->waiting_ms = sim->clock_ms;
    bool more = !sim_fault(sim, SIM_ACCEPT_END);
    sim_post_result(uring, operation, fd, more);
    operation->used = more;
    return true;
}

/* A provided buffer for the kernel to fill, or URING_BUFFER_NONE. */
static uint16_t buffer_take(struct uring *uring)
{
    for (uint32_t i = 0; i < uring->options.recv_buffers; i++) {
        uint32_t buffer = uring->buffer_next++ % uring->options.recv_buffers;
        if (uring->buffer_states[buffer] == SIM_BUFFER_FREE) {
            uring->buffer_states[buffer] = SIM_BUFFER_FILLED;
            return (uint16_t)buffer;
        }
    }
    return URING_BUFFER_NONE;
}

static void receive(struct uring *uring, struct sim_operation *operation, struct sim_client *client)
{
    struct sim *sim = uring->sim;
    uint16_t buffer = buffer_take(uring);
    if (buffer == URING_BUFFER_NONE) {
        sim_end_operation(uring, operation, -ENOBUFS);
        return;
    }
    uint32_t size = client->sent - client->taken;
    if (size > uring->options.recv_buffer_size) {
        size = uring->options.recv_buffer_size;
    }
    if (!sim->plan.orderly && sim_random_chance(&sim->random, 200)) {
        size = sim_random_between(&sim->random, 1, size);
    }
    memcpy(uring->buffers + (size_t)buffer * uring->options.recv_buffer_size,
           client->script + client->taken, size);
    client->taken += size;
    struct uring_event event = {
        .token = operation->token,
        .result = (int32_t)size,
        .buffer = buffer,
        .more = !sim_fault(sim, SIM_RECV_END),
    };
    sim_post(uring, &event, operation->fd);
    operation->used = event.more;
}

static bool run_recv(struct uring *uring, struct sim_operation *operation)
{
    struct sim *sim = uring->sim;
    struct sim_client *client = sim_client_of_fd(sim, operation->fd);
    int32_t result;
    if (sim_take_forced(sim, operation->token.op, &result)) {
        sim_end_operation(uring, operation, result);
    } else if (finish_if_cancelled(uring, operation)) {
        return true;
    } else if (client->has_reset || client->is_broken) {
        sim_end_operation(uring, operation, -ECONNRESET);
    } else if (client->is_shut) {
        sim_end_operation(uring, operation, 0);
    } else if (client->taken < client->sent) {
        if (sim_fault(sim, SIM_RECV_ERROR)) {
            client->is_broken = true;
            client->is_ended = true;
            client->excuse = "its recv failed";
            sim_end_operation(uring, operation, -ECONNRESET);
        } else {
            receive(uring, operation, client);
        }
    } else if (client->is_half_closed) {
        sim_end_operation(uring, operation, 0);
    } else if (operation->is_cancelled) {
        sim_end_operation(uring, operation, -ECANCELED);
    } else {
        return false;
    }
    return true;
}

/* --- files ------------------------------------------------------------------------------------ */

static bool run_open(struct uring *uring, struct sim_operation *operation)
{
    struct sim *sim = uring->sim;
    sim_check(sim_checksum(operation->path, strlen(operation->path), 1) == operation->checksum,
              "a path changed while it was being opened");
    struct sim_client *client = sim_client_of_token(sim, operation->token);
    int32_t result = 0;
    if (sim_take_forced(sim, operation->token.op, &result)) {
        client->has_file_fault = true;
    } else if (sim_fault(sim, SIM_OPEN_AGAIN)) {
        client->has_file_fault = true;
        result = sim_random_chance(&sim->random, 500) ? -EAGAIN : -EINTR;
    } else if (sim_fault(sim, SIM_OPEN_ERROR)) {
        client->has_file_fault = true;
        result = sim_random_chance(&sim->random, 500) ? -ENFILE : -ENOMEM;
    } else {
        result = sim_lookup(uring, operation->directory, operation->path);
        if (result >= 0) {
            result = sim_descriptor_take(sim, SIM_FD_FILE, (uint32_t)result);
            client->has_file_fault = client->has_file_fault || result < 0;
        }
    }
    sim_end_operation(uring, operation, result);
    return true;
}

/* What a fault makes of a read: a shorter size, or an error. */
static int32_t read_limit(struct uring *uring, const struct sim_operation *operation)
{
    struct sim *sim = uring->sim;
    int32_t result = (int32_t)operation->size;
    struct sim_client *client = sim_client_of_token(sim, operation->token);
    client->has_loads = client->has_loads || operation->token.op == OP_LOAD;
    if (sim_take_forced(sim, operation->token.op, &result)) {
        /* as told */
    } else if (operation->size > 1 && sim_fault(sim, SIM_SHORT_READ)) {
        result = (int32_t)sim_random_between(&sim->random, 1, operation->size - 1);
    } else if (sim_fault(sim, SIM_READ_AGAIN)) {
        result = sim_random_chance(&sim->random, 500) ? -EAGAIN : -EINTR;
    } else if (sim_fault(sim, SIM_READ_ERROR)) {
        result = -EIO;
    }
    if (result < 0 && result != -EAGAIN && result != -EINTR) {
        client->has_load_fault = client->has_load_fault || operation->token.op == OP_LOAD;
        client->has_file_fault = client->has_file_fault || operation->token.op == OP_FILL;
    }
    return result;
}

static bool run_read(struct uring *uring, struct sim_operation *operation)
{
    struct sim *sim = uring->sim;
    const struct sim_descriptor *descriptor = &sim->descriptors[operation->fd];
    sim_check(descriptor->kind == SIM_FD_FILE, "a read of descriptor %d, which is no file any more",
              operation->fd);
    int32_t result = read_limit(uring, operation);
    if (result > 0) {
        result = (int32_t)sim_files_read(&sim->files, descriptor->index, operation->file_offset,
                                         operation->pieces[0].iov_base, (uint32_t)result);
    }
    struct sim_operation *link = operation->link;
    if (link != NULL) {
        link->waits_for_link = false;
        link->is_doomed = result != (int32_t)operation->size;
    }
    sim_end_operation(uring, operation, result);
    return true;
}

static bool run_write(struct uring *uring, struct sim_operation *operation)
{
    sim_check(sim_checksum_pieces(operation) == operation->checksum,
              "the memory of a write changed before its result");
    int32_t result = (int32_t)operation->size;
    if (sim_fault(uring->sim, SIM_SHORT_SEND)) {
        result = (int32_t)sim_random_between(&uring->sim->random, 1, operation->size);
    } else if (sim_fault(uring->sim, SIM_SEND_AGAIN)) {
        result = sim_random_chance(&uring->sim->random, 500) ? -EAGAIN : -EINTR;
    }
    sim_end_operation(uring, operation, operation->is_cancelled ? -ECANCELED : result);
    return true;
}

/* A helper: not the kernel, but it is as free in when it does what. */
static bool run_work(struct uring *uring, struct sim_operation *operation)
{
    struct uring_work *work = operation->work;
    sim_check(uring_token_pack(work->token) == uring_token_pack(operation->token),
              "the memory of a work changed before it ran");
    work->run(work);
    sim_end_operation(uring, operation, 0);
    return true;
}

/* --- choosing --------------------------------------------------------------------------------- */

static bool run(struct uring *uring, struct sim_operation *operation)
{
    if (operation->waits_for_link || operation->due_ms > uring->sim->clock_ms) {
        return false;
    }
    switch (operation->kind) {
    case SIM_ACCEPT:
        return run_accept(uring, operation);
    case SIM_RECV:
        return run_recv(uring, operation);
    case SIM_SEND:
    case SIM_SEND_ZERO_COPY:
        return sim_run_send(uring, operation);
    case SIM_POLL:
        return sim_run_poll(uring, operation);
    case SIM_OPEN:
        return run_open(uring, operation);
    case SIM_READ:
        return run_read(uring, operation);
    case SIM_TIMER:
        sim_end_operation(uring, operation, -ETIME);
        return true;
    case SIM_WRITE:
        return run_write(uring, operation);
    case SIM_WORK:
        return run_work(uring, operation);
    case SIM_POLL_WATCH:
        break; /* at once: sim_watch_look() */
    }
    return false;
}

bool sim_kernel_step(struct uring *uring)
{
    uint32_t end = uring->operations_end;
    uint32_t first =
        uring->sim->plan.orderly || end == 0 ? 0 : sim_random_below(&uring->sim->random, end);
    for (uint32_t i = 0; i < end; i++) {
        struct sim_operation *operation = &uring->operations[(first + i) % end];
        if (operation->used && run(uring, operation)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < uring->notices_count; i++) {
        if (sim_run_notice(uring, &uring->notices[i])) {
            return true;
        }
    }
    return false;
}

uint64_t sim_kernel_next_ms(const struct uring *uring)
{
    uint64_t next = UINT64_MAX;
    uint64_t now = uring->sim->clock_ms;
    for (uint32_t i = 0; i < uring->operations_end; i++) {
        const struct sim_operation *operation = &uring->operations[i];
        if (operation->used && operation->due_ms > now && operation->due_ms < next) {
            next = operation->due_ms;
        }
    }
    for (uint32_t i = 0; i < uring->notices_count; i++) {
        const struct sim_notice *notice = &uring->notices[i];
        if (notice->used && notice->due_ms > now && notice->due_ms < next) {
            next = notice->due_ms;
        }
    }
    return next;
}

/* sim_send: the sending half of the kernel: sockets that fill up, peers that are gone, and memory
 * that is the kernel's until its notice. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "sim_kernel.h"

static void notice_add(struct uring *uring, const struct sim_operation *operation,
                       const struct sim_client *client)
{
    struct sim *sim = uring->sim;
    uint32_t i = 0;
    while (i < uring->notices_count && uring->notices[i].used) {
        i++;
    }
    sim_check(i < SIM_NOTICES_MAX, "too many notices");
    if (i == uring->notices_count) {
        uring->notices_count++;
    }
    uring->notices[i] = (struct sim_notice){
        .used = true,
        .token = operation->token,
        .client = client->index,
        .position = client->received_size,
        .due_ms = sim->clock_ms + sim_random_below(&sim->random, sim->plan.notice_delay_ms_max + 1),
        .data = operation->pieces[0].iov_base,
        .size = operation->done_size,
        .checksum = sim_checksum(operation->pieces[0].iov_base, operation->done_size, 1),
    };
}

/* A failed send may say that no notice comes, and then one does: at once, before anything else can
 * use the memory. Told apart from another notice of the same chunk only when none is owed. */
static void post_stray(struct uring *uring, const struct sim_operation *operation)
{
    uint64_t token = uring_token_pack(operation->token);
    for (uint32_t i = 0; i < uring->notices_count; i++) {
        if (uring->notices[i].used && uring_token_pack(uring->notices[i].token) == token) {
            return;
        }
    }
    struct uring_event event = {
        .token = operation->token,
        .buffer = URING_BUFFER_NONE,
        .notice = true,
    };
    sim_post(uring, &event, -1);
}

/* The result of a send of either kind. The kernel owes a notice as soon as it has seen the memory,
 * and at its whim when it refused to. */
static void finish_send(struct uring *uring, struct sim_operation *operation, int32_t result)
{
    struct sim *sim = uring->sim;
    if (operation->has_started) {
        sim_check(sim_checksum_pieces(operation) == operation->checksum,
                  "the memory of a send changed before its result");
    }
    bool owes = operation->kind == SIM_SEND_ZERO_COPY && operation->has_started &&
                (result > 0 || sim_random_chance(&sim->random, 500));
    if (owes) {
        notice_add(uring, operation, sim_client_of_fd(sim, operation->fd));
    }
    sim_post_result(uring, operation, result, owes);
    operation->used = false;
    if (operation->kind == SIM_SEND_ZERO_COPY && result == -ENOMEM && !owes) {
        post_stray(uring, operation);
    }
}

/* Hands the next `size` bytes of the operation to the peer. */
static void deliver(struct sim_operation *operation, struct sim_client *client, uint32_t size)
{
    uint32_t skip = operation->done_size;
    operation->done_size += size;
    for (uint32_t i = 0; i < operation->pieces_count && size > 0; i++) {
        const struct iovec *piece = &operation->pieces[i];
        if (skip >= piece->iov_len) {
            skip -= (uint32_t)piece->iov_len;
            continue;
        }
        uint32_t here = (uint32_t)piece->iov_len - skip;
        here = here < size ? here : size;
        sim_client_receive(client, (const char *)piece->iov_base + skip, here);
        size -= here;
        skip = 0;
    }
}

/* The peer or the line is gone, or a fault says so. */
static bool send_breaks(struct uring *uring, struct sim_operation *operation,
                        struct sim_client *client)
{
    int32_t result;
    if (client->has_reset || client->is_broken) {
        result = -ECONNRESET;
    } else if (client->is_ended || (client->is_half_closed && client->state == SIM_GONE)) {
        result = -EPIPE;
    } else if (sim_fault(uring->sim, SIM_SEND_ERROR)) {
        client->is_broken = true;
        client->is_ended = true;
        client->excuse = "a send to it failed";
        result = -ECONNRESET;
    } else {
        return false;
    }
    finish_send(uring, operation,
                operation->done_size > 0 ? (int32_t)operation->done_size : result);
    return true;
}

static bool send_is_refused(struct uring *uring, struct sim_operation *operation)
{
    static const int REFUSALS[] = { -EOPNOTSUPP, -EINVAL, -ENOMEM, -ENOBUFS };
    struct sim *sim = uring->sim;
    int32_t result;
    if (operation->done_size > 0) {
        return false;
    }
    if (sim_take_forced(sim, operation->token.op, &result) && result < 0) {
        finish_send(uring, operation, result);
        return true;
    }
    if (operation->kind == SIM_SEND_ZERO_COPY && sim_fault(sim, SIM_ZERO_COPY_REFUSED)) {
        finish_send(uring, operation, REFUSALS[sim_random_below(&sim->random, 4)]);
        return true;
    }
    if (sim_fault(sim, SIM_SEND_AGAIN)) {
        finish_send(uring, operation, sim_random_chance(&sim->random, 500) ? -EAGAIN : -EINTR);
        return true;
    }
    return false;
}

bool sim_run_send(struct uring *uring, struct sim_operation *operation)
{
    struct sim *sim = uring->sim;
    if (operation->is_doomed) {
        finish_send(uring, operation, -ECANCELED);
        return true;
    }
    if (!operation->has_started) {
        operation->has_started = true;
        operation->checksum = sim_checksum_pieces(operation);
    }
    struct sim_client *client = sim_client_of_fd(sim, operation->fd);
    if (send_breaks(uring, operation, client) || send_is_refused(uring, operation)) {
        return true;
    }
    uint32_t left = operation->size - operation->done_size;
    uint32_t room = sim_client_room(client);
    uint32_t size = left < room ? left : room;
    bool is_short = size > 1 && sim_fault(sim, SIM_SHORT_SEND);
    if (is_short) {
        size = sim_random_between(&sim->random, 1, size - 1);
    }
    deliver(operation, client, size);
    bool is_nowait = (operation->flags & URING_SEND_NOWAIT) != 0;
    if (operation->done_size == operation->size || is_short || (is_nowait && size > 0)) {
        finish_send(uring, operation, (int32_t)operation->done_size);
    } else if (is_nowait) {
        finish_send(uring, operation, -EAGAIN);
    } else {
        return size > 0;
    }
    return true;
}

bool sim_run_poll(struct uring *uring, struct sim_operation *operation)
{
    struct sim_client *client = sim_client_of_fd(uring->sim, operation->fd);
    bool is_gone = client->has_reset || client->is_broken || client->is_ended;
    if (!is_gone && sim_client_room(client) * 3 < client->manner.window) {
        return false;
    }
    sim_end_operation(uring, operation, is_gone ? POLLOUT | POLLERR | POLLHUP : POLLOUT);
    return true;
}

/* The peer has read the bytes, or will never: its memory is free, and must be as it was. */
bool sim_run_notice(struct uring *uring, struct sim_notice *notice)
{
    struct sim *sim = uring->sim;
    const struct sim_client *client = &sim->clients[notice->client];
    bool is_over = client->read_size >= notice->position || client->has_reset ||
                   client->is_broken || client->has_lost || client->state == SIM_GONE ||
                   (client->is_closed && client->was_aborted);
    if (!notice->used || notice->due_ms > sim->clock_ms || !is_over) {
        return false;
    }
    sim_check(sim_checksum(notice->data, notice->size, 1) == notice->checksum,
              "the memory of a zero-copy send changed before its notice");
    struct uring_event event = {
        .token = notice->token,
        .buffer = URING_BUFFER_NONE,
        .notice = true,
        .copied = sim_fault(sim, SIM_COPIED),
    };
    sim_post(uring, &event, -1);
    notice->used = false;
    return true;
}

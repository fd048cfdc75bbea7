/* sim_client: how a peer behaves. It does one thing a step: connect, read, write, end. */
#include "sim_client.h"

#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum {
    RECV_WINDOW = 65536 /* of the server's socket */
};

static uint32_t script_limit(const struct sim_client *client)
{
    uint32_t limit = client->script_size;
    if (client->answered_count < client->requests_count) {
        const struct sim_request *request = &client->requests[client->answered_count];
        if (!client->manner.is_pipelining) {
            limit = request->end;
        }
        if (request->continue_at > 0 && !request->is_continued && limit > request->continue_at) {
            limit = request->continue_at;
        }
    }
    /* A later request that waits for its 100 stops the script, too. */
    for (uint32_t i = client->answered_count + 1; i < client->requests_count; i++) {
        const struct sim_request *request = &client->requests[i];
        if (request->continue_at > 0 && limit > request->continue_at) {
            limit = request->continue_at;
        }
    }
    uint32_t stop = client->manner.stops_at;
    return stop > 0 && stop < limit ? stop : limit;
}

static bool can_write(const struct sim_client *client)
{
    return !client->is_half_closed && client->sent < script_limit(client) &&
           (client->is_closed || client->sent - client->taken < RECV_WINDOW);
}

static bool has_written_all(const struct sim_client *client)
{
    uint32_t stop = client->manner.stops_at;
    return client->sent == client->script_size || (stop > 0 && client->sent >= stop);
}

static bool can_read(const struct sim_client *client)
{
    return client->read_size < client->received_size && !client->manner.never_reads &&
           (!client->manner.reads_late || has_written_all(client) || client->is_ended);
}

static bool wants_half_close(const struct sim_client *client)
{
    return client->manner.half_closes && !client->is_half_closed && has_written_all(client);
}

static bool is_satisfied(const struct sim_client *client)
{
    return client->answered_count == client->requests_count && !client->manner.stays &&
           client->read_size == client->received_size;
}

/* The server's host answers bytes for a closed socket with a reset, which may eat what the client
 * has not read. */
static void lose_unread(struct sim *sim, struct sim_client *client)
{
    size_t unread = client->received_size - client->read_size;
    if (unread > 0 && (sim->plan.orderly || sim_random_chance(&sim->random, 500))) {
        client->received_size -= 1 + sim_random_below(&sim->random, (uint32_t)unread);
        client->has_lost = true;
    }
}

static void mark_sent(struct sim *sim, struct sim_client *client, uint32_t from)
{
    for (uint32_t i = client->answered_count; i < client->requests_count; i++) {
        struct sim_request *request = &client->requests[i];
        if (request->start >= from && request->start < client->sent) {
            request->started_ms = sim->clock_ms;
        }
        if (request->end > from && request->end <= client->sent) {
            request->complete_ms = sim->clock_ms;
            request->stamp = sim->files.stamp;
        }
    }
}

static void do_write(struct sim *sim, struct sim_client *client)
{
    uint32_t from = client->sent;
    uint32_t size = script_limit(client) - from;
    uint32_t size_max = client->manner.write_size_max;
    if (size > size_max) {
        size = sim_random_between(&sim->random, 1, size_max);
    }
    client->sent += size;
    mark_sent(sim, client, from);
    if (client->is_closed) {
        lose_unread(sim, client);
        client->is_half_closed = true; /* broken: nothing more can be sent */
        return;
    }
    if (client->manner.write_pause_ms > 0) {
        client->wake_write_ms =
            sim->clock_ms + sim_random_below(&sim->random, client->manner.write_pause_ms + 1);
    }
}

static void do_read(struct sim *sim, struct sim_client *client)
{
    size_t unread = client->received_size - client->read_size;
    uint32_t size = client->manner.read_size_max;
    if (!sim->plan.orderly) {
        size = sim_random_between(&sim->random, 1, size);
    }
    client->read_size += unread < size ? unread : size;
    client->waiting_ms = sim->clock_ms;
    if (client->manner.read_pause_ms > 0) {
        client->wake_read_ms =
            sim->clock_ms + sim_random_between(&sim->random, 1, client->manner.read_pause_ms);
    }
    sim_check_responses(sim, client);
}

static void do_reset(struct sim_client *client, const char *why)
{
    client->excuse = why;
    client->has_reset = true;
    client->state = SIM_GONE;
}

static bool step_end(struct sim *sim, struct sim_client *client)
{
    const struct sim_manner *manner = &client->manner;
    if (client->is_ended && (client->read_size == client->received_size || manner->never_reads)) {
        if (manner->never_reads || (manner->reads_late && !has_written_all(client))) {
            client->excuse = "it does not read";
        }
        sim_check_end(sim, client);
        client->is_half_closed = true;
        client->state = SIM_GONE;
        return true;
    }
    if (manner->resets_at > 0 && client->read_size >= manner->resets_at) {
        do_reset(client, "it reset the connection");
        return true;
    }
    if (manner->patience_ms > 0 && sim->clock_ms >= client->connected_ms + manner->patience_ms) {
        do_reset(client, "it ran out of patience");
        return true;
    }
    if (is_satisfied(client) && !can_write(client)) {
        client->is_half_closed = true; /* close(2): it reads no more, but owes nothing */
        client->state = SIM_GONE;
        return true;
    }
    return false;
}

static bool step_connect(struct sim *sim, struct sim_client *client)
{
    if (sim->clock_ms < client->manner.arrives_ms) {
        return false;
    }
    client->state = SIM_CONNECTED;
    client->connected_ms = sim->clock_ms;
    client->waiting_ms = sim->clock_ms;
    sim->backlog[sim->backlog_count++] = client->index;
    return true;
}

bool sim_client_step(struct sim *sim, struct sim_client *client)
{
    if (client->state == SIM_AWAY) {
        return step_connect(sim, client);
    }
    if (client->state == SIM_GONE) {
        return false;
    }
    if (step_end(sim, client)) {
        return true;
    }
    bool reads = can_read(client) && sim->clock_ms >= client->wake_read_ms;
    bool writes = can_write(client) && sim->clock_ms >= client->wake_write_ms;
    if (reads && (!writes || sim_random_chance(&sim->random, 500))) {
        do_read(sim, client);
        return true;
    }
    if (writes) {
        do_write(sim, client);
        client->waiting_ms = sim->clock_ms;
        return true;
    }
    if (wants_half_close(client)) {
        client->is_half_closed = true;
        return true;
    }
    return false;
}

uint64_t sim_client_next_ms(const struct sim_client *client)
{
    uint64_t next = UINT64_MAX;
    if (client->state == SIM_AWAY) {
        return client->manner.arrives_ms;
    }
    if (client->state == SIM_CONNECTED) {
        if (can_read(client) && client->wake_read_ms < next) {
            next = client->wake_read_ms;
        }
        if (can_write(client) && client->wake_write_ms < next) {
            next = client->wake_write_ms;
        }
        uint64_t patience = client->connected_ms + client->manner.patience_ms;
        if (client->manner.patience_ms > 0 && patience < next) {
            next = patience;
        }
    }
    return next;
}

bool sim_client_is_waiting(const struct sim_client *client)
{
    if (client->state != SIM_CONNECTED || !client->was_accepted || client->excuse != NULL ||
        client->is_ended || client->manner.never_reads || client->manner.reads_late ||
        client->answered_count == client->requests_count || client->says_close) {
        return false;
    }
    const struct sim_request *request = &client->requests[client->answered_count];
    bool waits_to_go_on =
        request->continue_at > 0 && client->sent == request->continue_at && !request->is_continued;
    return (client->sent >= request->end || waits_to_go_on) &&
           client->read_size == client->received_size;
}

uint32_t sim_client_room(const struct sim_client *client)
{
    if (client->state == SIM_GONE) {
        return client->manner.window;
    }
    size_t unread = client->received_size - client->read_size;
    return unread < client->manner.window ? client->manner.window - (uint32_t)unread : 0;
}

void sim_client_receive(struct sim_client *client, const char *data, uint32_t size)
{
    size_t wanted = client->received_size + size;
    if (wanted > client->received_capacity) {
        client->received_capacity = 2 * wanted;
        client->received = realloc(client->received, client->received_capacity);
        sim_check(client->received != NULL, "out of memory");
    }
    memcpy(client->received + client->received_size, data, size);
    client->received_size = wanted;
    if (client->state == SIM_GONE) {
        client->read_size = wanted;
    }
}

void sim_client_closed(struct sim *sim, struct sim_client *client, bool aborts)
{
    client->is_closed = true;
    client->is_ended = true;
    client->was_aborted = aborts;
    if (aborts || client->taken < client->sent) {
        lose_unread(sim, client);
        client->is_half_closed = true;
    }
}

/* sim_events: receive buffers and events on their way to the server, and what it is told in one
 * batch: as little or as much as chance says. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

enum {
    POISON = 0xa5
};

/* --- memory ----------------------------------------------------------------------------------- */

const char *uring_recv_data(const struct uring *uring, uint16_t buffer)
{
    sim_check(buffer < uring->options.recv_buffers, "buffer %u", buffer);
    sim_check(uring->buffer_states[buffer] == SIM_BUFFER_HELD, "buffer %u is not the server's",
              buffer);
    return uring->buffers + (size_t)buffer * uring->options.recv_buffer_size;
}

void uring_recv_release(struct uring *uring, uint16_t buffer)
{
    char *data = (char *)(uintptr_t)uring_recv_data(uring, buffer);
    memset(data, POISON, uring->options.recv_buffer_size);
    uring->buffer_states[buffer] = SIM_BUFFER_FREE;
    uring->buffers_held--;
}

uint32_t uring_recv_free_count(const struct uring *uring)
{
    return uring->options.recv_buffers - uring->buffers_held;
}

int uring_slab_register(struct uring *uring, void *data, size_t size)
{
    (void)data;
    (void)size;
    if (uring->sim->plan.slabs_are_plain) {
        uring->counters.slabs_plain++;
        return -ENOMEM;
    }
    uring->counters.slabs_registered++;
    return (int)uring->slabs_count++;
}

/* --- events ----------------------------------------------------------------------------------- */

void sim_post(struct uring *uring, const struct uring_event *event, int fd)
{
    sim_check(uring->events_count < SIM_EVENTS_MAX, "too many events");
    uint32_t index = (uring->events_first + uring->events_count++) % SIM_EVENTS_MAX;
    uring->events[index] = (struct sim_event){ .event = *event, .fd = fd };
}

bool sim_is_pending(const struct uring *uring, int fd)
{
    for (uint32_t i = 0; i < uring->operations_end; i++) {
        if (uring->operations[i].used && uring->operations[i].fd == fd) {
            return true;
        }
    }
    for (uint32_t i = 0; i < uring->events_count; i++) {
        if (uring->events[(uring->events_first + i) % SIM_EVENTS_MAX].fd == fd) {
            return true;
        }
    }
    return false;
}

/* How much is to happen before the server gets to see it. */
static uint32_t batch_size(struct sim *sim, size_t events_max)
{
    uint32_t size = (uint32_t)events_max;
    if (!sim->plan.orderly) {
        uint32_t limits[] = { 1, 4, 32, size };
        size = limits[sim_random_below(&sim->random, 4)];
        size = sim_random_between(&sim->random, 1, size < events_max ? size : (uint32_t)events_max);
    }
    return size;
}

/* Bytes that a connection is told of in time, before it has decided to close, are to be answered.
 */
static void hold_buffer(struct uring *uring, const struct sim_event *told)
{
    const struct uring_event *event = &told->event;
    struct sim *sim = uring->sim;
    uring->buffer_states[event->buffer] = SIM_BUFFER_HELD;
    uring->buffers_held++;
    if (sim->worker->connections[event->token.slot].state == CONNECTION_OPEN) {
        sim->clients[sim->descriptors[told->fd].index].told += (uint32_t)event->result;
    }
}

static void trace(const struct sim *sim, const struct sim_event *told)
{
    const struct uring_event *event = &told->event;
    printf("# %8" PRIu64 " ms %s slot %u fd %d: %d%s%s\n", sim->clock_ms,
           OP_TABLE[event->token.op].name, event->token.slot, told->fd, event->result,
           event->more ? " more" : "", event->notice ? " notice" : "");
}

int uring_wait(struct uring *uring, struct uring_event *events, size_t events_max)
{
    struct sim *sim = uring->sim;
    sim_check(uring->link_open == NULL, "a link without its second operation");
    uring->counters.waits++;
    uint32_t wanted = batch_size(sim, events_max);
    while (uring->events_count < wanted && !sim->is_quiet) {
        if (sim_step_world(sim)) {
            continue;
        }
        if (uring->events_count > 0) {
            break;
        }
        sim_pass_time(sim);
    }
    uint32_t count = uring->events_count < wanted ? uring->events_count : wanted;
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_event *told = &uring->events[uring->events_first];
        events[i] = told->event;
        if (sim->plan.traces) {
            trace(sim, told);
        }
        if (told->event.buffer != URING_BUFFER_NONE) {
            hold_buffer(uring, told);
        }
        uring->events_first = (uring->events_first + 1) % SIM_EVENTS_MAX;
    }
    uring->events_count -= count;
    uring->counters.events += count;
    return (int)count;
}

/* sim_watch: server/watch.h over the model files, linked in place of inotify.
 *
 * The order is the kernel's: a change is told before anything that is sent after it, when the poll
 * is armed; else as soon as it is. */
#include "server/watch.h"

#include "sim_kernel.h"

void watch_create(struct watch *watch, struct uring *uring, bool enabled)
{
    *watch = (struct watch){ .uring = uring, .fd = enabled ? (int)SIM_FD_WATCH : -1 };
}

void watch_destroy(struct watch *watch)
{
    watch->fd = -1;
}

void watch_start(struct watch *watch)
{
    if (watch->fd >= 0) {
        sim_check(!watch->polling, "the watch is polled twice");
        watch->polling = true;
        uring_poll_readable(watch->uring, (struct uring_token){ .op = OP_WATCH }, watch->fd);
    }
}

bool watch_path(struct watch *watch, int root, const char *path)
{
    struct sim *sim = *sim_current();
    (void)root;
    (void)path;
    if (watch->fd < 0 || sim_random_chance(&sim->random, sim->plan.watch_failures)) {
        return false;
    }
    sim->watches_root = true;
    return true;
}

static void take_events(struct watch *watch)
{
    struct sim *sim = *sim_current();
    watch->epoch += sim->watch_has_events;
    watch->generation += sim->watch_forgets;
    sim->watch_has_events = false;
    sim->watch_forgets = false;
}

void watch_look(struct watch *watch, uint64_t batch)
{
    if (watch->looked_batch != batch) {
        watch->looked_batch = batch;
        take_events(watch);
    }
}

void watch_handle_poll(struct watch *watch, const struct uring_event *event)
{
    (void)event;
    watch->polling = false;
    take_events(watch);
    watch_start(watch);
}

void sim_watch_look(struct sim *sim)
{
    if (sim->watch_stamp != sim->files.stamp) {
        sim->watch_stamp = sim->files.stamp;
        sim->watch_has_events = sim->watch_has_events || sim->watches_root;
        /* A directory that moved takes its watch along: what changes next is seen no more. */
        if (sim->watches_root && sim_random_chance(&sim->random, sim->plan.watch_forgetting)) {
            sim->watch_forgets = true;
            sim->watches_root = false;
        }
    }
    for (uint32_t i = 0; sim->watch_has_events && i < sim->uring->operations_end; i++) {
        struct sim_operation *operation = &sim->uring->operations[i];
        if (operation->used && operation->kind == SIM_POLL_WATCH) {
            sim_end_operation(sim->uring, operation, 1);
        }
    }
}

/* sim: makes the world, turns it, and proves at the end that nothing is left over. */
#include "sim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEPS_MAX = 400000,     /* batches of one run: more is a server that spins */
    STEPS_IDLE_MAX = 20000, /* of them without time passing */
};

static struct sim **const CURRENT = &(struct sim *){ NULL };

struct sim **sim_current(void)
{
    return CURRENT;
}

void sim_fail(const char *format, ...)
{
    const struct sim *sim = *sim_current();
    va_list arguments;
    va_start(arguments, format);
    printf("# seed %" PRIu64 ", %" PRIu64 " ms: ", sim != NULL ? sim->plan.seed : 0,
           sim != NULL ? sim->clock_ms : 0);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    fflush(stdout);
    abort();
}

/* --- chance ----------------------------------------------------------------------------------- */

bool sim_fault(struct sim *sim, enum sim_fault fault)
{
    return !sim->faults_are_off && sim_random_chance(&sim->random, sim->plan.faults[fault]);
}

void sim_force(struct sim *sim, enum op op, int32_t result, uint32_t skip)
{
    uint32_t i = 0;
    while (i < SIM_FORCED_MAX && sim->forced[i].used) {
        i++;
    }
    sim_check(i < SIM_FORCED_MAX, "too many forced results");
    sim->forced[i] = (struct sim_forced){ .used = true, .op = op, .result = result, .skip = skip };
}

bool sim_take_forced(struct sim *sim, uint8_t op, int32_t *result)
{
    for (uint32_t i = 0; i < SIM_FORCED_MAX; i++) {
        struct sim_forced *forced = &sim->forced[i];
        if (!forced->used || forced->op != op) {
            continue;
        }
        if (forced->skip > 0) {
            forced->skip--;
            return false;
        }
        *result = forced->result;
        forced->used = false;
        return true;
    }
    return false;
}

/* --- descriptors ------------------------------------------------------------------------------ */

int sim_descriptor_take(struct sim *sim, enum sim_descriptor_kind kind, uint32_t index)
{
    for (uint32_t fd = 0; fd < sim->plan.descriptors_max; fd++) {
        if (sim->descriptors[fd].kind == SIM_FD_CLOSED) {
            sim->descriptors[fd] = (struct sim_descriptor){ .kind = kind, .index = index };
            return (int)fd;
        }
    }
    return -EMFILE;
}

uint32_t sim_descriptors_count(const struct sim *sim, enum sim_descriptor_kind kind)
{
    uint32_t count = 0;
    for (uint32_t fd = 0; fd < SIM_FDS_MAX; fd++) {
        count += sim->descriptors[fd].kind == kind;
    }
    return count;
}

/* --- making ----------------------------------------------------------------------------------- */

void sim_plan_init(struct sim_plan *plan, uint64_t seed)
{
    *plan = (struct sim_plan){
        .seed = seed,
        .connections_max = 32,
        .cached_files_max = 16,
        .descriptors_max = 256,
        .stall_ms = 3000,
        .orderly = true,
    };
    struct conf *conf = plan->conf = malloc(sizeof(*conf));
    sim_check(conf != NULL, "out of memory");
    conf_init(conf);
    conf->magic = CONF_OFF;
    conf->zerocopy = CONF_OFF;
    conf->ring_entries = 64;
    conf->recv_buffers = 64;
    conf->recv_buffer_bytes = 4096;
    conf->chunk_bytes = 65536;
    conf->chunks_max = 8;
    conf->body_max_bytes = 32768;
    conf->head_timeout_ms = 5000;
    conf->body_timeout_ms = 5000;
    conf->keepalive_timeout_ms = 20000;
    conf->send_timeout_ms = 10000;
    conf->linger_timeout_ms = 2000;
    conf->shutdown_timeout_ms = 30000;
}

void sim_plan_configure(struct sim_plan *plan, const char *text)
{
    struct conf_errors *errors = malloc(sizeof(*errors));
    sim_check(errors != NULL, "out of memory");
    bool parsed = conf_parse(text, strlen(text), plan->conf, errors);
    sim_check(parsed, "line %u: %s", errors->errors[0].line, errors->errors[0].text);
    free(errors);
}

static void open_worker(struct sim *sim)
{
    sim->types = calloc(1, sizeof(*sim->types));
    sim->worker = calloc(1, sizeof(*sim->worker));
    sim_check(sim->types != NULL && sim->worker != NULL, "out of memory");
    http_type_table_init(sim->types);
    http_type_table_add_builtin(sim->types);
    struct conf *conf = sim->plan.conf;
    memcpy(conf->root, "/", 2); /* only its descriptor counts: the files are the model's */
    int error = sites_create(conf, stderr, &sim->sites);
    sim_check(error == 0, "sites_create: %d", error);
    sim->settings = (struct worker_settings){
        .conf = conf,
        .types = sim->types,
        .sites = sim->sites,
        .budget = { .connections_max = sim->plan.connections_max,
                    .cached_files_max = sim->plan.cached_files_max,
                    .ring_entries = conf->ring_entries,
                    .completions = 4 * conf->ring_entries,
                    .recv_buffers = conf->recv_buffers },
        .listeners_count = 1,
        .listeners = { SIM_FD_LISTENER },
    };
    error = worker_create(sim->worker, &sim->settings);
    sim_check(error == 0, "worker_create: %d", error);
    worker_start(sim->worker);
}

struct sim *sim_open(const struct sim_plan *plan)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    sim_check(sim != NULL, "out of memory");
    *sim_current() = sim;
    sim->plan = *plan;
    sim->random.state = plan->seed;
    sim->clock_ms = 1000;
    sim->clock_limit_ms = sim->clock_ms;
    sim->clients = calloc(SIM_CLIENTS_MAX, sizeof(*sim->clients));
    sim_check(sim->clients != NULL, "out of memory");
    for (int fd = 0; fd <= SIM_FD_WATCH; fd++) {
        sim->descriptors[fd].kind = SIM_FD_RESERVED;
    }
    sim_files_init(&sim->files);
    sim->files.focus = plan->focus;
    open_worker(sim);
    return sim;
}

/* --- turning ---------------------------------------------------------------------------------- */

static bool step_clients(struct sim *sim)
{
    uint32_t count = sim->clients_count;
    uint32_t first = sim->plan.orderly || count == 0 ? 0 : sim_random_below(&sim->random, count);
    for (uint32_t i = 0; i < count; i++) {
        if (sim_client_step(sim, &sim->clients[(first + i) % count])) {
            return true;
        }
    }
    return false;
}

bool sim_step_world(struct sim *sim)
{
    if (sim->changes_done < sim->plan.changes_max &&
        sim_random_chance(&sim->random, sim->plan.changes)) {
        sim->changes_done++;
        sim_files_change_any(&sim->files, &sim->random, sim->clock_ms);
    }
    sim_watch_look(sim);
    if (sim_random_chance(&sim->random, 500)) {
        return step_clients(sim) || sim_kernel_step(sim->uring);
    }
    return sim_kernel_step(sim->uring) || step_clients(sim);
}

/* Accepted, but there is no slot for it yet: it waits for others, however long they take. */
static bool is_parked(const struct sim *sim, uint32_t client)
{
    const struct acceptor *acceptor = &sim->worker->acceptor;
    for (uint32_t i = 0; i < acceptor->parked_count; i++) {
        uint32_t index = (acceptor->parked_first + i) % acceptor->parked_max;
        const struct sim_descriptor *descriptor = &sim->descriptors[acceptor->parked[index].fd];
        if (descriptor->index == client) {
            return true;
        }
    }
    return false;
}

/* Nothing happens before time passes: whoever waits for the server now waits for a deadline. */
static void check_waiting(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->clients_count; i++) {
        struct sim_client *client = &sim->clients[i];
        if (is_parked(sim, i)) {
            client->waiting_ms = sim->clock_ms;
        }
        if (sim->plan.stall_ms > 0 && sim_client_is_waiting(client)) {
            sim_check(sim->clock_ms - client->waiting_ms <= sim->plan.stall_ms,
                      "client %u waits for answer %u since %" PRIu64 " ms", client->index,
                      client->answered_count, client->waiting_ms);
        }
    }
}

void sim_pass_time(struct sim *sim)
{
    uint64_t next = sim_kernel_next_ms(sim->uring);
    for (uint32_t i = 0; i < sim->clients_count; i++) {
        uint64_t wake = sim_client_next_ms(&sim->clients[i]);
        next = wake < next && wake > sim->clock_ms ? wake : next;
    }
    check_waiting(sim);
    if (next > sim->clock_limit_ms) {
        sim->clock_ms = sim->clock_limit_ms;
        sim->is_quiet = true;
    } else {
        sim->clock_ms = next;
    }
}

void sim_step(struct sim *sim, uint64_t limit_ms)
{
    sim->clock_limit_ms = limit_ms;
    sim->is_quiet = false;
    int count = uring_wait(sim->uring, sim->worker->events, EVENTS_MAX);
    worker_handle_batch(sim->worker, (size_t)count);
    sim->steps++;
    sim_check(sim->steps < STEPS_MAX, "not over after %" PRIu64 " batches", sim->steps);
}

void sim_run_for(struct sim *sim, uint32_t milliseconds)
{
    uint64_t limit_ms = sim->clock_ms + milliseconds;
    uint64_t idle_ms = sim->clock_ms;
    uint64_t idle_steps = sim->steps;
    do {
        sim_step(sim, limit_ms);
        if (sim->clock_ms != idle_ms) {
            idle_ms = sim->clock_ms;
            idle_steps = sim->steps;
        }
        sim_check(sim->steps - idle_steps < STEPS_IDLE_MAX, "the server spins");
    } while (!sim->is_quiet && !worker_is_done(sim->worker));
}

void sim_settle(struct sim *sim)
{
    sim_run_for(sim, 0);
}

void sim_tell(struct sim *sim, enum wake wake)
{
    struct uring_event event = {
        .token = { .op = OP_WAKE, .slot = wake },
        .buffer = URING_BUFFER_NONE,
    };
    sim->stop_told = sim->stop_told || wake == WAKE_STOP;
    sim_post(sim->uring, &event, -1);
}

/* --- ending ----------------------------------------------------------------------------------- */

static bool clients_are_gone(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->clients_count; i++) {
        if (sim->clients[i].state != SIM_GONE) {
            return false;
        }
    }
    return true;
}

/* Whoever is still in the backlog when the listener closes is reset. */
static void reset_backlog(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->clients_count; i++) {
        if (!sim->clients[i].was_accepted) {
            sim->clients[i].state = SIM_GONE;
        }
    }
}

static void check_home(const struct sim *sim)
{
    const struct worker *worker = sim->worker;
    sim_check(worker->slots_free_count == worker->slots_count, "%u slots are out",
              worker->slots_count - worker->slots_free_count);
    sim_check(worker->exchanges_free_count == worker->slots_count, "%u exchanges are out",
              worker->slots_count - worker->exchanges_free_count);
    sim_check(worker->inputs.inboxes_free_count == worker->inputs.inboxes_max, "%u inboxes are out",
              worker->inputs.inboxes_max - worker->inputs.inboxes_free_count);
    sim_check(uring_pool_taken_count(worker->chunks) == 0, "%u chunks are out",
              uring_pool_taken_count(worker->chunks));
    sim_check(uring_pool_taken_count(worker->outbufs) == 0, "%u outbufs are out",
              uring_pool_taken_count(worker->outbufs));
    sim_check(sim->uring->buffers_held == 0, "%u receive buffers are out",
              sim->uring->buffers_held);
    sim_check(sim_descriptors_count(sim, SIM_FD_SOCKET) == 0, "%u sockets are open",
              sim_descriptors_count(sim, SIM_FD_SOCKET));
    sim_check(worker->counters.stale_events == 0, "stale events");
    for (uint32_t i = 0; i < sim->uring->operations_end; i++) {
        const struct sim_operation *operation = &sim->uring->operations[i];
        sim_check(!operation->used || operation->kind == SIM_TIMER ||
                      operation->kind == SIM_POLL_WATCH,
                  "'%s' is still pending", OP_TABLE[operation->token.op].name);
    }
    for (uint32_t i = 0; i < sim->uring->notices_count; i++) {
        sim_check(!sim->uring->notices[i].used, "a notice is still owed");
    }
}

static void free_world(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->clients_count; i++) {
        free(sim->clients[i].script);
        free(sim->clients[i].received);
    }
    free(sim->clients);
    free(sim->worker);
    sites_destroy(sim->sites);
    free(sim->types);
    free(sim->plan.conf);
    *sim_current() = NULL;
    free(sim);
}

void sim_finish(struct sim *sim)
{
    if (!sim->stop_told) {
        sim_tell(sim, WAKE_STOP);
    }
    uint32_t limit_ms = sim->plan.conf->shutdown_timeout_ms + SHUTDOWN_JOIN_MS + 2 * TICK_MS;
    sim_run_for(sim, limit_ms);
    sim_check(worker_is_done(sim->worker), "the worker is not done %u ms after it was told to stop",
              limit_ms);
    /* What has been closed is still to be read by its peer. */
    reset_backlog(sim);
    for (uint32_t i = 0; i < 100000 && !clients_are_gone(sim); i++) {
        if (!step_clients(sim)) {
            sim->clock_ms += 10;
        }
    }
    sim_check(clients_are_gone(sim), "a client does not learn that its connection is over");
}

void sim_close(struct sim *sim)
{
    sim_finish(sim);
    check_home(sim);
    worker_destroy(sim->worker);
    sim_check(sim_descriptors_count(sim, SIM_FD_FILE) == 0, "%u files are open",
              sim_descriptors_count(sim, SIM_FD_FILE));
    free_world(sim);
}

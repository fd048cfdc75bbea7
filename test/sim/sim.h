/* sim: the whole server in one thread, on a fake engine, against model clients and model files.
 *
 * A run is a function of its plan and its seed: the only sources of chance are the generators in
 * here, the only clock is clock_ms, and no descriptor, socket or file of the system is used.
 *
 * sim_kernel.c plays the kernel: it executes what the server queued, in any order that io_uring
 * allows, and faults as the plan says. sim_engine.c is the interface that the server sees, and
 * watches that the server keeps its rules. sim_client.c plays the peers, sim_check.c judges what
 * they received. */
#ifndef GYRE_TEST_SIM_H
#define GYRE_TEST_SIM_H

#include "server/worker.h"
#include "sim_client.h"
#include "sim_engine.h"
#include "sim_files.h"
#include "sim_random.h"

enum {
    SIM_CLIENTS_MAX = 400,
    SIM_FDS_MAX = 1024,
    SIM_FORCED_MAX = 16,
    SIM_FD_ROOT = 3,
    SIM_FD_LISTENER = 4,
    SIM_FD_WATCH = 5,
    SIM_UTC_START_S = 1700000000,
    SIM_SEEN_MAX = 64,
};

/* What may go wrong, each with a rate. */
enum sim_fault {
    SIM_SHORT_READ,
    SIM_READ_AGAIN,
    SIM_READ_ERROR,
    SIM_OPEN_AGAIN,
    SIM_OPEN_ERROR, /* ENFILE, ENOMEM */
    SIM_SHORT_SEND,
    SIM_SEND_AGAIN,
    SIM_SEND_ERROR,
    SIM_RECV_ERROR,
    SIM_RECV_END,   /* a multishot recv ends with its data */
    SIM_ACCEPT_END, /* the same for accept */
    SIM_ACCEPT_ERROR,
    SIM_ZERO_COPY_REFUSED,
    SIM_COPIED,       /* a notice says so */
    SIM_SLOW_DISK,    /* a file operation takes its time */
    SIM_WORK_REFUSED, /* the queue for the helpers is full */
    SIM_FAULTS_COUNT,
};

struct sim_plan {
    uint64_t seed;
    struct conf *conf; /* the plan's until it is opened: too large for stacks */
    uint32_t connections_max;
    uint32_t cached_files_max;
    uint32_t descriptors_max;
    uint16_t faults[SIM_FAULTS_COUNT]; /* permille */
    uint16_t changes;                  /* of files; permille of the steps */
    uint32_t changes_max;
    const char *focus; /* the name, or beginning of names, that the run is most about; NULL: none */
    uint32_t notice_delay_ms_max;
    uint32_t stall_ms;       /* a client that has asked is answered within that time; 0: no check */
    uint16_t watch_failures; /* permille: a path cannot be watched */
    uint16_t watch_forgetting; /* permille of the changes: a directory moved, too */
    bool slabs_are_plain;      /* RLIMIT_MEMLOCK is 0 */
    bool traces;               /* prints every event */
    bool orderly;              /* whole batches, oldest operation first: for directed tests */
};

enum sim_descriptor_kind {
    SIM_FD_CLOSED,
    SIM_FD_RESERVED,
    SIM_FD_SOCKET,
    SIM_FD_FILE,
};

struct sim_descriptor {
    enum sim_descriptor_kind kind;
    uint32_t index; /* of the client, or the inode */
};

/* The result of the next operation of a kind, once `skip` of them have gone by. */
struct sim_forced {
    bool used;
    enum op op;
    int32_t result;
    uint32_t skip;
};

/* An answer with a tag, and how it was asked for. */
struct sim_seen {
    const char *name;
    struct sim_wish wish;
};

struct sim {
    struct sim_plan plan;
    struct sim_random random;
    uint64_t clock_ms;
    uint64_t clock_limit_ms; /* uring_wait() does not go past it */
    bool is_quiet;           /* nothing can happen before clock_limit_ms */
    bool faults_are_off;
    uint64_t steps; /* batches so far */

    struct sim_files files;
    struct sim_descriptor descriptors[SIM_FDS_MAX];
    struct sim_client *clients; /* SIM_CLIENTS_MAX */
    uint32_t clients_count;
    uint32_t backlog[SIM_CLIENTS_MAX]; /* connected, not accepted: clients by index */
    uint32_t backlog_count;
    struct sim_forced forced[SIM_FORCED_MAX];
    struct sim_seen seen[SIM_SEEN_MAX]; /* the last ones */
    uint32_t seen_count;                /* all of them */
    uint32_t changes_done;
    bool watches_root;     /* changes show in the watch */
    bool watch_has_events; /* that the server has not taken */
    bool watch_forgets;    /* one of them is about a directory */
    uint64_t watch_stamp;  /* of the files, when last looked at */

    struct http_type_table *types;
    struct worker_settings settings;
    struct sites *sites;
    struct worker *worker;
    struct uring *uring;
    bool stop_told;
};

/* The interface of the engine has no place for a context, and a signal handler has none either:
 * this is the one place that knows the run of this process. */
struct sim **sim_current(void);

/* Says what is wrong, with the seed, and aborts. */
void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
#define sim_check(condition, ...)  \
    do {                           \
        if (!(condition)) {        \
            sim_fail(__VA_ARGS__); \
        }                          \
    } while (0)

/* No faults, no slowness, small tables; a directed test changes what it is about. Every plan is to
 * be opened, once. */
void sim_plan_init(struct sim_plan *plan, uint64_t seed);

/* Reads ini text over the plan's configuration. */
void sim_plan_configure(struct sim_plan *plan, const char *text);

/* Makes the world and starts the worker. Takes over the configuration. */
struct sim *sim_open(const struct sim_plan *plan);

/* Lets the server handle batches for so many milliseconds of its time, or until nothing more can
 * happen in them; sim_settle() lets no time pass. */
void sim_run_for(struct sim *sim, uint32_t milliseconds);
void sim_settle(struct sim *sim);
/* One batch, of what happens up to that time. */
void sim_step(struct sim *sim, uint64_t limit_ms);

/* For the engine: something that can happen now happens (false: nothing can); or time passes. */
bool sim_step_world(struct sim *sim);
void sim_pass_time(struct sim *sim);

void sim_tell(struct sim *sim, enum wake wake);

/* The next operation of this kind gets this result (a size for a short one), after `skip` others.
 */
void sim_force(struct sim *sim, enum op op, int32_t result, uint32_t skip);
/* After a change of files: tells the watch, before anything else can happen. */
void sim_watch_look(struct sim *sim);

bool sim_take_forced(struct sim *sim, uint8_t op, int32_t *result);
bool sim_fault(struct sim *sim, enum sim_fault fault);

/* Stops the server, if that has not happened, and lets the clients read to the end. */
void sim_finish(struct sim *sim);

/* Finishes, proves that everything is home, and frees the world. */
void sim_close(struct sim *sim);

int sim_descriptor_take(struct sim *sim, enum sim_descriptor_kind kind, uint32_t index);
uint32_t sim_descriptors_count(const struct sim *sim, enum sim_descriptor_kind kind);

#endif

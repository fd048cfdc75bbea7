/* The whole server through random runs: clients, files, faults and the kernel's freedoms all follow
 * from one seed. SIM_SEEDS: how many runs (200); SIM_SEED: the first seed. Each run is a process of
 * its own, so that one that fails ends neither the others nor their count. SIM_TRACE=1 prints every
 * event. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim.h"

enum {
    SEEDS = 200,
    SEEDS_A_LINE = 50,
    RUN_SECONDS_MAX = 30,
};

static const char *const NAMES[] = {
    "empty.bin", "one.txt",   "p4095.html", "p4096.css",  "p4097.js", "k16m",
    "k16",       "k16p.txt",  "k64m.bin",   "k64.bin",    "k64p",     "k256m.bin",
    "k256.bin",  "k256p.bin", "m1.bin",     "index.html", "dir/",     "dir",
    "bare/",     "bare",      "pipe",       "secret.txt", "nope.txt", "nope/",
    "k16/x",     ".hidden",   "",           "e404.html",  "%zz",      "%2e%2e/%2e%2e/etc",
    "p4096.css", "app.js",    "app.js.br",  "app.js.gz",  "page",     "page.html",
};

/* Those that have codings, or come to have them. */
static const char *const CODED[] = { "app.js", "p4097.js", "page", "page", "page.html" };
#define CODED_COUNT (sizeof(CODED) / sizeof(CODED[0]))

static uint16_t rate(struct sim_random *random, uint32_t permille_max)
{
    /* Half of the faults do not occur at all in a run, so that each is also met alone. */
    bool occurs = sim_random_chance(random, 500);
    uint32_t permille = sim_random_between(random, 1, permille_max);
    return (uint16_t)(occurs ? permille : 0);
}

static void plan_faults(struct sim_plan *plan, struct sim_random *random)
{
    static const uint16_t MAXIMA[SIM_FAULTS_COUNT] = {
        [SIM_SHORT_READ] = 300,       [SIM_READ_AGAIN] = 100, [SIM_READ_ERROR] = 20,
        [SIM_OPEN_AGAIN] = 100,       [SIM_OPEN_ERROR] = 50,  [SIM_SHORT_SEND] = 300,
        [SIM_SEND_AGAIN] = 100,       [SIM_SEND_ERROR] = 20,  [SIM_RECV_ERROR] = 20,
        [SIM_RECV_END] = 500,         [SIM_ACCEPT_END] = 500, [SIM_ACCEPT_ERROR] = 100,
        [SIM_ZERO_COPY_REFUSED] = 20, [SIM_COPIED] = 300,     [SIM_SLOW_DISK] = 300,
        [SIM_WORK_REFUSED] = 200,
    };
    if (sim_random_chance(random, 150)) {
        return; /* a perfect world, but for its order */
    }
    for (unsigned i = 0; i < SIM_FAULTS_COUNT; i++) {
        plan->faults[i] = rate(random, MAXIMA[i]);
    }
}

static void plan_error_pages(struct conf *conf)
{
    static const struct conf_error_page PAGES[] = {
        { .status = 404, .path = "e404.html" },
        { .status = 405, .path = "e405.html" },
        { .status = 403, .path = "nope.html" },
        { .status = 400, .path = "one.txt" },
    };
    conf->error_pages_count = sizeof(PAGES) / sizeof(PAGES[0]);
    memcpy(conf->error_pages, PAGES, sizeof(PAGES));
}

/* Places in turn, rules, another host: each in some runs. */
static void plan_sections(struct sim_plan *plan, struct sim_random *random)
{
    static const char TRY[] = "[files]\ntry = $uri $uri.html $uri/\n";
    static const char RULE[] = "[path /**.js]\nheader = X-Rule: all\n";
    static const char HOST[] = "[host other.sim]\nroot = /.\n";
    static const char OTHER_RULE[] = "[path /**.js]\nheader = X-Rule: other\n";
    bool has_rule = sim_random_chance(random, 500);
    bool is_about_page = plan->focus != NULL && strcmp(plan->focus, "page") == 0;
    bool has_try = is_about_page || sim_random_chance(random, 500);
    bool has_host = sim_random_chance(random, 500);
    char text[256];
    (void)snprintf(text, sizeof(text), "%s%s%s%s", has_try ? TRY : "", has_rule ? RULE : "",
                   has_host ? HOST : "", has_rule && has_host ? OTHER_RULE : "");
    sim_plan_configure(plan, text);
}

static void plan_codings(struct conf *conf, struct sim_random *random)
{
    conf->precompressed = sim_random_chance(random, 700) ? CONF_ON : CONF_OFF;
    conf->compress = sim_random_chance(random, 700) ? CONF_ON : CONF_OFF;
    conf->compress_bytes_min = sim_random_between(random, 1, 5000);
    conf->compress_bytes_max = sim_random_between(random, 5000, 30000);
    conf->etag = (enum conf_etag)sim_random_below(random, 3);
}

static void plan_conf(struct sim_plan *plan, struct sim_random *random)
{
    struct conf *conf = plan->conf;
    plan->focus =
        sim_random_chance(random, 400) ? CODED[sim_random_below(random, CODED_COUNT)] : NULL;
    plan_sections(plan, random);
    plan_codings(conf, random);
    conf->recv_buffers = 8U << sim_random_below(random, 4);
    conf->recv_buffer_bytes = 256U << sim_random_below(random, 5);
    conf->chunk_bytes = 4096U << sim_random_below(random, 5);
    conf->chunks_max = sim_random_between(random, 2, 12);
    conf->zerocopy = (enum conf_toggle)sim_random_below(random, 3);
    conf->zerocopy_bytes_min = sim_random_below(random, 20000);
    conf->cache = sim_random_chance(random, 800) ? CONF_ON : CONF_OFF;
    conf->cache_bytes_max = 20000 + sim_random_below(random, 300000);
    conf->cache_entries_max = sim_random_between(random, 1, 20);
    conf->cache_file_bytes_max = sim_random_below(random, 2) * sim_random_below(random, 100000);
    conf->requests_per_connection_max =
        sim_random_chance(random, 200) ? sim_random_between(random, 1, 8) : 0;
    if (sim_random_chance(random, 400)) {
        plan_error_pages(conf);
    }
    plan->connections_max = sim_random_between(random, 2, 24);
    plan->cached_files_max = sim_random_below(random, 8);
    plan->descriptors_max =
        sim_random_chance(random, 200) ? sim_random_between(random, 10, 30) : 256;
    plan->changes =
        (uint16_t)(sim_random_chance(random, 400)
                       ? sim_random_between(random, 1, sim_random_chance(random, 500) ? 50 : 3)
                       : 0);
    plan->changes_max = 60;
    conf->cache_watch = sim_random_chance(random, 600) ? CONF_ON : CONF_OFF;
    plan->watch_failures = rate(random, 500);
    plan->watch_forgetting = rate(random, 500);
    plan->notice_delay_ms_max = sim_random_below(random, 2) * sim_random_below(random, 3000);
    plan->slabs_are_plain = sim_random_chance(random, 200);
}

static void ask_something(struct sim *sim, struct sim_client *client)
{
    struct sim_random *random = &sim->random;
    enum sim_ask ask = SIM_GET;
    if (sim_random_chance(random, 300)) {
        ask = (enum sim_ask)sim_random_below(random, SIM_ASKS_COUNT);
    }
    const char *name = NAMES[sim_random_below(random, sizeof(NAMES) / sizeof(NAMES[0]))];
    if (sim->plan.changes > 0 && sim_random_chance(random, 500)) {
        name = sim->files.nodes[sim_random_below(random, SIM_HOT_COUNT)].name;
    }
    if (strncmp(name, "k256", 4) == 0 && sim_random_chance(random, 500)) {
        name = "p4097.js"; /* the large ones take their time */
    } else if (strcmp(name, "m1.bin") == 0 && sim_random_chance(random, 800)) {
        name = "k16m";
    }
    struct sim_wish wish = { 0 };
    if (sim_random_chance(random, 600)) {
        wish.takes = (enum sim_takes)sim_random_below(random, SIM_TAKES_COUNT);
        name = sim_random_chance(random, 500) ? CODED[sim_random_below(random, CODED_COUNT)] : name;
    }
    if (sim->plan.focus != NULL && sim_random_chance(random, 700)) {
        name = sim->plan.focus;
    }
    wish.is_other_host = sim_random_chance(random, 200);
    (void)sim_client_ask_with(sim, client, ask, name, &wish);
}

/* Whether what was answered before has changed. */
static void ask_again(struct sim *sim, struct sim_client *client)
{
    struct sim_random *random = &sim->random;
    uint32_t count = sim->seen_count < SIM_SEEN_MAX ? sim->seen_count : SIM_SEEN_MAX;
    if (count == 0) {
        ask_something(sim, client);
        return;
    }
    struct sim_seen seen = sim->seen[sim_random_below(random, count)];
    if (sim_random_chance(random, 200)) {
        seen.wish.takes = (enum sim_takes)sim_random_below(random, SIM_TAKES_COUNT);
    }
    (void)sim_client_ask_with(sim, client, SIM_GET_IF_NEW, seen.name, &seen.wish);
}

static void make_slow(struct sim_manner *manner, struct sim_random *random)
{
    manner->window = sim_random_between(random, 1000, 60000);
    manner->read_size_max = sim_random_between(random, 200, 30000);
    manner->read_pause_ms = sim_random_between(random, 1, 100);
}

/* Some of those who do not behave. */
static void make_difficult(struct sim_client *client, struct sim_random *random)
{
    struct sim_manner *manner = &client->manner;
    switch (sim_random_below(random, 7)) {
    case 0:
        manner->never_reads = true;
        manner->patience_ms = sim_random_between(random, 500, 30000);
        break;
    case 1:
        manner->reads_late = true;
        manner->patience_ms = 40000;
        break;
    case 2:
        manner->stops_at = sim_random_between(random, 1, client->script_size);
        break;
    case 3:
        manner->resets_at = sim_random_between(random, 1, 100000);
        break;
    case 4:
        manner->patience_ms = sim_random_between(random, 1, 2000);
        break;
    case 5:
        manner->never_reads = true;
        while (client->requests_count < SIM_REQUESTS_MAX / 2) {
            (void)sim_client_ask(*sim_current(), client, SIM_GET_LONG, "k16m");
        }
        break;
    default:
        manner->half_closes = true;
        break;
    }
}

static void add_client(struct sim *sim)
{
    struct sim_random *random = &sim->random;
    struct sim_client *client = sim_client_add(sim);
    uint32_t requests = sim_random_between(random, 1, sim_random_chance(random, 200) ? 40 : 8);
    for (uint32_t i = 0; i < requests; i++) {
        if (sim_random_chance(random, 400)) {
            ask_again(sim, client);
        } else {
            ask_something(sim, client);
        }
    }
    struct sim_manner *manner = &client->manner;
    manner->arrives_ms += sim_random_below(random, 2000);
    manner->is_pipelining = sim_random_chance(random, 500);
    manner->stays = sim_random_chance(random, 200);
    if (sim_random_chance(random, 500)) {
        manner->write_size_max = sim_random_between(random, 1, 2000);
        manner->write_pause_ms = sim_random_below(random, 20);
    }
    if (sim_random_chance(random, 200)) {
        make_slow(manner, random);
    }
    if (sim_random_chance(random, 250)) {
        make_difficult(client, random);
    }
}

/* Some files come to be only later. */
static void delete_some(struct sim *sim, struct sim_random *random)
{
    static const char *const LATER[] = { "page", "app.js.br", "app.js.gz", "p4097.js.gz",
                                         "other/page" };
    for (size_t i = 0; i < sizeof(LATER) / sizeof(LATER[0]); i++) {
        if (sim_random_chance(random, 400)) {
            sim_files_change(&sim->files, sim_files_find(&sim->files, LATER[i]), SIM_DELETE, 0,
                             sim->clock_ms);
        }
    }
}

static void run_seed(uint64_t seed)
{
    struct sim_random random = { .state = seed ^ 0x5eed };
    struct sim_plan plan;
    sim_plan_init(&plan, seed);
    plan.orderly = false;
    plan.traces = getenv("SIM_TRACE") != NULL;
    plan.stall_ms = 14000; /* past the send timeout of those who hold chunks */
    plan_faults(&plan, &random);
    plan_conf(&plan, &random);
    struct sim *sim = sim_open(&plan);
    delete_some(sim, &random);
    uint32_t clients = sim_random_between(&random, 1, sim_random_chance(&random, 200) ? 30 : 10);
    for (uint32_t i = 0; i < clients; i++) {
        add_client(sim);
    }
    for (uint32_t i = sim_random_below(&random, 8); i > 0; i--) {
        sim_run_for(sim, sim_random_below(&random, 4000));
        if (sim_random_chance(&random, 500)) {
            sim_files_change_any(&sim->files, &random, sim->clock_ms); /* after a rest */
        }
        add_client(sim); /* knows the tags of answers to others */
    }
    if (sim_random_chance(&random, 300)) {
        sim_run_for(sim, sim_random_below(&random, 4000));
        if (sim_random_chance(&random, 200)) {
            sim_tell(sim, WAKE_REPORT);
        }
        sim_tell(sim, WAKE_STOP);
    } else {
        sim_run_for(sim, 60000);
        sim->faults_are_off = true;
        sim_run_for(sim, 60000);
    }
    sim_close(sim);
}

/* --- running ---------------------------------------------------------------------------------- */

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

/* What the server says on standard error is kept, and shown only if the run fails. */
struct said {
    char *text;
    size_t size;
    uint64_t seed;
};

static struct said *const SAID = &(struct said){ NULL, 0, 0 };

static void show_said(int signal_number)
{
    char line[64];
    int size = snprintf(line, sizeof(line), "\n# seed %" PRIu64 ": signal %d\n", SAID->seed,
                        signal_number);
    const char *text = SAID->text != NULL ? SAID->text : "";
    size_t skip = SAID->size > 2000 ? SAID->size - 2000 : 0;
    ssize_t written = write(STDOUT_FILENO, text + skip, SAID->size - skip);
    written += write(STDOUT_FILENO, line, (size_t)size);
    (void)written;
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

static void keep_said(uint64_t seed)
{
    SAID->seed = seed;
    FILE *stream = open_memstream(&SAID->text, &SAID->size);
    if (stream != NULL) {
        stderr = stream;
    }
    (void)signal(SIGABRT, show_said);
    (void)signal(SIGALRM, show_said);
    alarm(RUN_SECONDS_MAX);
}

/* Runs a seed in a process of its own. */
static bool run_apart(uint64_t seed)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        keep_said(seed);
        run_seed(seed);
        fclose(stderr);
        free(SAID->text);
        exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

int main(int argc, char *argv[])
{
    (void)argc;
    uint64_t first = number_from("SIM_SEED", 1);
    uint64_t count = number_from("SIM_SEEDS", SEEDS);
    unsigned tests = 0;
    unsigned failures = 0;
    for (uint64_t done = 0; done < count;) {
        uint64_t end = done + SEEDS_A_LINE < count ? done + SEEDS_A_LINE : count;
        unsigned failures_before = failures;
        uint64_t line_first = first + done;
        for (; done < end; done++) {
            if (!run_apart(first + done)) {
                failures++;
                printf("not ok %u - seed %" PRIu64 "\n", ++tests, first + done);
                printf("# again: SIM_SEED=%" PRIu64 " SIM_SEEDS=1 %s\n", first + done, argv[0]);
            }
        }
        if (failures == failures_before) {
            printf("ok %u - seeds %" PRIu64 " to %" PRIu64 "\n", ++tests, line_first,
                   first + end - 1);
        }
    }
    printf("1..%u\n", tests);
    return failures > 0;
}

/* sim_script: what a client asks, as bytes, and what the model expects in return. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

struct sim_client *sim_client_add(struct sim *sim)
{
    sim_check(sim->clients_count < SIM_CLIENTS_MAX, "too many clients");
    struct sim_client *client = &sim->clients[sim->clients_count];
    *client = (struct sim_client){
        .index = sim->clients_count,
        .manner = { .window = 65536,
                    .read_size_max = 65536,
                    .write_size_max = 65536,
                    .is_pipelining = true,
                    .arrives_ms = (uint32_t)sim->clock_ms },
    };
    sim->clients_count++;
    return client;
}

void sim_client_say(struct sim_client *client, const char *data, size_t size)
{
    sim_check(client->requests_count > 0, "said without a request");
    while (client->script_size + size > client->script_capacity) {
        client->script_capacity = 2 * client->script_capacity + 1024;
        client->script = realloc(client->script, client->script_capacity);
        sim_check(client->script != NULL, "out of memory");
    }
    memcpy(client->script + client->script_size, data, size);
    client->script_size += (uint32_t)size;
    client->requests[client->requests_count - 1].end = client->script_size;
}

static void say_text(struct sim_client *client, const char *text)
{
    sim_client_say(client, text, strlen(text));
}

/* With `try`, what is not there may be there with ".html". */
static void expect_fallback(struct sim *sim, struct sim_request *request, const char *path)
{
    char html[160];
    (void)snprintf(html, sizeof(html), "%s.html", path);
    const struct sim_node *node = sim_files_find(&sim->files, html);
    bool tries = strcmp(conf_text(sim->plan.conf, sim->plan.conf->files.try), "off") != 0;
    if (tries && node != NULL) {
        request->status = 200;
        request->places[request->places_count++] = node;
    }
}

/* Finds the files that answer for a name, and the status if one exists. */
static void expect_file(struct sim *sim, struct sim_request *request, const char *name)
{
    bool is_other = request->wish.is_other_host && sim->plan.conf->hosts_count > 0;
    const char *root = is_other ? SIM_OTHER_ROOT : "";
    char index[128];
    size_t name_size = strlen(name);
    bool is_directory = name_size == 0 || name[name_size - 1] == '/';
    (void)snprintf(index, sizeof(index), "%s%s%s", root, name, is_directory ? "index.html" : "");
    const struct sim_node *node = sim_files_find(&sim->files, index);
    size_t size = strlen(root) + name_size;
    request->status = 404;
    if (strncmp(name, "%", 1) == 0) {
        request->status = 400; /* a bad escape, or a path that climbs */
    } else if (node != NULL && node->kind == SIM_REGULAR) {
        request->status = node->is_secret ? 403 : 200;
        request->places_count = node->is_secret ? 0 : 1;
        request->places[0] = node;
    } else if (node != NULL) {
        request->status = node->kind == SIM_DIRECTORY ? 301 : 403;
    } else if (is_directory) {
        index[size > 0 ? size - 1 : 0] = '\0';
        node = sim_files_find(&sim->files, index);
        request->status = node != NULL && node->kind == SIM_DIRECTORY ? 403 : 404;
    }
    if (!is_directory && (request->status == 404 || request->places_count > 0)) {
        expect_fallback(sim, request, index);
    }
    if (request->wish.takes == SIM_TAKES_NOTHING && request->places_count > 0) {
        request->status = 406;
    }
}

static void say_head(struct sim_client *client, const char *method, const char *name,
                     const char *rest)
{
    say_text(client, method);
    say_text(client, " /");
    say_text(client, name);
    say_text(client, rest);
}

#define LINES " HTTP/1.1\r\nHost: sim\r\n"

static void say_long_head(struct sim_client *client, const char *name)
{
    say_head(client, "GET", name, LINES);
    char line[1100] = "X-Long: ";
    for (size_t i = strlen(line); i < 1000; i++) {
        line[i] = (char)('a' + i % 26);
    }
    memcpy(line + 1000, "\r\n", 3);
    for (unsigned i = 0; i < 4 + client->requests_count % 24; i++) {
        say_text(client, line);
    }
    say_text(client, "\r\n");
}

static void say_body(struct sim_client *client, const char *name, uint32_t size, bool waits)
{
    char lines[128];
    (void)snprintf(lines, sizeof(lines), LINES "Content-Length: %u\r\n%s\r\n", size,
                   waits ? "Expect: 100-continue\r\n" : "");
    say_head(client, "POST", name, lines);
    struct sim_request *request = &client->requests[client->requests_count - 1];
    request->continue_at = waits ? client->script_size : 0;
    char body[512];
    for (uint32_t i = 0; i < size; i++) {
        body[i % sizeof(body)] = sim_byte(size, i);
        if ((i + 1) % sizeof(body) == 0 || i + 1 == size) {
            sim_client_say(client, body, i % sizeof(body) + 1);
        }
    }
}

static void say_chunks(struct sim_client *client, const char *name, uint32_t count, const char *end)
{
    say_head(client, "POST", name, LINES "Transfer-Encoding: chunked\r\n\r\n");
    for (uint32_t i = 0; i < count; i++) {
        say_text(client, i == 0 ? "5;name=value\r\nhello\r\n" : "10\r\n0123456789abcdef\r\n");
    }
    say_text(client, end);
}

/* A request for a file, with all that it wishes. */
static void say_wish(struct sim_client *client, const struct sim_request *request,
                     const char *method, const char *line)
{
    static const char *const FIELDS[SIM_TAKES_COUNT] = {
        [SIM_TAKES_GZIP] = "gzip",
        [SIM_TAKES_BR] = "br",
        [SIM_TAKES_ZSTD] = "zstd, identity;q=0.1",
        [SIM_TAKES_ALL] = "gzip, deflate, br, zstd",
        [SIM_TAKES_ANY] = "*",
        [SIM_TAKES_IDENTITY] = "identity",
        [SIM_TAKES_ONLY_GZIP] = "gzip, identity;q=0",
        [SIM_TAKES_ONLY_CODED] = "br;q=0.5, gzip;q=0.8, zstd;q=0.1, *;q=0",
        [SIM_TAKES_NOTHING] = "identity;q=0",
    };
    const struct sim_wish *wish = &request->wish;
    say_head(client, method, request->name, " HTTP/1.1\r\nHost: ");
    say_text(client, wish->is_other_host ? "OTHER.sim:8080\r\n" : "sim\r\n");
    if (FIELDS[wish->takes] != NULL) {
        say_text(client, "Accept-Encoding: ");
        say_text(client, FIELDS[wish->takes]);
        say_text(client, "\r\n");
    }
    if (request->ask == SIM_GET_IF_NEW) {
        say_text(client, "If-None-Match: ");
        say_text(client, wish->tag[0] != '\0' ? wish->tag : "*");
        say_text(client, "\r\n");
    }
    say_text(client, line);
    say_text(client, "\r\n");
}

/* One to four ranges about the size that the file has now: some past its end, some overlapping. */
static void choose_ranges(struct sim *sim, struct sim_request *request)
{
    uint32_t size =
        request->places_count > 0 ? (uint32_t)sim_node_now(request->places[0])->size : 100;
    uint32_t count = sim_random_between(&sim->random, 1, 4);
    int used = snprintf(request->range, sizeof(request->range), "bytes=");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first = sim_random_below(&sim->random, size + size / 8 + 2);
        uint32_t last = first + sim_random_below(&sim->random, size / count + 2);
        bool is_open = i + 1 == count && sim_random_chance(&sim->random, 200);
        bool is_suffix = sim_random_chance(&sim->random, 200);
        used += snprintf(request->range + used, sizeof(request->range) - (size_t)used,
                         is_suffix ? "%s-%u"
                         : is_open ? "%s%u-"
                                   : "%s%u-%u",
                         i > 0 ? "," : "", first, last);
        sim_check((size_t)used < sizeof(request->range), "too long a Range");
    }
}

static void say_range(struct sim *sim, struct sim_client *client, struct sim_request *request)
{
    choose_ranges(sim, request);
    char line[SIM_RANGE_SIZE_MAX + 16];
    (void)snprintf(line, sizeof(line), "Range: %s\r\n", request->range);
    say_wish(client, request, "GET", line);
}

/* The bytes of a request, and the status that does not depend on a file. */
static void say_request(struct sim *sim, struct sim_client *client, struct sim_request *request,
                        const char *name)
{
    switch (request->ask) {
    case SIM_GET:
        say_wish(client, request, "GET", "");
        break;
    case SIM_GET_LONG:
        say_long_head(client, name);
        break;
    case SIM_GET_RANGE:
        say_range(sim, client, request);
        break;
    case SIM_GET_IF_NEW:
        say_wish(client, request, "GET", "");
        request->status = request->status == 200 ? 304 : request->status;
        break;
    case SIM_HEAD:
        say_wish(client, request, "HEAD", "");
        break;
    case SIM_GET_CLOSE:
        say_wish(client, request, "GET", "Connection: close\r\n");
        break;
    case SIM_GET_OLD:
        say_head(client, "GET", name, " HTTP/1.0\r\n\r\n");
        break;
    case SIM_OPTIONS:
        say_head(client, "OPTIONS", name, LINES "\r\n");
        request->status = 204;
        break;
    case SIM_POST:
    case SIM_POST_EXPECT:
        say_body(client, name, 1 + client->requests_count * 397, request->ask == SIM_POST_EXPECT);
        request->status = 405;
        break;
    case SIM_POST_LINE:
        say_body(client, name, 10, false);
        say_text(client, "\r\n");
        request->end -= 2; /* whether it comes or not */
        request->status = 405;
        break;
    case SIM_POST_CHUNKED:
        say_chunks(client, name, 1, "0\r\nX-After: 1\r\n\r\n");
        request->status = 405;
        break;
    case SIM_POST_ENDLESS:
        say_chunks(client, name, 2500, "0\r\n\r\n");
        request->status = 413;
        break;
    case SIM_POST_BROKEN:
        say_chunks(client, name, 3, "0x1\r\n");
        request->status = 400;
        break;
    case SIM_POST_LARGE:
        say_body(client, name, 40000, false);
        request->status = 413;
        break;
    case SIM_UNKNOWN:
        say_head(client, "BREW", name, LINES "\r\n");
        request->status = 501;
        break;
    case SIM_BAD:
        say_head(client, "GET", name, LINES "Host: again\r\n\r\n");
        request->status = 400;
        break;
    case SIM_ASKS_COUNT:
        break;
    }
}

static bool ask_is_for_file(enum sim_ask ask)
{
    return ask == SIM_GET || ask == SIM_HEAD || ask == SIM_GET_CLOSE || ask == SIM_GET_OLD ||
           ask == SIM_GET_LONG || ask == SIM_GET_RANGE || ask == SIM_GET_IF_NEW;
}

static bool ask_may_wish(enum sim_ask ask)
{
    return ask == SIM_GET || ask == SIM_HEAD || ask == SIM_GET_CLOSE || ask == SIM_GET_IF_NEW ||
           ask == SIM_GET_RANGE;
}

static bool ask_ends(enum sim_ask ask)
{
    return ask == SIM_GET_CLOSE || ask == SIM_GET_OLD || ask == SIM_POST_LARGE ||
           ask == SIM_POST_ENDLESS || ask == SIM_POST_BROKEN || ask == SIM_BAD;
}

struct sim_request *sim_client_ask(struct sim *sim, struct sim_client *client, enum sim_ask ask,
                                   const char *name)
{
    return sim_client_ask_with(sim, client, ask, name, &(struct sim_wish){ 0 });
}

struct sim_request *sim_client_ask_with(struct sim *sim, struct sim_client *client,
                                        enum sim_ask ask, const char *name,
                                        const struct sim_wish *wish)
{
    sim_check(client->requests_count < SIM_REQUESTS_MAX, "too many requests of one client");
    struct sim_request *request = &client->requests[client->requests_count++];
    *request = (struct sim_request){ .ask = ask, .name = name, .start = client->script_size };
    if (ask_may_wish(ask)) {
        request->wish = *wish;
    }
    if (client->requests_count > 1) {
        const struct sim_request *previous = request - 1;
        request->is_after_close = previous->is_after_close || ask_ends(previous->ask);
    }
    if (ask_is_for_file(ask)) {
        expect_file(sim, request, name);
    }
    say_request(sim, client, request, name);
    return request;
}

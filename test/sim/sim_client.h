/* sim_client: one peer: what it asks, how it behaves, what it received. */
#ifndef GYRE_TEST_SIM_CLIENT_H
#define GYRE_TEST_SIM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim;
struct sim_node;

enum {
    SIM_REQUESTS_MAX = 64, /* of one client */
    SIM_RANGE_SIZE_MAX = 120,
    SIM_TAG_SIZE_MAX = 112,
    SIM_PLACES_MAX = 2, /* files that may answer for one name */
};

/* What a client says in Accept-Encoding. */
enum sim_takes {
    SIM_TAKES_UNSAID,
    SIM_TAKES_GZIP,
    SIM_TAKES_BR,
    SIM_TAKES_ZSTD,
    SIM_TAKES_ALL,
    SIM_TAKES_ANY,
    SIM_TAKES_IDENTITY,
    SIM_TAKES_ONLY_GZIP, /* not even identity */
    SIM_TAKES_ONLY_CODED,
    SIM_TAKES_NOTHING, /* 406 */
    SIM_TAKES_COUNT,
};

/* What a request for a file says beside the file's name; all zero: nothing. */
struct sim_wish {
    enum sim_takes takes;
    bool is_other_host;
    char tag[SIM_TAG_SIZE_MAX]; /* for If-None-Match; "": "*" */
};

enum sim_ask {
    SIM_GET,
    SIM_HEAD,
    SIM_GET_CLOSE,  /* Connection: close */
    SIM_GET_OLD,    /* HTTP/1.0 */
    SIM_GET_LONG,   /* a head of many kilobytes */
    SIM_GET_RANGE,  /* one range or several */
    SIM_GET_IF_NEW, /* If-None-Match: 304 for whatever there is, or for what has the wish's tag */
    SIM_OPTIONS,
    SIM_POST,         /* with a body that has a length: 405 */
    SIM_POST_CHUNKED, /* the same, chunked */
    SIM_POST_EXPECT,  /* the same, waiting for 100 */
    SIM_POST_LINE,    /* the same, and an empty line behind the body */
    SIM_POST_LARGE,   /* more than the server wants: 413 */
    SIM_POST_ENDLESS, /* the same, chunked */
    SIM_POST_BROKEN,  /* chunks that are none: 400 */
    SIM_UNKNOWN,      /* method: 501 */
    SIM_BAD,          /* 400 */
    SIM_ASKS_COUNT,
};

struct sim_request {
    enum sim_ask ask;
    const char *name;
    struct sim_wish wish;
    /* That answer for the name, each if those before it are missing; none: it is nowhere. */
    const struct sim_node *places[SIM_PLACES_MAX];
    uint32_t places_count;
    unsigned status; /* expected; of a file: if it exists */
    uint32_t start;  /* in the client's script */
    uint32_t end;
    uint32_t continue_at; /* nothing past it before a 100; 0: no such place */
    bool is_continued;
    char range[SIM_RANGE_SIZE_MAX]; /* the value of Range; "": none */
    bool is_after_close;            /* a request before it told the server to close */
    uint64_t started_ms;            /* its first byte left */
    uint64_t complete_ms;           /* its last */
    uint64_t stamp;                 /* of the files, then */
    /* what came of it */
    unsigned answered_status; /* 0: not yet */
    unsigned answered_coding; /* enum http_coding */
    uint64_t body_size;
};

/* How a client behaves. */
struct sim_manner {
    uint32_t window; /* bytes that it and the kernel hold for it unread */
    uint32_t read_size_max;
    uint32_t read_pause_ms; /* between reads; 0: as fast as it can */
    uint32_t write_size_max;
    uint32_t write_pause_ms;
    bool is_pipelining;
    bool never_reads;
    bool reads_late;      /* only after everything is written */
    bool half_closes;     /* ends its writing after the last request */
    bool stays;           /* waits for the server to close */
    uint32_t stops_at;    /* of its script: says nothing further; 0: never */
    uint32_t resets_at;   /* bytes received; 0: never */
    uint32_t patience_ms; /* from its connecting; then it resets */
    uint32_t arrives_ms;
};

enum sim_client_state {
    SIM_AWAY, /* before its arrival */
    SIM_CONNECTED,
    SIM_GONE,
};

struct sim_client {
    uint32_t index;
    enum sim_client_state state;
    struct sim_manner manner;
    uint64_t wake_read_ms;
    uint64_t wake_write_ms;
    uint64_t connected_ms;
    uint64_t waiting_ms; /* since when nothing has come or gone */

    char *script;
    uint32_t script_size;
    uint32_t script_capacity;
    struct sim_request requests[SIM_REQUESTS_MAX];
    uint32_t requests_count;
    uint32_t answered_count;

    /* client -> server */
    uint32_t sent;  /* of the script */
    uint32_t taken; /* of that, received by the server's kernel */
    uint32_t told;  /* of that, known to the server while it was open */
    bool is_half_closed;
    bool has_reset;
    /* server -> client */
    char *received; /* everything that the server has sent */
    size_t received_size;
    size_t received_capacity;
    size_t read_size;   /* of that, read by the client */
    size_t parsed_size; /* of that, complete responses */
    bool is_ended;      /* the server has shut its sending down, or closed */
    bool is_shut;       /* the server has shut both down */
    bool is_closed;     /* the server has closed */
    bool was_aborted;   /* with a reset */
    bool is_broken;     /* a fault has ended the connection */
    bool has_lost;      /* a reset ate bytes that had been sent */
    bool was_accepted;
    bool says_close; /* the last response did */

    const char *excuse; /* why not everything may have come; NULL: none */
    bool has_file_fault;
    bool has_load_fault;
    bool has_loads; /* bytes came to it from a file that was open meanwhile */
};

/* Adds a client that will arrive; directed tests change its manner before they run. */
struct sim_client *sim_client_add(struct sim *sim);
struct sim_request *sim_client_ask(struct sim *sim, struct sim_client *client, enum sim_ask ask,
                                   const char *name);
/* The same with a wish. The name has to live as long as the client. */
struct sim_request *sim_client_ask_with(struct sim *sim, struct sim_client *client,
                                        enum sim_ask ask, const char *name,
                                        const struct sim_wish *wish);
/* Appends raw bytes to the script, of the request asked last. */
void sim_client_say(struct sim_client *client, const char *data, size_t size);

/* Lets it do one thing. False: it cannot before something happens or time passes. */
bool sim_client_step(struct sim *sim, struct sim_client *client);
/* When it wants to do something next, or UINT64_MAX. */
uint64_t sim_client_next_ms(const struct sim_client *client);

/* Whether the server owes it something that it is ready to take. */
bool sim_client_is_waiting(const struct sim_client *client);

uint32_t sim_client_room(const struct sim_client *client);
/* Bytes that the server sends arrive. */
void sim_client_receive(struct sim_client *client, const char *data, uint32_t size);
/* The server closes its descriptor; `aborts`: with a reset. */
void sim_client_closed(struct sim *sim, struct sim_client *client, bool aborts);

/* Reads complete responses out of what was read so far, and compares each with its request. */
void sim_check_responses(struct sim *sim, struct sim_client *client);
/* The connection is over: whether all is there, or why not. */
void sim_check_end(struct sim *sim, struct sim_client *client);

#endif

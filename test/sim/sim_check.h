/* sim_check: what the judges share. */
#ifndef GYRE_TEST_SIM_CHECK_H
#define GYRE_TEST_SIM_CHECK_H

#include "sim.h"

struct sim_response {
    unsigned status;
    const char *head;
    size_t head_size;
    bool has_length;
    uint64_t length; /* Content-Length */
    bool says_close;
    const char *body;
};

/* Whether a version of the file was there between the request and now. stamp: of the request. */
bool sim_version_is_possible(const struct sim_node *node, uint32_t index, uint64_t stamp);

/* Whether the first `size` bytes of the body are what the request's Range asks of some version. */
bool sim_range_is_answered(const struct sim_client *client, const struct sim_request *request,
                           const struct sim_response *response, uint64_t size);

#endif

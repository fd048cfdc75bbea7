/* sim_check: what the judges share. */
#ifndef GYRE_TEST_SIM_CHECK_H
#define GYRE_TEST_SIM_CHECK_H

#include "http/http_coding.h"
#include "sim.h"

struct sim_response {
    unsigned status;
    const char *head;
    size_t head_size;
    bool has_length;
    uint64_t length; /* Content-Length */
    bool says_close;
    struct slice etag;
    enum http_coding coding; /* Content-Encoding */
    const char *body;
};

/* Whether a version of the file was there between the request and now. stamp: of the request. */
bool sim_version_is_possible(const struct sim_node *node, uint32_t index, uint64_t stamp);

/* Whether the place with that number could answer: each before it was missing at some time. */
bool sim_place_is_possible(const struct sim_request *request, uint32_t index);

/* Whether the first `size` bytes of the body are that version's, or, where an edit in place while
 * the file streams cannot be told from the file, each that of some version. */
bool sim_version_is_body(const struct sim_client *client, const struct sim_request *request,
                         const struct sim_node *node, const struct sim_version *version,
                         const struct sim_response *response, uint64_t size);

/* Whether the first `size` bytes of the body are what the request's Range asks of some version. */
bool sim_range_is_answered(const struct sim *sim, const struct sim_client *client,
                           const struct sim_request *request, const struct sim_response *response,
                           uint64_t size);

bool sim_takes_coding(enum sim_takes takes, enum http_coding coding);
/* The precompressed sibling of a file; NULL: none by that name. */
const struct sim_node *sim_sibling(const struct sim *sim, const struct sim_node *node,
                                   enum http_coding coding);

/* What the server makes of a version, for free(3); NULL: it is not worth it. */
char *sim_make(const struct sim_version *version, enum http_coding coding, size_t *size);

/* Whether the answer's tag is that of a version of a file, in the answer's coding. */
bool sim_tag_is_of_file(const struct sim *sim, const struct sim_response *response,
                        const struct sim_node *node, uint32_t index);
/* Whether an answer in a coding is a sibling's, or was made from the file, with the right tag. */
bool sim_coded_is_right(const struct sim *sim, const struct sim_client *client,
                        const struct sim_request *request, const struct sim_response *response,
                        uint64_t size);
/* Whether a 304 is about what was there, and what was asked. */
bool sim_not_modified_is_right(const struct sim *sim, const struct sim_request *request,
                               const struct sim_response *response);
bool sim_tag_was_asked(const struct sim_request *request, const struct sim_response *response);
/* For who comes back to ask with it. */
void sim_keep_tag(struct sim *sim, const struct sim_request *request,
                  const struct sim_response *response);

#endif

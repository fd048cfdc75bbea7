/* sim_kernel: what the files that play the kernel share. */
#ifndef GYRE_TEST_SIM_KERNEL_H
#define GYRE_TEST_SIM_KERNEL_H

#include "sim.h"

struct sim_client *sim_client_of_fd(struct sim *sim, int fd);
/* The client whose request a file operation is for. */
struct sim_client *sim_client_of_token(struct sim *sim, struct uring_token token);

void sim_post_result(struct uring *uring, const struct sim_operation *operation, int32_t result,
                     bool more);
/* Posts the operation's last event, but for a notice. */
void sim_end_operation(struct uring *uring, struct sim_operation *operation, int32_t result);

/* Each returns false when it cannot go on now. */
bool sim_run_send(struct uring *uring, struct sim_operation *operation);
bool sim_run_poll(struct uring *uring, struct sim_operation *operation);
bool sim_run_notice(struct uring *uring, struct sim_notice *notice);

#endif

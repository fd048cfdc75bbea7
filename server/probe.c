/* probe: see the header. */
#include "server/probe.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "uring/uring.h"

enum {
    PROBE_ATTEMPTS_MAX = 20,
    PROBE_PAUSE_MS = 100,
};

/* The kernel gives the locked memory of a ring back some time after its process has ended: a
 * restart within a small limit (ulimit -l) has to wait for it. */
static enum uring_refusal probe_patiently(int *error)
{
    enum uring_refusal refusal = uring_probe(error);
    for (int i = 0; i < PROBE_ATTEMPTS_MAX && *error == -ENOMEM; i++) {
        (void)poll(NULL, 0, PROBE_PAUSE_MS);
        refusal = uring_probe(error);
    }
    return refusal;
}

static int tell_refusal(enum uring_refusal refusal, int error, FILE *stream)
{
    const char *reason = "";
    switch (refusal) {
    case URING_REFUSAL_NONE:
        return 0;
    case URING_REFUSAL_KERNEL:
        reason = "this kernel is older than 6.1, or was built without it";
        break;
    case URING_REFUSAL_SYSCTL:
        reason = "the sysctl kernel.io_uring_disabled forbids it; set it to 0";
        break;
    case URING_REFUSAL_SECCOMP:
        reason =
            "a seccomp filter or security module forbids it, as container runtimes do by default; "
            "allow io_uring_setup, io_uring_enter and io_uring_register";
        break;
    case URING_REFUSAL_RESOURCE:
        reason = "memory, lockable memory (ulimit -l) or descriptors (ulimit -n) have run out";
        break;
    }
    fprintf(stream, "gyre: io_uring is not available: %s (%s)\n", reason, strerror(-error));
    return 1;
}

int probe_ring(FILE *stream)
{
    int error = 0;
    enum uring_refusal refusal = probe_patiently(&error);
    return tell_refusal(refusal, error, stream);
}

/* probe: see the header. */
#include "server/probe.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

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

static const char *reason_of(enum uring_refusal refusal)
{
    switch (refusal) {
    case URING_REFUSAL_NONE:
        break;
    case URING_REFUSAL_KERNEL:
        return "this kernel is older than 6.1, or was built without it";
    case URING_REFUSAL_SYSCTL:
        return "the sysctl kernel.io_uring_disabled forbids it; set it to 0";
    case URING_REFUSAL_SECCOMP:
        return "a seccomp filter or security module forbids it, as container runtimes do by "
               "default; allow io_uring_setup, io_uring_enter and io_uring_register";
    case URING_REFUSAL_RESOURCE:
        return "memory, lockable memory (ulimit -l) or descriptors (ulimit -n) have run out";
    }
    return "";
}

int probe_engine(enum conf_engine wanted, enum uring_kind *kind, FILE *stream)
{
    *kind = URING_EPOLL;
    if (wanted == CONF_ENGINE_EPOLL) {
        return 0;
    }
    int error = 0;
    enum uring_refusal refusal = probe_patiently(&error);
    if (refusal == URING_REFUSAL_NONE) {
        *kind = URING_RING;
        return 0;
    }
    bool falls_back = wanted == CONF_ENGINE_AUTO;
    fprintf(stream, "gyre: io_uring is not available: %s%s%s%s%s\n", reason_of(refusal),
            error != 0 ? " (" : "", error != 0 ? strerror(-error) : "", error != 0 ? ")" : "",
            falls_back ? "; serving with epoll instead" : "");
    return falls_back ? 0 : 1;
}

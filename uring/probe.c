/* probe: whether this process may use io_uring, and what stands in the way. */
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "uring/engine.h"

bool engine_kernel_is_at_least(unsigned major, unsigned minor)
{
    struct utsname name;
    unsigned has_major = 0;
    unsigned has_minor = 0;
    if (uname(&name) != 0 || sscanf(name.release, "%u.%u", &has_major, &has_minor) != 2) {
        return false;
    }
    return has_major > major || (has_major == major && has_minor >= minor);
}

static int read_disabled_sysctl(void)
{
    int value = 0;
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (file != NULL) {
        if (fscanf(file, "%d", &value) != 1) {
            value = 0;
        }
        fclose(file);
    }
    return value;
}

enum uring_refusal uring_probe(int *error)
{
    struct io_uring ring;
    struct io_uring_params params = { .flags =
                                          IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };
    *error = io_uring_queue_init_params(8, &ring, &params);
    if (*error == 0) {
        io_uring_queue_exit(&ring);
        return engine_kernel_is_at_least(URING_KERNEL_MAJOR_MIN, URING_KERNEL_MINOR_MIN)
                   ? URING_REFUSAL_NONE
                   : URING_REFUSAL_KERNEL;
    }
    if (*error == -ENOMEM || *error == -EMFILE || *error == -ENFILE) {
        return URING_REFUSAL_RESOURCE;
    }
    if (*error == -EPERM && read_disabled_sysctl() != 0) {
        return URING_REFUSAL_SYSCTL;
    }
    if (!engine_kernel_is_at_least(URING_KERNEL_MAJOR_MIN, URING_KERNEL_MINOR_MIN) ||
        *error == -EINVAL) {
        return URING_REFUSAL_KERNEL;
    }
    return URING_REFUSAL_SECCOMP;
}

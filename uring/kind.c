/* kind: how an engine is called. */
#include "uring/uring.h"

const char *uring_kind_name(enum uring_kind kind)
{
    return kind == URING_RING ? "io_uring" : "epoll";
}

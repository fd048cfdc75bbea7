/* answer_outbuf: appending to a connection's outbuf; what lies there is sent as one piece. */
#ifndef GYRE_SERVER_ANSWER_OUTBUF_H
#define GYRE_SERVER_ANSWER_OUTBUF_H

#include <string.h>

#include "server/worker.h"

static inline char *outbuf_end(struct connection *connection)
{
    return connection->outbuf->data + connection->outbuf_used;
}

static inline uint32_t outbuf_room(const struct connection *connection)
{
    return connection->outbuf->size - connection->outbuf_used;
}

/* Bytes [outbuf_used, outbuf_used + size) have been written: they are to be sent. */
static inline void outbuf_commit(struct connection *connection, size_t size)
{
    assert(size <= outbuf_room(connection));
    outbox_append(&connection->outbox, (struct segment){ .home = SEGMENT_IN_OUTBUF,
                                                         .data = outbuf_end(connection),
                                                         .length = size });
    connection->outbuf_used += (uint32_t)size;
}

static inline bool outbuf_append(struct connection *connection, struct slice bytes)
{
    if (bytes.size > outbuf_room(connection)) {
        return false;
    }
    memcpy(outbuf_end(connection), bytes.data, bytes.size);
    outbuf_commit(connection, bytes.size);
    return true;
}

#endif

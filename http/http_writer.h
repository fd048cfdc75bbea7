/* http_writer: bytes appended to a bounded buffer. Counts on past the end, so that the caller
 * learns the size that was needed; nothing is written once a piece did not fit. */
#ifndef GYRE_HTTP_WRITER_H
#define GYRE_HTTP_WRITER_H

#include "http/slice.h"

struct http_writer {
    char *data;
    size_t size;
    size_t needed;
};

static inline void http_writer_append(struct http_writer *writer, struct slice bytes)
{
    if (writer->needed <= writer->size && bytes.size <= writer->size - writer->needed &&
        bytes.size > 0) {
        memcpy(writer->data + writer->needed, bytes.data, bytes.size);
    }
    writer->needed += bytes.size;
}

static inline void http_writer_append_byte(struct http_writer *writer, char byte)
{
    if (writer->needed < writer->size) {
        writer->data[writer->needed] = byte;
    }
    writer->needed++;
}

#endif

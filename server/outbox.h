/* outbox: what a connection still has to send, as a short queue of segments. Pure.
 *
 * A BYTES segment is sent. A FILE segment is never sent: it is loaded, which puts BYTES in front of
 * it; BYTES are never loaded. outbox_advance() eats from the front, whatever a send managed: short
 * sends and partial zero-copy are the same event.
 *
 * Ownership: a segment says what its bytes live in (`home`), and holds one count of it. Segments
 * that are used up are handed back one by one by outbox_take_spent(), so that the caller releases
 * them. */
#ifndef GYRE_SERVER_OUTBOX_H
#define GYRE_SERVER_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "server/limits.h"

struct entry;

enum segment_home {
    SEGMENT_IN_OUTBUF, /* BYTES in the connection's outbuf: heads, small bodies */
    SEGMENT_IN_ENTRY,  /* BYTES of a cached body; counted */
    SEGMENT_IN_PIECE,  /* BYTES of an archive's piece; the exchange's, until they are sent */
    SEGMENT_IN_CHUNK,  /* BYTES just loaded; the connection's chunk */
    SEGMENT_IN_FILE,   /* not bytes yet: `offset`, `length` of the entry's file; counted */
};

struct segment {
    enum segment_home home;
    const char *data;    /* BYTES */
    struct entry *entry; /* IN_ENTRY, IN_FILE */
    uint64_t offset;     /* IN_FILE: where in the file; IN_CHUNK: where in the chunk */
    uint64_t length;     /* bytes left */
};

struct outbox {
    struct segment segments[OUTBOX_SEGMENTS_MAX];
    uint8_t first;
    uint8_t count;
};

/* Room for `count` more segments, one place being kept for loading. */
bool outbox_has_room(const struct outbox *outbox, unsigned count);

bool outbox_is_empty(const struct outbox *outbox);

/* Appends; bytes that follow the last segment's directly in the outbuf become part of it. */
void outbox_append(struct outbox *outbox, struct segment segment);

/* The segment whose turn it is, or NULL. */
struct segment *outbox_front(struct outbox *outbox);

/* The first FILE segment with bytes left to load, or NULL. */
struct segment *outbox_file(struct outbox *outbox);

/* The loaded bytes, or NULL: there is one chunk a connection. */
struct segment *outbox_chunk(struct outbox *outbox);
bool outbox_is_loaded(const struct outbox *outbox);

/* Puts `length` chunk bytes in front of outbox_file(), which shrinks from its start. Segments
 * before it (a head) stay before the loaded bytes. */
void outbox_load(struct outbox *outbox, const char *data, uint64_t chunk_offset, uint64_t length);

/* Takes back the last `length` loaded bytes: the read came short. The FILE segment behind them
 * grows. */
void outbox_unload(struct outbox *outbox, uint64_t length);

/* Describes the BYTES segments at the front, up to the first FILE segment. Returns their number;
 * *size is their sum. */
unsigned outbox_gather(const struct outbox *outbox, struct iovec pieces[OUTBOX_SEGMENTS_MAX],
                       uint64_t *size);

/* `size` bytes at the front were sent; they are all in BYTES segments. */
void outbox_advance(struct outbox *outbox, uint64_t size);

/* Removes a used-up segment from the front, if there is one, so that its home can be released. */
bool outbox_take_spent(struct outbox *outbox, struct segment *segment);

/* Removes the front segment whatever is left of it: for a connection that ends. */
bool outbox_take_any(struct outbox *outbox, struct segment *segment);

#endif

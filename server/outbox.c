/* outbox: a ring of segments; see the header for the rules. */
#include <assert.h>

#include "server/outbox.h"

enum {
    MASK = OUTBOX_SEGMENTS_MAX - 1
};

static struct segment *segment_at(struct outbox *outbox, unsigned index)
{
    assert(index < outbox->count);
    return &outbox->segments[(outbox->first + index) & MASK];
}

bool outbox_has_room(const struct outbox *outbox, unsigned count)
{
    return outbox->count + count + 1 <= OUTBOX_SEGMENTS_MAX;
}

bool outbox_is_empty(const struct outbox *outbox)
{
    return outbox->count == 0;
}

static bool segment_continues(const struct segment *last, const struct segment *next)
{
    return last->home == SEGMENT_IN_OUTBUF && next->home == SEGMENT_IN_OUTBUF &&
           last->data + last->length == next->data;
}

void outbox_append(struct outbox *outbox, struct segment segment)
{
    assert(segment.length > 0);
    assert((segment.home == SEGMENT_IN_FILE) == (segment.data == NULL));
    if (outbox->count > 0) {
        struct segment *last = segment_at(outbox, outbox->count - 1U);
        if (segment_continues(last, &segment)) {
            last->length += segment.length;
            return;
        }
    }
    assert(outbox_has_room(outbox, 1));
    outbox->count++;
    *segment_at(outbox, outbox->count - 1U) = segment;
}

struct segment *outbox_front(struct outbox *outbox)
{
    return outbox->count > 0 ? segment_at(outbox, 0) : NULL;
}

/* The index of the first segment that satisfies the question, or count. */
static unsigned index_of_home(const struct outbox *outbox, enum segment_home home)
{
    unsigned index = 0;
    while (index < outbox->count && outbox->segments[(outbox->first + index) & MASK].home != home) {
        index++;
    }
    return index;
}

static unsigned index_of_file(const struct outbox *outbox)
{
    unsigned index = 0;
    for (; index < outbox->count; index++) {
        const struct segment *segment = &outbox->segments[(outbox->first + index) & MASK];
        if (segment->home == SEGMENT_IN_FILE && segment->length > 0) {
            break;
        }
    }
    return index;
}

struct segment *outbox_file(struct outbox *outbox)
{
    unsigned index = index_of_file(outbox);
    return index < outbox->count ? segment_at(outbox, index) : NULL;
}

struct segment *outbox_chunk(struct outbox *outbox)
{
    unsigned index = index_of_home(outbox, SEGMENT_IN_CHUNK);
    return index < outbox->count ? segment_at(outbox, index) : NULL;
}

bool outbox_is_loaded(const struct outbox *outbox)
{
    return index_of_home(outbox, SEGMENT_IN_CHUNK) < outbox->count;
}

void outbox_load(struct outbox *outbox, const char *data, uint64_t chunk_offset, uint64_t length)
{
    assert(length > 0);
    assert(outbox->count < OUTBOX_SEGMENTS_MAX);
    assert(!outbox_is_loaded(outbox));
    unsigned index = index_of_file(outbox);
    struct segment *file = segment_at(outbox, index);
    assert(length <= file->length);
    file->offset += length;
    file->length -= length;

    outbox->first = (outbox->first - 1) & MASK;
    outbox->count++;
    for (unsigned i = 0; i < index; i++) {
        *segment_at(outbox, i) = *segment_at(outbox, i + 1);
    }
    *segment_at(outbox, index) = (struct segment){
        .home = SEGMENT_IN_CHUNK,
        .data = data,
        .offset = chunk_offset,
        .length = length,
    };
}

void outbox_unload(struct outbox *outbox, uint64_t length)
{
    unsigned index = index_of_home(outbox, SEGMENT_IN_CHUNK);
    struct segment *chunk = segment_at(outbox, index);
    struct segment *file = segment_at(outbox, index + 1);
    assert(file->home == SEGMENT_IN_FILE);
    assert(length <= chunk->length);
    assert(length <= file->offset);
    chunk->length -= length;
    file->offset -= length;
    file->length += length;
}

unsigned outbox_gather(const struct outbox *outbox, struct iovec pieces[OUTBOX_SEGMENTS_MAX],
                       uint64_t *size)
{
    unsigned count = 0;
    *size = 0;
    for (unsigned i = 0; i < outbox->count; i++) {
        const struct segment *segment = &outbox->segments[(outbox->first + i) & MASK];
        if (segment->length == 0) {
            continue;
        }
        if (segment->home == SEGMENT_IN_FILE) {
            break;
        }
        pieces[count].iov_base = (void *)(uintptr_t)segment->data;
        pieces[count].iov_len = segment->length;
        *size += segment->length;
        count++;
    }
    return count;
}

void outbox_advance(struct outbox *outbox, uint64_t size)
{
    for (unsigned i = 0; size > 0; i++) {
        struct segment *segment = segment_at(outbox, i);
        if (segment->home == SEGMENT_IN_FILE) {
            assert(segment->length == 0); /* what was loaded of it lies before it */
            continue;
        }
        uint64_t eaten = size < segment->length ? size : segment->length;
        segment->data += eaten;
        segment->offset += eaten;
        segment->length -= eaten;
        size -= eaten;
    }
}

bool outbox_take_spent(struct outbox *outbox, struct segment *segment)
{
    return outbox->count > 0 && segment_at(outbox, 0)->length == 0 &&
           outbox_take_any(outbox, segment);
}

bool outbox_take_any(struct outbox *outbox, struct segment *segment)
{
    if (outbox->count == 0) {
        return false;
    }
    *segment = *segment_at(outbox, 0);
    outbox->first = (outbox->first + 1) & MASK;
    outbox->count--;
    return true;
}

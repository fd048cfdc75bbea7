/* The outbox against a model that is one flat row of bytes: each has a value, and is ready to be
 * sent or not. Thousands of random sequences; every gathered byte is compared. */
#include <string.h>

#include "seeded.h"
#include "server/outbox.h"
#include "slice_assert.h"

enum {
    SEQUENCES = 3000,
    STEPS = 60,
    BYTES_MAX = STEPS * 64, /* appended in one sequence */
    CHUNK_SIZE = 48,
    SOURCE_SIZE = BYTES_MAX,
};

struct model_byte {
    char value;
    bool ready;
};

struct model {
    struct seeded seeded;
    struct outbox outbox;
    struct model_byte bytes[BYTES_MAX];
    uint32_t bytes_count;
    uint32_t sent;             /* the first byte that is not */
    uint32_t file_ends[STEPS]; /* where in the row each file's bytes end */
    uint32_t files_count;
    uint32_t chunk_end;     /* where in the row the loaded bytes end */
    uint32_t places;        /* segments in the outbox */
    const char *outbuf_end; /* of the last segment; NULL: it is not in the outbuf */
    bool chunk_taken;
    uint32_t entries_held; /* counts of entries that segments hold */
    char outbuf[SOURCE_SIZE + STEPS];
    uint32_t outbuf_used;
    char body[SOURCE_SIZE];
    char chunk[CHUNK_SIZE];
};

#define CHECK(model, condition)                                                              \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            fail_msg("seed %llu: %s", (unsigned long long)(model)->seeded.seed, #condition); \
        }                                                                                    \
    } while (0)

static char file_byte(uint64_t offset)
{
    return (char)(offset * 31 + (offset >> 8) * 7 + 3);
}

static void model_start(struct model *model, uint64_t seed)
{
    memset(model, 0, sizeof(*model));
    model->seeded = seeded_start(seed);
    for (unsigned i = 0; i < sizeof(model->outbuf); i++) {
        model->outbuf[i] = (char)(i * 7 + (i >> 8));
    }
    for (unsigned i = 0; i < sizeof(model->body); i++) {
        model->body[i] = (char)(i * 11 + (i >> 8) * 5 + 1);
    }
}

/* The first byte of the row that is not loaded, or bytes_count. */
static uint32_t first_unready(const struct model *model)
{
    uint32_t at = model->sent;
    while (at < model->bytes_count && model->bytes[at].ready) {
        at++;
    }
    return at;
}

static void row_append(struct model *model, char value, bool ready)
{
    assert_true(model->bytes_count < BYTES_MAX);
    model->bytes[model->bytes_count++] = (struct model_byte){ value, ready };
}

static void append_outbuf(struct model *model, uint32_t length)
{
    model->outbuf_used += seeded_between(&model->seeded, 0, 3) == 0; /* a gap */
    const char *data = model->outbuf + model->outbuf_used;
    bool joins = model->places > 0 && model->outbuf_end == data;
    outbox_append(&model->outbox,
                  (struct segment){ .home = SEGMENT_IN_OUTBUF, .data = data, .length = length });
    for (uint32_t i = 0; i < length; i++) {
        row_append(model, data[i], true);
    }
    model->outbuf_used += length;
    model->outbuf_end = data + length;
    model->places += !joins;
}

static void append_body(struct model *model, uint32_t length)
{
    const char *data = model->body + seeded_between(&model->seeded, 0, SOURCE_SIZE - 64);
    outbox_append(&model->outbox,
                  (struct segment){ .home = SEGMENT_IN_ENTRY, .data = data, .length = length });
    for (uint32_t i = 0; i < length; i++) {
        row_append(model, data[i], true);
    }
    model->outbuf_end = NULL;
    model->places++;
    model->entries_held++;
}

static void append_file(struct model *model, uint32_t length)
{
    uint64_t offset = seeded_next(&model->seeded) >> 20;
    outbox_append(&model->outbox,
                  (struct segment){ .home = SEGMENT_IN_FILE, .offset = offset, .length = length });
    for (uint32_t i = 0; i < length; i++) {
        row_append(model, file_byte(offset + i), false);
    }
    model->file_ends[model->files_count++] = model->bytes_count;
    model->outbuf_end = NULL;
    model->places++;
    model->entries_held++;
}

static void step_append(struct model *model)
{
    unsigned wanted = seeded_between(&model->seeded, 1, OUTBOX_SEGMENTS_MAX);
    CHECK(model, outbox_has_room(&model->outbox, wanted) ==
                     (model->places + wanted < OUTBOX_SEGMENTS_MAX));
    if (model->places + 1 >= OUTBOX_SEGMENTS_MAX) {
        return;
    }
    uint32_t length = seeded_between(&model->seeded, 1, 63);
    switch (seeded_between(&model->seeded, 0, 2)) {
    case 0:
        append_outbuf(model, length);
        break;
    case 1:
        append_body(model, length);
        break;
    default:
        append_file(model, length);
        break;
    }
}

/* Where the file that the byte at `at` belongs to ends. */
static uint32_t file_end_behind(const struct model *model, uint32_t at)
{
    uint32_t i = 0;
    while (model->file_ends[i] <= at) {
        i++;
    }
    return model->file_ends[i];
}

static void step_load(struct model *model)
{
    uint32_t at = first_unready(model);
    struct segment *file = outbox_file(&model->outbox);
    CHECK(model, (file != NULL) == (at < model->bytes_count));
    CHECK(model, outbox_is_loaded(&model->outbox) == model->chunk_taken);
    CHECK(model, (outbox_chunk(&model->outbox) != NULL) == model->chunk_taken);
    if (file == NULL || model->chunk_taken) {
        return;
    }
    uint32_t left = file_end_behind(model, at) - at;
    CHECK(model, file->length == left);
    uint32_t most = left < CHUNK_SIZE ? left : CHUNK_SIZE;
    uint32_t length = seeded_between(&model->seeded, 1, most);
    for (uint32_t i = 0; i < length; i++) {
        model->chunk[i] = file_byte(file->offset + i);
        model->bytes[at + i].ready = true;
    }
    outbox_load(&model->outbox, model->chunk, 0, length);
    model->chunk_end = at + length;
    model->chunk_taken = true;
    model->places++;
}

static void step_unload(struct model *model)
{
    const struct segment *chunk = outbox_chunk(&model->outbox);
    if (chunk == NULL) {
        return;
    }
    uint32_t length = seeded_between(&model->seeded, 0, (uint32_t)chunk->length);
    outbox_unload(&model->outbox, length);
    for (uint32_t i = 0; i < length; i++) {
        model->bytes[--model->chunk_end].ready = false;
    }
}

/* Compares what would be sent with the row; returns its size. */
static uint32_t gather(struct model *model)
{
    struct iovec pieces[OUTBOX_SEGMENTS_MAX];
    uint64_t size;
    unsigned count = outbox_gather(&model->outbox, pieces, &size);
    uint32_t at = model->sent;
    for (unsigned i = 0; i < count; i++) {
        CHECK(model, pieces[i].iov_len > 0);
        for (size_t k = 0; k < pieces[i].iov_len; k++) {
            CHECK(model, at < model->bytes_count);
            CHECK(model, model->bytes[at].ready);
            CHECK(model, ((const char *)pieces[i].iov_base)[k] == model->bytes[at].value);
            at++;
        }
    }
    CHECK(model, size == at - model->sent);
    CHECK(model, at == first_unready(model));
    return (uint32_t)size;
}

static void forget_segment(struct model *model, const struct segment *segment)
{
    model->places--;
    if (segment->home == SEGMENT_IN_CHUNK) {
        CHECK(model, model->chunk_taken);
        model->chunk_taken = false;
    }
    if (segment->home == SEGMENT_IN_ENTRY || segment->home == SEGMENT_IN_FILE) {
        CHECK(model, model->entries_held > 0);
        model->entries_held--;
    }
}

static void take_spent(struct model *model)
{
    struct segment segment;
    while (outbox_take_spent(&model->outbox, &segment)) {
        CHECK(model, segment.length == 0);
        forget_segment(model, &segment);
    }
    const struct segment *front = outbox_front(&model->outbox);
    CHECK(model, front == NULL || front->length > 0);
    CHECK(model, (front == NULL) == (model->places == 0));
    CHECK(model, (front == NULL) == (model->sent == model->bytes_count));
}

static void step_send(struct model *model)
{
    uint32_t size = gather(model);
    uint32_t sent =
        seeded_between(&model->seeded, 0, 2) == 0 ? size : seeded_between(&model->seeded, 0, size);
    outbox_advance(&model->outbox, sent);
    model->sent += sent;
    if (seeded_between(&model->seeded, 0, 3) != 0) {
        take_spent(model);
    }
}

static void step(struct model *model)
{
    switch (seeded_between(&model->seeded, 0, 6)) {
    case 0:
    case 1:
        step_append(model);
        break;
    case 2:
    case 3:
        step_load(model);
        break;
    case 4:
        step_unload(model);
        break;
    default:
        step_send(model);
        break;
    }
    CHECK(model, model->outbox.count == model->places);
    CHECK(model, outbox_is_empty(&model->outbox) == (model->places == 0));
}

/* Nothing more comes, and everything goes out. */
static void drain(struct model *model)
{
    for (unsigned i = 0; i < 100 * STEPS && !outbox_is_empty(&model->outbox); i++) {
        take_spent(model);
        step_load(model);
        step_send(model);
    }
    take_spent(model);
    CHECK(model, model->sent == model->bytes_count);
}

/* The connection ends in the middle. */
static void abandon(struct model *model)
{
    struct segment segment;
    while (outbox_take_any(&model->outbox, &segment)) {
        forget_segment(model, &segment);
    }
}

static void random_sequences_send_the_row_and_hand_every_home_back(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEQUENCES; seed++) {
        struct model model;
        model_start(&model, seed);
        for (unsigned i = 0; i < STEPS; i++) {
            step(&model);
        }
        if (seed % 4 == 0) {
            abandon(&model);
        } else {
            drain(&model);
        }
        CHECK(&model, outbox_is_empty(&model.outbox));
        CHECK(&model, model.places == 0);
        CHECK(&model, !model.chunk_taken);
        CHECK(&model, model.entries_held == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sequences_send_the_row_and_hand_every_home_back),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_outbox_model", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* Three connections' inputs that share a pool, against a model that is two positions in a stream.
 * Random appends, gathers, consumes, pins, settles and discards; every byte is compared. */
#include "fake_receive.h"
#include "seeded.h"

enum {
    SEQUENCES = 400,
    STEPS = 300,
    PEERS = 3,
};

struct peer {
    struct input input;
    uint32_t stream;
    uint64_t used;     /* bytes of the stream that were consumed */
    uint64_t received; /* bytes of the stream that came */
    struct slice pin;  /* SLICE_NONE: none */
    uint64_t pin_at;
};

struct model {
    struct seeded seeded;
    struct uring uring;
    struct input_pool pool;
    struct peer peers[PEERS];
};

#define CHECK(model, condition)                                                              \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            fail_msg("seed %llu: %s", (unsigned long long)(model)->seeded.seed, #condition); \
        }                                                                                    \
    } while (0)

static void model_start(struct model *model, uint64_t seed)
{
    memset(model, 0, sizeof(*model));
    model->seeded = seeded_start(seed);
    CHECK(model, input_pool_create(&model->pool, &model->uring, RECEIVE_BUFFERS, PEERS) == 0);
    for (uint32_t i = 0; i < PEERS; i++) {
        model->peers[i].stream = i;
        model->peers[i].pin = SLICE_NONE;
        input_init(&model->peers[i].input);
    }
}

/* Small sizes and full buffers both matter. */
static uint32_t size_up_to(struct model *model, uint64_t size_max)
{
    uint32_t most = (uint32_t)size_max;
    switch (seeded_between(&model->seeded, 0, 2)) {
    case 0:
        return most;
    case 1:
        return seeded_between(&model->seeded, 1, most < 100 ? most : 100);
    default:
        return seeded_between(&model->seeded, 1, most);
    }
}

static void check_peer(struct model *model, const struct peer *peer)
{
    struct slice view = input_view(&model->pool, &peer->input);
    uint64_t left = peer->received - peer->used;
    CHECK(model, view.size <= left);
    CHECK(model, (view.size == 0) == (left == 0));
    CHECK(model, input_is_empty(&peer->input) == (left == 0));
    CHECK(model, input_has_more(&peer->input) == (view.size < left));
    CHECK(model, stream_mismatch(view, peer->stream, peer->used) == view.size);
    CHECK(model, stream_mismatch(peer->pin, peer->stream, peer->pin_at) == peer->pin.size);
    CHECK(model, (peer->input.inbox != NULL) ==
                     (peer->pin.size > 0 || peer->input.inbox_start < peer->input.inbox_end));
}

static void check(struct model *model)
{
    uint32_t buffers_count = 0;
    uint32_t inboxes_count = 0;
    for (unsigned i = 0; i < PEERS; i++) {
        check_peer(model, &model->peers[i]);
        buffers_count += model->peers[i].input.buffers_count;
        inboxes_count += model->peers[i].input.inbox != NULL;
    }
    CHECK(model, buffers_count == model->uring.out_count);
    CHECK(model, inboxes_count + model->pool.inboxes_free_count == PEERS);
}

static void step_receive(struct model *model, struct peer *peer)
{
    uint16_t buffer = (uint16_t)seeded_between(&model->seeded, 0, RECEIVE_BUFFERS - 1);
    if (model->uring.out[buffer]) {
        return;
    }
    uint32_t size = size_up_to(model, RECEIVE_SIZE);
    receive_into(&model->pool, &peer->input, buffer, peer->stream, peer->received, size);
    peer->received += size;
}

static void step_consume(struct model *model, struct peer *peer)
{
    struct slice view = input_view(&model->pool, &peer->input);
    uint32_t size = view.size > 0 ? size_up_to(model, view.size) : 0;
    input_consume(&model->pool, &peer->input, size);
    peer->used += size;
}

static void step_gather(struct model *model, struct peer *peer)
{
    input_gather(&model->pool, &peer->input);
    uint64_t left = peer->received - peer->used;
    uint64_t room = INBOX_SIZE - peer->pin.size;
    size_t expected = left < room ? left : room;
    /* Behind a pin that fills the inbox, bytes are seen where they are. */
    CHECK(model, room == 0 || input_view(&model->pool, &peer->input).size == expected);
}

static void step_pin(struct model *model, struct peer *peer)
{
    struct slice view = input_view(&model->pool, &peer->input);
    if (peer->pin.size > 0) {
        input_unpin(&model->pool, &peer->input);
        peer->pin = SLICE_NONE;
    } else if (view.size > 0) {
        uint32_t size = size_up_to(model, view.size);
        peer->pin = input_pin(&model->pool, &peer->input, size);
        CHECK(model, peer->pin.size == size);
        peer->pin_at = peer->used;
        peer->used += size;
    }
}

static void step_settle(struct model *model, struct peer *peer)
{
    bool fits = peer->pin.size + peer->received - peer->used <= INBOX_SIZE;
    input_settle(&model->pool, &peer->input);
    CHECK(model, (peer->input.buffers_count == 0) == fits);
}

static void step(struct model *model, struct peer *peer)
{
    switch (seeded_between(&model->seeded, 0, 20)) {
    case 0:
    case 1:
        step_gather(model, peer);
        break;
    case 2:
    case 3:
    case 4:
        step_pin(model, peer);
        break;
    case 5:
    case 6:
        step_settle(model, peer);
        break;
    case 7:
        input_discard(&model->pool, &peer->input);
        peer->used = peer->received;
        break;
    case 8:
    case 9:
    case 10:
    case 11:
        step_consume(model, peer);
        break;
    default:
        step_receive(model, peer);
        break;
    }
}

static void model_end(struct model *model)
{
    for (unsigned i = 0; i < PEERS; i++) {
        input_discard(&model->pool, &model->peers[i].input);
        input_unpin(&model->pool, &model->peers[i].input);
        CHECK(model, model->peers[i].input.inbox == NULL);
    }
    CHECK(model, model->uring.out_count == 0);
    CHECK(model, model->pool.inboxes_free_count == PEERS);
    input_pool_destroy(&model->pool);
}

static void random_sequences_show_the_stream_and_release_every_buffer_once(void **state)
{
    (void)state;
    struct model *model = test_malloc(sizeof(*model));
    for (uint64_t seed = 1; seed <= SEQUENCES; seed++) {
        model_start(model, seed);
        for (unsigned i = 0; i < STEPS; i++) {
            step(model, &model->peers[seeded_between(&model->seeded, 0, PEERS - 1)]);
            check(model);
        }
        model_end(model);
    }
    test_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sequences_show_the_stream_and_release_every_buffer_once),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("server_input_model", tests, NULL, NULL) == 0 ? 0 : 1;
}

/* request_fuzz: the input is what one connection sends. It is read whole, byte by byte, and in
 * pieces that the input itself seeds; all three must tell the same story, and what is accepted must
 * satisfy the oracle. Pieces are exact copies on the heap where they are small, so that a read past
 * the end, or a pointer kept between two calls, is found by AddressSanitizer. */
#include "test/fuzz/fuzz.h"
#include "test/fuzz/request_oracle.h"

enum {
    MESSAGES_MAX = 32,
    COPY_SIZE_MAX = 512,
    SLICES_COUNT = 21,
};

enum piece_size {
    PIECE_WHOLE,
    PIECE_BYTE,
    PIECE_SEEDED,
    PIECE_KINDS
};

/* What is known of one message, comparable between two runs. */
struct message {
    size_t start;
    size_t head_size;
    size_t body_size; /* as sent, framing included */
    uint64_t payload_size;
    uint64_t content_length;
    enum http_method method;
    enum http_body_kind body_kind;
    unsigned version_minor;
    bool keep_alive;
    bool expects_continue;
    unsigned repeated;
    ptrdiff_t offsets[SLICES_COUNT]; /* of the slices, from the message's first byte; -1: absent */
    size_t sizes[SLICES_COUNT];
};

struct story {
    struct message messages[MESSAGES_MAX];
    size_t count;
    size_t error_size; /* bytes of the stream that had arrived with the deciding one; 0: no error */
    unsigned error_status;
    const char *error;
};

struct stream {
    const char *data;
    size_t size;
    size_t start; /* of the message */
    size_t arrived;
    enum piece_size piece_size;
    uint32_t seed;
};

/* Returns false when nothing more comes. */
static bool arrive(struct stream *stream)
{
    size_t piece = 1;
    if (stream->arrived == stream->size) {
        return false;
    }
    if (stream->piece_size == PIECE_WHOLE) {
        piece = stream->size;
    } else if (stream->piece_size == PIECE_SEEDED) {
        stream->seed = stream->seed * 1664525 + 1013904223;
        piece = 1 + (stream->seed >> 24) % ((stream->seed >> 20 & 1) != 0 ? 200 : 7);
    }
    size_t left = stream->size - stream->arrived;
    stream->arrived += piece < left ? piece : left;
    return true;
}

static const char *piece_take(const char *data, size_t size)
{
    if (size > COPY_SIZE_MAX) {
        return data;
    }
    char *copy = malloc(size);
    ORACLE(copy != NULL);
    return memcpy(copy, data, size);
}

static void piece_drop(const char *piece, const char *data)
{
    if (piece != data) {
        free((void *)(uintptr_t)piece);
    }
}

static void record_slices(struct message *message, const struct http_request *request,
                          const char *head)
{
    const struct slice *slices[SLICES_COUNT] = {
        &request->line,
        &request->method_token,
        &request->target,
        &request->path,
        &request->query,
        &request->host,
        &request->accept,
        &request->accept_encoding,
        &request->authorization,
        &request->if_match,
        &request->if_none_match,
        &request->if_modified_since,
        &request->if_unmodified_since,
        &request->if_range,
        &request->range,
        &request->origin,
        &request->access_control_request_method,
        &request->access_control_request_headers,
        &request->fields,
        &request->referer,
        &request->user_agent,
    };
    for (size_t i = 0; i < SLICES_COUNT; i++) {
        struct slice slice = *slices[i];
        bool is_constant = slices[i] == &request->path && slice_equal(slice, SLICE("/"));
        message->sizes[i] = slice.size;
        message->offsets[i] = -1;
        if (slice.data == NULL) {
            ORACLE(slice.size == 0);
        } else if (!is_constant) {
            ORACLE(slice.data >= head);
            ORACLE(slice.data + slice.size <= head + message->head_size);
            message->offsets[i] = slice.data - head;
        }
    }
}

static void record_message(struct message *message, const struct stream *stream,
                           const struct http_parser *parser, const struct http_request *request,
                           const char *head)
{
    ORACLE(parser->head_size > 0);
    ORACLE(parser->head_size <= stream->arrived - stream->start);
    *message = (struct message){
        .start = stream->start,
        .head_size = parser->head_size,
        .content_length = request->content_length,
        .method = request->method,
        .body_kind = request->body_kind,
        .version_minor = request->version_minor,
        .keep_alive = request->keep_alive,
        .expects_continue = request->expects_continue,
        .repeated = request->repeated,
    };
    record_slices(message, request, head);
    oracle_accepted_head(head, parser->head_size, request);
}

static void record_error(struct story *story, const struct stream *stream,
                         const struct http_parser *parser, size_t decided_size)
{
    static const unsigned known[] = { 400, 405, 414, 417, 431, 501, 505 };
    bool is_known = false;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        is_known |= parser->error_status == known[i];
    }
    ORACLE(is_known);
    ORACLE(parser->error != NULL);
    story->error_size = decided_size;
    story->error_status = parser->error_status;
    story->error = parser->error;
    ORACLE(decided_size <= stream->arrived);
}

static enum http_parse_result read_head(struct stream *stream, struct http_parser *parser,
                                        struct story *story)
{
    enum http_parse_result result = HTTP_PARSE_MORE;
    while (result == HTTP_PARSE_MORE) {
        if (stream->arrived == stream->start && !arrive(stream)) {
            return HTTP_PARSE_MORE;
        }
        struct http_request request;
        size_t size = stream->arrived - stream->start;
        const char *data = stream->data + stream->start;
        const char *piece = piece_take(data, size);
        result = http_parse_head(parser, piece, size, &request);
        if (result == HTTP_PARSE_DONE) {
            record_message(&story->messages[story->count], stream, parser, &request, piece);
        } else if (result == HTTP_PARSE_ERROR) {
            ORACLE(request.path.data == NULL);
            record_error(story, stream, parser, stream->start);
        } else {
            ORACLE(size < HTTP_HEAD_SIZE_MAX);
        }
        piece_drop(piece, data);
        if (result == HTTP_PARSE_MORE && !arrive(stream)) {
            return HTTP_PARSE_MORE;
        }
    }
    return result;
}

/* Reads the body that begins at offset at. */
static enum http_parse_result read_body(struct stream *stream, struct http_parser *parser,
                                        struct story *story, size_t at)
{
    size_t begin = at;
    for (;;) {
        if (at == stream->arrived && !arrive(stream)) {
            return HTTP_PARSE_MORE;
        }
        size_t size = stream->arrived - at;
        size_t consumed = SIZE_MAX;
        const char *piece = piece_take(stream->data + at, size);
        enum http_parse_result result = http_parse_body(parser, piece, size, &consumed);
        piece_drop(piece, stream->data + at);
        ORACLE(consumed <= size);
        at += consumed;
        if (result == HTTP_PARSE_MORE) {
            ORACLE(consumed == size);
            continue;
        }
        if (result == HTTP_PARSE_ERROR) {
            record_error(story, stream, parser, at);
        }
        story->messages[story->count].body_size = at - begin;
        story->messages[story->count].payload_size = parser->body_size;
        return result;
    }
}

static void check_body(const struct stream *stream, const struct message *message)
{
    const char *body = stream->data + message->start + message->head_size;
    if (message->body_kind == HTTP_BODY_LENGTH) {
        ORACLE(message->body_size == message->content_length);
        ORACLE(message->payload_size == message->content_length);
    } else {
        ORACLE(message->payload_size == oracle_accepted_chunked(body, message->body_size));
    }
}

static void read_stream(struct stream *stream, struct story *story)
{
    struct http_parser parser;
    http_parser_init(&parser);
    while (story->count < MESSAGES_MAX) {
        struct message *message = &story->messages[story->count];
        if (read_head(stream, &parser, story) != HTTP_PARSE_DONE) {
            return;
        }
        size_t end = stream->start + message->head_size;
        if (message->body_kind != HTTP_BODY_NONE) {
            if (read_body(stream, &parser, story, end) != HTTP_PARSE_DONE) {
                return;
            }
            check_body(stream, message);
            end += message->body_size;
        }
        story->count++;
        stream->start = end;
        http_parser_reset(&parser);
    }
}

static void expect_same(const struct story *a, const struct story *b)
{
    ORACLE(a->count == b->count);
    ORACLE(a->error_size == b->error_size);
    ORACLE(a->error_status == b->error_status);
    ORACLE(a->error == b->error);
    for (size_t i = 0; i < a->count; i++) {
        const struct message *x = &a->messages[i];
        const struct message *y = &b->messages[i];
        ORACLE(x->start == y->start);
        ORACLE(x->head_size == y->head_size);
        ORACLE(x->body_size == y->body_size);
        ORACLE(x->payload_size == y->payload_size);
        ORACLE(x->content_length == y->content_length);
        ORACLE(x->method == y->method);
        ORACLE(x->body_kind == y->body_kind);
        ORACLE(x->version_minor == y->version_minor);
        ORACLE(x->keep_alive == y->keep_alive);
        ORACLE(x->expects_continue == y->expects_continue);
        ORACLE(x->repeated == y->repeated);
        ORACLE(memcmp(x->offsets, y->offsets, sizeof(x->offsets)) == 0);
        ORACLE(memcmp(x->sizes, y->sizes, sizeof(x->sizes)) == 0);
    }
}

static uint32_t seed_of(const uint8_t *data, size_t size)
{
    uint32_t seed = 2166136261;
    for (size_t i = 0; i < size; i++) {
        seed = (seed ^ data[i]) * 16777619;
    }
    return seed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct story stories[PIECE_KINDS];
    /* The oracle's strspn() and strtoull() want an end. */
    char *text = malloc(size + 1);
    ORACLE(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    for (int kind = 0; kind < PIECE_KINDS; kind++) {
        struct stream stream = { .data = text,
                                 .size = size,
                                 .piece_size = (enum piece_size)kind,
                                 .seed = seed_of(data, size) };
        memset(&stories[kind], 0, sizeof(stories[kind]));
        read_stream(&stream, &stories[kind]);
    }
    expect_same(&stories[PIECE_WHOLE], &stories[PIECE_BYTE]);
    expect_same(&stories[PIECE_WHOLE], &stories[PIECE_SEEDED]);
    free(text);
    return 0;
}

/* request_step: from received bytes to answered requests, one after the other.
 *
 * Duty: the phases of a connection. Each step does one thing and says whether the next may follow
 * at once: a request that needs nothing but the cache goes from its bytes to the outbox without a
 * copy in between.
 *
 * Invariants: a head is parsed only when there is room for its answer, whatever the answer will be;
 * it is pinned before anything is waited for; a body is checked to its end before its request is
 * answered. */
#include "server/request_step.h"

#include "server/answer.h"
#include "server/worker.h"

/* Answers with an error whose framing is in doubt; nothing after it is read as a request. */
void request_reject(struct worker *worker, struct connection *connection, unsigned status)
{
    if (connection->exchange == NULL) {
        exchange_take(worker, connection);
        connection->exchange->request = (struct http_request){ .version_minor = 1 };
    }
    exchange_reject(worker, connection, status);
    exchange_release(worker, connection);
    input_unpin(&worker->inputs, &connection->input);
}

/* The head moves to where it can stay, and the request's slices with it. */
static void pin_head(struct worker *worker, struct connection *connection)
{
    struct slice head =
        input_pin(&worker->inputs, &connection->input, connection->parser.head_size);
    http_parser_init(&connection->parser);
    enum http_parse_result result =
        http_parse_head(&connection->parser, head.data, head.size, &connection->exchange->request);
    assert(result == HTTP_PARSE_DONE);
}

static void finish_request(struct worker *worker, struct connection *connection)
{
    connection->phase = connection->exchange->closing ? PHASE_LAST : PHASE_HEAD;
    exchange_release(worker, connection);
    input_unpin(&worker->inputs, &connection->input);
    http_parser_reset(&connection->parser);
    connection->requests_count++;
}

static void start_body(struct worker *worker, struct connection *connection)
{
    const struct http_request *request = &connection->exchange->request;
    pin_head(worker, connection);
    connection->phase = PHASE_BODY;
    if (request->content_length > worker->settings.conf->body_max_bytes) {
        request_reject(worker, connection, 413);
    } else if (request->expects_continue && input_is_empty(&connection->input)) {
        answer_continue(connection);
    }
}

/* A complete head: answered on the spot when nothing has to be waited for. */
static void start_request(struct worker *worker, struct connection *connection)
{
    if (connection->exchange->request.body_kind != HTTP_BODY_NONE) {
        start_body(worker, connection);
        return;
    }
    connection->phase = PHASE_ANSWERING;
    if (exchange_advance(worker, connection)) {
        input_consume(&worker->inputs, &connection->input, connection->parser.head_size);
        finish_request(worker, connection);
    } else {
        pin_head(worker, connection);
    }
}

/* The step functions return whether there may be more to do at once. */
static bool step_head(struct worker *worker, struct connection *connection)
{
    struct input *input = &connection->input;
    struct slice view = input_view(&worker->inputs, input);
    if (view.size == 0 || !connection_make_room(worker, connection)) {
        return false;
    }
    if (connection->requests_count > 0 && slice_equal(view, SLICE("\r\n"))) {
        /* Some clients end a body with one more line. It begins no request, so no deadline either.
         */
        input_consume(&worker->inputs, input, view.size);
        http_parser_init(&connection->parser);
        return true; /* what came behind it may lie in another receive buffer */
    }
    if (connection->exchange == NULL) {
        exchange_take(worker, connection);
    }
    switch (http_parse_head(&connection->parser, view.data, view.size,
                            &connection->exchange->request)) {
    case HTTP_PARSE_DONE:
        start_request(worker, connection);
        return true;
    case HTTP_PARSE_ERROR:
        request_reject(worker, connection, connection->parser.error_status);
        return true;
    case HTTP_PARSE_MORE:
        break;
    }
    exchange_release(worker, connection);
    if (!input_has_more(input)) {
        return false;
    }
    input_gather(&worker->inputs, input);
    return true;
}

static bool step_body(struct worker *worker, struct connection *connection)
{
    struct slice view = input_view(&worker->inputs, &connection->input);
    if (view.size == 0) {
        return false;
    }
    struct http_parser *parser = &connection->parser;
    size_t consumed = 0;
    enum http_parse_result result = http_parse_body(parser, view.data, view.size, &consumed);
    assert(consumed <= view.size);
    input_consume(&worker->inputs, &connection->input, consumed);
    if (result == HTTP_PARSE_ERROR) {
        request_reject(worker, connection, parser->error_status);
    } else if (parser->body_size > worker->settings.conf->body_max_bytes) {
        request_reject(worker, connection, 413);
    } else if (result == HTTP_PARSE_DONE) {
        connection->phase = PHASE_ANSWERING;
    }
    return true;
}

static bool step_answer(struct worker *worker, struct connection *connection)
{
    if (!exchange_advance(worker, connection)) {
        return false;
    }
    finish_request(worker, connection);
    return true;
}

bool request_step(struct worker *worker, struct connection *connection)
{
    switch ((enum connection_phase)connection->phase) {
    case PHASE_HEAD:
        return step_head(worker, connection);
    case PHASE_BODY:
        return connection_make_room(worker, connection) && step_body(worker, connection);
    case PHASE_ANSWERING:
        return step_answer(worker, connection);
    case PHASE_LAST:
        break;
    }
    return false;
}

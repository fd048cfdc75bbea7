/* Decisions: method, status, extent of the content, and what the connection is told. */
#include <errno.h>

#include "http/http_respond.h"
#include "http/http_status.h"
#include "slice_assert.h"

static struct http_request request_of(enum http_method method)
{
    return (struct http_request){ .method = method, .version_minor = 1, .keep_alive = true };
}

static void get_and_head_need_a_file(void **state)
{
    (void)state;
    struct http_response response;
    struct http_request get = request_of(HTTP_METHOD_GET);
    struct http_request head = request_of(HTTP_METHOD_HEAD);
    assert_false(http_respond_early(&get, &response));
    assert_false(http_respond_early(&head, &response));
}

static void options_is_answered_204_without_content(void **state)
{
    (void)state;
    struct http_response response;
    struct http_request request = request_of(HTTP_METHOD_OPTIONS);
    assert_true(http_respond_early(&request, &response));
    assert_int_equal(response.status, 204);
    assert_int_equal(response.content, HTTP_CONTENT_NONE);
    assert_int_equal(response.length, 0);
}

static void other_methods_are_answered_405_with_its_page(void **state)
{
    (void)state;
    struct http_response response;
    struct http_request request = request_of(HTTP_METHOD_OTHER);
    assert_true(http_respond_early(&request, &response));
    assert_int_equal(response.status, 405);
    assert_int_equal(response.content, HTTP_CONTENT_STATUS);
    assert_int_equal(response.length, http_status_body(405).size);
}

static void unknown_methods_are_answered_501_with_its_page(void **state)
{
    (void)state;
    struct http_response response;
    struct http_request request = request_of(HTTP_METHOD_UNKNOWN);
    assert_true(http_respond_early(&request, &response));
    assert_int_equal(response.status, 501);
    assert_int_equal(response.content, HTTP_CONTENT_STATUS);
    assert_int_equal(response.length, http_status_body(501).size);
}

static void allow_lists_what_is_served(void **state)
{
    (void)state;
    assert_slice_equal("Allow", http_allow(), SLICE("GET, HEAD, OPTIONS"));
}

static void get_sends_the_whole_representation(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { 1, 4096, UINT64_C(1) << 40, UINT64_MAX };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct http_request request = request_of(HTTP_METHOD_GET);
        struct http_representation representation = { .size = sizes[i] };
        struct http_response response;
        http_respond(&request, &representation, &response);
        assert_int_equal(response.status, 200);
        assert_int_equal(response.content, HTTP_CONTENT_REPRESENTATION);
        assert_int_equal(response.offset, 0);
        assert_true(response.length == sizes[i]);
    }
}

static void an_empty_representation_is_200_without_content(void **state)
{
    (void)state;
    struct http_request request = request_of(HTTP_METHOD_GET);
    struct http_representation representation = { .size = 0 };
    struct http_response response;
    http_respond(&request, &representation, &response);
    assert_int_equal(response.status, 200);
    assert_int_equal(response.content, HTTP_CONTENT_NONE);
    assert_int_equal(response.length, 0);
}

static void head_has_the_length_of_get_and_no_content(void **state)
{
    (void)state;
    struct http_request request = request_of(HTTP_METHOD_HEAD);
    struct http_representation representation = { .size = 4097 };
    struct http_response response;
    http_respond(&request, &representation, &response);
    assert_int_equal(response.status, 200);
    assert_int_equal(response.content, HTTP_CONTENT_NONE);
    assert_int_equal(response.length, 4097);
}

static void a_failed_lookup_is_answered_with_its_page(void **state)
{
    (void)state;
    static const unsigned statuses[] = { 301, 400, 403, 404, 408, 413, 500, 503, 505 };
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct http_request request = request_of(HTTP_METHOD_GET);
        struct http_response response;
        http_respond_status(&request, statuses[i], &response);
        assert_int_equal(response.status, statuses[i]);
        assert_int_equal(response.content, HTTP_CONTENT_STATUS);
        assert_int_equal(response.offset, 0);
        assert_int_equal(response.length, http_status_body(statuses[i]).size);
    }
}

static void head_of_a_failed_lookup_has_the_length_and_no_content(void **state)
{
    (void)state;
    struct http_request request = request_of(HTTP_METHOD_HEAD);
    struct http_response response;
    http_respond_status(&request, 404, &response);
    assert_int_equal(response.status, 404);
    assert_int_equal(response.content, HTTP_CONTENT_NONE);
    assert_int_equal(response.length, http_status_body(404).size);
}

static void a_request_that_could_not_be_parsed_gets_a_page(void **state)
{
    (void)state;
    struct http_response response;
    http_respond_status(NULL, 400, &response);
    assert_int_equal(response.status, 400);
    assert_int_equal(response.content, HTTP_CONTENT_STATUS);
}

static void every_errno_has_its_status(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int error;
        unsigned status;
    } rows[] = {
        { "EACCES", -EACCES, 403 },
        { "EPERM", -EPERM, 403 },
        { "ENXIO", -ENXIO, 403 },
        { "ENOENT", -ENOENT, 404 },
        { "ENOTDIR", -ENOTDIR, 404 },
        { "ELOOP", -ELOOP, 404 },
        { "ENAMETOOLONG", -ENAMETOOLONG, 404 },
        { "EXDEV", -EXDEV, 404 },
        { "EMFILE", -EMFILE, 503 },
        { "ENFILE", -ENFILE, 503 },
        { "ENOMEM", -ENOMEM, 503 },
        { "EAGAIN", -EAGAIN, 503 },
        { "EIO", -EIO, 500 },
        { "EBADF", -EBADF, 500 },
        { "ESTALE", -ESTALE, 500 },
        { "beyond any", -100000, 500 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_number_equal(rows[i].name, http_status_from_errno(rows[i].error), rows[i].status);
    }
}

static void the_connection_field_says_what_the_version_leaves_open(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t version_minor;
        bool keep_alive;
        bool closing;
        enum http_connection connection;
    } rows[] = {
        { "1.1 goes on", 1, true, false, HTTP_CONNECTION_UNSAID },
        { "1.1 asked to close", 1, false, false, HTTP_CONNECTION_CLOSE },
        { "1.1 closed by us", 1, true, true, HTTP_CONNECTION_CLOSE },
        { "1.0 goes on", 0, true, false, HTTP_CONNECTION_KEEP_ALIVE },
        { "1.0 by default", 0, false, false, HTTP_CONNECTION_CLOSE },
        { "1.0 closed by us", 0, true, true, HTTP_CONNECTION_CLOSE },
        { "both close", 1, false, true, HTTP_CONNECTION_CLOSE },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_request request = {
            .version_minor = rows[i].version_minor,
            .keep_alive = rows[i].keep_alive,
        };
        assert_number_equal(rows[i].name, http_respond_connection(&request, rows[i].closing),
                            rows[i].connection);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_and_head_need_a_file),
        cmocka_unit_test(options_is_answered_204_without_content),
        cmocka_unit_test(other_methods_are_answered_405_with_its_page),
        cmocka_unit_test(unknown_methods_are_answered_501_with_its_page),
        cmocka_unit_test(allow_lists_what_is_served),
        cmocka_unit_test(get_sends_the_whole_representation),
        cmocka_unit_test(an_empty_representation_is_200_without_content),
        cmocka_unit_test(head_has_the_length_of_get_and_no_content),
        cmocka_unit_test(a_failed_lookup_is_answered_with_its_page),
        cmocka_unit_test(head_of_a_failed_lookup_has_the_length_and_no_content),
        cmocka_unit_test(a_request_that_could_not_be_parsed_gets_a_page),
        cmocka_unit_test(every_errno_has_its_status),
        cmocka_unit_test(the_connection_field_says_what_the_version_leaves_open),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("http_respond", tests, NULL, NULL) == 0 ? 0 : 1;
}

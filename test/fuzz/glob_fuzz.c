/* Fuzzes what rules are made of. Input lines: a pattern, a path, a redirect's template, a query,
 * credentials; missing ones are absent.
 *
 * A pattern is matched once more by a model that reads it byte by byte and tries all; the index
 * over a pattern and all that it begins with must find what trying each finds; a Location must be
 * one line that leads to no other host; what is read of a query or of credentials must lie within.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_accept.h"
#include "http/http_basic.h"
#include "http/http_class.h"
#include "http/http_glob_index.h"
#include "http/http_name.h"
#include "http/http_query.h"
#include "http/http_redirect.h"
#include "test/fuzz/fuzz.h"

enum {
    INPUT_SIZE_MAX = 4 * 1024,
    LOCATION_SIZE_MAX = 64 * 1024,
    VALUE_SIZE_MAX = 32,
    MODEL_STEPS_MAX = 100 * 1000, /* the model takes as long as it likes; beyond, none is asked */
};

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static struct slice line_take(struct slice *input)
{
    const char *end = input->size > 0 ? memchr(input->data, '\n', input->size) : NULL;
    if (end == NULL) {
        struct slice last = *input;
        *input = SLICE_NONE;
        return last;
    }
    struct slice line = slice_of(input->data, (size_t)(end - input->data));
    *input = slice_of(end + 1, input->size - line.size - 1);
    return line;
}

static struct slice without(struct slice text, size_t size)
{
    return size == 0 ? text : slice_of(text.data + size, text.size - size);
}

/* --- the model of patterns ---------------------------------------------------------------------
 */

struct model {
    size_t steps;
    size_t captures_count;
    struct slice captures[HTTP_GLOB_CAPTURES_MAX];
};

static bool model_match(struct model *model, struct slice pattern, struct slice path);

static bool model_take(struct model *model, struct slice pattern, struct slice path, size_t size,
                       size_t skipped)
{
    size_t index = model->captures_count;
    check(index < HTTP_GLOB_CAPTURES_MAX);
    model->captures[model->captures_count++] = slice_of(path.data, size);
    if (model_match(model, pattern, without(path, size + skipped))) {
        return true;
    }
    model->captures_count = index;
    return false;
}

static bool model_stars(struct model *model, struct slice pattern, struct slice path)
{
    bool is_deep = pattern.size > 1 && pattern.data[1] == '*';
    struct slice rest = without(pattern, is_deep ? 2 : 1);
    bool is_names = is_deep && pattern.data[-1] == '/' && rest.size > 0 && rest.data[0] == '/';
    if (is_names) {
        /* A last "**", with its '/', is followed by another; one looks at the byte before. */
        rest = rest.size == 1 ? without(SLICE("/**"), 1) : without(rest, 1);
        if (model_take(model, rest, path, 0, 0)) {
            return true;
        }
    }
    for (size_t size = 0; size <= path.size; size++) {
        bool is_slash = size < path.size && path.data[size] == '/';
        if (is_names ? is_slash && model_take(model, rest, path, size, 1)
                     : model_take(model, rest, path, size, 0)) {
            return true;
        }
        if (is_slash && !is_deep) {
            return false;
        }
    }
    return false;
}

/* The size of an alternative, up to ',' or '}'; *plain has it without its escapes. */
static size_t model_text(struct slice braces, char plain[HTTP_GLOB_SIZE_MAX], size_t *plain_size)
{
    size_t at = 0;
    *plain_size = 0;
    while (braces.data[at] != ',' && braces.data[at] != '}') {
        at += braces.data[at] == '\\';
        plain[(*plain_size)++] = braces.data[at++];
    }
    return at;
}

static bool model_braces(struct model *model, struct slice pattern, struct slice path)
{
    struct slice rest = pattern;
    while (rest.data[0] != '}') {
        rest = without(rest, rest.data[0] == '\\' ? 2 : 1);
    }
    rest = without(rest, 1);
    do {
        char plain[HTTP_GLOB_SIZE_MAX];
        size_t size;
        pattern = without(pattern, 1);
        pattern = without(pattern, model_text(pattern, plain, &size));
        if (path.size >= size && memcmp(path.data, plain, size) == 0 &&
            model_take(model, rest, path, size, 0)) {
            return true;
        }
    } while (pattern.data[0] == ',');
    return false;
}

static bool model_match(struct model *model, struct slice pattern, struct slice path)
{
    if (++model->steps > MODEL_STEPS_MAX) {
        return false;
    }
    if (pattern.size == 0) {
        return path.size == 0;
    }
    char first = pattern.data[0];
    bool has_byte = path.size > 0;
    if (first == '*') {
        return model_stars(model, pattern, path);
    }
    if (first == '{') {
        return model_braces(model, pattern, path);
    }
    if (first == '?') {
        return has_byte && path.data[0] != '/' &&
               model_take(model, without(pattern, 1), path, 1, 0);
    }
    if (first == '/' && pattern.size == 1) {
        return has_byte && path.data[0] == '/' &&
               model_take(model, SLICE_NONE, without(path, 1), path.size - 1, 0);
    }
    size_t size = first == '\\' ? 2 : 1;
    return has_byte && path.data[0] == pattern.data[size - 1] &&
           model_match(model, without(pattern, size), without(path, 1));
}

/* --- what is checked ---------------------------------------------------------------------------
 */

/* Returns whether it fits; *captures are those of the pattern, or none. */
static bool check_match(struct slice pattern, struct slice path,
                        struct http_glob_captures *captures)
{
    struct model model = { .steps = 0 };
    bool fits = http_glob_match(pattern, path, captures);
    bool model_fits = model_match(&model, pattern, path);
    if (model.steps > MODEL_STEPS_MAX) {
        return fits;
    }
    check(fits == model_fits);
    if (fits) {
        check(captures->count == model.captures_count);
        for (size_t i = 0; i < captures->count; i++) {
            check(captures->items[i].data == model.captures[i].data);
            check(captures->items[i].size == model.captures[i].size);
        }
    }
    return fits;
}

/* An index over all that the pattern begins with, and all that it ends with. */
static void check_index(struct slice pattern, struct slice path)
{
    struct slice patterns[2 * HTTP_GLOB_SIZE_MAX];
    size_t count = 0;
    for (size_t i = 0; i <= pattern.size; i++) {
        struct slice cuts[] = { slice_of(pattern.data, i), without(pattern, i) };
        for (size_t j = 0; j < 2 && count < 2 * HTTP_GLOB_SIZE_MAX; j++) {
            if (http_glob_check(cuts[j]) == NULL) {
                patterns[count++] = cuts[j];
            }
        }
    }
    struct http_glob_index index;
    http_glob_index_build(&index, patterns, count);
    uint16_t matches[2 * HTTP_GLOB_SIZE_MAX];
    size_t found = http_glob_index_find(&index, path, matches, 2 * HTTP_GLOB_SIZE_MAX);
    check(found <= http_glob_index_count_tries(&index, path));
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (http_glob_match(patterns[i], path, NULL)) {
            check(at < found && matches[at] == i);
            at++;
        }
    }
    check(at == found);
}

static void check_redirect(struct slice template, const struct http_glob_captures *captures,
                           struct slice path, struct slice query)
{
    static const size_t sizes[] = { 0, 1, 7, LOCATION_SIZE_MAX };
    char location[LOCATION_SIZE_MAX];
    size_t needed = http_redirect_write(template, captures, path, query, NULL, 0);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        check(http_redirect_write(template, captures, path, query, location, sizes[i]) == needed);
    }
    size_t size = needed < LOCATION_SIZE_MAX ? needed : LOCATION_SIZE_MAX;
    if (needed > LOCATION_SIZE_MAX) {
        return;
    }
    check(size > 0);
    for (size_t i = 0; i < size; i++) {
        check(location[i] > ' ' && location[i] < 0x7f);
    }
    if (template.data[0] == '/') {
        check(location[0] == '/');
        check(size == 1 || (location[1] != '/' && location[1] != '\\'));
        return;
    }
    size_t origin = 0;
    for (size_t slashes = 0; origin < template.size; origin++) {
        slashes += template.data[origin] == '/';
        if (slashes == 3 || memchr("?#$", template.data[origin], 3) != NULL) {
            break;
        }
    }
    check(size >= origin && memcmp(location, template.data, origin) == 0);
    check(size == origin || memchr("/?#", location[origin], 3) != NULL);
}

static bool query_is_valid(struct slice query)
{
    return http_class_skip(query.data, 0, query.size, HTTP_CLASS_TARGET) == query.size;
}

static void check_fields(struct slice query, struct slice field)
{
    char value_bytes[VALUE_SIZE_MAX];
    struct slice value;
    if (http_query_find(query, SLICE("sort"), value_bytes, sizeof(value_bytes), &value)) {
        check(value.data == value_bytes && value.size <= sizeof(value_bytes));
    }
    char buffer[HTTP_BASIC_SIZE_MAX];
    struct slice user;
    struct slice password;
    if (http_basic_parse(field, buffer, &user, &password)) {
        check(user.data == buffer && user.size < sizeof(buffer));
        check(buffer[user.size] == ':' && password.data == buffer + user.size + 1);
        check(user.size + 1 + password.size <= sizeof(buffer));
        check(memchr(user.data, ':', user.size) == NULL);
    }
    const struct http_request request = { .accept = field };
    bool is_navigation = http_accept_is_navigation(&request, SLICE("a"));
    check(!is_navigation || field.size >= SLICE("text/html").size);
    bool prefers_json = http_accept_prefers_json(&request);
    check(!prefers_json || field.size >= SLICE("*/*").size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_SIZE_MAX) {
        return 0;
    }
    struct slice input = slice_of((const char *)data, size);
    struct slice pattern = line_take(&input);
    struct slice path = line_take(&input);
    struct slice template = line_take(&input);
    struct slice query = line_take(&input);
    struct slice field = line_take(&input);
    check_fields(query, field);
    (void)http_name_is_hashed(path);
    bool is_template = http_redirect_check(template) == NULL;
    if (path.size == 0 || path.data[0] != '/' || path.size > HTTP_GLOB_PATH_SIZE_MAX) {
        return 0;
    }
    struct http_glob_captures captures = { .count = 0 };
    if (http_glob_check(pattern) == NULL) {
        (void)check_match(pattern, path, &captures);
        check_index(pattern, path);
    }
    if (is_template && query_is_valid(query)) {
        check_redirect(template, &captures, path, query);
    }
    return 0;
}

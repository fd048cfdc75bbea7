/* Fuzzes http_target: a raw path, then '?' and a query when there is one.
 *
 * Decoding is compared with a slow model that splits first and resolves on a stack of names.
 * Encoding must be undone by decoding. The slash redirect is resolved against the raw path as RFC
 * 3986 section 5.2 tells clients to, by code that shares nothing with http/: it must arrive at the
 * same directory, on the same host. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_target.h"

enum {
    INPUT_SIZE_MAX = 8 * 1024, /* as a request line bounds it */
    NAMES_MAX = INPUT_SIZE_MAX,
    LOCATION_SIZE_MAX = 4 * INPUT_SIZE_MAX,
    MODEL_PATH_SIZE_MAX = 4095,
    MODEL_NAME_SIZE_MAX = 255,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* --- the model of decoding ---------------------------------------------------------------------
 */

struct model {
    enum http_target_result result;
    size_t names_count;
    size_t path_size;              /* joined */
    struct slice names[NAMES_MAX]; /* into text */
    bool is_directory;
    char text[INPUT_SIZE_MAX];
};

static int model_hex(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    return found == NULL ? -1 : (int)((found - digits) % 16);
}

/* Returns the decoded size, or SIZE_MAX for what is bad. */
static size_t model_unescape(struct slice raw, char *text)
{
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        char c = raw.data[i];
        if (c == '%') {
            if (i + 2 >= raw.size || model_hex(raw.data[i + 1]) < 0 ||
                model_hex(raw.data[i + 2]) < 0) {
                return SIZE_MAX;
            }
            c = (char)(model_hex(raw.data[i + 1]) * 16 + model_hex(raw.data[i + 2]));
            i += 2;
        }
        if (c == '\0') {
            return SIZE_MAX;
        }
        text[size++] = c;
    }
    return size;
}

static bool name_is(struct slice name, const char *text)
{
    return name.size == strlen(text) && memcmp(name.data, text, name.size) == 0;
}

static size_t model_cost(const struct model *model, struct slice name)
{
    return name.size + (model->names_count > 0); /* with the '/' before it */
}

static void model_take(struct model *model, struct slice name)
{
    model->is_directory = name_is(name, "") || name_is(name, ".") || name_is(name, "..");
    if (name_is(name, "..") && model->names_count == 0) {
        model->result = HTTP_TARGET_BAD;
    } else if (name_is(name, "..")) {
        model->names_count--;
        model->path_size -= model_cost(model, model->names[model->names_count]);
    } else if (!model->is_directory) {
        model->path_size += model_cost(model, name);
        model->names[model->names_count++] = name;
        if (name.size > MODEL_NAME_SIZE_MAX || model->path_size > MODEL_PATH_SIZE_MAX) {
            model->result = HTTP_TARGET_MISSING;
        }
    }
}

static void model_decode(struct model *model, struct slice raw)
{
    model->names_count = 0;
    model->path_size = 0;
    model->result = HTTP_TARGET_OK;
    size_t size = model_unescape(raw, model->text);
    if (size == SIZE_MAX) {
        model->result = HTTP_TARGET_BAD;
        return;
    }
    size_t start = 1;
    for (size_t i = 1; i <= size && model->result != HTTP_TARGET_BAD; i++) {
        if (i == size || model->text[i] == '/') {
            model_take(model, slice_of(model->text + start, i - start));
            start = i + 1;
        }
    }
}

static void model_compare(const struct model *model, const struct http_target *target)
{
    size_t at = 0;
    bool has_dot_name = false;
    for (size_t i = 0; i < model->names_count; i++) {
        struct slice name = model->names[i];
        has_dot_name |= name.data[0] == '.' && !(i == 0 && name_is(name, ".well-known"));
        check(i == 0 || target->path[at++] == '/');
        check(at + name.size <= target->path_size);
        check(memcmp(target->path + at, name.data, name.size) == 0);
        at += name.size;
    }
    check(at == target->path_size);
    check(target->path[at] == '\0');
    check(target->is_directory == model->is_directory);
    check(target->has_dot_name == has_dot_name);
}

/* --- what must hold of every path, whatever the model says
 * ----------------------------------------- */

static void check_cannot_climb(const struct http_target *target)
{
    check(strlen(target->path) == target->path_size);
    size_t start = 0;
    for (size_t i = 0; i <= target->path_size && target->path_size > 0; i++) {
        if (i < target->path_size && target->path[i] != '/') {
            continue;
        }
        struct slice name = slice_of(target->path + start, i - start);
        check(!name_is(name, "") && !name_is(name, ".") && !name_is(name, ".."));
        check(name.size <= MODEL_NAME_SIZE_MAX);
        start = i + 1;
    }
}

static void check_encoding(const struct http_target *target)
{
    static const char safe[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/%";
    char raw[1 + 3 * MODEL_PATH_SIZE_MAX] = "/";
    struct slice path = slice_of(target->path, target->path_size);
    size_t size = http_target_encode(path, raw + 1, sizeof(raw) - 1);
    check(size < sizeof(raw));
    for (size_t i = 0; i < size; i++) {
        check(raw[1 + i] != '\0' && strchr(safe, raw[1 + i]) != NULL);
    }
    struct http_target again;
    check(http_target_decode(slice_of(raw, size + 1), &again) == HTTP_TARGET_OK);
    check(again.path_size == target->path_size);
    check(memcmp(again.path, target->path, target->path_size) == 0);
    check(again.has_dot_name == target->has_dot_name);
}

/* --- a client that follows a redirect: RFC 3986 section 5.2
 * --------------------------------------- */

static bool begins(struct slice text, const char *prefix)
{
    return text.size >= strlen(prefix) && memcmp(text.data, prefix, strlen(prefix)) == 0;
}

static struct slice without(struct slice text, size_t size)
{
    return slice_of(text.data + size, text.size - size);
}

/* Takes the last segment and its '/' off. */
static size_t last_segment_removed(const char *path, size_t size)
{
    while (size > 0 && path[size - 1] != '/') {
        size--;
    }
    return size == 0 ? 0 : size - 1;
}

/* Section 5.2.4, step by step; input begins with '/'. "/" stands for the tail of a final dot
 * segment. */
static size_t dot_segments_removed(struct slice input, char *output)
{
    size_t size = 0;
    while (input.size > 0) {
        if (begins(input, "/./")) {
            input = without(input, 2);
        } else if (name_is(input, "/.")) {
            input = slice_of("/", 1);
        } else if (begins(input, "/../")) {
            input = without(input, 3);
            size = last_segment_removed(output, size);
        } else if (name_is(input, "/..")) {
            input = slice_of("/", 1);
            size = last_segment_removed(output, size);
        } else {
            do {
                output[size++] = input.data[0];
                input = without(input, 1);
            } while (input.size > 0 && input.data[0] != '/');
        }
    }
    return size;
}

/* Section 5.2.2 for a reference that is known to have neither scheme, authority nor leading '/'. */
static size_t reference_resolve(struct slice base, struct slice path, char *output)
{
    char merged[INPUT_SIZE_MAX + LOCATION_SIZE_MAX];
    size_t size = base.size;
    while (base.data[size - 1] != '/') {
        size--;
    }
    memcpy(merged, base.data, size);
    memcpy(merged + size, path.data, path.size);
    return dot_segments_removed(slice_of(merged, size + path.size), output);
}

static size_t until(struct slice text, const char *ends)
{
    size_t size = 0;
    while (size < text.size && (text.data[size] == '\0' || strchr(ends, text.data[size]) == NULL)) {
        size++;
    }
    return size;
}

static void check_redirect(struct slice raw, const struct http_target *target, struct slice query)
{
    char location[LOCATION_SIZE_MAX];
    size_t size = http_target_write_slash_redirect(raw, target, query, location, sizeof(location));
    check(size <= sizeof(location));
    struct slice reference = slice_of(location, size);

    check(begins(reference, "./") || begins(reference, "../"));
    check(until(reference, ":") >= until(reference, "/?#"));
    struct slice path = slice_of(location, until(reference, "?"));
    check(until(path, "\\:#@ \t\r\n") == path.size);
    if (query.data == NULL) {
        check(path.size == size);
    } else {
        check(path.size < size);
        struct slice kept = without(reference, path.size + 1);
        check(kept.size == query.size && memcmp(kept.data, query.data, kept.size) == 0);
    }

    char resolved[INPUT_SIZE_MAX + LOCATION_SIZE_MAX];
    size_t resolved_size = reference_resolve(raw, path, resolved);
    check(resolved_size > 0 && resolved[0] == '/');
    struct http_target again;
    check(http_target_decode(slice_of(resolved, resolved_size), &again) == HTTP_TARGET_OK);
    check(again.is_directory);
    check(again.path_size == target->path_size);
    check(memcmp(again.path, target->path, target->path_size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size + 1 > INPUT_SIZE_MAX) {
        return 0;
    }
    char input[INPUT_SIZE_MAX] = "/";
    size_t skipped = size > 0 && data[0] == '/';
    if (size > skipped) {
        memcpy(input + 1, data + skipped, size - skipped);
    }
    struct slice whole = slice_of(input, 1 + size - skipped);
    struct slice raw = slice_of(input, until(whole, "?"));
    struct slice query = raw.size == whole.size ? SLICE_NONE : without(whole, raw.size + 1);

    struct model model;
    struct http_target target;
    model_decode(&model, raw);
    check(http_target_decode(raw, &target) == model.result);
    if (model.result != HTTP_TARGET_OK) {
        return 0;
    }
    model_compare(&model, &target);
    check_cannot_climb(&target);
    check_encoding(&target);
    if (!target.is_directory) {
        check_redirect(raw, &target, query);
    }
    return 0;
}

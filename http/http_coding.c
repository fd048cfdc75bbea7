/* One pass over Accept-Encoding fills a table of qualities, then the best of what is there is
 * taken. Most fields name no quality at all, so nothing in them can refuse identity: where that is
 * all there is, one look for '=' decides. */
#include "http/http_coding.h"

#include <assert.h>

#include "http/http_class.h"
#include "http/http_field_list.h"
#include "http/http_list.h"

enum {
    QUALITY_DECIMALS_MAX = 3,
    QUALITY_MAX = 1000, /* qualities are thousandths */
    QUALITY_UNSAID = -1,
};

/* Of the codings, by their number; at HTTP_CODINGS_COUNT that of "*". */
struct preferences {
    int qualities[HTTP_CODINGS_COUNT + 1];
};

static const struct slice names[HTTP_CODINGS_COUNT] = {
    [HTTP_CODING_BR] = { "br", 2 },
    [HTTP_CODING_ZSTD] = { "zstd", 4 },
    [HTTP_CODING_GZIP] = { "gzip", 4 },
};

static const struct slice suffixes[HTTP_CODINGS_COUNT] = {
    [HTTP_CODING_BR] = { ".br", 3 },
    [HTTP_CODING_ZSTD] = { ".zst", 4 },
    [HTTP_CODING_GZIP] = { ".gz", 3 },
};

struct slice http_coding_name(enum http_coding coding)
{
    assert(coding < HTTP_CODINGS_COUNT);
    return names[coding];
}

struct slice http_coding_suffix(enum http_coding coding)
{
    assert(coding < HTTP_CODINGS_COUNT);
    return suffixes[coding];
}

/* Returns thousandths, or QUALITY_UNSAID for what is no qvalue. RFC 9110 12.4.2. */
static int quality_read(struct slice text)
{
    if (text.size == 0 || (text.data[0] != '0' && text.data[0] != '1')) {
        return QUALITY_UNSAID;
    }
    int quality = text.data[0] == '1' ? QUALITY_MAX : 0;
    if (text.size == 1) {
        return quality;
    }
    if (text.data[1] != '.' || text.size > 2 + QUALITY_DECIMALS_MAX) {
        return QUALITY_UNSAID;
    }
    int weight = QUALITY_MAX / 10;
    for (size_t i = 2; i < text.size; i++, weight /= 10) {
        if (!http_class_has(text.data[i], HTTP_CLASS_DIGIT)) {
            return QUALITY_UNSAID;
        }
        quality += (text.data[i] - '0') * weight;
    }
    return quality <= QUALITY_MAX ? quality : QUALITY_UNSAID;
}

/* Returns an index of qualities, or one past their last for a coding that is unknown here. */
static unsigned coding_find(struct slice name)
{
    switch (name.size) {
    case 1:
        return name.data[0] == '*' ? HTTP_CODINGS_COUNT : HTTP_CODINGS_COUNT + 1;
    case 2:
    case 4:
        for (unsigned i = HTTP_CODING_BR; i < HTTP_CODINGS_COUNT; i++) {
            if (slice_equal_ignoring_case(name, names[i])) {
                return i;
            }
        }
        return HTTP_CODINGS_COUNT + 1;
    case 6:
        return slice_equal_ignoring_case(name, SLICE("x-gzip")) ? HTTP_CODING_GZIP
                                                                : HTTP_CODINGS_COUNT + 1;
    case 8:
        return slice_equal_ignoring_case(name, SLICE("identity")) ? HTTP_CODING_IDENTITY
                                                                  : HTTP_CODINGS_COUNT + 1;
    default:
        return HTTP_CODINGS_COUNT + 1;
    }
}

/* element: CODING, or CODING ; q=QUALITY, with blanks around the ';' and at both ends. */
static void element_read(struct preferences *preferences, struct slice element)
{
    int quality = QUALITY_MAX;
    const char *semicolon = element.size > 0 ? memchr(element.data, ';', element.size) : NULL;
    if (semicolon != NULL) {
        size_t name_size = (size_t)(semicolon - element.data);
        struct slice weight = http_list_trim(slice_of(semicolon + 1, element.size - name_size - 1));
        if (weight.size < 2 || slice_lower(weight.data[0]) != 'q' || weight.data[1] != '=') {
            return;
        }
        quality = quality_read(slice_of(weight.data + 2, weight.size - 2));
        if (quality == QUALITY_UNSAID) {
            return;
        }
        element.size = name_size;
    }
    unsigned coding = coding_find(http_list_trim(element));
    if (coding <= HTTP_CODINGS_COUNT) {
        preferences->qualities[coding] = quality;
    }
}

static void line_read(struct preferences *preferences, struct slice line)
{
    while (line.size > 0) {
        element_read(preferences, http_list_take(&line));
    }
}

/* 0: refused; 1: identity that nothing stands for, below all that is wanted. */
static int rank_of(const struct preferences *preferences, enum http_coding coding)
{
    int quality = preferences->qualities[coding];
    if (quality == QUALITY_UNSAID) {
        quality = preferences->qualities[HTTP_CODINGS_COUNT];
    }
    if (quality == QUALITY_UNSAID) {
        return coding == HTTP_CODING_IDENTITY ? 1 : 0;
    }
    return quality * 2;
}

static enum http_coding best_of(const struct preferences *preferences, unsigned available)
{
    enum http_coding best = HTTP_CODING_NONE;
    int best_rank = 0;
    static const enum http_coding order[] = {
        HTTP_CODING_BR,
        HTTP_CODING_ZSTD,
        HTTP_CODING_GZIP,
        HTTP_CODING_IDENTITY,
    };
    for (size_t i = 0; i < HTTP_CODINGS_COUNT; i++) {
        int rank = rank_of(preferences, order[i]);
        if ((available & 1u << order[i]) != 0 && rank > best_rank) {
            best = order[i];
            best_rank = rank;
        }
    }
    return best;
}

static bool is_identity_certain(const struct http_request *request, unsigned available)
{
    struct slice field = request->accept_encoding;
    if (field.data == NULL) {
        return (available & 1u << HTTP_CODING_IDENTITY) != 0;
    }
    return available == 1u << HTTP_CODING_IDENTITY &&
           !http_field_is_repeated(request, HTTP_LIST_ACCEPT_ENCODING) &&
           (field.size == 0 || memchr(field.data, '=', field.size) == NULL);
}

enum http_coding http_coding_choose(const struct http_request *request, unsigned available)
{
    assert(available != 0);
    assert(available < 1u << HTTP_CODINGS_COUNT);
    if (is_identity_certain(request, available)) {
        return HTTP_CODING_IDENTITY;
    }
    struct preferences preferences = {
        .qualities = { [0 ... HTTP_CODINGS_COUNT] = QUALITY_UNSAID },
    };
    if (request->accept_encoding.data == NULL) {
        preferences.qualities[HTTP_CODINGS_COUNT] = QUALITY_MAX;
    }
    struct http_field_list list = http_field_list_of(request, HTTP_LIST_ACCEPT_ENCODING);
    struct slice line;
    while (http_field_list_next(&list, &line)) {
        line_read(&preferences, line);
    }
    return best_of(&preferences, available);
}

/* What is neither text nor has a suffix that says enough. Lower case. */
static const char *const compressible[] = {
    "application/ecmascript",
    "application/graphql",
    "application/javascript",
    "application/json",
    "application/json-seq",
    "application/json5",
    "application/jsonl",
    "application/manifest",
    "application/mbox",
    "application/n-quads",
    "application/n-triples",
    "application/postscript",
    "application/rtf",
    "application/sparql-query",
    "application/sql",
    "application/toml",
    "application/vnd.apple.mpegurl",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-font-opentype",
    "application/x-font-otf",
    "application/x-font-truetype",
    "application/x-font-ttf",
    "application/x-javascript",
    "application/x-mpegurl",
    "application/x-ndjson",
    "application/x-perl",
    "application/x-sh",
    "application/x-shellscript",
    "application/x-subrip",
    "application/x-tex",
    "application/x-texinfo",
    "application/x-yaml",
    "application/xml",
    "application/xml-dtd",
    "application/yaml",
    "audio/x-mpegurl",
    "audio/x-scpls",
    "font/collection",
    "font/otf",
    "font/sfnt",
    "font/ttf",
    "image/bmp",
    "image/vnd.microsoft.icon",
    "image/x-icon",
    "image/x-ms-bmp",
    "image/x-portable-anymap",
    "image/x-portable-bitmap",
    "image/x-portable-graymap",
    "image/x-portable-pixmap",
    "image/x-xbitmap",
    "image/x-xpixmap",
    "message/rfc822",
    "model/gltf-binary",
    "model/mtl",
    "model/obj",
    "model/step",
    "model/stl",
};

static bool has_suffix(struct slice type, struct slice suffix)
{
    return type.size > suffix.size &&
           slice_equal_ignoring_case(slice_of(type.data + type.size - suffix.size, suffix.size),
                                     suffix);
}

bool http_coding_is_compressible(struct slice type)
{
    const char *semicolon = type.size > 0 ? memchr(type.data, ';', type.size) : NULL;
    if (semicolon != NULL) {
        type.size = (size_t)(semicolon - type.data);
    }
    type = http_list_trim(type);
    struct slice text = SLICE("text/");
    if (type.size > text.size && slice_equal_ignoring_case(slice_of(type.data, text.size), text)) {
        return true;
    }
    if (has_suffix(type, SLICE("+json")) || has_suffix(type, SLICE("+xml")) ||
        has_suffix(type, SLICE("+yaml"))) {
        return true;
    }
    for (size_t i = 0; i < sizeof(compressible) / sizeof(compressible[0]); i++) {
        if (slice_equal_ignoring_case(type, slice_from_string(compressible[i]))) {
            return true;
        }
    }
    return false;
}

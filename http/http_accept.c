/* Each range of the field is compared with a type as it is read; the closest one counts, of equally
 * close ones the heaviest. */
#include "http/http_accept.h"

#include "http/http_class.h"
#include "http/http_list.h"

enum {
    WEIGHT_MAX = 1000 /* q=1, in thousandths */
};

enum closeness {
    CLOSENESS_NONE,
    CLOSENESS_ANY,  /* all types */
    CLOSENESS_MAIN, /* all of the main type */
    CLOSENESS_TYPE, /* named itself */
};

struct rank {
    unsigned weight;
    enum closeness closeness;
};

struct media_range {
    struct slice main;
    struct slice sub;
    unsigned weight;
};

static void blanks_skip(struct slice *text)
{
    while (text->size > 0 && (text->data[0] == ' ' || text->data[0] == '\t')) {
        *text = slice_of(text->data + 1, text->size - 1);
    }
}

static bool byte_take(struct slice *text, char byte)
{
    if (text->size == 0 || text->data[0] != byte) {
        return false;
    }
    *text = slice_of(text->data + 1, text->size - 1);
    return true;
}

static struct slice token_take(struct slice *text)
{
    size_t size = http_class_skip(text->data, 0, text->size, HTTP_CLASS_TOKEN);
    struct slice token = slice_of(text->data, size);
    *text = slice_of(text->data + size, text->size - size);
    return token;
}

/* Behind the opening quote, past the closing one. RFC 9110 5.6.4. */
static bool quoted_skip(struct slice *text)
{
    while (text->size > 0) {
        if (byte_take(text, '"')) {
            return true;
        }
        (void)byte_take(text, '\\');
        if (text->size > 0) {
            *text = slice_of(text->data + 1, text->size - 1);
        }
    }
    return false;
}

/* RFC 9110 12.4.2: at most three digits behind the point, at most 1. */
static bool weight_read(struct slice text, unsigned *weight)
{
    if (text.size == 0 || text.size > 5 || (text.size > 1 && text.data[1] != '.')) {
        return false;
    }
    unsigned value = 0;
    unsigned scale = WEIGHT_MAX;
    for (size_t i = 0; i < text.size; i++) {
        if (i == 1) {
            continue;
        }
        if (!http_class_has(text.data[i], HTTP_CLASS_DIGIT)) {
            return false;
        }
        value += (unsigned)(text.data[i] - '0') * scale;
        scale /= 10;
    }
    *weight = value;
    return value <= WEIGHT_MAX;
}

/* `;NAME=VALUE` any number of times, blanks around the ';'. Stops at the first other byte. */
static bool parameters_take(struct slice *text, unsigned *weight)
{
    for (;;) {
        struct slice rest = *text;
        blanks_skip(&rest);
        if (!byte_take(&rest, ';')) {
            return true;
        }
        blanks_skip(&rest);
        struct slice name = token_take(&rest);
        *text = rest;
        if (name.size == 0) {
            continue;
        }
        if (!byte_take(text, '=')) {
            return false;
        }
        if (byte_take(text, '"')) {
            if (!quoted_skip(text)) {
                return false;
            }
            continue;
        }
        struct slice value = token_take(text);
        bool is_weight = slice_equal_ignoring_case(name, SLICE("q"));
        if (is_weight ? !weight_read(value, weight) : value.size == 0) {
            return false;
        }
    }
}

/* Cuts a range off the front; false: it is malformed, and *text somewhere in it. */
static bool range_take(struct slice *text, struct media_range *range)
{
    range->weight = WEIGHT_MAX;
    range->main = token_take(text);
    if (range->main.size == 0 || !byte_take(text, '/')) {
        return false;
    }
    range->sub = token_take(text);
    if (range->sub.size == 0 || !parameters_take(text, &range->weight)) {
        return false;
    }
    blanks_skip(text);
    return text->size == 0 || text->data[0] == ',';
}

static void element_skip(struct slice *text)
{
    while (text->size > 0 && text->data[0] != ',') {
        bool is_quote = text->data[0] == '"';
        *text = slice_of(text->data + 1, text->size - 1);
        if (is_quote) {
            (void)quoted_skip(text);
        }
    }
}

static enum closeness range_closeness(const struct media_range *range, struct slice main,
                                      struct slice sub)
{
    bool is_any_sub = slice_equal(range->sub, SLICE("*"));
    if (slice_equal_ignoring_case(range->main, main)) {
        if (slice_equal_ignoring_case(range->sub, sub)) {
            return CLOSENESS_TYPE;
        }
        return is_any_sub ? CLOSENESS_MAIN : CLOSENESS_NONE;
    }
    return is_any_sub && slice_equal(range->main, SLICE("*")) ? CLOSENESS_ANY : CLOSENESS_NONE;
}

static struct rank rank_find(struct slice accept, struct slice main, struct slice sub)
{
    struct rank rank = { 0, CLOSENESS_NONE };
    while (http_list_advance(&accept, true) && accept.size > 0) {
        struct media_range range;
        if (!range_take(&accept, &range)) {
            element_skip(&accept);
            continue;
        }
        enum closeness closeness = range_closeness(&range, main, sub);
        if (closeness > rank.closeness) {
            rank = (struct rank){ range.weight, closeness };
        } else if (closeness == rank.closeness && closeness != CLOSENESS_NONE &&
                   range.weight > rank.weight) {
            rank.weight = range.weight;
        }
    }
    return rank;
}

bool http_accept_prefers_json(const struct http_request *request)
{
    struct rank json = rank_find(request->accept, SLICE("application"), SLICE("json"));
    struct rank html = rank_find(request->accept, SLICE("text"), SLICE("html"));
    return json.weight > html.weight ||
           (json.weight == html.weight && json.weight > 0 && json.closeness > html.closeness);
}

bool http_accept_is_navigation(const struct http_request *request, struct slice last_segment)
{
    if (last_segment.size > 0 && memchr(last_segment.data, '.', last_segment.size) != NULL) {
        return false;
    }
    struct rank html = rank_find(request->accept, SLICE("text"), SLICE("html"));
    return html.closeness == CLOSENESS_TYPE && html.weight > 0;
}
